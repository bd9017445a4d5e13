"""`tidegate fit forecaster`, `predict` and `evaluate` on series, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import one_line

TINY = ("--lookback", "12", "--horizon", "4", "--hidden-size", "6", "--segment", "4",
        "--epochs", "2", "--quiet")  # fmt: skip
ROLES = ("--time", "date", "--target", "load")
WAVE = 5 + np.sin(np.arange(200) * 2 * np.pi / 24) + 0.1 * np.random.default_rng(0).normal(size=200)


def table(rows=200, **columns) -> pd.DataFrame:
    times = pd.date_range("2024-01-01", periods=rows, freq="h")
    return pd.DataFrame({"date": times, "load": np.resize(WAVE, rows), **columns})


def write(frame: pd.DataFrame, path):
    frame.to_csv(path, index=False)
    return path


def fit(run, data, *words, out):
    return run("fit", "forecaster", data, *TINY, *words, "--out", out)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model on disk; tests only read it."""
    folder = tmp_path_factory.mktemp("forecaster")
    frame = table()
    settings = {"lookback": 12, "horizon": 4, "hidden_size": 6, "segment": 4, "epochs": 2}
    task = tidegate.Forecaster(**settings, verbose=False)
    task.fit(tidegate.data.read_series(frame, time="date", target="load"))
    task.columns_ = {"time": "date", "target": "load"}
    task.save(folder / "model")
    return folder / "model"


def test_from_a_table_to_a_forecast_with_a_picture(run, tmp_path):
    train, test = write(table(), tmp_path / "a.csv"), tmp_path / "b.csv"
    later = table(260).iloc[200:]
    write(later, test)
    out = tmp_path / "model"
    words = [word for word in TINY if word != "--quiet"]
    done = run("fit", "forecaster", train, *words, *ROLES, "--test", test, "--out", out)
    assert done.exit_code == 0, done.output
    for told in ("naive", "seasonal naive", "linear", "in 80 %", "predict"):
        assert told in " ".join(done.output.split())
    metrics = json.loads((out / "metrics.json").read_text())
    assert set(metrics) == {"train", "validation", "test"}
    assert set(metrics["test"]) == {"loss", "mse", "mae"}
    csv, png = tmp_path / "f.csv", tmp_path / "f.png"
    done = run("predict", out, "--horizon", 3, "--out", csv, "--plot", png)
    assert (done.exit_code, done.output) == (0, "")
    found = pd.read_csv(csv, parse_dates=["date"])
    assert list(found.columns) == [
        "date", "prediction", "lower_80", "upper_80", "lower_95", "upper_95",
    ]  # fmt: skip
    assert found["date"].tolist() == list(later["date"].iloc[:3])
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_later_table_is_gone_on_from(run, model, tmp_path):
    later = write(table(230).iloc[200:], tmp_path / "later.csv")
    done = run("predict", model, later)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("date,prediction")
    assert lines[1].startswith("2024-01-10 14:00:00,")
    assert len(lines) == 5


def test_evaluate_prints_the_baselines_beside_the_model(run, model, tmp_path):
    later = write(table(260).iloc[200:], tmp_path / "later.csv")
    done = run("evaluate", model, later)
    assert done.exit_code == 0, done.output
    for told in ("mse", "model", "naive", "linear", "forecasts of 4 steps"):
        assert told in done.stdout
    found = json.loads(run("evaluate", model, later, "--json").stdout)
    assert {"mase", "smape", "rmse", "crps", "coverage_95"} <= set(found["scores"])


def test_many_series_in_one_table(run, tmp_path):
    frame = pd.concat([table().assign(shop=name, load=WAVE * size) for name, size in
                       (("north", 1), ("south", 50))])  # fmt: skip
    out = tmp_path / "model"
    done = fit(run, write(frame, tmp_path / "a.csv"), *ROLES, "--id", "shop", out=out)
    assert done.exit_code == 0, done.output
    found = pd.read_csv(write_answers(run, out, tmp_path))
    assert found["shop"].tolist() == ["north"] * 4 + ["south"] * 4
    ratio = found["prediction"].iloc[4:].mean() / found["prediction"].iloc[:4].mean()
    assert 40 < ratio < 60


def write_answers(run, model, folder):
    done = run("predict", model, "--out", folder / "answers.csv")
    assert done.exit_code == 0, done.output
    return folder / "answers.csv"


