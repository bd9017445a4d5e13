"""Unit search: a planted unit is found, noise is not, and the AUC is scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tidegate.errors import InputError
from tidegate.explain import find_units
from tidegate.explain.units.search import _halves
from tidegate.nn.trace.trace import Trace


def trace_of(hidden, lengths=None):
    """A trace of one layer with these hidden states, `[B, T, H]`."""
    rows, steps, units = hidden.shape
    lengths = torch.full((rows,), steps) if lengths is None else torch.tensor(lengths)
    hidden = hidden * (torch.arange(steps) < lengths[:, None])[..., None]
    return Trace("rnn", {}, hidden[None], None, lengths, ("layer 0 forward",), tuple(range(units)))


def wandering(rows, steps, units, keep=0.9):
    """States in which neighbouring steps are alike, as in a recurrent net."""
    noise, state = torch.randn(rows, steps, units), torch.zeros(rows, units)
    found = []
    for t in range(steps):
        state = keep * state + (1 - keep**2) ** 0.5 * noise[:, t]
        found.append(state)
    return torch.stack(found, 1)


@pytest.mark.parametrize("rows", [60, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_unit_is_found(rows, sign):
    hidden = wandering(rows, 2400 // rows, 30)
    marks = wandering(rows, 2400 // rows, 1)[..., 0] > 1
    hidden[..., 17] += sign * marks
    found = find_units(trace_of(hidden), marks)
    best = found.to_frame().iloc[0]
    assert best["unit"] == 17
    assert best["follows"] == ("up" if sign > 0 else "down")
    assert abs(best["held_out_auc"] - 0.5) > 0.15
    assert best["p_value"] < 0.02
    assert (found.to_frame()["p_value"][1:] > 0.05).all()
    assert "unit 17" in repr(found)


def test_the_auc_is_that_of_scikit_learn():
    lengths = [int(n) for n in np.random.default_rng(0).integers(0, 9, 50)]
    hidden = torch.randn(50, 8, 3).round(decimals=1)  # many are equal
    marks = torch.rand(50, 8) < 0.3
    found = find_units(trace_of(hidden, lengths), marks, flips=9)
    mask = found.trace.mask
    held, _ = _halves(np.array(lengths), 0)
    for half, aucs in ((~held, found.auc), (held, found.held_out)):
        for unit in range(3):
            expected = roc_auc_score(marks[mask][half], found.trace.hidden[0, mask][half, unit])
            assert aucs[0, unit].item() == pytest.approx(expected)


def test_chance_rarely_looks_like_a_finding():
    """A p-value for the whole list: the best of 40 units is below 0.1 in about a tenth of cases."""
    rng, low = np.random.default_rng(5), 0
    for trial in range(60):
        torch.manual_seed(trial)
        hidden = wandering(44, 25, 40)
        marks = wandering(44, 25, 1)[..., 0] > 0.8
        found = find_units(trace_of(hidden), marks, flips=199, seed=int(rng.integers(1000)))
        low += float(found.p_value.min()) < 0.1
    assert low <= 13  # binomial with p = 0.1 and n = 60: 13 or more in 0.7 % of runs


def test_what_marks_whole_rows_cannot_be_told_from_chance():
    hidden = torch.randn(50, 6, 4)
    marks = (torch.arange(50) % 2 == 0)[:, None].expand(50, 6)
    hidden[..., 1] += 3 * marks
    found = find_units(trace_of(hidden), marks)
    assert found.blocks == 0
    assert found.held_out[0, 1] > 0.9
    assert (found.p_value == 1).all()


def test_marks_come_as_lists_too_and_padding_is_not_read():
    lengths = [5, 0, 3] * 20
    hidden, marks = torch.randn(60, 5, 4), torch.rand(60, 5) < 0.4
    trace = trace_of(hidden, lengths)
    lists = [row[:length].tolist() for row, length in zip(marks, lengths, strict=True)]
    found, same = find_units(trace, marks), find_units(trace, lists)
    assert torch.equal(found.p_value, same.p_value)
    assert torch.equal(found.marks, marks & trace.mask)
    flipped = torch.where(trace.mask, marks, ~marks)
    assert torch.equal(find_units(trace, flipped.numpy()).auc, found.auc)


def test_the_halves_share_no_step_and_miss_none():
    for lengths in ([7] * 50, [40, 0, 90], [3, 2]):
        held, blocks = _halves(np.array(lengths), 1)
        assert len(held) == len(blocks) == sum(lengths)
        assert held.any()
        assert not held.all()
        assert not set(blocks[held]) & set(blocks[~held])


def test_pictures_of_texts_and_series():
    hidden = wandering(50, 12, 5)
    marks = torch.rand(50, 12) < 0.3
    series = find_units(trace_of(hidden), marks, pattern="rising")
    figure = series.plot(1, batch=3)
    assert "shaded: rising" in figure.axes[0].get_title(loc="left")
    entry, unit = series.order[1].tolist()
    expected = series.trace.hidden[entry, 3, :, unit]
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx(expected.numpy())
    labelled = trace_of(hidden).labelled([[f"w{step}" for step in range(12)]] * 50)
    text = find_units(labelled, marks, pattern="a$b").plot(batch=0)
    boxes = [patch for patch in text.axes[0].patches if patch.get_edgecolor()[3] > 0]
    inside = [
        any(box.get_bbox().contains(*word.get_position()) for box in boxes)
        for word in text.axes[0].texts
    ]
    assert inside == marks[0].tolist()
    assert series._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="`rank` must be from 0 to 4; got 5"):
        series.plot(5)
    with pytest.raises(InputError, match="`batch` must be from 0 to 49; got 50"):
        series.plot(batch=50)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(("sign", "way"), [(1, "higher"), (-1, "lower")])
def test_a_unit_that_goes_down_is_no_failure_in_the_picture(sign, way, labelled):
    marks = torch.rand(50, 12) < 0.3
    hidden = 0.1 * torch.randn(50, 12, 3) + sign * marks[..., None]
    trace = trace_of(hidden)
    found = find_units(trace.labelled(["ab" * 6] * 50) if labelled else trace, marks, flips=9)
    assert (found.to_frame()["held_out_auc"] > 0.99).all() == (sign > 0)
    figure = found.plot()
    title = figure.texts[0].get_text() if labelled else figure.axes[0].get_title(loc="left")
    assert f"({way} there, AUC 1.00)" in title


def test_a_direction_that_does_not_hold_shows_in_the_picture():
    marks = torch.rand(50, 12) < 0.3
    held, _ = _halves(np.full(50, 12), 0)
    away = torch.from_numpy(np.where(held.reshape(50, 12), 1.0, -1.0)).float()
    hidden = 0.1 * torch.randn(50, 12, 1) + (marks * away)[..., None]
    found = find_units(trace_of(hidden), marks, flips=9)
    assert "(lower there, AUC 0.00)" in found.plot().axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (torch.zeros(50, 6, dtype=torch.bool), "got never true"),
        (torch.ones(50, 6, dtype=torch.bool), "got always true"),
        (torch.zeros(50, 7, dtype=torch.bool), r"got torch.bool of shape \[50, 7\]"),
        (torch.zeros(50, 6), "a truth value for each step"),
        ([[True] * 5] * 50, "a truth value for each step"),
        (torch.arange(300).view(50, 6) == 7, "in both halves of the data; got true at [01] of"),
    ],
)
def test_marks_that_say_nothing_are_refused(marks, words):
    with pytest.raises(InputError, match=words):
        find_units(trace_of(torch.randn(50, 6, 3)), marks)


def test_a_signal_that_is_not_there_is_refused():
    marks = torch.rand(50, 6) < 0.5
    with pytest.raises(InputError, match="An RNN has no update gate; it has none"):
        find_units(trace_of(torch.randn(50, 6, 3)), marks, signal="update")
