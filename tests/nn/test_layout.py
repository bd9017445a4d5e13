"""Shapes at the door: what is wrong with an input or a state is said in one sentence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence

import tidegate.nn as tn
from tidegate.errors import InputError
from tidegate.nn.layout import Layout, walk_resets

B, T, D, H = 2, 5, 3, 4
CONVERT = "Convert the input or the layer with .to(dtype)."


def sentence(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("x", "rule"),
    [
        (torch.zeros(D), "2-D or 3-D; got 1-D."),
        (torch.zeros(1, T, B, D), "2-D or 3-D; got 4-D."),
        (
            torch.zeros(T, B, D + 1),
            "of size input_size = 3 on its last axis; got [5, 2, 4].",
        ),
        (
            torch.zeros(T, B, D, dtype=torch.float64),
            f"of dtype torch.float32; got torch.float64. {CONVERT}",
        ),
        (
            torch.zeros(T, B, D, dtype=torch.int64),
            f"of dtype torch.float32; got torch.int64. {CONVERT}",
        ),
        (
            torch.zeros(T, B, D, device="meta"),
            "on the layer's device, cpu; got meta. Move one of them with .to(device).",
        ),
        ([[1.0, 2.0, 3.0]], "a tensor; got list."),
        (None, "a tensor; got NoneType."),
    ],
    ids=["1-D", "4-D", "size", "double", "ids", "device", "list", "none"],
)
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_inputs_that_are_none(name, x, rule):
    layer = getattr(tn, name)(D, H)
    for ask in (layer, layer.explain_backend):
        assert sentence(lambda ask=ask: ask(x)) == f"{name}: `input` must be {rule}"


def h(*shape: int, **options) -> Tensor:
    return torch.zeros(shape, **options)


@pytest.mark.parametrize(
    ("hx", "argument", "rule"),
    [
        (h(4, B, H), "hx", "2 tensor(s): hidden, cell; got Tensor."),
        ((h(4, B, 2),), "hx", "2 tensor(s): hidden, cell; got tuple."),
        ((h(4, B, 2), None), "hx", "2 tensor(s): hidden, cell; got tuple."),
        ("states", "hx", "2 tensor(s): hidden, cell; got str."),
        ((h(B, 2), h(B, H)), "hx (hidden)", "3-D for 3-D input; got [2, 2]."),
        (
            (h(4, B, H), h(4, B, H)),
            "hx (hidden)",
            "of shape [layers*directions, B, size] = [4, 2, 2]; got [4, 2, 4].",
        ),
        (
            (h(4, B, 2), h(B, 4, H)),
            "hx (cell)",
            "of shape [layers*directions, B, size] = [4, 2, 4]; got [2, 4, 4].",
        ),
        (
            (h(4, B, 2), h(4, B, H, dtype=torch.float64)),
            "hx (cell)",
            "torch.float32 on cpu, as the input is; got torch.float64 on cpu.",
        ),
        (
            (h(4, B, 2), h(4, B, H, device="meta")),
            "hx (cell)",
            "torch.float32 on cpu, as the input is; got torch.float32 on meta.",
        ),
    ],
    ids=["one", "short", "hole", "text", "2-D", "size", "order", "dtype", "device"],
)
def test_states_that_are_none(hx, argument, rule):
    layer = tn.LSTM(D, H, 2, bidirectional=True, proj_size=2)
    expected = f"LSTM: `{argument}` must be {rule}"
    assert sentence(lambda: layer(h(T, B, D), hx)) == expected


def test_states_of_an_unbatched_input():
    layer = tn.GRU(D, H)
    assert sentence(lambda: layer(h(T, D), h(1, B, H))) == (
        "GRU: `hx (hidden)` must be 2-D for 2-D input; got [1, 2, 4]."
    )
    assert sentence(lambda: layer(h(T, D), (h(1, H), h(1, H)))) == (
        "GRU: `hx` must be 1 tensor(s): hidden; got tuple."
    )


def test_lengths_beside_a_packed_sequence():
    layer = tn.GRU(D, H)
    packed = pack_sequence([h(3, D), h(2, D)])
    for ask in (layer, layer.explain_backend):
        assert sentence(lambda ask=ask: ask(packed, lengths=[3, 2])) == (
            "GRU: `lengths` must be left out with a PackedSequence; got both."
        )


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("state_batch_first", [False, True])
def test_what_enters_leaves_as_it_was(batched, batch_first, state_batch_first):
    layout = Layout("LSTM", batched, batch_first, state_batch_first)
    x = torch.randn((B, T, D) if batch_first else (T, B, D)) if batched else torch.randn(T, D)
    rows = B if batched else 1
    assert layout.enter(x).shape == (rows, T, D)
    assert torch.equal(layout.leave(layout.enter(x)), x)
    state = torch.randn((B, 4, H) if state_batch_first else (4, B, H))
    state = state if batched else torch.randn(4, H)
    assert layout.enter_state(state).shape == (4, rows, H)
    assert torch.equal(layout.leave_state(layout.enter_state(state)), state)


def test_marks_move_to_the_step_after_them_when_the_walk_is_reversed():
    """Segments 0-1, 2-2, 3-4 of a row of five steps, and 0-0, 1-2 of a row of three."""
    marks = torch.tensor([[1, 0, 1, 1, 0], [0, 1, 0, 1, 1]], dtype=torch.bool)
    lengths = torch.tensor([5, 3])
    forward = walk_resets(marks, lengths, reverse=False)
    assert forward.int().tolist() == [[1, 0, 1, 1, 0], [0, 1, 0, 0, 0]]
    backward = walk_resets(marks, lengths, reverse=True)
    assert backward.int().tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert walk_resets(marks, None, reverse=True).int().tolist()[1] == [1, 0, 1, 1, 0]
    assert walk_resets(None, lengths, reverse=True) is None
