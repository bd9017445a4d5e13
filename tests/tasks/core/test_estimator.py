"""scikit-learn's contract, shown on the text classifier."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.tasks.text.classifier import TextClassifier
from tidegate.tasks.text.settings import TextClassifierSettings

X, Y = texts(120)
TEST_X, TEST_Y = texts(40, seed=9)


def weights(model):
    return {name: tensor.tolist() for name, tensor in model.network_.state_dict().items()}


@pytest.fixture(scope="module")
def fitted() -> TextClassifier:
    return small().fit(X, Y)


# ------------------------------------------------------------------ the constructor


def test_the_constructor_has_the_settings_as_its_true_signature():
    parameters = inspect.signature(TextClassifier).parameters
    assert list(parameters) == list(TextClassifierSettings.options())
    for name, option in TextClassifierSettings.options().items():
        assert parameters[name].default == option.default
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_the_constructor_only_stores_and_fit_checks():
    model = TextClassifier(hidden_size="many", epochs=2)
    assert model.hidden_size == "many"
    with pytest.raises(InputError, match=r"TextClassifier: `hidden_size` must be an integer"):
        model.fit(X, Y)


def test_mistyped_settings_get_did_you_mean():
    with pytest.raises(InputError, match="Did you mean 'hidden_size'"):
        TextClassifier(hiden_size=3)
    with pytest.raises(InputError, match="Did you mean 'dropout'"):
        TextClassifier().set_params(dropuot=0.2)


def test_the_name_of_a_task_is_its_class_in_kebab_case():
    assert TextClassifier.task_name() == "text-classifier"
    assert TextClassifier.target_role in TextClassifier.roles
    assert TextClassifier.input_role in TextClassifier.roles


def test_layer_options_can_be_got_and_set_one_by_one():
    model = TextClassifier(layer_options={"peephole": True})
    assert model.get_params()["layer_options__peephole"] is True
    assert "layer_options__peephole" not in model.get_params(deep=False)
    model.set_params(layer_options__zoneout=0.1, epochs=2)
    assert model.layer_options == {"peephole": True, "zoneout": 0.1}
    assert model.epochs == 2


# ------------------------------------------------------------------ scikit-learn


def test_clone_copies_settings_and_nothing_learned(fitted):
    twin = clone(fitted.set_params(layer_options=None))
    assert twin.get_params() == fitted.get_params()
    assert not hasattr(twin, "network_")
    assert is_classifier(twin)


def test_cross_validation_grid_search_and_pipelines_work():
    assert cross_val_score(small(epochs=4), X, Y, cv=3).mean() > 0.8
    grid = {"model__hidden_size": np.array([2, 5]), "model__layer_options__peephole": [True]}
    pipe = Pipeline([("lower", FunctionTransformer()), ("model", small(epochs=1))])
    search = GridSearchCV(pipe, grid, cv=2).fit(X, Y)
    best = search.best_estimator_.named_steps["model"]
    assert best.settings_.layer_options == {"peephole": True}
    assert best.settings_.hidden_size in (2, 5)
    assert search.predict(TEST_X).shape == (40,)


def test_numpy_arrays_and_series_are_lists_too():
    pandas = pytest.importorskip("pandas")
    model = small(epochs=1).fit(np.array(X), np.array(Y))
    series = small(epochs=1).fit(pandas.Series(X), pandas.Series(Y))
    assert weights(model) == weights(series)


def test_a_fitted_task_can_be_pickled_for_other_processes(fitted):
    twin = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(twin.predict_proba(TEST_X), fitted.predict_proba(TEST_X))


def test_printing_a_task_names_the_settings_that_were_changed():
    assert repr(TextClassifier(hidden_size=3)) == "TextClassifier(hidden_size=3)"
