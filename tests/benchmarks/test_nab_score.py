"""The scoring rules of the Numenta Anomaly Benchmark, against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.suite.nab_score import best_threshold, mark, probation, score, sigmoid


def rows(count: int, *places: int) -> np.ndarray:
    alarms = np.zeros(count, bool)
    alarms[list(places)] = True
    return alarms


def test_probation_is_15_percent_of_5000_rows_at_most():
    assert [probation(n) for n in (1127, 4032, 5000, 22695)] == [169, 604, 750, 750]


def test_the_sigmoid_at_points_that_are_known():
    assert sigmoid(0.0) == 0.0
    assert sigmoid(-1.0) == pytest.approx(2 / (1 + math.exp(-5)) - 1)
    assert sigmoid(1.0) == pytest.approx(-sigmoid(-1.0))
    assert sigmoid(3.0) == sigmoid(10.0) == -1.0


def test_a_perfect_detector_gets_100_and_a_silent_one_0():
    files = [mark(1000, [(300, 399), (600, 699)]), mark(400, [(200, 219)]), mark(500, [])]
    perfect = [rows(1000, 300, 600), rows(400, 200), rows(500)]
    silent = [rows(1000), rows(400), rows(500)]
    assert score(files, perfect).score == pytest.approx(100)
    assert score(files, silent).score == 0.0
    assert score(files, silent).windows == 3


def test_hits_misses_and_false_alarms_by_hand():
    file = mark(1000, [(300, 399), (600, 699)])

    def squash(x: float) -> float:
        return 2 / (1 + math.exp(5 * x)) - 1

    # The 51st row of a window of 100: position -(399 - 350 + 1) / 100. A later alarm in it, one in
    # probation, one before all windows, one 40 rows after the first window; the second is missed.
    found = score([file], [rows(1000, 350, 380, 20, 200, 439)])
    hit = squash(-0.5) / squash(-1.0)
    total = hit - 1 - 0.11 + 0.11 * squash(40 / 99)
    assert found.score == pytest.approx(100 * (total + 2) / 4)
    assert (found.found, found.windows, found.false_alarms) == (1, 2, 2)


def test_the_last_row_of_a_window_is_a_hit_and_the_next_is_almost_free():
    file = mark(1000, [(300, 399)])
    assert file.worth[399] == pytest.approx((2 / (1 + math.exp(-0.05)) - 1) / sigmoid(-1.0))
    assert 0 < file.worth[399] < 0.03
    assert -0.003 < file.worth[400] < 0
    assert file.worth[700] == pytest.approx(-0.11)


def test_the_best_threshold_is_the_best_of_all_that_can_be_tried():
    random = np.random.default_rng(0)
    files = [mark(300, [(80, 109), (200, 229)]), mark(200, [(60, 79)])]
    scores = [random.random(300).round(2), random.random(200).round(2)]
    scores[0][85] = scores[1][65] = 0.99
    scores[0][150] = np.nan
    best, threshold = best_threshold(files, scores)
    tried = {
        limit: score(files, [column >= limit for column in scores]).score
        for limit in np.unique([*np.concatenate(scores), 2.0])
        if not np.isnan(limit)
    }
    assert best == pytest.approx(max(tried.values()))
    assert tried[threshold] == pytest.approx(best)
