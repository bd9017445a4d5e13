"""Contexts: the extremes of a unit, found again by plain search."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import make
from tidegate.errors import InputError
from tidegate.explain import contexts
from tidegate.nn import GRU
from tidegate.nn.trace.trace import Trace

LENGTHS = [9, 4, 0, 6]


def traced(case="lstm", **options):
    layer = make(case, batch_first=True, bidirectional=True, **options)
    trace = layer.trace(torch.randn(4, 9, 3, dtype=torch.float64), lengths=LENGTHS)
    return trace.labelled([[f"{row}.{step}" for step in range(n)] for row, n in enumerate(LENGTHS)])


@pytest.mark.parametrize("signal", ["hidden", "cell", "forget"])
def test_the_first_contexts_are_the_extremes(signal):
    trace = traced()
    found = contexts(trace, 2, row="layer 0 backward", signal=signal, count=3, span=1)
    part = {"hidden": trace.hidden, "cell": trace.cell}.get(signal)
    values = (trace.gate(signal) if part is None else part)[1, ..., 2]
    valid = values[trace.mask]
    assert found.highest[0].value == valid.max()
    assert found.lowest[0].value == valid.min()
    for at in (*found.highest, *found.lowest):
        assert at.value == values[at.row, at.step]
        assert at.label == f"{at.row}.{at.step}"
        around = [f"{at.row}.{s}" for s in (at.step - 1, at.step + 1) if 0 <= s < LENGTHS[at.row]]
        assert [*at.before, *at.after] == around
    assert [at.value for at in found.highest] == sorted(a.value for a in found.highest)[::-1]


def test_contexts_do_not_overlap_and_may_run_out():
    found = contexts(traced(), 0, count=99, span=4)
    places = [(at.row, at.step) for at in found.highest]
    for one in places:
        assert all(one == two or one[0] != two[0] or abs(one[1] - two[1]) > 4 for two in places)
    assert 3 <= len(places) <= 5
    assert {row for row, _ in places} == {0, 1, 3}


def test_the_table_and_the_picture():
    found = contexts(traced(), 1, count=2)
    frame = found.to_frame()
    assert frame["end"].tolist() == ["highest"] * 2 + ["lowest"] * 2
    assert frame["label"][0] == found.highest[0].label
    figure = found.plot()
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert all(at.label in shown for at in (*found.highest, *found.lowest))
    assert [bar.get_width() for bar in figure.axes[1].patches] == frame["value"].tolist()
    assert found._repr_png_().startswith(b"\x89PNG")


def test_contexts_of_characters_are_longer_and_written_without_spaces():
    trace = make("lstm", batch_first=True).trace(torch.randn(1, 90, 3, dtype=torch.float64))
    text = "to be or not " * 6 + "that is the "
    found = contexts(trace.labelled([text]), 0, count=1)
    at = found.highest[0]
    frame = found.to_frame()
    assert frame["before"][0] == text[max(0, at.step - 30) : at.step]
    assert frame["after"][0] == text[at.step + 1 : at.step + 31]
    shown = [drawn.get_text() for drawn in found.plot().axes[0].texts]
    assert frame["before"][0] in shown


def drawn_context(labels, step):
    """The written parts around a step whose value is the highest, and its ground."""
    hidden = torch.zeros(1, 1, len(labels), 1)
    hidden[..., step, 0] = 1.0
    lengths = torch.tensor([len(labels)])
    trace = Trace("rnn", {}, hidden, None, lengths, ("layer 0 forward",), (0,), (tuple(labels),))
    words, bars = contexts(trace, 0, count=1).plot().axes
    return [text.get_text() for text in words.texts[:3]], words.patches[0].get_bbox(), words, bars


@pytest.mark.parametrize(("symbol", "shown"), [(" ", "␣"), ("\n", "⏎"), ("\t", "⇥"), ("a", "a")])
def test_a_symbol_that_nobody_sees_has_a_sign_on_a_ground(symbol, shown):
    written, ground, *_ = drawn_context(f"to be{symbol}or not\n", 5)
    assert written == ["to be", shown, "or not⏎"]
    assert (ground.x0, ground.x1) == (0, 1)
    assert ground.y0 < 0 < ground.y1
    written, ground, *_ = drawn_context(["to", "be", "or"], 1)
    assert written == ["to ", "be", " or"]
    assert (ground.x0, ground.x1) == (-0.25, 2.25)


def test_the_bars_stand_beside_the_text():
    text = "to be or not to be that is the question whether it is nobler " * 2
    written, _, words, bars = drawn_context(text, 60)
    assert words.get_xlim() == (-len(written[0]), len(written[1] + written[2]))
    drawn = words.figure
    drawn.draw_without_rendering()
    end = max(line.get_window_extent().x1 for line in words.texts)
    assert 0 < bars.get_window_extent().x0 - end < 0.5 * drawn.dpi


def test_units_keep_their_numbers_in_a_selection():
    trace = traced()
    part = trace.select(units=[3, 1])
    assert contexts(part, 1).highest == contexts(trace, 1).highest
    with pytest.raises(InputError, match="`unit` must be out of 3, 1; got 2"):
        contexts(part, 2)


def test_a_projection_has_features_of_its_own():
    trace = traced("lstm-projected")
    assert len(contexts(trace, 1).highest) > 0
    with pytest.raises(InputError, match="`unit` must be from 0 to 1; got 3"):
        contexts(trace, 3)
    assert len(contexts(trace, 3, signal="cell").highest) > 0


@pytest.mark.parametrize(
    ("case", "arguments", "words"),
    [
        ("lstm", {"unit": 4}, "`unit` must be from 0 to 3; got 4"),
        ("lstm", {"unit": 0, "row": "layer 1 forward"}, "one of layer 0 forward, layer 0 backward"),
        ("gru", {"unit": 0, "signal": "forget"}, "A GRU has no forget gate; it has reset, update"),
        ("gru", {"unit": 0, "signal": "cell"}, "'gru' has no cell state.*Ask for 'hidden'"),
        ("lstm", {"unit": 0, "count": 0}, "`count` must be an integer >= 1"),
        ("lstm", {"unit": 0, "span": -1}, "`span` must be an integer >= 0"),
    ],
)
def test_what_is_not_there_is_refused(case, arguments, words):
    with pytest.raises(InputError, match=words):
        contexts(traced(case), **arguments)


def test_contexts_are_printed_in_a_line():
    trace = GRU(1, 2).trace(torch.tensor([0.0, 0.0, 9.0, 0.0])[:, None])
    assert (
        repr(contexts(trace, 1, count=1)) == "Contexts(layer 0 forward, unit 1, hidden: 2 places)"
    )
