"""Decoding against numbers worked by hand, counted draws, and searches of everything."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tidegate.decode.sampling import Decoding, Sampler
from tidegate.errors import InputError

CHANCES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


def kept(decoding, chances=CHANCES):
    """The probabilities after the filters."""
    scores = np.exp(decoding.filtered(np.log(chances).astype(np.float32) + 3.5))
    return (scores / scores.sum(-1, keepdims=True)).astype(float)


def test_temperature_sharpens_and_flattens():
    powers = CHANCES**2 / (CHANCES**2).sum()
    assert kept(Decoding(temperature=0.5)) == pytest.approx(powers, rel=1e-5)
    assert kept(Decoding(temperature=1.0)) == pytest.approx(CHANCES, rel=1e-5)


def test_top_k_keeps_the_likeliest():
    assert kept(Decoding(top_k=2)) == pytest.approx([4 / 7, 3 / 7, 0, 0, 0], rel=1e-5)
    assert kept(Decoding(top_k=99)) == pytest.approx(CHANCES, rel=1e-5)


@pytest.mark.parametrize(
    ("share", "count"), [(0.0, 1), (0.39, 1), (0.41, 2), (0.69, 2), (0.71, 3), (0.97, 5), (1, 5)]
)
def test_top_p_keeps_the_fewest_that_have_the_share(share, count):
    assert np.count_nonzero(kept(Decoding(top_p=share))) == count


@pytest.mark.parametrize(("share", "count"), [(0.0, 5), (0.13, 4), (0.3, 3), (0.7, 2), (1.0, 1)])
def test_min_p_keeps_those_near_the_likeliest(share, count):
    assert np.count_nonzero(kept(Decoding(min_p=share))) == count


def test_each_filter_sees_what_the_one_before_left():
    # Of the first three (0.47, 0.35, 0.18) two have the share; without top_k it would be three.
    assert np.count_nonzero(kept(Decoding(top_k=3, top_p=0.8))) == 2
    assert np.count_nonzero(kept(Decoding(top_p=0.8))) == 3


def test_rows_are_filtered_one_by_one():
    rows = np.stack([CHANCES, CHANCES[::-1]])
    decoding = Decoding(temperature=0.8, top_k=4, top_p=0.9, min_p=0.2)
    assert kept(decoding, rows).tolist() == [kept(decoding, row).tolist() for row in rows]


@pytest.mark.parametrize(
    "decoding", [Decoding(), Decoding(temperature=0.7, top_k=4), Decoding(top_p=0.8)]
)
def test_draws_have_the_probabilities(decoding):
    """Chi-squared, against what the filters leave."""
    draws = 20_000
    sampler = Sampler(decoding, 5, [7])
    scores = np.log(CHANCES).astype(np.float32) - 2
    counts = np.bincount([sampler.choose(scores) for _ in range(draws)], minlength=5)
    expected = draws * kept(decoding)
    there = expected > 0
    assert counts[~there].sum() == 0
    expected = expected[there] * draws / expected[there].sum()
    assert stats.chisquare(counts[there], expected).pvalue > 1e-3


def test_draws_of_steps_and_rows_are_independent():
    sampler = Sampler(Decoding(), 2, [1, 2])
    draws = np.array([sampler.choose(np.zeros((2, 2), np.float32)) for _ in range(4000)])
    pairs = np.bincount(2 * draws[:, 0] + draws[:, 1], minlength=4)
    steps = np.bincount(2 * draws[1:, 0] + draws[:-1, 0], minlength=4)
    assert stats.chisquare(pairs).pvalue > 1e-3
    assert stats.chisquare(steps, np.full(4, 3999 / 4)).pvalue > 1e-3


def test_a_row_draws_the_same_whatever_stands_beside_it():
    scores = np.log(np.stack([CHANCES, CHANCES[::-1]]))
    both, alone = Sampler(Decoding(), 5, [3, 4]), Sampler(Decoding(), 5, [4])
    for _ in range(600):
        assert both.choose(scores)[1] == alone.choose(scores[1])


def test_temperature_zero_takes_the_likeliest_and_the_first_of_equals():
    sampler = Sampler(Decoding(temperature=0), 3, [None])
    assert sampler.choose(np.array([0.1, 0.7, 0.7])) == 1


def test_what_is_forbidden_is_never_drawn():
    sampler = Sampler(Decoding(), 3, [0])
    scores = np.array([-np.inf, 0, -12], np.float32)
    assert {int(sampler.choose(scores)) for _ in range(2000)} == {1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", True),
        ("top_k", 0),
        ("top_k", 2.5),
        ("top_p", 1.1),
        ("min_p", "a"),
    ],
)
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"generate: `{name}` must be "):
        Decoding(**{name: value})
