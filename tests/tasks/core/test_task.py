"""What every task shares, shown on the text classifier: fit, resume, go on, save and load."""

from __future__ import annotations

import csv
import json
import pickle

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import InputError, TrainingError
from tidegate.tasks.core.task import Task
from tidegate.tasks.text.classifier import TextClassifier
from tidegate.tasks.text.settings import TextClassifierSettings
from tidegate.training import checkpoint

X, Y = texts(120)
TEST_X, TEST_Y = texts(40, seed=9)


def weights(model: Task) -> dict[str, list[float]]:
    return {name: tensor.tolist() for name, tensor in model.network_.state_dict().items()}


@pytest.fixture(scope="module")
def fitted() -> TextClassifier:
    return small().fit(X, Y)


# ------------------------------------------------------------------ fit


@pytest.mark.parametrize("call", ["predict", "predict_proba", "evaluate", "score", "save", "facts"])
def test_what_needs_a_fitted_task_says_so(call, tmp_path):
    arguments = {"save": [tmp_path / "m"], "facts": []}.get(call, [X])
    with pytest.raises(NotFittedError, match=r"TextClassifier: not fitted yet\. Call"):
        getattr(small(), call)(*arguments)


def test_fit_learns_what_can_be_learned(fitted):
    model = small(epochs=8).fit(X, Y)
    assert model.score(TEST_X, TEST_Y) >= 0.95
    assert model.metrics_["validation"]["accuracy"] >= 0.9


def test_fit_repeats_bit_for_bit_and_leaves_the_callers_random_numbers_alone(fitted):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again = small().fit(X, Y)
    assert torch.equal(torch.get_rng_state(), before)
    assert weights(again) == weights(fitted)
    assert weights(small(random_state=1).fit(X, Y)) != weights(fitted)


def test_history_and_metrics_have_the_agreed_names(fitted):
    scores = {"loss", "accuracy", "macro_f1"}
    names = {f"{part}_{score}" for part in ("train", "validation") for score in scores}
    names |= {"epoch", "learning_rate", "seconds", "train_gradient_norm", "train_clipped"}
    assert all(set(row) == names for row in fitted.history_)
    best = fitted.history_[fitted.best_epoch_ - 1]
    for part in ("train", "validation"):
        assert fitted.metrics_[part] == {score: best[f"{part}_{score}"] for score in scores}
    accuracies = [row["validation_accuracy"] for row in fitted.history_]
    assert best["validation_accuracy"] == max(accuracies)


def test_validation_can_be_rows_of_their_own_or_none():
    own = small(epochs=1).fit(X, Y, validation=(TEST_X, TEST_Y))
    assert own.evaluate(TEST_X, TEST_Y) == pytest.approx(own.metrics_["validation"], rel=1e-5)
    none = small(epochs=2).fit(X, Y, validation=None)
    assert set(none.metrics_) == {"train"}
    assert none.best_epoch_ == 2


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, True, "0.1", (X,), [X, Y]])
def test_validation_of_another_kind_is_refused(share):
    with pytest.raises(InputError, match="`validation` must be"):
        small().fit(X, Y, validation=share)


def test_the_number_of_parameters_is_counted(fitted):
    expected = sum(tensor.numel() for tensor in fitted.network_.state_dict().values())
    assert fitted.number_of_parameters == expected


def test_callbacks_hear_of_the_training_and_verbose_shows_it(capsys):
    kinds: list[str] = []
    small(epochs=1, verbose=True).fit(X, Y, callbacks=[lambda event: kinds.append(event.kind)])
    assert kinds == ["batch"] * 7 + ["epoch", "end"]
    assert capsys.readouterr().err.startswith("epoch 1/1 · loss 0.")
    small(epochs=1).fit(X, Y)
    assert capsys.readouterr() == ("", "")


def test_a_broken_loss_leaves_the_task_with_its_best_epoch(tmp_path):
    def poison(event):
        if event.kind == "epoch" and event.epoch == 2:
            with torch.no_grad():
                broken.network.head.linear.weight.fill_(torch.nan)

    class Spy(TextClassifier):
        def _begin(self, network, examples, loader, *, going_on):
            broken.network = network

    class broken:  # noqa: N801 - a namespace
        network = None

    model = Spy(**small(epochs=5).get_params(deep=False))
    with pytest.raises(TrainingError, match="in epoch 3, step 1"):
        model.fit(X, Y, callbacks=[poison])
    assert len(model.history_) == 2
    assert np.isfinite(model.predict_proba(TEST_X)).all()


def test_a_refit_that_fails_leaves_no_half_fitted_task():
    def fail(event):
        raise StopError

    model = small(epochs=1).fit(X, Y)
    with pytest.raises(StopError):
        model.fit(*texts(40, ("calm", "fog")), callbacks=[fail])
    with pytest.raises(NotFittedError):
        model.predict(X)


# ------------------------------------------------------------------ stop, resume, go on


class StopError(Exception):
    pass


def stop(event):
    if event.kind == "batch" and event.epoch == 2 and event.step == 4:
        raise StopError


