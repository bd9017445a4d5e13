"""What every regressor shares, shown on the sequence regressor: targets, caps, scores, answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from tests.tasks.sequences import walks
from tidegate import SequenceRegressor
from tidegate.errors import InputError
from tidegate.tasks.core.regressor import Regressor, RegressorSettings

X, _, Y = walks(40)


def quick(**settings):
    common = {"epochs": 2, "hidden_size": 4, "filters": 4, "convolutions": 1, "verbose": False}
    return SequenceRegressor(**(common | settings))


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y, validation=None)


def test_it_is_a_regressor(fitted):
    assert isinstance(fitted, Regressor)
    assert isinstance(fitted.settings_, RegressorSettings)


def test_scores_are_those_of_scikit_learn(fitted):
    weights = np.linspace(0, 2, len(X))
    found = fitted.evaluate(X, Y, sample_weight=weights)
    answers = fitted.predict(X)
    assert found["mse"] == pytest.approx(mean_squared_error(Y, answers, sample_weight=weights))
    assert found["mae"] == pytest.approx(mean_absolute_error(Y, answers, sample_weight=weights))
    assert found["r2"] == pytest.approx(r2_score(Y, answers, sample_weight=weights))
    assert fitted.score(X, Y, weights) == -found["mse"]


def test_answers_do_not_depend_on_the_batches(fitted):
    np.testing.assert_allclose(fitted.predict(X)[[7]], fitted.predict([X[7]]), rtol=1e-5)
    assert fitted.predict(X).dtype == np.float64
    assert fitted.answer(X[:3]) == {"prediction": fitted.predict(X[:3]).tolist()}


def test_facts_tell_the_size_of_the_training_targets(fitted):
    told = fitted.facts()["training targets"]
    assert told == f"mean {np.mean(Y):.6g}, deviation {np.std(Y):.6g}"


def test_the_head_knows_the_targets_of_the_first_fit(fitted):
    """Where fit goes on, weights are in the old units: the head must not change them."""
    head = fitted.network_.head
    assert float(head.centre) == pytest.approx(np.mean(Y))
    assert float(head.scale) == pytest.approx(np.std(Y))
    model = quick(warm_start=True).fit(X, Y, validation=None)
    model.fit(X, np.array(Y) + 100, validation=None)
    assert float(model.network_.head.centre) == pytest.approx(np.mean(Y))


def test_a_cap_is_known_before_any_fit():
    capped = quick(cap=0.5)
    assert capped._column([0.0, 2.0]).tolist() == [0.0, 0.5]
    model = capped.fit(X, Y, validation=None)
    assert float(model.network_.head.centre) == pytest.approx(np.minimum(Y, 0.5).mean())


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_every_loss_learns(loss):
    model = quick(loss=loss, epochs=12, learning_rate=0.02, dropout=0.0).fit(X, Y, validation=None)
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]


def test_targets_must_be_there():
    with pytest.raises(InputError, match="SequenceRegressor: `y` must be given: one number a row"):
        quick().fit(X)
