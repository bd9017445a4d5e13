"""`tidegate demo`: what it prints, and that the commands it prints work as printed."""

from __future__ import annotations

import shlex

from tests.cli.conftest import one_line
from tests.test_demo import few_messages

__all__ = ["few_messages"]  # a fixture, found by its name in this module


def test_a_demo_shows_scores_answers_and_commands_that_work(
    few_messages, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = run("demo", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    shown = done.stdout
    assert shown.startswith("An LSTM learns to tell spam from real text messages")
    for part in ("accuracy", "macro f1", "true \\ predicted", "precision", "learning_curve.png"):
        assert part in shown
    answers = shown.split("never seen:")[1].split("Worth trying next:")[0].splitlines()
    assert sum(line.startswith(("ham ", "spam ")) for line in answers) == 3
    commands = shown.split("Worth trying next:\n")[1].strip().splitlines()
    assert len(commands) == 3
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "tidegate"
        tried = run(*words)
        assert tried.exit_code == 0, (command, tried.output)


def test_an_unknown_demo_writes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Did you mean 'spam'" in one_line(run("demo", "spma"))
    assert list(tmp_path.iterdir()) == []