@pytest.mark.parametrize("minutes", [None, 0.0])
def test_a_resumed_fit_equals_an_uninterrupted_one(tmp_path, fitted, minutes):
    folder = tmp_path / "model.checkpoint"
    model = small(checkpoint_minutes=minutes)
    with pytest.raises(StopError):
        model.fit(X, Y, checkpoint=folder, callbacks=[stop])
    assert model.best_epoch_ == 1  # still worth its first epoch
    resumed = small(checkpoint_minutes=minutes, verbose=True).fit(
        X, Y, checkpoint=folder, resume=True
    )
    assert weights(resumed) == weights(fitted)
    assert resumed.metrics_ == fitted.metrics_
    checkpoint.remove(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "data", "named"),
    [
        ({"learning_rate": 0.01}, (X, Y), "learning_rate"),
        ({"clean": ("html",)}, (X, Y), "clean"),
        ({}, (X[::-1], Y[::-1]), "X, y"),
        ({}, (X, [*Y[:-1], "calm" if Y[-1] == "storm" else "storm"]), "X, y|validation"),
    ],
)
def test_resuming_with_other_settings_or_data_is_refused(tmp_path, settings, data, named):
    small(epochs=1).fit(X, Y, checkpoint=tmp_path)
    with pytest.raises(InputError, match=f"resume: `({named})` must be as in"):
        small(epochs=1, **settings).fit(*data, checkpoint=tmp_path, resume=True)


def test_warm_start_goes_on_from_the_weights_and_keeps_the_vocabulary(fitted):
    model = small(warm_start=True, epochs=1, learning_rate=1e-9).fit(X, Y)
    model.set_params(epochs=2)
    before, words = weights(model), model.encoder_.vocabulary
    with pytest.warns(UserWarning, match=r"2 new words \(3 occurrences; .*'weir', 'sluice'\)"):
        model.fit([*TEST_X, "weir sluice weir"], [*TEST_Y, "calm"])
    assert model.encoder_.vocabulary == words
    after = weights(model)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)
    assert len(model.history_) == 2


def test_warm_start_of_another_network_is_refused_and_nothing_is_lost(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True, hidden_size=9)
    with pytest.raises(InputError, match=r"`hidden_size` must be as it was fitted, 8, when"):
        model.fit(X, Y)
    assert np.array_equal(model.predict_proba(TEST_X), fitted.predict_proba(TEST_X))


def test_warm_start_on_new_classes_is_refused(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True)
    with pytest.raises(InputError, match="labels seen in training, 'calm', 'storm'; got 'fog'"):
        model.fit(*texts(40, ("calm", "fog")))


# ------------------------------------------------------------------ save and load


def test_a_saved_task_comes_back_whole(fitted, tmp_path):
    fitted.columns_ = {"text": "review", "label": "stars"}
    fitted.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model")
    assert isinstance(found, TextClassifier)
    assert np.array_equal(found.predict_proba(TEST_X), fitted.predict_proba(TEST_X))
    assert found.get_params() == fitted.get_params()
    for name in ("settings_", "history_", "metrics_", "best_epoch_", "columns_"):
        assert getattr(found, name) == getattr(fitted, name), name
    found.save(tmp_path / "again")
    assert weights(tidegate.load(tmp_path / "again")) == weights(fitted)


def test_the_saved_folder_has_the_agreed_files(fitted, tmp_path):
    fitted.metrics_["test"] = fitted.evaluate(TEST_X, TEST_Y)
    fitted.save(tmp_path / "model")
    del fitted.metrics_["test"]
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert set(metrics) == {"train", "validation", "test"}
    assert set(metrics["test"]) == {"loss", "accuracy", "macro_f1"}
    with (tmp_path / "model" / "history.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["train_loss"]) for row in rows] == [
        row["train_loss"] for row in fitted.history_
    ]
    assert (tmp_path / "model" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert "| test |" in (tmp_path / "model" / "README.md").read_text()
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["task"] == "text-classifier"
    assert set(config["settings"]) == set(TextClassifierSettings.options())


def test_a_loaded_task_can_go_on(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model").set_params(warm_start=True, epochs=1)
    first, second = found.fit(X, Y), pickle.loads(pickle.dumps(fitted))
    second.set_params(warm_start=True, epochs=1).fit(X, Y)
    assert weights(first) == weights(second)


def test_loading_leaves_the_callers_random_numbers_alone(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    tidegate.load(tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), before)


# ------------------------------------------------------------------ the table side


def test_columns_of_a_table_become_x_and_y():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"review": ["a", "b"], "stars": [1, 5]})
    model = small()
    assert model.inputs(frame, {"text": "review", "label": "stars"}) == (["a", "b"], [1, 5])
    assert model.inputs(frame, {"text": "review"}) == (["a", "b"], None)


def test_a_task_without_hooks_says_what_is_missing():
    for hook in ("_learn", "_build"):
        with pytest.raises(NotImplementedError):
            getattr(Task(), hook)(*([None] if hook == "_learn" else []))
    assert Task().unseen([1.0], [2.0]) == []
