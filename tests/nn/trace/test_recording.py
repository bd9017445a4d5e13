"""Recording: what is asked for is kept, the rest goes at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tests.helpers import difference, make
from tidegate.errors import InputError
from tidegate.nn.trace.recording import Wanted

B, T, D, H = 4, 6, 3, 4


def parts(trace: tn.Trace) -> dict[str, torch.Tensor]:
    """Gates and states by name, in the order of `return_gates`."""
    cell = {} if trace.cell is None else {"cell": trace.cell}
    return {**trace.gates, "hidden": trace.hidden, **cell}


def test_what_was_not_asked_for_takes_no_memory():
    layer = tn.LSTM(D, 32, 3, bidirectional=True, batch_first=True)
    trace = layer.trace(torch.randn(B, T, D), layers=[1], units=[3, 30], gates="forget")
    assert list(trace.gates) == ["forget"]
    for values in parts(trace).values():
        assert values.shape == (2, B, T, 2)
        assert values.untyped_storage().nbytes() == values.numel() * 4


def test_a_part_of_one_layer_does_not_hold_on_to_the_rest():
    """A single layer is not copied when the layers are joined: the choice itself must copy."""
    trace = tn.LSTM(D, 32, batch_first=True).trace(torch.randn(B, T, D), gates=["output"])
    for values in parts(trace).values():
        assert values.untyped_storage().nbytes() == values.numel() * 4


def test_in_the_order_asked_for_and_once_each():
    layer, x = make("gru"), torch.randn(T, B, D, dtype=torch.float64)
    trace, whole = layer.trace(x, units=[3, 1, 3]), layer.trace(x)
    assert trace.units == (3, 1)
    assert torch.equal(trace.hidden, whole.hidden[..., [3, 1]])


def test_numbers_of_any_kind():
    layer, x = make("gru"), torch.randn(T, B, D, dtype=torch.float64)
    for units in (np.array([1, 2]), torch.tensor([1, 2]), range(1, 3), {1, 2}):
        assert layer.trace(x, units=units).units == (1, 2)


def test_the_features_of_a_projection_are_no_units():
    layer = make("lstm-projected")
    trace = layer.trace(torch.randn(T, B, D, dtype=torch.float64), units=[3])
    assert trace.hidden.shape[-1] == 2
    assert trace.cell.shape[-1] == 1
    assert trace.projected


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"layers": 2}, "`layers` must be from 0 to 1; got 2"),
        ({"layers": []}, "`layers` must be from 0 to 1; got 'none'"),
        ({"units": [0, 4]}, "`units` must be from 0 to 3; got 4"),
        ({"units": -1}, "`units` must be from 0 to 3; got -1"),
        ({"units": True}, "`units` must be from 0 to 3; got True"),
        ({"units": [1.0]}, "`units` must be from 0 to 3; got 1.0"),
        ({"gates": "forget"}, "A GRU has no forget gate; it has reset, update and new."),
    ],
)
def test_what_does_not_exist(wanted, said):
    with pytest.raises(InputError) as caught:
        make("gru", num_layers=2).trace(torch.zeros(T, B, D, dtype=torch.float64), **wanted)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("bidirectional", "rows"), [(False, (0, 2)), (True, (0, 1, 4, 5))])
def test_layers_are_kept_with_all_their_directions_in_the_order_of_torch(bidirectional, rows):
    stack = make("lstm", num_layers=3, bidirectional=bidirectional)._pass()
    assert Wanted.of(stack, layers=[2, 0]) == Wanted(rows, None, None)


def test_what_is_kept_of_a_layer_is_what_the_pass_gave_it():
    layer = make("lstm-projected")
    part = {name: torch.randn(B, T, H) for name in (*layer.cell.gates, "cell")}
    part["hidden"] = torch.randn(B, T, 2)
    kept = Wanted((0,), (3, 1), ("output",)).keep(layer.cell, part)
    assert set(kept) == {"output", "hidden", "cell"}
    assert torch.equal(kept["output"], part["output"][..., [3, 1]])
    assert torch.equal(kept["cell"], part["cell"][..., [3, 1]])
    assert torch.equal(kept["hidden"], part["hidden"])  # features of a projection are no units
    assert Wanted((0,), None, None).keep(layer.cell, part) is part


def test_the_parts_of_layers_are_joined_when_they_are_read_and_only_then(monkeypatch):
    trace = make("lstm", num_layers=2).trace(torch.randn(T, B, D, dtype=torch.float64))
    joined = []
    stack = torch.stack
    monkeypatch.setattr(torch, "stack", lambda parts: joined.append(len(parts)) or stack(parts))
    assert joined == []
    assert trace.hidden.shape == (2, B, T, H)
    assert trace.hidden is trace.hidden
    assert joined == [2]


def test_dropout_between_layers_is_left_out_and_no_gradient_kept():
    layer = make("gru", num_layers=2, dropout=0.9).train()
    x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
    trace = layer.trace(x)
    assert not trace.hidden.requires_grad
    assert difference(trace.hidden[1].transpose(0, 1), layer.eval()(x)[0]) <= 1e-12
