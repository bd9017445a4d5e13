"""The option `precision`: bfloat16 inside, the type of the input outside."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import tidegate
from tests.helpers import difference
from tidegate.errors import InputError
from tidegate.kernels.library import LIBRARY

B, T, D, H = 3, 7, 5, 20
LENGTHS = torch.tensor([7, 0, 4])
LAYERS = (
    ("LSTM", {"num_layers": 2, "bidirectional": True}),
    ("LSTM", {"layer_norm": True}),
    ("GRU", {"reset_after": False}),
    ("GRU", {"zoneout": 0.1}),
    ("RNN", {"num_layers": 2}),
)


def pair(kind: str, options: dict[str, Any]) -> tuple[Any, Any]:
    """A layer with the option and one without, with the same weights."""
    torch.manual_seed(0)
    cls = getattr(tidegate.nn, kind)
    low = cls(D, H, batch_first=True, precision="bfloat16", **options)
    plain = cls(D, H, batch_first=True, **options)
    plain.load_state_dict(low.state_dict())
    return low.eval(), plain.eval()


def gradients(layer: Any, x: Tensor, output: Tensor) -> list[Tensor]:
    weight = torch.linspace(-1, 1, output.numel()).view(output.shape)
    return list(torch.autograd.grad((output.float() * weight).sum(), [x, *layer.parameters()]))


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_it_is_what_autocast_computes(kind, options):
    low, plain = pair(kind, options)
    x = torch.randn(B, T, D, requires_grad=True)
    output, state = low(x, lengths=LENGTHS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected, expected_state = plain(x, lengths=LENGTHS)
    assert output.dtype is torch.float32
    assert LIBRARY is None or expected.dtype is torch.bfloat16
    assert torch.equal(output, expected.float())
    for mine, other in zip(
        torch.utils._pytree.tree_leaves(state),
        torch.utils._pytree.tree_leaves(expected_state),
        strict=True,
    ):
        assert mine.dtype is torch.float32
        assert torch.equal(mine, other.float())
    for mine, other in zip(gradients(low, x, output), gradients(plain, x, expected), strict=True):
        assert mine.dtype is torch.float32
        assert torch.equal(mine, other.float())


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_it_is_near_float32_and_not_the_same(kind, options):
    low, plain = pair(kind, options)
    x = torch.randn(B, T, D)
    output, expected = low(x)[0], plain(x)[0]
    assert 0 < difference(output, expected) < 2**-6


def test_packed_sequences_keep_their_type():
    low, _ = pair("LSTM", {})
    x = torch.randn(2, T, D)
    packed = pack_padded_sequence(x, torch.tensor([7, 4]), batch_first=True)
    output, _ = low(packed)
    assert isinstance(output, PackedSequence)
    assert output.data.dtype is torch.float32
    padded, _ = low(x, lengths=[7, 4])
    assert torch.equal(output.data[:2], padded[:, 0])


def test_a_layer_of_bfloat16_gives_bfloat16():
    low, _ = pair("GRU", {})
    assert low.bfloat16()(torch.randn(B, T, D).bfloat16())[0].dtype is torch.bfloat16


@pytest.mark.skipif(LIBRARY is None, reason="needs the native library")
def test_the_backend_says_so():
    low, plain = pair("LSTM", {})
    x = torch.randn(B, T, D)
    assert "bfloat16" in low.explain_backend(x)
    assert "bfloat16" not in plain.explain_backend(x)


def test_wrong_uses_are_told():
    with pytest.raises(InputError, match=r"precision.*one of float32, bfloat16.*'half'"):
        tidegate.nn.LSTM(D, H, precision="half")
    low, _ = pair("LSTM", {})
    with pytest.raises(InputError, match=r"float32 or bfloat16.*float64"):
        low.double()(torch.randn(B, T, D, dtype=torch.float64))
    with pytest.raises(InputError, match=r"float32 or bfloat16.*float64"):
        low.stream()


def test_what_is_no_tensor_is_told():
    with pytest.raises(InputError, match="must be a tensor; got list"):
        pair("LSTM", {})[0]([[1.0]])
