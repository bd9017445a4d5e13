"""`tidegate demo`: what it prints, and that the commands it prints work as printed."""

from __future__ import annotations

import shlex

from tests.cli.conftest import one_line
from tests.demo.test_memory import short
from tests.demo.test_spam import few_messages

__all__ = ["few_messages", "short"]  # fixtures, found by their names in this module


def test_a_demo_shows_scores_answers_and_commands_that_work(
    few_messages, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = run("demo", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert (tmp_path / "tidegate-demo" / "spam" / "model").is_dir()  # no demo replaces another's
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


def test_the_memory_demo_prints_a_line_a_net_and_says_where_the_chart_is(short, run, tmp_path):
    done = run("demo", "memory", "--quiet", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    for part in ("Five recurrent nets", "solved after", "RNN", "LSTM, layer norm", "Who always"):
        assert part in done.stdout
    assert f"learning curves in {tmp_path / 'memory.png'}" in done.stdout
    assert (tmp_path / "memory.png").exists()
