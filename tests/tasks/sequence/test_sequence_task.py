"""What tasks on sequences share: settings, windows, channels, and changed steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tasks.sequences import walks, wear
from tidegate import SequenceClassifier, SequenceRegressor
from tidegate.errors import ArtifactError, InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.files.answer import Question
from tidegate.tasks.sequence.sequence_task import SequenceSettings, per_step

QUICK = {"epochs": 1, "hidden_size": 4, "filters": 4, "convolutions": 1, "verbose": False}


def frames(count: int) -> list[pd.DataFrame]:
    return [pd.DataFrame(row, columns=["speed", "load"]) for row in walks(count)[0]]


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([[1, 2], [3]], True),
        ([np.zeros(2), np.zeros(3)], True),
        (np.zeros((3, 4)), True),
        (["walk", "run"], False),
        ([1.0, 2.0], False),
        (np.array(["a"]), False),
        (pd.Series([1, 2]), False),
        ([], False),
    ],
)
def test_targets_a_step_are_told_from_targets_a_row(y, told):
    assert per_step(y) is told


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": 4}, "`width` must be odd; got 4. Pass 3 or 5"),
        ({"stride": 2}, "`stride` must be 1 without a window; got 2"),
        ({"window": 0}, "`window` must be an integer >= 1"),
        ({"scaling": "wild"}, "`scaling` must be one of 'standard'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        SequenceSettings(**values)
    assert SequenceSettings(convolutions=0, width=4).width == 4  # nothing that is used


def test_windows_learn_each_step_from_what_came_before_it():
    X, y = wear(3)
    model = SequenceRegressor(**QUICK, window=4).fit(X, y, validation=None)
    rows = model._loader(model._examples(X, y, None), training=False)
    last = rows.batch(np.array([len(X[0]) - 1]))
    assert last.lengths.tolist() == [4]
    expected = model.encoder_.encode([X[0]]).values[-4:]
    np.testing.assert_array_equal(last.values[0].numpy(), expected)
    assert last.targets.tolist() == [y[0][-1]]
    first = rows.batch(np.array([0]))
    assert first.lengths.tolist() == [1]


def test_targets_a_step_need_a_window_and_fit_their_rows():
    X, y = wear(3)
    with pytest.raises(InputError, match="Set a window to learn a target at each step"):
        SequenceRegressor(**QUICK).fit(X, y)
    with pytest.raises(
        InputError, match=r"one target a step in each row; got 2 for \d+ steps in row 1"
    ):
        SequenceRegressor(**QUICK, window=4).fit(X, [y[0][:2], *y[1:]])


def test_channels_are_found_by_their_names():
    X, y, _ = walks(20)
    tables = frames(20)
    model = SequenceClassifier(**QUICK).fit(tables, y, validation=None)
    swapped = [table[["load", "speed"]] for table in tables]
    np.testing.assert_array_equal(model.predict_proba(swapped), model.predict_proba(tables))
    assert model.channels_ == ("speed", "load")
    assert model.facts()["channels"] == "2: speed, load"
    assert SequenceClassifier(**QUICK).fit(X, y, validation=None).channels_ is None


def test_steps_are_labelled_by_their_times_as_far_as_a_window_reads():
    tables, (_, y, _) = frames(20), walks(20)
    for table in tables:
        table.index = pd.date_range("2024-01-01", periods=len(table), freq="h")
    model = SequenceClassifier(**QUICK, window=2).fit(tables, y, validation=None)
    (labels,) = model._step_labels(model._examples(tables[:1], None, None))
    assert labels == [str(time) for time in tables[0].index[-2:]]


def test_a_changed_step_is_scaled_like_the_others():
    X, y, _ = walks(20)
    model = SequenceClassifier(**QUICK).fit(X, y, validation=None)
    batch = model._loader(model._examples(X[:1], None, None), training=False).batch(np.array([0]))
    changed, _ = model._changed(batch, None, {1: [2.0, -1.0]})
    other = X[0].copy()
    other[1] = [2.0, -1.0]
    np.testing.assert_array_equal(changed.values[0].numpy(), model.encoder_.encode([other]).values)
    with pytest.raises(InputError, match="numbers of steps from 0 to"):
        model._changed(batch, None, {99: [0.0, 0.0]})


def test_names_of_channels_that_do_not_fit_are_refused():
    _, y, _ = walks(20)
    model = SequenceClassifier(**QUICK).fit(frames(20), y, validation=None)
    state, files = model._state(), model._files()
    for names in (["speed"], ["speed", 3]):
        with pytest.raises(InputError, match="`channels` must be a text for each channel"):
            SequenceClassifier(**QUICK)._restore(state | {"channels": names}, files)
    with pytest.raises(ArtifactError, match=r"sequences\.json: `file` must be there"):
        SequenceClassifier(**QUICK)._restore(state, {})


def wide(count: int) -> pd.DataFrame:
    """A table with a sequence of eight steps a row."""
    rows = np.random.default_rng(0).normal(size=(count, 8)).cumsum(axis=1)
    table = pd.DataFrame(rows, columns=[f"t{step}" for step in range(8)])
    return table.assign(label=np.where(rows[:, -1] > rows[:, 0], "up", "down"))


def answers(model: SequenceClassifier, table: pd.DataFrame) -> list[object]:
    frame, _ = model.check_table(table, {"label": "label"}, drop_missing=False, source="x.csv")
    return list(model.predict_proba(model.inputs(frame, {})[0])[:, 0])


def test_steps_of_a_wide_table_are_found_by_their_names():
    table = wide(24)
    numbered = table.assign(id=range(100, 124))
    model = SequenceClassifier(**QUICK)
    frame, _ = model.check_table(numbered, {"label": "label"}, drop_missing=False, source="x.csv")
    model.fit(*model.inputs(frame, {"label": "label"}), validation=None)
    assert model.steps_ == tuple(f"t{step}" for step in range(8))  # and no `id`
    told = answers(model, table)
    other = numbered.assign(quality=1.5)[numbered.columns[::-1].union(["quality"], sort=False)]
    assert answers(model, other) == told
    X = table.drop(columns="label")
    assert model.predict_proba(X[X.columns[::-1]])[:, 0].tolist() == told
    assert model.predict_proba(X.to_numpy())[:, 0].tolist() == told  # without names, by position
    for call in (lambda frame: answers(model, frame), model.predict):
        with pytest.raises(InputError, match=r"got no 't3'. Did you mean 'T3'"):
            call(table.rename(columns={"t3": "T3"}))
    again = SequenceClassifier(**QUICK)
    again._restore(model._state(), model._files())
    assert again.steps_ == model.steps_
    with pytest.raises(InputError, match="`steps` must be a text for each step"):
        again._restore(model._state() | {"steps": [1]}, model._files())


def test_validation_has_the_channels_of_training_in_any_order():
    tables, (_, y, _) = frames(20), walks(20)
    swapped = [table[["load", "speed"]] for table in tables]
    one, two = (
        SequenceClassifier(**QUICK).fit(tables, y, validation=(held, y))
        for held in (tables, swapped)
    )
    assert one.metrics_ == two.metrics_


def test_a_long_table_whose_identifier_nobody_named_is_no_wide_one():
    table = wide(6).assign(id=[1, 1, 2, 2, 3, 3])
    model = SequenceClassifier(**QUICK)
    with pytest.raises(InputError, match=r"`id` must be different in each row; got 1 again in row"):
        model.check_table(table, {"label": "label"}, drop_missing=False, source="x.csv")


@pytest.mark.parametrize("name", ["id", "rec", "Subject"])
def test_a_long_table_whose_identifier_has_any_name_is_no_wide_one(name):
    table = wide(9).assign(**{name: [7, 7, 7, 2, 2, 9, 9, 9, 9]})
    model = SequenceClassifier(**QUICK)
    told = rf"`{name}` must be different in each row; got 7 again in row 2. .*--id {name}\)"
    with pytest.raises(InputError, match=told):
        model.check_table(table, {"label": "label"}, drop_missing=False, source="x.csv")
    sorted_labels = wide(9).assign(label=[1, 1, 1, 2, 2, 3, 3, 3, 3])
    model.check_table(sorted_labels, {"label": "label"}, drop_missing=False, source="x.csv")


def test_a_fit_anew_asks_nothing_of_the_one_before():
    tables, (X, y, _) = frames(20), walks(20)
    model = SequenceClassifier(**QUICK).fit(tables, y, validation=None)
    renamed = [table.rename(columns={"load": "heat"}) for table in tables]
    assert model.fit(renamed, y, validation=None).channels_ == ("speed", "heat")
    with pytest.raises(InputError, match=r"got no 'speed' in row 1"):
        model.fit(renamed, y).predict([row[["heat"]] for row in renamed])
    assert model.fit(X, y, validation=None).channels_ is None


@pytest.mark.parametrize("scaling", ["standard", "robust", "sequence"])
def test_a_channel_with_an_offset_says_what_it_says_without(scaling):
    X, y, _ = walks(20)
    whole = [np.round(row * 64) for row in X]  # exact beside the offset
    moved = [row * [1, 2.0**-40] + [2.0**31, 0] for row in whole]
    one, two = (
        SequenceClassifier(**QUICK, scaling=scaling).fit(rows, y).predict_proba(rows)
        for rows in (whole, moved)
    )
    np.testing.assert_allclose(two, one, atol=1e-3)


def test_the_doctor_reads_windows_at_every_step():
    X, _, _ = walks(20)
    steps = [["a" if value > 0 else "b" for value in row[:, 0]] for row in X]
    model = SequenceClassifier(window=4, epochs=1, hidden_size=3, filters=4, verbose=False)
    told = model.fit(X, steps).doctor(X, steps)
    assert "class imbalance" in {*told.passed, *told.skipped, *(f.name for f in told.findings)}
    assert "padding that leaks" in told.passed


@pytest.mark.parametrize("channels", [1, 3])
def test_other_channels_than_in_training_are_refused_by_everything(channels):
    X, y, _ = walks(20)
    model = SequenceClassifier(epochs=1, hidden_size=3, filters=4, verbose=False).fit(X, y)
    wrong = [np.ones((6, channels)) for _ in range(3)]
    rule = f"sequences of 2 channels, as in training; got {channels} in row 1"
    for ask in (model.predict, model.doctor, model.trace, lambda X: model.explain(X[0])):
        with pytest.raises(InputError, match=rule):
            ask(wrong)


def test_targets_beside_padding_are_padding():
    X, y = wear(6)
    whole = max(map(len, X))
    padded = np.full((6, whole, 2), np.nan)
    targets = np.full((6, whole), -1.0)
    for row, (steps, left) in enumerate(zip(X, y, strict=True)):
        padded[row, : len(steps)], targets[row, : len(left)] = steps, left
    model = SequenceRegressor(**QUICK, window=5).fit(X, y, validation=None)
    told = model.evaluate(X, y)
    assert model.evaluate(padded, targets) == told
    assert model.evaluate(X, np.where(targets < 0, np.nan, targets)) == told
    with pytest.raises(InputError, match=r"got \d+ for \d+ steps in row"):
        model.evaluate(X, targets)


@pytest.mark.parametrize("labels", [["", "", ""], ["up", "", "down"], None])
def test_a_file_to_be_answered_needs_no_labels(labels, tmp_path):
    tables, (_, y, _) = frames(20), walks(20)
    model = SequenceClassifier(**QUICK).fit(tables, y, validation=None)
    new = pd.concat([table.assign(id=number) for number, table in enumerate(tables[:3])])
    if labels is not None:
        new["label"] = [labels[number] for number in new["id"]]
    new.to_csv(tmp_path / "new.csv", index=False)
    model.columns_ = {"id": "id", "label": "label"}
    model.respond(Question(path=tmp_path / "new.csv")).save(tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")["prediction"].tolist()
    assert found == model.predict(tables[:3]).tolist()


def test_an_explanation_says_which_steps_a_window_leaves_out():
    X, y, _ = walks(20)
    options = {"epochs": 1, "hidden_size": 3, "filters": 4, "verbose": False}
    model = SequenceClassifier(window=4, **options).fit(X, y)
    steps = len(X[0])
    with pytest.warns(DataWarning, match=f"the last 4 of the {steps} steps: window is 4"):
        report = model.explain(X[0])
    assert report.tokens == tuple(map(str, range(steps - 4, steps)))
    assert "window is 4" in report.to_html()
    assert SequenceClassifier(**options).fit(X, y).explain(X[0]).excerpt.notes == ()