def test_gaps_are_told_in_a_line(run, tmp_path):
    data = write(table().drop(index=[50, 51]), tmp_path / "a.csv")
    done = fit(run, data, *ROLES, out=tmp_path / "model")
    assert done.exit_code == 0
    assert "2 of 200 steps are missing at a frequency of 1 hour" in done.stderr
    assert done.stderr.count("\n") == 1


def change(row, **cells):
    frame = table().astype(object)
    for name, value in cells.items():
        frame.loc[row, name] = value
    return frame


def another_frequency():
    frame = table()
    frame.loc[100:, "date"] = pd.date_range(frame["date"][100], periods=100, freq="2h")
    return frame


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (table(15), r"at least lookback + horizon = 12 + 4 steps long for training"),
        (table(load=3.0), "must be something that changes; got 3 in every row"),
        (table(load=np.nan), "`load` must be known in some rows; got none"),
        (change(7, load="n/k"), "`load` must be numbers in 'load'; got 'n/k' in row 8"),
        (change(7, load="inf"), "must be finite numbers; got an infinity in row 8"),
        (change(7, date="soon"), "`date` must be a date or a whole number; got 'soon' in row 8"),
        (change(7, date="2023-12-31"), "`date` must be ascending; got 2023-12-31 in row 8"),
        (change(7, date="2024-01-01 06:00:00"), "`date` must be given once in a series; got"),
        (change(7, date=None), "`date` must be given in every row; got an empty cell in row 8"),
        (another_frequency(), "must be at one frequency, here 1 hour; got 2 times that step"),
        (change(7, date="2024-01-01 07:00:00+01:00"), "`date` must be of a time zone in every row"),
    ],
    ids=["short", "constant", "missing", "text", "infinity", "no-date", "backwards", "twice",
         "empty", "frequency", "zones"],
)  # fmt: skip
def test_faults_of_a_table_are_one_line(run, tmp_path, frame, told):
    data = write(frame, tmp_path / "a.csv")
    line = one_line(fit(run, data, *ROLES, out=tmp_path / "model"))
    assert told in line
    assert not (tmp_path / "model").exists()


def test_faults_of_a_forecast_are_one_line(run, model, tmp_path):
    later = write(table(230).iloc[200:], tmp_path / "later.csv")
    for words, told in (
        (("--horizon", 9), "`horizon` must be"),
        (("--horizon", 0), "`horizon` must be an integer >= 1 or None; got '0'"),
        (
            ("--plot", tmp_path / "none" / "f.png"),
            "`--plot` must be a file in a folder that exists",
        ),
        (("--plot", tmp_path / "f.doc"), "must be a .png, .svg or .pdf"),
        (("a text", "another"), "`DATA` must be one table, or left out"),
        ((later, "--target", "lode"), "no column 'lode'. Did you mean 'load'"),
        ((write(table(3), tmp_path / "short.csv"),), "must be series of at least 12 steps"),
        (
            (write(table().assign(date=pd.date_range("2024", periods=200)), tmp_path / "d.csv"),),
            "`date` must be",
        ),
    ):
        assert told in one_line(run("predict", model, *words))


def test_known_columns_must_reach_into_the_future(run, tmp_path, rng):
    frame = table(204, heat=rng.normal(size=204))
    frame.loc[200:, "load"] = np.nan
    out, data = tmp_path / "model", write(frame, tmp_path / "a.csv")
    done = fit(run, data, *ROLES, "--known", "heat", out=out)
    assert done.exit_code == 0, done.output
    done = run("predict", out, data)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1].startswith("2024-01-09 08:00:00,")
    short = write(frame.iloc[:202], tmp_path / "b.csv")
    line = one_line(run("predict", out, short))
    assert "must be given for 4 steps after the last target (heat); got 2 of them" in line


def test_options_of_a_forecast_are_refused_for_other_tasks(run, tmp_path):
    texts = tidegate.TextClassifier(hidden_size=2, epochs=1, verbose=False)
    texts.fit(["tide", "gate"] * 8, ["a", "b"] * 8, validation=None).save(tmp_path / "m")
    for words in (("--horizon", 3), ("--plot", "f.png")):
        assert "is no option for a text-classifier" in one_line(
            run("predict", tmp_path / "m", "x", *words)
        )
