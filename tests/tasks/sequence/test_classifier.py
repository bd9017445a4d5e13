"""SequenceClassifier: learns, takes every form of input, keeps what belongs to training apart."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GridSearchCV, cross_val_score

import tidegate
from tests.tasks.sequences import walks
from tidegate import SequenceClassifier
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning

QUICK = {"epochs": 2, "hidden_size": 4, "filters": 4, "verbose": False}
NAN = float("nan")


def quick(**settings):
    return SequenceClassifier(**{**QUICK, **settings})


def test_it_learns_which_way_walks_went():
    X, y, _ = walks(1000)
    # The default's three convolutions of 7 steps are wider than most of these walks are long.
    settings = {"convolutions": 0, "dropout": 0.0, "learning_rate": 2e-2}
    model = SequenceClassifier(hidden_size=16, epochs=8, verbose=False, **settings).fit(X, y)
    fresh, truth, _ = walks(1000, seed=1)
    # Walks that went nowhere are a matter of rounding, and of the machine.
    clear = [n for n, row in enumerate(fresh) if abs(row[-1, 0] - row[0, 0]) > 0.5]
    fresh, truth = [fresh[n] for n in clear], [truth[n] for n in clear]
    last = ["up" if row[-1, 0] > 0 else "down" for row in fresh]
    assert np.mean(np.array(last) == truth) < 0.95  # what the last step tells without the first
    assert model.score(fresh, truth) > 0.97
    assert model.classes_.tolist() == ["down", "up"]
    np.testing.assert_allclose(model.predict_proba(fresh).sum(1), 1, atol=1e-6)


def test_a_cube_and_a_list_of_its_rows_are_the_same():
    cube = np.random.default_rng(0).normal(size=(20, 6, 3))
    y = ["a", "b"] * 10
    one, other = quick().fit(cube, y), quick().fit(list(cube), y)
    np.testing.assert_array_equal(one.predict_proba(cube), other.predict_proba(list(cube)))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("convolutions", [0, 2])
def test_padding_and_other_rows_do_not_change_an_answer(cell, convolutions):
    X, y, _ = walks(30)
    model = quick(cell=cell, convolutions=convolutions).fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([row]) for row in X])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    longest = max(map(len, X))
    padded = np.full((len(X), longest + 5, 2), NAN)
    for row, walk in zip(padded, X, strict=True):
        row[: len(walk)] = walk
    np.testing.assert_allclose(model.predict_proba(padded), together, atol=1e-5)


def test_what_it_learns_of_channels_is_of_the_training_rows_alone():
    X, y, _ = walks(20)
    clean = quick().fit(X, y, validation=(X[:4], y[:4]))
    spoilt = [row * 1e6 for row in X[:4]]
    other = quick().fit(X, y, validation=(spoilt, y[:4]))
    assert other.encoder_ == clean.encoder_
    leaky = quick().fit(X + spoilt, y + y[:4], validation=None)
    assert leaky.encoder_.scales[0] > 100 * clean.encoder_.scales[0]


def test_scales_do_not_move_when_a_fit_goes_on():
    X, y, _ = walks(20)
    model = quick().fit(X, y)
    before = model.encoder_
    model.set_params(warm_start=True).fit([row * 100 for row in X], y)
    assert model.encoder_ == before


def test_names_of_channels_come_with_frames_and_order_them():
    X, y, _ = walks(20)
    frames = [pd.DataFrame(row, columns=["east", "north"]) for row in X]
    model = quick().fit(frames, y)
    assert model.channels_ == ("east", "north")
    swapped = [frame[["north", "east"]].assign(more=1) for frame in frames]
    np.testing.assert_array_equal(model.predict_proba(swapped), model.predict_proba(X))
    with pytest.raises(InputError, match="channels of `fit`: east, north; got no 'east' in row 1"):
        model.predict([frames[0][["north"]]])
    assert "east, north" in model.facts()["channels"]


def test_missing_values_are_read_as_missing():
    X, y, _ = walks(60)
    rng = np.random.default_rng(0)
    gappy = [np.where(rng.random(row.shape) < 0.2, NAN, row) for row in X]
    gappy = [np.where(np.isnan(row).all(), 0.0, row) for row in gappy]
    model = quick().fit(gappy, y)
    assert model.encoder_.size == 4
    assert np.isfinite(model.predict_proba(gappy)).all()
    assert model.facts()["missing in training"] == "0, 1"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(gappy)


def test_gaps_that_training_never_saw_are_told():
    X, y, _ = walks(20)
    model = quick().fit(X, y)
    holed = [row.copy() for row in X[:3]]
    holed[1][0, 1] = NAN
    with pytest.warns(DataWarning, match="1 of 3 sequences miss values in channels that never"):
        model.predict(holed)


def test_it_comes_back_from_disk(tmp_path):
    X, y, _ = walks(20)
    frames = [pd.DataFrame(row, columns=["east", "north"]) for row in X]
    model = quick(convolutions=1).fit(frames, y)
    model.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model")
    assert found.channels_ == ("east", "north")
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("channels", [["east"], [1, 2], "ab", 7])
def test_a_model_with_other_channels_than_its_scales_is_damaged(tmp_path, channels):
    X, y, _ = walks(20)
    model = quick().fit(X, y)
    state = model._state() | {"channels": channels}
    with pytest.raises(InputError, match="`channels` must be a text for each channel"):
        quick()._restore(state, model._files())


def test_a_label_for_each_step_is_learned_with_a_window():
    """The label says whether the last three values sum to more than zero."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(steps, 1)) for steps in rng.integers(30, 60, 20)]
    y = []
    for row in X:
        sums = np.convolve(row[:, 0], [1, 1, 1])[: len(row)]
        y.append(["high" if total > 0 else "low" for total in sums])
    model = SequenceClassifier(window=4, hidden_size=16, epochs=8, verbose=False).fit(X, y)
    assert model.score(X, y) > 0.93
    assert model.predict(X).shape == (20,)
    last = [labels[-1] for labels in y]
    assert model.score(X, last) == np.mean(model.predict(X) == last)
    np.testing.assert_array_equal(
        model.predict_proba(X), model.predict_proba([row[-4:] for row in X])
    )


