from __future__ import annotations

import gc

import pytest
import torch

from tidegate.kernels import loans

LARGE = 1 << 19  # floats: twice the least that is lent
LIKE = torch.zeros(1)


@pytest.fixture(autouse=True)
def nothing_free(monkeypatch):
    monkeypatch.setattr(loans, "_free", [])


def test_small_tensors_are_plain():
    made = loans.empty(LIKE, 3, 5)
    assert list(made.shape) == [3, 5]
    del made
    assert loans._free == []


def test_memory_comes_back_and_serves_again():
    first = loans.empty(LIKE, 4, LARGE // 4)
    address = first.data_ptr()
    assert address % 64 == 0
    assert first.dtype is torch.float32
    del first
    assert len(loans._free) == 1
    again = loans.empty(LIKE.bfloat16(), 2 * LARGE - 100)
    assert again.data_ptr() == address
    assert again.dtype is torch.bfloat16
    assert loans._free == []


def test_two_tensors_never_share_memory():
    first, second = loans.empty(LIKE, LARGE), loans.empty(LIKE, LARGE)
    first.fill_(1)
    second.fill_(2)
    assert float(first.min()) == float(first.max()) == 1


def test_a_view_keeps_the_memory():
    made = loans.empty(LIKE, 4, LARGE // 4)
    view = made[1]
    del made
    gc.collect()
    assert loans._free == []
    del view
    assert len(loans._free) == 1


def test_a_block_much_too_large_waits_for_another():
    large = loans.empty(LIKE, 4 * LARGE)
    del large
    small = loans.empty(LIKE, LARGE)
    assert len(loans._free) == 1
    del small


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(loans, "_MOST", 3 * 4 * LARGE)
    made = [loans.empty(LIKE, LARGE) for _ in range(6)]
    del made[:]
    assert sum(map(len, loans._free)) <= 3 * 4 * LARGE


def test_training_steps_use_the_same_memory_and_keep_their_own():
    """Two graphs alive at once must not write into each other's gates."""
    import tidegate.nn as tn

    layer = tn.LSTM(8, 64, batch_first=True)
    x = torch.randn(32, 64, 8)
    alone = torch.autograd.grad(layer(x)[0].square().sum(), layer.weight_hh_l0)[0]
    first, second = layer(x)[0].square().sum(), layer(2 * x)[0].square().sum()
    torch.autograd.grad(second, layer.weight_hh_l0)
    both = torch.autograd.grad(first, layer.weight_hh_l0)[0]
    assert torch.equal(alone, both)
