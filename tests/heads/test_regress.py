"""The regressor's head against numbers worked by hand and scikit-learn's metrics."""

from __future__ import annotations

import pytest
import torch
from sklearn import metrics

from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.heads import RegressHead, RegressMeter
from tidegate.heads.regress import LOSSES


def batch(targets, weights=None):
    count = len(targets)
    return Batch(
        torch.zeros(count, 1),
        torch.ones(count, dtype=torch.int64),
        torch.tensor(targets, dtype=torch.float64),
        None if weights is None else torch.tensor(weights),
    )


def measured(loss="mse"):
    """Targets of mean 20 and deviation 10."""
    head = RegressHead(3, loss)
    head.measure(torch.tensor([10.0, 30.0]))
    return head


OUTPUTS = torch.tensor([[0.0], [3.0]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", (1.0**2 + 2.0**2) / 2),
        ("mae", (1.0 + 2.0) / 2),
        ("huber", (0.5 + 1.5) / 2),
    ],
)
def test_losses_are_in_units_of_the_targets_deviation(loss, expected):
    truth = batch([10.0, 30.0])  # -1 and 1 in those units
    assert measured(loss).loss(OUTPUTS, truth).item() == pytest.approx(expected)


def test_weights_multiply_and_rows_divide():
    loss = measured().loss(OUTPUTS, batch([10.0, 30.0], [3.0, 0.5]))
    assert loss.item() == pytest.approx((3 * 1 + 0.5 * 4) / 2)


def test_answers_are_in_the_units_of_the_targets():
    assert measured().answer(OUTPUTS).tolist() == [20.0, 50.0]


def test_targets_that_do_not_vary_are_only_centred():
    head = RegressHead(3)
    head.measure(torch.tensor([7.0, 7.0]))
    assert head.answer(torch.tensor([[2.0]])).tolist() == [9.0]


def test_the_size_of_the_targets_is_saved_with_the_weights():
    other = RegressHead(3)
    other.load_state_dict(measured().state_dict())
    assert other.answer(OUTPUTS).tolist() == [20.0, 50.0]


def test_it_learns_a_line_through_large_targets():
    torch.manual_seed(0)
    x = torch.randn(64, 3)
    y = 1e6 + 1e3 * (x @ torch.tensor([1.0, -2.0, 0.5]))
    head = RegressHead(3)
    head.measure(y)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        head.loss(head(x), Batch(x[:, None], torch.ones(64), y)).backward()
        optimizer.step()
    assert (head.answer(head(x)) - y).abs().max() < 1


def test_an_unknown_loss_is_refused():
    with pytest.raises(InputError, match="Did you mean 'huber'"):
        RegressHead(3, "hubert")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_meter_agrees_with_scikit_learn(loss, weighted):
    torch.manual_seed(1)
    head = measured(loss)
    outputs, truth = torch.randn(21, 1), 20 + 10 * torch.randn(21, dtype=torch.float64)
    weights = torch.rand(21) if weighted else None
    meter = RegressMeter(head)
    for part in torch.arange(21).split(8):
        own = None if weights is None else weights[part]
        meter.update(outputs[part], Batch(outputs[part], part, truth[part], own))
    answers, found = head.answer(outputs), meter.result()
    assert found["mse"] == pytest.approx(
        metrics.mean_squared_error(truth, answers, sample_weight=weights)
    )
    assert found["mae"] == pytest.approx(
        metrics.mean_absolute_error(truth, answers, sample_weight=weights)
    )
    assert found["r2"] == pytest.approx(metrics.r2_score(truth, answers, sample_weight=weights))
    assert found["rmse"] == pytest.approx(found["mse"] ** 0.5)
    expected = head.losses(outputs, Batch(outputs, truth, truth))
    expected = expected.mean() if weights is None else (expected * weights).sum() / weights.sum()
    assert found["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_r2_of_large_targets_is_exact():
    head, truth = RegressHead(1), torch.tensor([1e8, 1e8 + 1, 1e8 + 2], dtype=torch.float64)
    head.measure(truth)
    meter = head.meter()
    meter.update(torch.zeros(3, 1), Batch(torch.zeros(3, 1), truth, truth))
    assert meter.result()["r2"] == pytest.approx(0.0, abs=1e-6)


def test_the_meter_comes_back_from_its_state():
    meter, other = measured().meter(), measured().meter()
    meter.update(OUTPUTS, batch([1.0, 2.0]))
    other.load(meter.state())
    meter.update(OUTPUTS, batch([3.0, 4.0]))
    other.update(OUTPUTS, batch([3.0, 4.0]))
    assert other.result() == meter.result()
