"""Packing against torch's own functions, values and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from tidegate.nn.packing import read_packing

D = 3


def packed_of(lengths: list[int], dtype: torch.dtype = torch.float64) -> PackedSequence:
    """Random data, marked as sorted where it is."""
    x = torch.randn(len(lengths), max(lengths), D, dtype=dtype, requires_grad=True)
    ordered = lengths == sorted(lengths, reverse=True)
    return pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=ordered)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_it_is_what_torch_does(lengths):
    packed = packed_of(lengths)
    packing = read_packing(packed)
    padded, counts = pad_packed_sequence(packed, batch_first=True)
    assert torch.equal(packing.lengths, counts)
    assert packing.steps == max(lengths)
    mine = packing.pad(packed.data)
    valid = torch.arange(packing.steps) < counts[:, None]
    assert torch.equal(mine[valid], padded[valid])
    assert torch.equal(packing.pack(padded), packed.data)
    assert torch.equal(packing.pack(mine), packed.data)


def test_gradients_of_both_ways():
    packed = packed_of([2, 5, 1, 3])
    packing = read_packing(packed)
    data = packed.data.detach().requires_grad_()
    valid = (torch.arange(5) < packing.lengths[:, None])[..., None]

    def there_and_back(rows: torch.Tensor) -> torch.Tensor:
        return packing.pack(packing.pad(rows.tanh()).mul(valid).square())

    assert gradcheck(there_and_back, data)
    assert gradgradcheck(there_and_back, data)
    padded = torch.randn(4, 5, D, dtype=torch.float64, requires_grad=True)
    packing.pack(padded).sum().backward()
    assert torch.equal(padded.grad, valid.expand_as(padded).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_type_has_gradients(dtype):
    packed = packed_of([1, 2], dtype)
    packing = read_packing(packed)
    data = packed.data.detach().requires_grad_()
    packing.pack(packing.pad(data)).sum().backward()
    assert torch.equal(data.grad, torch.ones_like(data))
