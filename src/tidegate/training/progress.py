"""Progress: what a training tells while it runs, and how that is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn


@dataclass(frozen=True)
class Event:
    """One moment of a training, handed to every callback.

    Attributes:
        kind: "batch" after a training step, "epoch" after an epoch, "end" once, at the end.
        epoch: The epoch, from 1.
        epochs: Epochs at most.
        step: Steps done in this epoch.
        steps: Steps of an epoch.
        loss: Mean training loss of the epoch so far.
        steps_per_second: Valid sequence steps (tokens of a text) trained on, a second.
        seconds_left: Expected seconds until the last epoch ends.
        row: The epoch's row of the history; empty for "batch" and "end".
        best_epoch: The best epoch so far, from 1; 0 before the first has ended.
        note: A sentence for the reader, such as why the training ended early.
        network: The network as it is now, to look at: what is changed in it changes the training.
    """

    kind: Literal["batch", "epoch", "end"]
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    steps_per_second: float
    seconds_left: float
    row: Mapping[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    note: str = ""
    network: Any = None


class Stopwatch:
    """Measures how fast a training is and guesses how long it will still take."""

    def __init__(self) -> None:
        self.steps = 0
        self._done = self._first = self._counted = 0
        self._epoch_began = self._kept = time.monotonic()

    def start_epoch(self, steps: int, done: int) -> None:
        """Begin an epoch of so many training steps, some of which an earlier run has done."""
        self.steps, self._done, self._first = steps, done, done
        self._counted = 0
        self._epoch_began = time.monotonic()

    def count(self, sequence_steps: int) -> None:
        """Count one training step on so many valid sequence steps."""
        self._done += 1
        self._counted += sequence_steps

    def due(self, minutes: float | None) -> bool:
        """Say whether so many minutes have passed since the last time this was true."""
        now = time.monotonic()
        if minutes is None or now - self._kept < minutes * 60:
            return False
        self._kept = now
        return True

    @property
    def seconds(self) -> float:
        """Seconds since the epoch began."""
        return time.monotonic() - self._epoch_began

    @property
    def speed(self) -> float:
        """Valid sequence steps a second in this epoch."""
        return self._counted / max(self.seconds, 1e-9)

    def left(self, epochs: int) -> float:
        """Guess the seconds until this epoch and so many more epochs are done."""
        each = self.seconds / max(1, self._done - self._first)
        return each * (self.steps - self._done + epochs * self.steps)


def display() -> Callable[[Event], None]:
    """Return a callback that shows progress on standard error.

    On a terminal it is a live line for the running epoch; elsewhere, one plain line an epoch.

    Example:
        >>> show = display()
        >>> show(Event("end", 2, 2, 8, 8, 0.4, 900.0, 0.0))
    """
    console = Console(stderr=True)
    return _Live(console) if console.is_terminal else _plain


def line(event: Event, *, pace: bool = True) -> str:
    """Put an epoch in one line of text.

    Args:
        event: An event of kind "epoch".
        pace: Whether to tell speed and time left.

    Returns:
        For example "epoch 2/5 · loss 0.3120 · validation loss 0.2871, accuracy 0.9012 · 51,000
        tokens/s · 12 s left · best"; the history has the other scores.
    """
    shown = [f"epoch {event.epoch}/{event.epochs}"]
    for part, label in (("train_", ""), ("validation_", "validation ")):
        found = [name for name in event.row if name.startswith(part)]
        # Loss and first score, in training the loss alone: the line must fit a terminal.
        told = [f"{n.removeprefix(part)} {event.row[n]:.4f}" for n in found[: 2 if label else 1]]
        shown += [label + ", ".join(told)] if told else []
    if pace:
        shown += [f"{event.steps_per_second:,.0f} tokens/s", f"{_clock(event.seconds_left)} left"]
    if event.best_epoch == event.epoch:
        shown.append("best")
    return " · ".join(shown)


def _plain(event: Event) -> None:
    if event.kind == "epoch":
        print(line(event), file=sys.stderr, flush=True)
    elif event.kind == "end" and event.note:
        print(event.note, file=sys.stderr, flush=True)


class _Live:
    """One moving line for the running epoch, a plain line above it for each that has ended."""

    def __init__(self, console: Console) -> None:
        text = TextColumn("{task.description}")
        self.progress = Progress(text, BarColumn(bar_width=24), console=console, transient=True)
        self.task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        if event.kind == "batch":
            if self.task is None:
                self.progress.start()
                self.task = self.progress.add_task("", total=event.steps)
            text = (
                f"epoch {event.epoch}/{event.epochs} · loss {event.loss:.4f} · "
                f"{event.steps_per_second:,.0f} tokens/s · {_clock(event.seconds_left)} left"
            )
            self.progress.update(
                self.task, completed=event.step, total=event.steps, description=text
            )
            return
        # The moving line tells the pace, and two lines an epoch would be restless.
        said = line(event, pace=False) if event.kind == "epoch" else event.note
        if said:
            self.progress.console.print(said, highlight=False)
        if event.kind == "end":
            self.progress.stop()


def _clock(seconds: float) -> str:
    """Put seconds as "45 s", "12 min" or "1 h 30 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
