"""SequenceRegressor: numbers for sequences, remaining life by windows, caps."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import is_regressor

import tidegate
from tests.tasks.sequences import walks, wear
from tidegate import SequenceRegressor
from tidegate.errors import InputError

QUICK = {"epochs": 2, "hidden_size": 4, "filters": 4, "verbose": False}


def quick(**settings):
    return SequenceRegressor(**{**QUICK, **settings})


def test_it_learns_where_walks_ended():
    X, _, y = walks(300)
    settings = {"convolutions": 0, "learning_rate": 1e-2}
    model = SequenceRegressor(hidden_size=16, epochs=20, verbose=False, **settings).fit(X, y)
    fresh, _, truth = walks(100, seed=1)
    assert model.evaluate(fresh, truth)["r2"] > 0.95
    assert model.score(fresh, truth) == pytest.approx(
        -np.mean((model.predict(fresh) - truth) ** 2), rel=1e-6
    )
    assert is_regressor(model)


def test_answers_are_in_the_units_of_the_targets():
    X, _, y = walks(60)
    plain = quick(epochs=10).fit(X, y, validation=None).predict(X)
    far = quick(epochs=10).fit(X, 1e6 + 1e3 * np.array(y), validation=None).predict(X)
    np.testing.assert_allclose(far, 1e6 + 1e3 * plain, rtol=1e-5)


def test_remaining_life_is_learned_from_windows_at_every_step():
    X, y = wear(40)
    model = SequenceRegressor(
        window=10, hidden_size=16, epochs=8, batch_size=64, cap=20, verbose=False
    ).fit(X, y)
    fresh, lives = wear(20, seed=1)
    cut = np.random.default_rng(2).integers(12, 19, len(fresh))
    ends = [len(row) - left for row, left in zip(fresh, cut, strict=True)]
    parts = [row[:end] for row, end in zip(fresh, ends, strict=True)]
    truth = np.array([life[end - 1] for life, end in zip(lives, ends, strict=True)])
    assert np.sqrt(np.mean((model.predict(parts) - truth) ** 2)) < 4
    assert model.metrics_["validation"]["rmse"] < 4


def test_a_target_for_each_row_belongs_to_its_last_window():
    X, y = wear(6)
    model = quick(window=5).fit(X, y)
    ends = [row[-1] for row in y]
    errors = model.predict(X) - ends
    assert model.evaluate(X, ends)["mse"] == pytest.approx(np.mean(errors**2), rel=1e-5)


def test_whole_machines_are_held_out():
    """Windows of one machine overlap: on both sides they would flatter the score."""
    X, y = wear(10)
    model = quick(window=5)
    examples = model._examples(X, y, None)
    rows, held = model._split(examples, 0.2, model._settings())
    assert len(rows) == 8
    assert len(held) == 2


def test_stride_thins_out_training_windows_from_the_end():
    X, y = wear(4)
    model = quick(window=5, stride=3).fit(X, y, validation=None)
    loader = model._loader(model._examples(X, y, None), training=True)
    assert len(loader) == sum(-(-len(row) // 3) for row in X)
    assert loader.targets[: -(-len(X[0]) // 3)][-1] == y[0][-1]
    everything = model._loader(model._examples(X, y, None), training=False)
    assert len(everything) == sum(map(len, X))


def test_a_cap_counts_in_training_and_scores():
    X, _, y = walks(30)
    model = quick(cap=0.5).fit(X, y, validation=None)
    top = np.minimum(y, 0.5)
    found = model.evaluate(X, y)
    assert found["mse"] == pytest.approx(np.mean((model.predict(X) - top) ** 2), rel=1e-6)


def test_weights_of_rows_are_those_of_their_windows():
    X, y = wear(4)
    model = quick(window=5).fit(X, y, validation=None)
    examples = model._examples(X, y, [1.0, 2.0, 3.0, 4.0])
    loader = model._loader(examples, training=True)
    assert loader.weights.tolist() == np.repeat([1.0, 2, 3, 4], list(map(len, X))).tolist()


def test_it_comes_back_from_disk(tmp_path):
    X, _, y = walks(20)
    model = quick(loss="huber").fit(X, y)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(tidegate.load(tmp_path / "model").predict(X), model.predict(X))
    assert model.facts()["training targets"].startswith("mean ")


@pytest.mark.parametrize(
    ("y", "what"),
    [
        ([1.0] * 5 + ["x"], "a finite number in each row; got 'x' in row 6"),
        ([1.0] * 5 + [float("nan")], "got nan in row 6"),
        ([True] * 6, "got True in row 1"),
        (None, "`y` must be given: one number a row"),
        ([1.0] * 5, "of the length of X, 6; got length 5"),
        ([[1.0]] * 6, "Set a window"),
    ],
)
def test_wrong_targets_are_told_in_one_line(y, what):
    X, _, _ = walks(6)
    with pytest.raises(InputError, match=what):
        quick().fit(X, y, validation=None)


def test_it_can_be_looked_into():
    X, _, y = walks(20)
    model = quick().fit(X, y)
    assert model.trace(X[:2]).hidden.shape[1] == 2
    assert model.attribute(X[:2]).scores.shape[0] == 2
    assert model.what_if(X[0], X[1]).answers.shape == (2, 1)
    assert model.doctor(X, y).passed
    model.explain(X[0])
    with pytest.raises(InputError, match=r"`target` must be left out, .* got 'life'"):
        model.explain(X[0], target="life")


def test_single_steps_can_be_changed():
    X, _, y = walks(20)
    model = quick().fit(X, y)
    other = X[0].copy()
    other[1] = [5.0, -3.0]
    found = model.what_if(X[0], steps={1: [5.0, -3.0]}).answers
    np.testing.assert_allclose(found[:, 0], model.predict([X[0], other]), rtol=1e-5)
    with pytest.raises(InputError, match=r"steps from 0 to \d+; got 99"):
        model.what_if(X[0], steps={99: [0.0, 0.0]})
    with pytest.raises(InputError, match="2 channels, as in training; got 1 in row 1"):
        model.what_if(X[0], steps={1: 5.0})
    alone = quick(scaling="sequence").fit(X, y)
    with pytest.raises(InputError, match="cannot put single values into a row"):
        alone.what_if(X[0], steps={1: [5.0, -3.0]})
