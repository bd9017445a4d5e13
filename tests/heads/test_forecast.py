"""The forecaster's head and meter: units, unknown values, weights, checkpoints."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tidegate.data.windows.batch import ForecastBatch
from tidegate.heads import ForecastHead
from tidegate.heads.distributions import Normal, Point, Quantiles
from tidegate.nn.blocks.instance_norm import InstanceNorm

NAN = math.nan


def head(kind=None, mode="none", targets=2, **options):
    return ForecastHead(4, 3, targets, kind or Point("mse"), InstanceNorm(mode), **options)


def batch(targets, values=None, weights=None):
    targets = torch.tensor(targets)
    if values is None:
        values = torch.zeros(len(targets), 5, targets.shape[-1])
    lengths = torch.full((len(targets),), values.shape[1])
    return ForecastBatch(values, lengths, targets, weights)


def test_it_answers_steps_targets_and_parameters():
    assert head(Normal())(torch.zeros(7, 4)).shape == (7, 3, 2, 2)
    assert head(Quantiles([0.1, 0.5, 0.9]), width=1)(torch.zeros(7, 6, 4)).shape == (7, 6, 3, 1, 3)


def test_loss_is_the_mean_over_known_values_with_weights():
    outputs = torch.zeros(2, 1, 2, 1)
    rows = batch([[[1.0, NAN]], [[3.0, 2.0]]], weights=torch.tensor([2.0, 0.5]))
    expected = (2 * 1 + 0.5 * 9 + 0.5 * 4) / 3
    assert head().loss(outputs, rows).item() == pytest.approx(expected)


def test_unknown_values_give_no_gradient():
    outputs = torch.zeros(1, 1, 2, 1, requires_grad=True)
    head().loss(outputs, batch([[[NAN, 2.0]]])).backward()
    assert outputs.grad.flatten().tolist() == [0.0, -4.0]
    nothing = head().loss(outputs, batch([[[NAN, NAN]]]))
    assert nothing.item() == 0


@pytest.mark.parametrize(("kind", "degree"), [(Point("mse"), 2), (Point("mae"), 1)])
def test_windows_of_a_large_unit_count_no_more_than_others(kind, degree):
    values = torch.randn(1, 5, 1)
    small, large = values, values * 1000 + 5
    made = head(kind, "standard", targets=1)
    rows = batch([[[0.0]] * 3] * 2, torch.cat([small, large]))
    level = made.level(rows)
    normal = torch.randn(1, 3, 1, 1).expand(2, -1, -1, -1)
    truth = torch.randn(1, 3, 1).expand(2, -1, -1)
    rows = batch(made.norm.inverse(truth, level).tolist(), rows.values)
    losses, _ = made.losses(made.inverse(normal, level), rows)
    torch.testing.assert_close(losses[0], losses[1], atol=1e-3, rtol=1e-3)
    expected = (normal[0, ..., 0] - truth[0]).abs() ** degree
    torch.testing.assert_close(losses[0], expected, atol=1e-3, rtol=1e-3)


def test_inverse_and_level_undo_the_normalisation():
    made = head(Normal(), "standard", targets=1)
    rows = batch([[[1.0]] * 3], torch.tensor([[[2.0], [4.0], [9.0]]]))
    answers = made.inverse(torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2), made.level(rows))
    assert answers[0, 0, 0].tolist() == pytest.approx([5, (26 / 3) ** 0.5])


def test_answers_hold_the_mean_and_the_quantiles_asked_for():
    outputs = torch.tensor([1.0, 2.0]).expand(1, 3, 2, 2)
    assert set(head(Normal()).answer(outputs)) == {"mean"}
    answers = head(Normal()).answer(outputs, [0.5, 0.8413447])
    assert answers["quantiles"].shape == (1, 3, 2, 2)
    assert answers["quantiles"][0, 0, 0].tolist() == pytest.approx([1, 3], abs=1e-5)


def test_the_meter_agrees_with_numpy_over_odd_batches():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(11, 3, 2)).astype(np.float32)
    truth[rng.random(truth.shape) < 0.2] = np.nan
    answers = rng.normal(size=(11, 3, 2, 1)).astype(np.float32)
    weights = rng.uniform(0.5, 2, 11).astype(np.float32)
    meter = head(Point("mae")).meter()
    for part in np.array_split(np.arange(11), 4):
        rows = batch(truth[part].tolist(), weights=torch.from_numpy(weights[part]))
        meter.update(torch.from_numpy(answers[part]), rows)
    error, share = answers[..., 0] - truth, np.broadcast_to(weights[:, None, None], truth.shape)
    known = ~np.isnan(truth)
    expected = {
        "loss": np.average(np.abs(error)[known], weights=share[known]),
        "mse": np.average((error**2)[known], weights=share[known]),
        "mae": np.average(np.abs(error)[known], weights=share[known]),
    }
    assert meter.result() == pytest.approx(expected, rel=1e-5)


def test_a_meter_goes_on_from_its_state():
    made = head()
    whole, first, second = made.meter(), made.meter(), made.meter()
    outputs, rows = torch.randn(2, 3, 2, 1), batch(torch.randn(2, 3, 2).tolist())
    for meter in (whole, first):
        meter.update(outputs, rows)
    second.load(first.state())
    for meter in (whole, second):
        meter.update(outputs + 1, rows)
    assert second.result() == whole.result()


def test_a_forecast_batch_moves_with_everything_in_it():
    rows = ForecastBatch(
        torch.zeros(2, 5, 1),
        torch.tensor([5, 5]),
        torch.zeros(2, 3, 1),
        torch.ones(2),
        torch.zeros(2, 3, 4),
        torch.zeros(2, 6),
        None,
    )
    moved = rows.to("meta")
    parts = (moved.values, moved.lengths, moved.targets, moved.weights, moved.known, moved.static)
    assert all(part is not None and part.is_meta for part in parts)
    assert isinstance(moved, ForecastBatch)
    assert rows.future == 3
    assert ForecastBatch(rows.values, rows.lengths, ahead=9).to("cpu").future == 9
    assert ForecastBatch(rows.values, rows.lengths).future is None
