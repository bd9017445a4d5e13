"""Distributions against scipy, hand-worked numbers and the definition of their quantiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from tidegate.errors import InputError
from tidegate.heads.distributions import (
    NegativeBinomial,
    Normal,
    Point,
    Quantiles,
    StudentT,
    distribution,
)

LEVELS = (0.05, 0.5, 0.9)
ALL = [Point("mse"), Point("mae"), Quantiles(LEVELS), Normal(), StudentT(), NegativeBinomial()]
SPREAD = ALL[2:]


def parameters(kind, *shape):
    return kind.constrain(torch.randn(*shape, kind.parameters, dtype=torch.float64))


def title(kind):
    return type(kind).__name__


def test_points_are_squares_and_distances():
    values, targets = torch.tensor([[1.0], [5.0]]), torch.tensor([3.0, 4.5])
    assert Point("mse").losses(values, targets).tolist() == [4, 0.25]
    assert Point("mae").losses(values, targets).tolist() == [2, 0.5]


def test_pinball_worked_by_hand():
    found = Quantiles([0.1, 0.9]).losses(torch.tensor([[2.0, 7.0]]), torch.tensor([5.0]))
    # Above the first by 3: 0.1 * 3; below the second by 2: 0.1 * 2; twice their mean.
    assert found.item() == pytest.approx(0.5)


def test_the_median_alone_is_the_distance():
    values, targets = torch.randn(9, 1), torch.randn(9)
    torch.testing.assert_close(
        Quantiles([0.5]).losses(values, targets), Point("mae").losses(values, targets)
    )


def test_normal_likelihood_is_scipys():
    made, targets = parameters(Normal(), 50), torch.randn(50, dtype=torch.float64)
    mean, deviation = made.numpy().T
    expected = -stats.norm.logpdf(targets, mean, deviation)
    np.testing.assert_allclose(Normal().losses(made, targets), expected)


def test_student_likelihood_is_scipys():
    made, targets = parameters(StudentT(), 50), 5 * torch.randn(50, dtype=torch.float64)
    mean, scale, freedom = made.numpy().T
    expected = -stats.t.logpdf(targets, freedom, mean, scale)
    np.testing.assert_allclose(StudentT().losses(made, targets), expected)


def test_negative_binomial_likelihood_is_scipys():
    made = parameters(NegativeBinomial(), 50)
    targets = torch.randint(0, 9, (50,)).double()
    mean, dispersion = made.numpy().T
    expected = -stats.nbinom.logpmf(targets, 1 / dispersion, 1 / (1 + dispersion * mean))
    np.testing.assert_allclose(NegativeBinomial().losses(made, targets), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", [Normal(), StudentT()], ids=title)
def test_quantiles_are_where_the_probability_is(kind):
    made = parameters(kind, 4)
    found = kind.quantiles(made, LEVELS).numpy()
    rows = made.numpy()
    known = stats.norm if title(kind) == "Normal" else stats.t
    for row, values in zip(rows, found, strict=True):
        arguments = row if title(kind) == "Normal" else (row[2], row[0], row[1])
        np.testing.assert_allclose(known.cdf(values, *arguments), LEVELS, atol=1e-9)


def test_quantiles_of_counts_are_the_first_to_reach_the_level():
    made = torch.tensor([[4.0, 0.5]], dtype=torch.float64)
    found = NegativeBinomial().quantiles(made, LEVELS)[0].tolist()
    known = stats.nbinom(2.0, 1 / 3)
    for level, count in zip(LEVELS, found, strict=True):
        assert known.cdf(count) >= level
        assert count == 0 or known.cdf(count - 1) < level


def test_crossing_quantiles_are_put_in_order_and_interpolated():
    made = torch.tensor([[3.0, 1.0, 2.0]])
    kind = Quantiles([0.1, 0.5, 0.9])
    assert kind.quantiles(made, [0.1, 0.3, 0.9])[0].tolist() == pytest.approx([1, 1.5, 3])
    assert kind.mean(made).item() == 2
    assert Quantiles([0.2, 0.6]).mean(torch.tensor([[0.0, 4.0]])).item() == pytest.approx(3)


@pytest.mark.parametrize("level", [0.01, 0.95])
def test_levels_beyond_the_trained_ones_are_refused(level):
    with pytest.raises(InputError, match=r"`quantiles` must be from 0.05 to 0.9.*Train with"):
        Quantiles(LEVELS).quantiles(torch.zeros(1, 3), [level])


def test_a_point_has_no_quantiles():
    with pytest.raises(InputError, match=r"one number.*output='quantile'"):
        Point("mse").quantiles(torch.zeros(1, 1), [0.5])


@pytest.mark.parametrize("kind", ALL, ids=title)
def test_moved_parameters_are_those_of_the_moved_value(kind):
    location = 0.0 if title(kind) == "NegativeBinomial" else 7.0
    made = parameters(kind, 6)
    where, unit = torch.full((6,), location), torch.full((6,), 3.0)
    moved = kind.move(made, where, unit)
    torch.testing.assert_close(kind.mean(moved), kind.mean(made) * 3 + location)
    if title(kind) in ("Quantiles", "Normal", "StudentT"):
        found, before = kind.quantiles(moved, LEVELS), kind.quantiles(made, LEVELS)
        torch.testing.assert_close(found, before * 3 + location)


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL if title(kind) != "NegativeBinomial"], ids=title
)
def test_the_degree_says_how_the_loss_grows_with_the_unit(kind):
    made, targets = parameters(kind, 6), torch.randn(6, dtype=torch.float64)
    zero, unit = torch.zeros(6), torch.full((6,), 3.0)
    grown = kind.losses(kind.move(made, zero, unit), 3 * targets)
    if kind.degree:
        torch.testing.assert_close(grown, kind.losses(made, targets) * 3**kind.degree)
    else:  # a density is spread over three times the room
        torch.testing.assert_close(grown, kind.losses(made, targets) + np.log(3))


@pytest.mark.parametrize("kind", ALL, ids=title)
def test_training_by_the_loss_finds_the_distribution(kind):
    rng = np.random.default_rng(3)
    drawn = rng.negative_binomial(2, 0.25, 4000).astype(float)  # mean 6, variance 24
    if title(kind) not in ("NegativeBinomial", "Point"):
        drawn = rng.normal(5, 2, 4000)
    targets = torch.from_numpy(drawn)
    raw = torch.zeros(kind.parameters, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=0.1)
    for _ in range(600):
        optimizer.zero_grad()
        kind.losses(kind.constrain(raw).expand(4000, -1), targets).mean().backward()
        optimizer.step()
    found = kind.constrain(raw.detach())
    centre = np.median(drawn) if kind.degree == 1 else drawn.mean()
    assert kind.mean(found).item() == pytest.approx(centre, abs=0.01)
    if title(kind) != "Point":
        # Twice the standard error of a quantile of 4000 values, where its density is lowest.
        expected = np.quantile(drawn, LEVELS)
        assert kind.quantiles(found, LEVELS).tolist() == pytest.approx(expected, abs=0.12)


def test_an_unknown_output_is_named():
    with pytest.raises(InputError, match=r"`output` must be one of point.*got 'gauss'"):
        distribution("gauss")


@pytest.mark.parametrize("kind", ALL, ids=title)
def test_constrained_parameters_are_allowed_whatever_comes_in(kind):
    wild = torch.tensor([-80.0, 0.0, 80.0])[:, None].expand(3, kind.parameters)
    losses = kind.losses(kind.constrain(wild), torch.tensor([0.0, 1.0, 2.0]))
    assert losses.isfinite().all()
