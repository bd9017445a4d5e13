"""A small table of texts, a model fitted on it, and two ways to run the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tidegate.cli import app

TINY = ("--hidden-size", "4", "--embedding-size", "4", "--epochs", "2", "--batch-size", "8")
WORDS = {"yes": ("tide", "high", "good", "calm"), "no": ("gate", "shut", "bad", "storm")}

Run = Callable[..., Result]


def rows(count: int) -> list[tuple[str, str]]:
    """Texts whose words tell the label, no two alike."""
    found = []
    for index in range(count):
        label = ("yes", "no")[index % 2]
        words = WORDS[label]
        text = f"{words[index % 4]} {words[(index // 4) % 4]}, row {index}"
        found.append((text, label))
    return found


def write_csv(path: Path, lines: Sequence[tuple[str, str]], header: str = "text,label") -> Path:
    body = "".join(f'"{text}",{label}\n' for text, label in lines)
    path.write_text(f"{header}\n{body}", encoding="utf-8")
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process: `run("info").exit_code`."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")

    def invoke(*words: object, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=stdin)

    return invoke


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", rows(40))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model on disk; tests only read it."""
    folder = tmp_path_factory.mktemp("fitted")
    data = write_csv(folder / "train.csv", rows(40))
    words = ["fit", "text-classifier", str(data), *TINY, "--quiet", "--out", str(folder / "model")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return folder / "model"


# Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tidegate.cli import main
main()
"""


def start(*words: object, cwd: Path, **more: object) -> subprocess.Popen[bytes]:
    """Start the command line as a program of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""},
        stdin=more.pop("stdin", subprocess.DEVNULL),  # type: ignore[call-overload]
        stdout=more.pop("stdout", subprocess.PIPE),  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        **more,
    )


def finish(*words: object, cwd: Path) -> tuple[int, str, str]:
    """Run the command line as a program of its own to its end: exit code, output, errors."""
    process = start(*words, cwd=cwd)
    out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode()


def one_line(result: Result) -> str:
    """The only line of an error: exit code 2, nothing on standard output."""
    assert result.exit_code == 2, (result.exit_code, result.output, result.exception)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr
