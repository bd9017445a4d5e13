"""The command line as a program: Ctrl-C and kill -9, pipes that close, lines that trickle in."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import one_line, rows, start, write_csv
from tidegate.cli import app

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

# A checkpoint after every step, and steps enough to be stopped in the middle of an epoch.
FIT = (
    "fit text-classifier train.csv --hidden-size 4 --embedding-size 4 --epochs 2 --batch-size 1 "
    "--dropout 0.2 --patience none --checkpoint-minutes 0"
).split()
STEPS = 36  # nine tenths of the rows below


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("signals")
    write_csv(place / "train.csv", rows(40))
    return place


@pytest.fixture(scope="module")
def uninterrupted(folder: Path) -> Path:
    words = [str(folder / word) if word == "train.csv" else word for word in FIT]
    done = CliRunner().invoke(app, [*words, "--quiet", "--out", str(folder / "whole")])
    assert (done.exit_code, done.stderr) == (0, "")
    return folder / "whole"


def progress(checkpoint: Path) -> tuple[int, int]:
    """Epochs that have ended and steps of the next one, as the checkpoint has them."""
    # Read at once: safe_open looks at the file twice, and a newer one may take its place meanwhile.
    content = (checkpoint / "checkpoint.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    state = json.loads(header["__metadata__"]["tidegate"])
    return state["epoch"], state["step"]


def stop_in_the_second_epoch(how: signal.Signals, folder: Path, out: str) -> tuple[int, str]:
    """Start a fit, signal it in the middle of its second epoch; exit code and errors."""
    process = start(*FIT, "--out", out, cwd=folder)
    checkpoint = folder / f"{out}.checkpoint"
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and process.poll() is None:
        if (checkpoint / "checkpoint.safetensors").exists() and progress(checkpoint) > (1, 5):
            break
        time.sleep(0.05)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    epoch, step = progress(checkpoint)
    assert (epoch, 0 < step < STEPS) == (1, True), "not stopped in the middle of an epoch"
    return process.returncode, err.decode()


def history(model: Path) -> list[dict[str, str]]:
    with (model / "history.csv").open() as handle:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(handle)]


def assert_the_same(model: Path, other: Path) -> None:
    assert (model / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert (model / "metrics.json").read_text() == (other / "metrics.json").read_text()
    assert (model / "vocabulary.json").read_text() == (other / "vocabulary.json").read_text()
    assert history(model) == history(other)


def test_ctrl_c_tells_how_to_go_on_and_going_on_gives_the_same_model(
    folder, uninterrupted, run, monkeypatch
):
    code, err = stop_in_the_second_epoch(signal.SIGINT, folder, "stopped")
    assert code == 130
    assert "Traceback" not in err
    assert not (folder / "stopped").exists()
    told = re.search(
        r"^note: stopped by Ctrl-C; .* kept\.\n\nTo go on:\n +tidegate (.*)$", err, re.M
    )
    assert told is not None, err
    words = shlex.split(told[1])
    assert words == [*FIT, "--out", "stopped", "--resume"]
    monkeypatch.chdir(folder)
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    assert "epoch 1/2" not in done.stderr, "it started anew"
    assert "saved in stopped/" in done.stdout
    assert_the_same(folder / "stopped", uninterrupted)
    assert not (folder / "stopped.checkpoint").exists()


def test_kill_9_loses_at_most_the_steps_since_the_last_checkpoint(
    folder, uninterrupted, run, monkeypatch
):
    code, _ = stop_in_the_second_epoch(signal.SIGKILL, folder, "killed")
    assert code == -signal.SIGKILL
    kept = progress(folder / "killed.checkpoint")
    monkeypatch.chdir(folder)
    shown = one_line(run(*FIT, "--quiet", "--out", "killed", "--resume", "--dropout", "0.3"))
    assert shown.startswith("error: resume: `dropout` must be as in killed.checkpoint, 0.2")
    assert progress(folder / "killed.checkpoint") == kept
    done = run(*FIT, "--out", "killed", "--resume", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    assert_the_same(folder / "killed", uninterrupted)
    assert not (folder / "killed.checkpoint").exists()


def test_lines_are_answered_as_they_come_until_ctrl_c(model, tmp_path):
    with start("predict", model, "-", cwd=tmp_path, stdin=subprocess.PIPE) as process:
        for text in (b"high tide\n", b"shut gate\n"):
            process.stdin.write(text)
            process.stdin.flush()
            assert process.stdout.readline().split(b"\t")[0] in (b"yes", b"no")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"note: stopped by Ctrl-C.\n"
        assert process.wait(60) == 130


def test_a_closed_pipe_ends_it_quietly(model, tmp_path):
    data = write_csv(tmp_path / "long.csv", rows(3000))
    with start("predict", model, data, cwd=tmp_path) as process:
        assert process.stdout.readline().startswith(b"text,label,prediction,probability_no")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is of Linux")
def test_a_full_disk_is_told_in_one_line(tmp_path):
    with (
        Path("/dev/full").open("w") as full,
        start("tasks", cwd=tmp_path, stdout=full) as process,
    ):
        assert process.stderr.read() == b"error: standard output: No space left on device.\n"
        assert process.wait(60) == 1


def test_a_closed_output_gets_nothing(tmp_path):
    def close() -> None:
        os.close(1)

    with start("tasks", cwd=tmp_path, preexec_fn=close) as process:
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
