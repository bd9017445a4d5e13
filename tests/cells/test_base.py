"""The registry of cells, and what a cell knows about itself."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from tidegate import cells
from tidegate.cells import base
from tidegate.errors import InputError


def test_the_three_families_are_registered_by_name():
    assert {"gru", "lstm", "rnn"} <= set(cells.names())
    assert cells.names() == sorted(cells.names())
    assert [cells.get(name) for name in ("lstm", "gru", "rnn")] == [
        cells.LSTM,
        cells.GRU,
        cells.RNN,
    ]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError) as caught:
        cells.get("ltsm")
    assert str(caught.value) == (
        "cells: `cell` must be a registered cell; got 'ltsm'. Did you mean 'lstm'?"
    )


def test_options_are_those_of_the_equations_without_sizes():
    assert cells.options("lstm") == {"proj_size", "peephole", "coupled", "layer_norm", "cell_clip"}
    assert cells.options("gru") == {"reset_after", "layer_norm"}
    assert cells.options("rnn") == {"nonlinearity", "layer_norm"}


class Announced:
    """An entry point of another package."""

    def __init__(self, loaded: list[str]) -> None:
        self.loaded = loaded

    def load(self) -> None:
        self.loaded.append("tidegate.cells")


def test_cells_of_other_packages_are_loaded_once(monkeypatch):
    asked, loaded = [], []

    def entry_points(group: str) -> list[Announced]:
        asked.append(group)
        return [Announced(loaded)]

    monkeypatch.setattr(base, "entry_points", entry_points)
    base._load_plugins.cache_clear()
    cells.names()
    cells.get("lstm")
    assert asked == loaded == ["tidegate.cells"]


def test_a_broken_plugin_is_named_once_and_left_out(monkeypatch):
    class Broken:
        name, value = "mgu", "minimal_gated:MGU"

        def load(self) -> None:
            raise ImportError("no\nsuch module")

    loaded = []
    monkeypatch.setattr(base, "entry_points", lambda group: [Broken(), Announced(loaded)])
    base._load_plugins.cache_clear()
    said = r"^the plug-in 'mgu' \(minimal_gated:MGU\) is left out: ImportError: no such module\.$"
    with pytest.warns(UserWarning, match=said):
        assert "lstm" in cells.names()
    cells.get("lstm")
    assert loaded == ["tidegate.cells"]


def test_cells_are_frozen_and_compare_by_their_options():
    cell = cells.LSTM(hidden_size=3)
    with pytest.raises(FrozenInstanceError):
        cell.hidden_size = 4
    assert cell == cells.LSTM(hidden_size=3)
    assert hash(cell) == hash(cells.LSTM(hidden_size=3))
    assert cell != replace(cell, peephole=True)


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        (cells.LSTM(hidden_size=4), True),
        (cells.LSTM(hidden_size=4, bias=False, proj_size=2), True),
        (cells.LSTM(hidden_size=4, peephole=True), False),
        (cells.LSTM(hidden_size=4, coupled=True), False),
        (cells.LSTM(hidden_size=4, layer_norm=True), False),
        (cells.LSTM(hidden_size=4, cell_clip=1.0), False),
        (cells.GRU(hidden_size=4, bias=False), True),
        (cells.GRU(hidden_size=4, reset_after=False), False),
        (cells.GRU(hidden_size=4, layer_norm=True), False),
        (cells.RNN(hidden_size=4, nonlinearity="relu"), True),
        (cells.RNN(hidden_size=4, layer_norm=True), False),
    ],
    ids=str,
)
def test_plain_is_what_torch_computes_too(cell, plain):
    assert cell.is_plain is plain


@pytest.mark.parametrize(
    ("cell", "shapes"),
    [
        (
            cells.LSTM(hidden_size=5, proj_size=2, peephole=True),
            {
                "weight_ih": (20, 3),
                "weight_hh": (20, 2),
                "bias_ih": (20,),
                "bias_hh": (20,),
                "weight_hr": (2, 5),
                "weight_ch": (15,),
            },
        ),
        (
            cells.LSTM(hidden_size=5, coupled=True, peephole=True, layer_norm=True, bias=False),
            {
                "weight_ih": (15, 3),
                "weight_hh": (15, 5),
                "weight_ch": (10,),
                "norm_ih": (15,),
                "norm_hh": (15,),
                "norm_cell": (5,),
                "norm_cell_bias": (5,),
            },
        ),
        (
            cells.GRU(hidden_size=5, layer_norm=True, bias=False),
            {"weight_ih": (15, 3), "weight_hh": (15, 5), "norm_ih": (15,), "norm_hh": (15,)},
        ),
        (
            cells.RNN(hidden_size=5, layer_norm=True, bias=False),
            {"weight_ih": (5, 3), "weight_hh": (5, 5), "norm_ih": (5,), "norm_hh": (5,)},
        ),
    ],
    ids=str,
)
def test_shapes_of_the_weights(cell, shapes):
    found = cell.shapes(3)
    assert found == shapes
    assert list(found) == list(shapes)


def test_multiply_adds_count_the_matrices_alone():
    assert cells.LSTM(hidden_size=5, proj_size=2, peephole=True).multiply_adds(3) == 110
    assert cells.GRU(hidden_size=5, layer_norm=True).multiply_adds(3) == 120
    assert cells.RNN(hidden_size=5).multiply_adds(3) == 40


@pytest.mark.parametrize("size", [0, -1, 2.5, "4", True, None])
@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_a_hidden_size_that_is_none(name, size):
    with pytest.raises(InputError) as caught:
        cells.get(name)(hidden_size=size)
    title = name.upper()
    assert str(caught.value) == (f"{title}: `hidden_size` must be an integer >= 1; got {size!r}.")
