"""The problems of memory: their layout by loops, their baselines by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tidegate.datasets import AddingProblem, CopyMemory, SequentialDigits, TemporalOrder
from tidegate.errors import InputError

PROBLEMS = (AddingProblem(13), CopyMemory(7, symbols=3), TemporalOrder(31), SequentialDigits())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.title)
def test_the_seed_decides_the_rows_and_their_form_is_as_told(problem):
    for draw in (problem.sample, problem.held_out):
        values, targets = draw(9, rng(1))
        again, other = draw(9, rng(1)), draw(9, rng(2))
        np.testing.assert_array_equal(values, again[0])
        np.testing.assert_array_equal(targets, again[1])
        assert not np.array_equal(values, other[0])
        assert len(values) == len(targets) == 9
        if problem.symbolic:
            assert values.dtype == np.int64
            assert values.ndim == 2
            assert set(values.flat) <= set(range(problem.inputs))
        else:
            assert values.dtype == np.float32
            assert values.shape[2] == problem.inputs
        assert targets.dtype == (np.float32 if problem.outputs == 1 else np.int64)
        assert problem.lag <= values.shape[1]


@pytest.mark.parametrize("steps", [2, 3, 20, 201])
def test_the_two_marked_numbers_are_added(steps):
    values, sums = AddingProblem(steps).sample(50, rng())
    for row, total in zip(values, sums, strict=True):
        marked = [step for step in range(steps) if row[step, 1] == 1]
        assert len(marked) == 2
        assert marked[0] < steps // 2 <= marked[1]
        assert row[:, 1].sum() == 2
        assert 0 <= row[:, 0].min() <= row[:, 0].max() < 1
        assert total == pytest.approx(sum(row[step, 0] for step in marked))


def test_marks_stand_anywhere_in_their_half():
    values, _ = AddingProblem(7).sample(2000, rng())
    marked = values[..., 1].sum(0)
    # 2,000 marks on 3 steps, and 2,000 on the other 4.
    np.testing.assert_allclose(marked, [2000 / 3] * 3 + [500] * 4, rtol=0.15)


def test_what_is_to_be_copied_comes_first_and_the_signal_after_the_blanks():
    ids, answers = CopyMemory(6, symbols=3).sample(40, rng())
    assert ids.shape == answers.shape == (40, 12)
    for row, answer in zip(ids.tolist(), answers.tolist(), strict=True):
        shown = row[:3]
        assert all(0 <= symbol < 8 for symbol in shown)
        assert row == [*shown, 8, 8, 8, 8, 8, 9, 8, 8, 8]
        assert answer == [8] * 9 + shown
    assert set(ids[:, :3].flat) == set(range(8))
    assert CopyMemory(500).sample(1, rng())[0].shape == (1, 520)
    # The first symbol is answered at step 9, the last one at step 11: 9 steps after each was shown.
    assert CopyMemory(6, symbols=3).lag == 9


@pytest.mark.parametrize("steps", [10, 37, 100])
def test_two_signs_stand_early_and_in_the_middle_and_tell_the_class(steps):
    ids, orders = TemporalOrder(steps).sample(200, rng())
    classes = {(4, 4): 0, (4, 5): 1, (5, 4): 2, (5, 5): 3}
    for row, order in zip(ids.tolist(), orders.tolist(), strict=True):
        assert (row[0], row[-1]) == (6, 7)
        first, second = (step for step, symbol in enumerate(row) if symbol in {4, 5})
        assert steps // 10 <= first < steps // 5
        assert steps // 2 <= second < 3 * steps // 5
        assert classes[row[first], row[second]] == order
        noise = {*row} - {4, 5, 6, 7}
        assert noise <= {0, 1, 2, 3}
    assert set(orders.tolist()) == {0, 1, 2, 3}


def test_every_fifth_digit_is_held_out_and_the_others_are_all_learned_from():
    found = load_digits()
    known = {(*image, digit) for image, digit in zip(found.data, found.target, strict=True)}

    def rows(drawn):
        pixels, digits = drawn
        assert pixels.shape[1:] == (64, 1)
        return {(*row, digit) for row, digit in zip(16 * pixels[..., 0], digits, strict=True)}

    held = rows(SequentialDigits().held_out(10_000, rng()))
    learned = rows(SequentialDigits().sample(30_000, rng()))
    assert len(SequentialDigits().held_out(10_000, rng())[0]) == 360
    assert len(SequentialDigits().held_out(7, rng())[0]) == 7
    assert held | learned == known
    assert not held & learned
    assert (*found.data[5], found.target[5]) in held


def test_the_baseline_of_adding_is_what_answering_1_gets():
    _, sums = AddingProblem(10).sample(200_000, rng())
    assert AddingProblem(10).baseline == pytest.approx(((sums - 1) ** 2).mean(), rel=0.01)
    assert sums.mean() == pytest.approx(1, abs=0.01)


def cross_entropy(counts: np.ndarray) -> float:
    """Of whoever answers with the frequencies."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def test_the_baseline_of_copying_is_a_guess_where_there_is_no_blank():
    problem = CopyMemory(5, symbols=4)
    _, answers = problem.sample(20_000, rng())
    by_step = [cross_entropy(np.bincount(column, minlength=9)) for column in answers.T]
    assert by_step[:9] == [0] * 9
    assert np.mean(by_step) == pytest.approx(problem.baseline, rel=1e-3)
    assert CopyMemory(500).baseline == pytest.approx(10 * math.log(8) / 520)


@pytest.mark.parametrize(
    ("problem", "close"), [(TemporalOrder(20), 1e-3), (SequentialDigits(), 1e-2)]
)
def test_the_baseline_of_classes_is_their_entropy(problem, close):
    _, classes = problem.sample(20_000, rng())
    assert cross_entropy(np.bincount(classes)) == pytest.approx(problem.baseline, rel=close)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: AddingProblem(1), "AddingProblem: `steps` must be an integer >= 2; got 1."),
        (lambda: AddingProblem(True), "AddingProblem: `steps` must be an integer >= 2; got True."),
        (lambda: CopyMemory(0), "CopyMemory: `blanks` must be an integer >= 1; got 0."),
        (lambda: CopyMemory(9, 0), "CopyMemory: `symbols` must be an integer >= 1; got 0."),
        (lambda: TemporalOrder(9), "TemporalOrder: `steps` must be an integer >= 10; got 9."),
        (lambda: TemporalOrder(9.5), "TemporalOrder: `steps` must be an integer >= 10; got 9.5."),
    ],
)
def test_a_length_that_is_none_is_refused(make, told):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == told
