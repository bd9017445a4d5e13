"""ForecastBatch: how many steps are asked for, and where its tensors go."""

from __future__ import annotations

import torch

from tidegate.data.windows.batch import ForecastBatch

PAST, LENGTHS = torch.zeros(2, 9, 3), torch.tensor([9, 9])


def test_the_future_is_as_long_as_what_is_known_of_it():
    known, targets = torch.zeros(2, 4, 1), torch.zeros(2, 5, 1)
    assert ForecastBatch(PAST, LENGTHS, targets, known=known, ahead=6).future == 4
    assert ForecastBatch(PAST, LENGTHS, targets, ahead=6).future == 5
    assert ForecastBatch(PAST, LENGTHS, ahead=6).future == 6
    assert ForecastBatch(PAST, LENGTHS).future is None


def test_all_of_it_moves_and_what_is_none_stays_so():
    batch = ForecastBatch(PAST, LENGTHS, static=torch.zeros(2, 1), ahead=3).to("meta")
    assert isinstance(batch, ForecastBatch)
    assert {batch.values.device.type, batch.static.device.type} == {"meta"}
    assert (batch.known, batch.targets, batch.ahead) == (None, None, 3)
