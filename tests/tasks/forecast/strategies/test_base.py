"""What strategies read: the last steps of windows, and vectors of series and targets."""

from __future__ import annotations

import pytest
import torch

from tidegate.tasks.forecast.strategies.base import (
    StaticEmbedding,
    Strategy,
    WindowInputs,
    beside,
)


@pytest.fixture
def windows() -> WindowInputs:
    torch.manual_seed(0)
    values, lengths = torch.randn(4, 5, 3), torch.tensor([5, 3, 1, 0])
    channel = torch.tensor([0, 1, 0, 1])
    return WindowInputs(values, lengths, 2, torch.zeros(4, 2, 0), torch.randn(4, 2), channel)


def test_a_step_of_each_row_is_found_and_before_the_first_is_the_first(windows):
    found = windows.at(windows.lengths - 1)
    for row, step in enumerate([4, 2, 0, 0]):
        assert torch.equal(found[row], windows.values[row, step])


def test_series_and_target_add_up_to_one_vector(windows):
    embedding = StaticEmbedding(channels=2, static=2, size=6)
    expected = embedding.channel.weight[windows.channel] + embedding.static(windows.context)
    assert torch.equal(embedding(windows), expected)


def test_one_of_them_is_enough_and_without_both_there_is_none(windows):
    targets = StaticEmbedding(channels=2, static=0, size=6)
    assert torch.equal(targets(windows), targets.channel.weight[windows.channel])
    series = StaticEmbedding(channels=1, static=2, size=6)
    assert torch.equal(series(windows), series.static(windows.context))
    nothing = StaticEmbedding(channels=1, static=0, size=6)
    assert (nothing.size, nothing(windows).shape) == (0, (4, 0))
    assert not list(nothing.parameters())


def test_what_is_the_same_in_all_steps_stands_beside_each(windows):
    found = beside(windows.values, windows.context)
    assert torch.equal(found[..., :3], windows.values)
    for step in range(5):
        assert torch.equal(found[:, step, 3:], windows.context)
    assert beside(windows.values, windows.context[:, :0]) is windows.values


def test_a_strategy_of_ones_own_must_read_and_write(windows):
    for call in (lambda s: s.read(windows), lambda s: s.steps(windows.lengths),
                 lambda s: s.write(windows.values, windows)):  # fmt: skip
        with pytest.raises(NotImplementedError):
            call(Strategy())
