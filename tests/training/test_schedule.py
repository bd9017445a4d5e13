"""Schedules against torch's own schedulers."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from tidegate.training.schedule import rate

TOTAL = 37


def rates_of(scheduler: LRScheduler) -> list[float]:
    rates = []
    for _ in range(TOTAL):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        if len(rates) < TOTAL:
            scheduler.step()
    return rates


def optimizer() -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


@pytest.mark.parametrize("warmup", [0.1, 0.25, 0.3, 0.9])
def test_one_cycle_is_that_of_torch(warmup):
    expected = rates_of(OneCycleLR(optimizer(), 1.0, TOTAL, pct_start=warmup))
    found = [rate("one-cycle", step, TOTAL, warmup) for step in range(TOTAL)]
    assert found == pytest.approx(expected, rel=1e-6)


def test_cosine_is_that_of_torch():
    expected = rates_of(CosineAnnealingLR(optimizer(), TOTAL))
    assert [rate("cosine", step, TOTAL) for step in range(TOTAL)] == pytest.approx(expected)


def test_constant_is_constant_and_a_single_step_uses_the_whole_rate():
    assert {rate("constant", step, TOTAL) for step in range(TOTAL)} == {1.0}
    assert rate("one-cycle", 0, 1) == 1.0


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_one_cycle_stays_in_range_at_the_ends_of_warmup(warmup):
    rates = [rate("one-cycle", step, 5, warmup) for step in range(5)]
    assert all(0 < value <= 1 for value in rates)
    assert rates == sorted(rates, reverse=not warmup)
