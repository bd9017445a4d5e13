"""`tidegate fit sequence-classifier` and `sequence-regressor`: long and wide tables, and faults."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import one_line
from tests.tasks.sequences import walks, wear

TINY = ("--hidden-size", "4", "--epochs", "2", "--filters", "4", "--batch-size", "8", "--quiet")
ROLES = ("--id", "walk", "--time", "step", "--label", "way")


def long_table(path, seed=0, count=40, **changes):
    """Walks of two channels, their steps mixed up, in a file."""
    X, labels, _ = walks(count, seed)
    parts = [
        pd.DataFrame(row, columns=["east", "north"]).assign(
            walk=f"w{number}", step=range(len(row)), way=label, **changes
        )
        for number, (row, label) in enumerate(zip(X, labels, strict=True))
    ]
    pd.concat(parts).sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


@pytest.fixture
def table(tmp_path):
    return long_table(tmp_path / "walks.csv")


def fit(run, data, *words, out, task="sequence-classifier"):
    return run("fit", task, data, *TINY, "--out", out, *words)


def test_a_long_table_is_learned_measured_and_answered(run, table, tmp_path):
    test = long_table(tmp_path / "test.csv", seed=1)
    out = tmp_path / "model"
    done = fit(run, table, *ROLES, "--test", test, out=out)
    assert done.exit_code == 0, done.output
    model = tidegate.load(out)
    assert model.channels_ == ("east", "north")
    assert set(json.loads((out / "metrics.json").read_text())) == {"train", "validation", "test"}
    told = run("evaluate", out, test, "--json")
    assert json.loads(told.stdout)["accuracy"] == pytest.approx(model.metrics_["test"]["accuracy"])
    done = run("predict", out, test, "--out", tmp_path / "answers.csv")
    assert done.exit_code == 0, done.output
    answers = pd.read_csv(tmp_path / "answers.csv").set_index("walk")
    assert list(answers.columns) == ["way", "prediction", "probability_down", "probability_up"]
    X, labels, _ = walks(40, seed=1)
    for number, (row, label) in enumerate(zip(X, labels, strict=True)):
        line = answers.loc[f"w{number}"]
        assert line["way"] == label
        assert line["prediction"] == model.predict([row])[0]


def test_rows_without_a_label_are_answered_but_not_measured(run, table, tmp_path):
    out = tmp_path / "model"
    assert fit(run, table, *ROLES, out=out).exit_code == 0
    bare = tmp_path / "bare.csv"
    pd.read_csv(table).drop(columns="way").to_csv(bare, index=False)
    done = run("predict", out, bare)
    assert done.stdout.splitlines()[0] == "walk,prediction,probability_down,probability_up"
    assert len(done.stdout.splitlines()) == 41
    assert "`way` must be given: one target a row" in one_line(run("evaluate", out, bare))


def test_other_columns_do_not_disturb_a_fitted_model(run, table, tmp_path):
    out = tmp_path / "model"
    assert fit(run, table, *ROLES, out=out).exit_code == 0
    more = tmp_path / "more.csv"
    pd.read_csv(table).assign(weight=1.5, note="x").to_csv(more, index=False)
    first, second = (run("predict", out, data).stdout.splitlines() for data in (table, more))
    assert "note" in second[0]
    assert [line.split(",")[-1] for line in first] == [line.split(",")[-1] for line in second]


def test_a_wide_table_has_a_sequence_in_each_row(run, tmp_path):
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(40, 6)).cumsum(1)
    frame = pd.DataFrame(steps, columns=[f"t{k}" for k in range(6)])
    frame.insert(0, "label", (steps[:, -1] > steps[:, 0]).astype(int))
    frame.to_csv(tmp_path / "wide.csv", index=False)
    done = fit(run, tmp_path / "wide.csv", out=tmp_path / "model")
    assert done.exit_code == 0, done.output
    model = tidegate.load(tmp_path / "model")
    assert model.encoder_.channels == 1
    done = run("predict", tmp_path / "model", tmp_path / "wide.csv")
    answers = [line.split(",")[1] for line in done.stdout.splitlines()[1:]]
    assert answers == model.predict(steps).tolist()


def test_remaining_life_is_learned_at_every_step_and_answered_at_the_last(run, tmp_path):
    X, y = wear(12)
    parts = [
        pd.DataFrame({"unit": number, "cycle": range(len(row)), "reading": row[:, 0], "life": left})
        for number, (row, left) in enumerate(zip(X, y, strict=True))
    ]
    data = tmp_path / "wear.csv"
    pd.concat(parts).to_csv(data, index=False)
    words = ("--id", "unit", "--time", "cycle", "--target", "life", "--window", "5", "--cap", "15")
    done = fit(run, data, *words, out=tmp_path / "model", task="sequence-regressor")
    assert done.exit_code == 0, done.output
    model = tidegate.load(tmp_path / "model")
    done = run("predict", tmp_path / "model", data, "--out", tmp_path / "answers.csv")
    assert done.exit_code == 0, done.output
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert answers["life"].tolist() == [0] * 12
    np.testing.assert_allclose(answers["prediction"], model.predict([row[:, :1] for row in X]))


def test_a_split_column_must_be_the_same_within_a_sequence(run, tmp_path):
    data = long_table(tmp_path / "walks.csv", part="train")
    frame = pd.read_csv(data)
    frame.loc[frame.walk.isin(["w1", "w2", "w3", "w4"]), "part"] = "test"
    frame.to_csv(data, index=False)
    assert fit(run, data, *ROLES, "--split", "part", out=tmp_path / "model").exit_code == 0
    frame.loc[frame.index[0], "part"] = "validation"
    frame.to_csv(data, index=False)
    told = one_line(fit(run, data, *ROLES, "--split", "part", out=tmp_path / "other"))
    assert "`part` must be the same in all rows of a sequence" in told
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda f: f.assign(east=f.east.where(f.index != 7, "7 m")), "`east` .* '7 m' in row 8"),
        (lambda f: f.assign(north=f.north.where(f.index != 2, np.inf)), "`north` .* inf in row 3"),
        (lambda f: f.assign(step=0), r"`step` must be given once in a sequence; .* in rows "),
        (lambda f: f.assign(way=f.index.map(str)), "`way` must be the same in all rows of a"),
        (lambda f: f.assign(way="up"), "`way` must be labels of at least two classes"),
        (lambda f: f.drop(columns="walk"), "no column 'walk'"),
        (lambda f: f.assign(walk=f.walk.where(f.index != 4)), "1 empty cells, the first in row 5"),
        (lambda f: f.assign(east=1.0, north=2.0), "not constant; got the same value everywhere"),
    ],
)
def test_bad_tables_are_refused_in_one_line(run, table, tmp_path, change, what):
    change(pd.read_csv(table)).to_csv(table, index=False)
    told = one_line(fit(run, table, *ROLES, out=tmp_path / "model"))
    assert re.search(what, told), told
    assert str(table) in told or "not constant" in told
    assert not (tmp_path / "model").exists()


def test_texts_on_the_command_line_are_no_sequences(run, table, tmp_path):
    out = tmp_path / "model"
    assert fit(run, table, *ROLES, out=out).exit_code == 0
    assert "`DATA` must be a table; got 1 2 3" in one_line(run("predict", out, "1", "2", "3"))
    assert "`DATA` must be a table; got -" in one_line(run("predict", out, "-"))
