"""Layers by the name of their cell."""

from __future__ import annotations

import pytest
import torch

import tidegate.nn as tn
from tidegate.errors import InputError

D, H = 3, 4


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lstm", {"peephole": True, "proj_size": 2, "bias": False, "dtype": torch.float64}),
        ("gru", {"reset_after": False, "batch_first": True, "bidirectional": True}),
        ("rnn", {"nonlinearity": "relu", "num_layers": 2, "dropout": 0.5, "zoneout": 0.1}),
    ],
)
def test_a_layer_by_the_name_of_its_cell(name, options):
    torch.manual_seed(4)  # the same initial weights
    layer = tn.recurrent_layer(name, D, H, **options)
    torch.manual_seed(4)
    twin = getattr(tn, name.upper())(D, H, **options)
    assert layer.cell == twin.cell
    assert layer.options == twin.options
    same = twin.state_dict()
    assert list(same) == list(layer.state_dict())
    assert all(torch.equal(layer.state_dict()[key], same[key]) for key in same)
    for attribute in ("num_layers", "batch_first", "bidirectional", "dropout", "output_size"):
        assert getattr(layer, attribute) == getattr(twin, attribute)


def test_a_cell_of_one_s_own_is_found_by_its_name(mgu):
    layer = tn.recurrent_layer(mgu.name, D, H, 2, dtype=torch.float64)
    assert isinstance(layer.cell, mgu)
    assert layer(torch.zeros(5, 2, D, dtype=torch.float64))[0].shape == (5, 2, H)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("lsmt", {}, "'lsmt'.*Did you mean 'lstm'"),
        ("lstm", {"peephol": True}, "Did you mean 'peephole'"),
        ("gru", {"peephole": True}, "`peephole`"),
        ("lstm", {"merge": "max"}, "`merge` must be"),
    ],
)
def test_what_is_not_there_is_named(name, options, words):
    with pytest.raises(InputError, match=words):
        tn.recurrent_layer(name, D, H, **options)
