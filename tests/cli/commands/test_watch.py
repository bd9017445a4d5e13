"""`tidegate watch`: answers as lines come, rubbish and stalls survived, wrong use told."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.cli.conftest import one_line, start
from tests.tasks.series import hours, wave
from tidegate.cli import app

TINY = ("--hidden-size", "4", "--epochs", "2", "--quiet")


def written(path: Path, count: int, skip: int = 0) -> Path:
    frame = pd.DataFrame(wave(skip + count, 2)[skip:].round(4), columns=["heat", "load"])
    frame.insert(0, "when", hours(skip + count)[skip:].astype(str))
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def clocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of two variables with times, as the command line makes it."""
    folder = tmp_path_factory.mktemp("anomaly")
    words = ["fit", "anomaly-detector", str(written(folder / "a.csv", 600)), "--time", "when"]
    done = CliRunner().invoke(
        app, [*words, *TINY, "--silence", "5", "--out", str(folder / "model")]
    )
    assert done.exit_code == 0, done.output
    return folder / "model"


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of one variable without times."""
    folder = tmp_path_factory.mktemp("anomaly")
    pd.DataFrame({"load": wave(600)}).to_csv(folder / "a.csv", index=False)
    words = ["fit", "anomaly-detector", str(folder / "a.csv"), *TINY]
    done = CliRunner().invoke(app, [*words, "--out", str(folder / "model")])
    assert done.exit_code == 0, done.output
    return folder / "model"


def told(result) -> list[dict]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_lines_are_scored_and_an_alarm_says_what_is_wrong(run, single):
    values = wave(800)[600:]
    values[150] += 40
    text = "".join(f"{value}\n" for value in values)
    shown = run("watch", single, stdin=text)
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) == 200
    assert "ALARM  load is " in shown.stdout.splitlines()[150]
    assert "usual errors above" in shown.stdout.splitlines()[150]
    alarms = run("watch", single, "-", "--alarms", stdin=text)
    assert "     151 " in alarms.stdout
    assert alarms.stdout.count("\n") == shown.stdout.count("ALARM")
    count = shown.stdout.count("ALARM")
    assert f"note: {count} alarm{'s' * (count > 1)}.\n" in alarms.stderr


def test_rubbish_is_scored_as_missing_and_counted(run, single):
    text = b"20.1\nrubbish\n\xff\xfe\n1,2\n\ninf\n20.5"
    found = run("watch", single, "--format", "json", stdin=text)
    rows = told(found)
    assert [row["kind"] == "missing" for row in rows] == [False, *[True] * 5, False]
    assert rows[1]["score"] is None
    assert [row["line"] for row in rows] == list(range(1, 8))
    # The empty line is a missing value as it should be.
    assert "warning: 4 lines were not as they should be: what could not be read" in found.stderr


def test_a_header_says_where_the_columns_are(run, clocked, tmp_path):
    after = pd.read_csv(written(tmp_path / "next.csv", 20, skip=600))
    plain = run("watch", clocked, "--format", "json", stdin=after.to_csv(index=False, header=False))
    mixed = after.assign(room="kitchen")[["load", "room", "when", "heat"]]
    mixed.to_csv(tmp_path / "mixed.csv", index=False)
    named = run("watch", clocked, tmp_path / "mixed.csv", "--format", "json")
    assert [{**row, "line": row["line"] + 1} for row in told(plain)] == told(named)
    assert "warning" not in named.stderr


def test_a_time_that_is_none_is_counted_and_the_values_still_count(run, clocked):
    text = "2024-01-26 00:00,20,21\nnoon,20,21\n2024-01-26 02:00,20,\n"
    found = run("watch", clocked, "--format", "json", stdin=text)
    rows = told(found)
    assert rows[1]["kind"] != "missing"
    assert rows[2]["value"] == 20.0
    assert "warning: 1 lines" in found.stderr


def test_the_rate_of_false_alarms_can_be_chosen(run, single):
    text = "".join(f"{value}\n" for value in wave(1600)[600:])
    usual = run("watch", single, "--alarms", stdin=text).stdout.count("ALARM")
    many = run("watch", single, "--alarms", "--false-alarm-rate", "0.1", stdin=text)
    assert many.stdout.count("ALARM") > usual
    wrong = one_line(run("watch", single, "--false-alarm-rate", "7", stdin=text))
    assert "`false_alarm_rate` must be a number" in wrong


def test_wrong_use_is_told_in_one_line(run, model, single, tmp_path):
    assert "must be a saved anomaly-detector; got a text-classifier" in one_line(
        run("watch", model, stdin="1\n")
    )
    assert "must be lines or json; got 'jsn'. Did you mean 'json'" in one_line(
        run("watch", single, "--format", "jsn", stdin="")
    )
    assert "`--stall` must be left out for a file" in one_line(
        run("watch", single, tmp_path / "x", "--stall", "1")
    )
    missing = run("watch", single, tmp_path / "missing.csv")
    assert missing.exit_code == 2
    assert "must be a file that can be read" in missing.stderr


def test_nothing_at_all_is_no_error(run, single):
    found = run("watch", single, stdin="")
    assert (found.exit_code, found.stdout) == (0, "")


def test_a_live_stream_is_answered_line_by_line_and_a_stall_is_told(single, tmp_path):
    process = start("watch", single, "--stall", "0.3", cwd=tmp_path, stdin=subprocess.PIPE)
    try:
        process.stdin.write(b"20.0\n")
        process.stdin.flush()
        assert b"load is" in process.stdout.readline()  # before the stream has ended
        assert b"load is missing" in process.stdout.readline()
        process.stdin.write(b"21")
        process.stdin.flush()
        time.sleep(0.1)
        process.stdin.write(b".0\n")
        process.stdin.flush()
        line = process.stdout.readline()
        while b"missing" in line:
            line = process.stdout.readline()
        assert b": 21, expected" in line
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert b"times nothing came; it was scored as missing" in err


def test_predict_and_evaluate_answer_a_file(run, clocked, tmp_path):
    path = written(tmp_path / "next.csv", 150, skip=600)
    table = pd.read_csv(path)
    table.loc[100, "heat"] += 60
    table["anomaly"] = (table.index == 100).astype(int)
    table.to_csv(path, index=False)
    assert run("predict", clocked, path, "--out", tmp_path / "out.csv").exit_code == 0
    scored = pd.read_csv(tmp_path / "out.csv")
    assert list(scored.columns[:4]) == ["when", "heat", "load", "anomaly"]
    assert scored.loc[100, ["prediction", "variable"]].tolist() == [1, "heat"]
    measured = json.loads(run("evaluate", clocked, path, "--json").stdout)
    assert measured["recall"] == 1.0
    assert "anomaly-detector" in run("tasks").stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(heat="warm"), "must be numbers in 'heat'; got 'warm' in row 1"),
        (lambda t: t[::-1], "`when` must be ascending; got"),
        (lambda t: t.assign(when="soon"), "`when` must be"),
        (lambda t: t.head(50), "at least lookback + horizon = 88 values; got 50"),
        (lambda t: t.drop(columns="load"), "load"),
    ],
    ids=["text", "backwards", "no-dates", "short", "column"],
)
def test_a_table_that_is_wrong_is_told_in_one_line(run, tmp_path, change, told):
    path = written(tmp_path / "a.csv", 200)
    change(pd.read_csv(path)).to_csv(path, index=False)
    words = ("--time", "when", "--value", "heat,load", *TINY, "--out", tmp_path / "model")
    assert told in one_line(run("fit", "anomaly-detector", path, *words))
    assert not (tmp_path / "model").exists()


def test_what_is_no_stream_of_values_is_refused_in_a_line(run, single, clocked, tmp_path):
    (tmp_path / "picture.bin").write_bytes(bytes(range(256)) * 400)
    found = run("watch", single, tmp_path / "picture.bin", "--alarms")
    assert found.exit_code == 2
    assert found.stderr.count("\n") == 1
    assert "lines of 1 field, such as load; got none among the first 100" in found.stderr
    (tmp_path / "other.csv").write_text("power,heat\n" + "1,2\n" * 200)
    told = one_line(run("watch", single, tmp_path / "other.csv"))
    assert "under a header that names load; got power, heat" in told
    assert "names heat, load; got power" in one_line(run("watch", clocked, stdin="power\n1\n"))
    assert "alarm" not in run("watch", single, tmp_path / "missing.csv").stderr


def test_alarms_carry_the_time(run, clocked):
    text = "2024-01-26 00:00,20,21\n2024-01-26 01:00,20,9000\n"
    plain = run("watch", clocked, stdin=text)
    assert "ALARM  2024-01-26 01:00:00  load" in plain.stdout
    assert [row["time"] for row in told(run("watch", clocked, "--format", "json", stdin=text))] == [
        "2024-01-26T00:00:00", "2024-01-26T01:00:00",
    ]  # fmt: skip
