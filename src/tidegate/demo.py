"""What `tidegate demo` runs: whole examples on data that ships, from raw rows to answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    from tidegate.tasks.base import Task

# Written for this demo; none of them is in the data.
_FRESH = (
    "Running late, the tide is in and the causeway is closed. Start dinner without me!",
    "CONGRATULATIONS! You have won a £500 voucher. To claim call 09061234567 now, only £1.50/min",
    "Can you ring the garage about the car? They said it would be ready by four.",
)


@dataclass(frozen=True)
class Outcome:
    """What came out of a demo.

    Attributes:
        model: The fitted task, saved in `folder`.
        folder: Where the model is.
        report: What `Task.evaluate(report=True)` found on the test rows.
        fresh: Inputs that are in no part of the data.
        seconds: How long reading, training and measuring took.
        commands: Command lines worth trying next, without the program's name.
    """

    model: Task
    folder: Path
    report: dict[str, Any]
    fresh: Sequence[str]
    seconds: float
    commands: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Demo:
    """One demo.

    Attributes:
        name: What the user calls it.
        opening: What it is going to do, and with which data.
        run: Called with the folder to write to and whether to show progress.
    """

    name: str
    opening: str
    run: Callable[[Path, bool], Outcome]


def names() -> list[str]:
    """List the demos.

    Example:
        >>> names()
        ['spam']
    """
    return sorted(_DEMOS)


def get(name: str) -> Demo:
    """Return a demo.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in _DEMOS:
        raise InputError(message("demo", "NAME", "a demo", repr(name), suggest(name, _DEMOS)))
    return _DEMOS[name]


def spam(out: Path, verbose: bool) -> Outcome:
    """Train, measure, save and use a spam filter for text messages.

    Args:
        out: The folder to write to: `model/`, `train.csv` and `test.csv`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    from tidegate.artifact import check_replaceable
    from tidegate.data import split_without_overlap, write_table
    from tidegate.datasets import load_sms_spam
    from tidegate.tasks.text_classifier import TextClassifier

    folder = out / "model"
    _check_folder(out)
    check_replaceable(folder)
    began = time.monotonic()
    rows = load_sms_spam()
    # Many of these messages were sent more than once: no copy may stand on both sides.
    train, test = split_without_overlap(rows["text"], rows["label"].tolist(), seed=0)
    parts = {"train": rows.iloc[train], "test": rows.iloc[test]}
    # Chosen on splits inside the training messages: few and short, they need no n-grams.
    model = TextClassifier(ngrams=1, wide=0.0, learning_rate=3e-3, verbose=verbose)
    model.fit(parts["train"]["text"], parts["train"]["label"])
    report = model.evaluate(parts["test"]["text"], parts["test"]["label"], report=True)
    model.metrics_["test"] = {n: value for n, value in report.items() if isinstance(value, float)}
    model.columns_ = {"text": "text", "label": "label"}
    model.save(folder)
    for name, frame in parts.items():
        write_table(frame, out / f"{name}.csv")
    commands = (
        ("predict", f"{folder}/", "Free entry! Text WIN to 80082 and claim your prize"),
        ("evaluate", f"{folder}/", f"{out / 'test.csv'}"),
        ("fit", "text-classifier", f"{out / 'train.csv'}", "--test", f"{out / 'test.csv'}",
         "--cell", "gru", "--out", f"{out / 'gru'}/"),
    )  # fmt: skip
    return Outcome(model, folder, report, _FRESH, time.monotonic() - began, commands)


def _check_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Choose another one with --out"
        rule = "a folder that can be written to"
        raise InputError(message("demo", str(out), rule, error.strerror, remedy)) from error


_DEMOS = {
    "spam": Demo(
        "spam",
        "An LSTM learns to tell spam from real text messages: the SMS Spam Collection, 5,574 "
        "messages (Almeida et al. 2011).",
        spam,
    )
}