def test_unseen_labels_are_found_by_row():
    assert quick().unseen(["a", "b"], ["b", "c"]) == [1]
    assert quick(window=2).unseen([["a", "b"], ["a"]], [["b"], ["a", "c"]]) == [1]


@pytest.mark.parametrize(
    ("settings", "y", "what"),
    [
        ({}, ["a"], r"`y` must be of the length of X, 6; got length 1"),
        ({}, ["a"] * 6, "labels of at least two classes; got only 'a'"),
        ({}, [["a", "b"]] * 6, "one target a row; got a list in row 1. Set a window"),
        (
            {"window": 2},
            [["a", "b"]] * 6,
            "one target a step in each row; got 2 for 10 steps in row 1",
        ),
        ({"width": 4, "convolutions": 1}, list("ababab"), "`width` must be odd; got 4"),
        ({"stride": 2}, list("ababab"), "`stride` must be 1 without a window; got 2"),
        ({"scaling": "standart"}, list("ababab"), "Did you mean 'standard'"),
    ],
)
def test_wrong_targets_and_settings_are_told_in_one_line(settings, y, what):
    X, _, _ = walks(6)
    with pytest.raises(InputError, match=what) as told:
        quick(**settings).fit(X, y)
    assert "\n" not in str(told.value)


def test_it_works_with_scikit_learn():
    X, y, _ = walks(24)
    cube = np.stack([np.resize(row, (6, 2)) for row in X])
    assert cross_val_score(quick(), cube, y, cv=2).shape == (2,)
    search = GridSearchCV(quick(), {"hidden_size": [2, 3]}, cv=2).fit(cube, y)
    assert search.best_params_["hidden_size"] in (2, 3)


def test_sample_weights_move_the_answers():
    X, _, _ = walks(40)
    y = ["a", "b"] * 20
    heavy = [100.0, 1.0] * 20
    model = quick(epochs=15).fit(X, y, sample_weight=heavy, validation=None)
    assert (model.predict(X) == "a").mean() > 0.9


def test_noise_is_for_training_alone():
    X, y, _ = walks(20)
    model = quick(noise=1.0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = quick(noise=0.0).fit(X, y)
    assert not np.array_equal(plain.predict_proba(X), model.predict_proba(X))


def test_it_can_be_looked_into():
    X, y, _ = walks(20)
    frames = [pd.DataFrame(row, columns=["east", "north"]) for row in X]
    model = quick(convolutions=1).fit(frames, y)
    trace = model.trace(frames[:3])
    assert trace.hidden.shape[1] == 3
    assert trace.labels[0] == tuple(map(str, range(len(X[0]))))
    shares = model.attribute(frames[:2])
    found = shares.scores.sum(1)
    torch.testing.assert_close(found, shares.output - shares.baseline, atol=2e-3, rtol=1e-2)
    assert model.doctor(X, y).passed
    assert "prediction" in str(vars(model.explain(frames[0])))
