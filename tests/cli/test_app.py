"""The whole command line: help, version, mistyped words, exit codes."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import one_line
from tidegate import tasks

COMMANDS = ("demo", "tasks", "fit", "evaluate", "predict", "explain", "info", "bench")


def test_help_lists_the_commands_in_the_order_of_use(run):
    shown = run("--help").stdout
    listed = re.findall(r"^\W+(\w+) ", shown.partition(" Commands ")[2], re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)
    assert run().stdout.strip() == shown.strip()
    assert run().exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    done = run(name, "--help")
    assert done.exit_code == 0
    assert f"Usage: tidegate {name}" in done.stdout
    assert run(name, "-h").stdout == done.stdout


def test_help_is_instant_because_it_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['tidegate', *sys.argv[1:]]\n"
        "from tidegate.cli import main\n"
        "try: main()\n"
        "except SystemExit: print([m for m in ('torch', 'pandas', 'sklearn') if m in sys.modules])"
    )
    for words in (["--help"], ["fit", "--help"], ["predict", "--help"], ["tasks"], ["--version"]):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        print(f"tidegate {' '.join(words)}: {time.monotonic() - began:.2f} s")
        assert done.stdout.splitlines()[-1] == "[]", done


def test_version(run):
    assert run("--version").stdout == f"tidegate {importlib.metadata.version('tidegate')}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["predct"], "No such command 'predct'. Did you mean 'predict'?"),
        (["--versoin"], "--versoin is no option. Did you mean '--version'?"),
        (["fit"], "Missing command. See tidegate fit --help"),
        (["fit", "text-clasifier"], "Did you mean 'text-classifier'"),
        (["fit", "text-classifier"], "Missing argument 'DATA'"),
        (["fit", "text-classifier", "x.csv"], "Missing option '--out'"),
        (["fit", "text-classifier", "x.csv", "--hiden-size", "3"], "Did you mean '--hidden-size'?"),
        (["fit", "text-classifier", "x.csv", "--peepholes"], "Did you mean '--peephole'?"),
        (["fit", "text-classifier", "x.csv", "--qqqq"], "See tidegate fit text-classifier --help"),
        (["fit", "text-classifier", "x.csv", "--epochs"], "--epochs"),
        (["predict"], "Missing argument 'MODEL'"),
        (["evaluate", "model"], "Missing argument 'DATA'"),
        (["tasks", "more"], "unexpected extra argument"),
        (["demo", "spm"], "`NAME` must be a demo; got 'spm'. Did you mean 'spam'?"),
    ],
)
def test_what_is_mistyped_gets_one_line_and_exit_code_2(run, words, expected):
    assert expected in one_line(run(*words))


def test_an_unexpected_exception_ends_with_exit_code_1(tmp_path):
    code = (
        "import sys; sys.argv = ['tidegate', 'tasks']\n"
        "from tidegate import tasks\n"
        "tasks.names = lambda: 1 / 0\n"
        "from tidegate.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ZeroDivisionError: division by zero ")
    assert done.stderr.count("\n") == 1


def test_a_plugin_task_is_a_command_too(run, monkeypatch):
    class Point:
        name = "echo"

        def load(self):
            return tasks.get("text-classifier")

    monkeypatch.setattr(tasks.registry, "_plugins", lambda: {"echo": Point()})
    assert "echo" in run("fit", "--help").stdout
    assert "Usage: tidegate fit echo" in run("fit", "echo", "--help").stdout
