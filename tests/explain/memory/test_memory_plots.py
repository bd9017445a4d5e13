"""Pictures of a memory: what is drawn is what was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tidegate.errors import InputError
from tidegate.explain import Memory, memory, plot_memories


@pytest.fixture
def measured() -> Memory:
    layer = tn.LSTM(3, 8, bidirectional=True, init="chrono", max_lag=30)
    return memory(layer.trace(torch.randn(20, 2, 3), lengths=[20, 11]))


def named(axes, name):
    (line,) = (line for line in axes.lines if line.get_label() == name)
    return line


def test_a_line_of_pictures_for_each_direction(measured):
    figure = measured.plot()
    assert len(figure.axes) == 4
    for entry in range(2):
        retention, lives = figure.axes[2 * entry : 2 * entry + 2]
        curves = measured.retention[entry].numpy()
        assert np.allclose(named(retention, "median unit").get_ydata(), np.median(curves, axis=1))
        drawn = [line.get_ydata() for line in retention.lines]
        assert all(any(np.array_equal(curve, line) for line in drawn) for curve in curves.T)
        assert any(np.allclose(line, 0.9 ** np.arange(20)) for line in drawn)
        assert lives.lines[0].get_ydata().tolist() == sorted(
            measured.half_life[entry].tolist(), reverse=True
        )
        assert lives.lines[1].get_ydata()[0] == measured.effective[entry]
        assert measured.rows[entry] in retention.get_title()


def test_a_unit_that_never_forgets_is_drawn_and_said():
    layer = tn.LSTM(1, 3)
    with torch.no_grad():
        layer.bias_ih_l0[3] = 200
    found = memory(layer.trace(torch.zeros(5, 1, 1)))
    assert math.isinf(found.half_life[0, 0])
    axes = found.plot().axes[1]
    assert np.isfinite(axes.lines[0].get_ydata()).all()
    assert [text.get_text() for text in axes.texts] == ["the highest: never"]
    with torch.no_grad():
        layer.bias_ih_l0[3:6] = 200
    assert memory(layer.trace(torch.zeros(1, 1, 1)))._repr_png_()


def test_a_notebook_shows_it(measured):
    assert measured._repr_png_().startswith(b"\x89PNG")


def test_memories_side_by_side(measured):
    other = memory(tn.GRU(3, 5).trace(torch.randn(7, 2, 3)))
    figure = plot_memories({"chrono": measured, "plain": other})
    faded, longer = figure.axes
    assert np.allclose(
        named(faded, "plain").get_ydata(), np.median(other.retention[0].numpy(), axis=1)
    )
    line = named(longer, "plain")
    for life, share in zip(line.get_xdata(), line.get_ydata(), strict=True):
        assert share == pytest.approx(100 * (other.half_life[0] >= life).double().mean().item())


def test_what_cannot_be_compared(measured):
    with pytest.raises(InputError, match="at least one memory"):
        plot_memories({})
    with pytest.raises(InputError, match="one of layer 0 forward, layer 0 backward"):
        plot_memories({"one": measured}, "layer 1 forward")
