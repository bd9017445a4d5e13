"""The picture of a change: what is drawn is what moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import make
from tidegate.errors import InputError
from tidegate.explain.attribution.trace_pair import TracePair
from tidegate.explain.attribution.what_if_plots import Bars, plot_what_if

WORDS = ("so", "$good$", "it", "is")


def pair_of(case="lstm", words=WORDS, **options):
    """Two passes of one layer over inputs that differ at one step."""
    layer = make(case, **options)
    x = torch.randn(len(words), 1, 3, dtype=torch.float64)
    other = x.clone()
    other[1] += 2
    return TracePair(*(layer.trace(given).labelled([words]) for given in (x, other)))


def bars_of(count=3):
    values = torch.stack([torch.zeros(count), torch.arange(1.0, count + 1) / 10])
    return Bars([f"class {index}" for index in range(count)], values, "probability")


def panels(figure):
    """The axes of the heat maps, three a line, by the name of the line."""
    maps = [axes for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]
    return {line[0].get_ylabel(): line for line in zip(*[iter(maps)] * 3, strict=True)}


@pytest.mark.parametrize(("case", "names"), [
    ("lstm", ["input", "forget", "candidate", "output", "cell", "hidden"]),
    ("gru", ["reset", "update", "new", "hidden"]),
])  # fmt: skip
def test_each_gate_and_state_before_after_and_their_difference(case, names):
    pair = pair_of(case)
    found = panels(plot_what_if(pair, bars_of(), change="louder"))
    assert list(found) == names
    size = pair.difference("cell" if case == "lstm" else "hidden")[0].abs().amax(0)
    order = size.argsort(descending=True).tolist()
    for name, line in found.items():
        before, after, moved = (axes.images[0].get_array() for axes in line)
        assert np.allclose(moved, pair.difference(name)[0][:, order].T)
        assert np.allclose(after - before, moved, atol=1e-6)
        low, high = line[2].images[0].get_clim()
        assert (low, high) == pytest.approx((-abs(moved).max(), abs(moved).max()))
    assert found["update" if case == "gru" else "forget"][0].images[0].get_clim() == (0, 1)


def test_the_row_that_moved_most_unless_one_is_asked_for():
    pair = pair_of(bidirectional=True, num_layers=2)
    moved = pair.difference("hidden").abs().mean((1, 2))
    figure = plot_what_if(pair, bars_of(), change="louder")
    title = figure.get_suptitle()
    assert title == f"louder\n{pair.before.rows[moved.argmax()]}, the 4 units that moved most"
    asked = plot_what_if(pair, bars_of(), change="louder", row="layer 0 backward")
    assert "layer 0 backward" in asked.get_suptitle()
    with pytest.raises(InputError, match=r"WhatIf\.plot: `row` must be one of layer 0 forward"):
        plot_what_if(pair, bars_of(), change="louder", row="layer 2 forward")


def test_the_answers_that_moved_most_on_top():
    figure = plot_what_if(pair_of(), bars_of(9), change="louder")
    axes = figure.axes[0]
    before, after = axes.containers[:2]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"class {index}" for index in range(8, 2, -1)
    ]
    assert [bar.get_width() for bar in before] == [0] * 6
    assert [bar.get_width() for bar in after] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert axes.get_xlabel() == "probability"
    assert axes.yaxis_inverted()


def test_steps_are_named_by_their_labels_as_they_are():
    figure = plot_what_if(pair_of(), bars_of(), change="$louder$")
    last = panels(figure)["hidden"]
    for axes in last:
        assert [label.get_text() for label in axes.get_xticklabels()] == list(WORDS)
    figure.canvas.draw()
    long = plot_what_if(pair_of(words=("x",) * 31), bars_of(), change="louder")
    assert [axes.get_xlabel() for axes in panels(long)["hidden"]] == ["step"] * 3


def test_features_of_a_projection_are_all_drawn():
    pair = pair_of("lstm-projected")
    line = panels(plot_what_if(pair, bars_of(), change="louder"))["hidden"]
    assert np.allclose(line[2].images[0].get_array(), pair.difference("hidden")[0].T)


def test_passes_that_have_no_step_in_common_have_no_difference_to_draw():
    pair = TracePair(pair_of().before, pair_of(words=("other", "words", "here")).after)
    assert pair.steps == []
    figure = plot_what_if(pair, bars_of(), change="another text")
    figure.canvas.draw()
    drawn = [len(axes.images) for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert drawn == [0, *[1, 1, 0] * 6]
