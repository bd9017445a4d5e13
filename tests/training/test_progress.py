"""What a training shows: one plain line an epoch, or a live one on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tidegate.training import progress
from tidegate.training.progress import Event, Stopwatch, display, line

ROW = {
    "epoch": 2,
    "train_loss": 0.25,
    "train_accuracy": 0.8,
    "validation_loss": 0.5,
    "validation_accuracy": 0.987654,
    "validation_macro_f1": 0.7,
    "seconds": 3.0,
}


def event(kind="epoch", **changes):
    values = {"kind": kind, "epoch": 2, "epochs": 5, "step": 7, "steps": 10, "loss": 0.5}
    values |= {"steps_per_second": 51234.5, "seconds_left": 100.0}
    if kind == "epoch":
        values |= {"row": ROW, "best_epoch": 2}
    return Event(**(values | changes))


def test_an_epoch_is_one_line_with_scores_speed_and_time_left():
    assert line(event()) == (
        "epoch 2/5 · loss 0.2500 · validation loss 0.5000, accuracy 0.9877 · 51,234 tokens/s · "
        "2 min left · best"
    )
    alone = {"epoch": 2, "train_loss": 0.25, "seconds": 3.0}
    assert "epoch 2/5 · loss 0.2500 · 51,234" in line(event(row=alone))
    assert not line(event(best_epoch=1)).endswith("best")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1 h 30 min")]
)
def test_time_left_is_readable(seconds, text):
    assert f"{text} left" in line(event(seconds_left=seconds))


def test_without_a_terminal_there_is_a_plain_line_an_epoch(capsys):
    show = display()
    for kind in ("batch", "epoch", "batch", "end"):
        show(event(kind, note="Stopped early." if kind == "end" else ""))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"{line(event())}\nStopped early.\n"


def test_on_a_terminal_the_running_epoch_is_live_and_epochs_stay(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "Console", lambda stderr: console)
    show = display()
    for step in (1, 2):
        show(event("batch", step=step))
    show.progress.refresh()
    show(event("epoch"))
    show(event("end", note="Stopped early."))
    shown = screen.getvalue()
    assert "epoch 2/5 · loss 0.5000 · 51,234 tokens/s · 2 min left" in shown
    assert line(event(), pace=False) in shown
    assert "tokens" not in line(event(), pace=False)
    assert shown.rstrip().endswith("Stopped early.") or "Stopped early." in shown
    assert show.progress.finished or not show.progress.live.is_started


def test_the_clock_knows_speed_and_time_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    clock = Stopwatch()
    clock.start_epoch(steps=10, done=4)  # resumed in mid-epoch
    now[0] += 6
    for _ in range(3):
        clock.count(20)
    assert clock.seconds == 6
    assert clock.speed == 10
    assert clock.left(epochs=2) == 2 * (3 + 20)
    assert not clock.due(None)
    assert not clock.due(1)
    now[0] += 60
    assert clock.due(1)
    assert not clock.due(1)
