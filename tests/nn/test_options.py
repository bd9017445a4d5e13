"""Options: every one that is wrong is answered by a sentence that says so."""

from __future__ import annotations

import warnings
from itertools import product

import pytest

import tidegate.nn as tn
from tidegate import cells
from tidegate.errors import InputError
from tidegate.nn.options import split_options

RATES = ("dropout", "recurrent_dropout", "weight_dropout", "zoneout")
WRONG_RATES = (-0.1, 1.5, float("nan"), True, "0.5")


def sentence(build) -> str:
    with pytest.raises(InputError) as caught:
        build()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "rate"), [*product(RATES[:3], WRONG_RATES), *product(RATES[3:], WRONG_RATES[:-1])]
)
def test_rates_outside_of_zero_and_one(name, rate):
    assert sentence(lambda: tn.LSTM(3, 4, 2, **{name: rate})) == (
        f"LSTM: `{name}` must be a probability between 0 and 1; got {rate!r}."
    )


@pytest.mark.parametrize(
    ("name", "zoneout", "rest"),
    [
        ("LSTM", (0.1, 0.2, 0.3), "one number for each of the states hidden, cell"),
        ("LSTM", "0.5", "one number for each of the states hidden, cell"),
        ("GRU", (0.1, 0.2), "one number for each of the states hidden"),
    ],
)
def test_zoneout_needs_a_rate_for_each_state(name, zoneout, rest):
    assert sentence(lambda: getattr(tn, name)(3, 4, zoneout=zoneout)) == (
        f"{name}: `zoneout` must be {rest}; got {zoneout}."
    )


def test_one_rate_of_two_out_of_range():
    assert sentence(lambda: tn.LSTM(3, 4, zoneout=[0.1, 2])) == (
        "LSTM: `zoneout` must be a probability between 0 and 1; got 2."
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"merge": "max"}, "`merge` must be one of concat, sum, mean; got 'max'."),
        ({"merge": "sum"}, "`merge` must be 'concat' for one direction; got 'sum'. Pass bidir"),
        (
            {"init": "orthogonl"},
            "`init` must be one of torch, orthogonal, chrono; got 'orthogonl'. Did you mean 'ortho",
        ),
        (
            {"backend": "cuda"},
            "`backend` must be one of auto, native, aten, reference; got 'cuda'.",
        ),
        ({"max_lag": 9}, '`max_lag` must be left out unless init="chrono"; got 9.'),
        (
            {"init": "chrono"},
            '`max_lag` must be a number of steps >= 3 with init="chrono"; got None. Pass the long',
        ),
        (
            {"init": "chrono", "max_lag": 2},
            '`max_lag` must be a number of steps >= 3 with init="chrono"; got 2. Pass the longest',
        ),
        (
            {"init": "chrono", "max_lag": "9"},
            "`max_lag` must be a number of steps >= 3 with init=\"chrono\"; got '9'. Pass the long",
        ),
        (
            {"init": "chrono", "max_lag": 9, "bias": False},
            '`init="chrono"` must be left out for a cell without a biased gate that keeps its memo',
        ),
        (
            {"forget_bias": 1, "bias": False},
            "`forget_bias` must be left out for a cell without a biased gate that keeps its memory",
        ),
        ({"checkpoint_every": 0}, "`checkpoint_every` must be an integer >= 1; got 0."),
        ({"checkpoint_every": 2.5}, "`checkpoint_every` must be an integer >= 1; got 2.5."),
        ({"residual": True}, "`residual` must be False for a single layer; got True. Pass num_l"),
        (
            {"variational_dropout": True, "num_layers": 2},
            "`variational_dropout` must be False without dropout; got True. Pass dropout > 0.",
        ),
        ({"num_layers": 0}, "`num_layers` must be an integer >= 1; got 0."),
        ({"num_layers": 1.5}, "`num_layers` must be an integer >= 1; got 1.5."),
        ({"peephol": True}, "`peephol` must be an option of this layer; got it set. Did you mean"),
        ({"reset_after": True}, "`reset_after` must be an option of this layer; got it set. "),
    ],
    ids=str,
)
def test_options_that_are_wrong_or_do_nothing(options, expected):
    assert sentence(lambda: tn.LSTM(3, 4, **options)).startswith(f"LSTM: {expected}")
    by_name = sentence(lambda: tn.recurrent_layer("lstm", 3, 4, **options))
    assert by_name.startswith(f"LSTM: {expected}")


@pytest.mark.parametrize("size", [0, -3, 2.0, "3", False])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"])
def test_an_input_size_that_is_none(name, size):
    title = name.removesuffix("Cell")
    assert sentence(lambda: getattr(tn, name)(size, 4)) == (
        f"{title}: `input_size` must be an integer >= 1; got {size!r}."
    )


@pytest.mark.parametrize("options", [{"forget_bias": 1.0}, {"init": "chrono", "max_lag": 9}])
@pytest.mark.parametrize("build", [tn.RNN, tn.RNNCell])
def test_a_plain_network_has_no_gate_to_bias(build, options):
    assert "without a biased gate" in sentence(lambda: build(3, 4, **options))


def test_options_of_the_cell_belong_to_the_cell():
    cell = cells.LSTM(hidden_size=4)
    assert sentence(lambda: tn.Recurrent(cell, 3, peephole=True)) == (
        "Recurrent: `peephole` must be given to the cell; got it beside the cell."
    )


def test_an_unknown_cell():
    expected = "cells: `cell` must be a registered cell; got 'lstn'. Did you mean 'lstm'?"
    assert sentence(lambda: tn.recurrent_layer("lstn", 3, 4)) == expected
    assert sentence(lambda: tn.layer_options("lstn")) == expected
    assert sentence(lambda: split_options("lstn", {})) == expected


def test_dropout_of_a_single_layer_warns_where_it_was_written():
    with pytest.warns(UserWarning, match="with num_layers=1 it does nothing") as caught:
        tn.LSTM(3, 4, dropout=0.5)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tn.LSTM(3, 4, 2, dropout=0.5)


def test_the_options_of_a_layer_are_its_keyword_only_arguments():
    stack = {
        "backend",
        "checkpoint_every",
        "forget_bias",
        "init",
        "max_lag",
        "merge",
        "precision",
        "recurrent_dropout",
        "residual",
        "state_batch_first",
        "variational_dropout",
        "weight_dropout",
        "zoneout",
    }
    for name in ("lstm", "gru", "rnn"):
        assert tn.layer_options(name) == stack | cells.options(name)


def test_options_part_by_who_takes_them():
    given = {"peephole": True, "zoneout": 0.1, "proj_size": 2, "merge": "sum"}
    of_cell, of_stack = split_options("lstm", given)
    assert of_cell == {"peephole": True, "proj_size": 2}
    assert of_stack == {"zoneout": 0.1, "merge": "sum"}
