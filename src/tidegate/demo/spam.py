"""The spam demo: a spam filter for text messages, from raw rows to answers."""

from __future__ import annotations

import time
from pathlib import Path

from tidegate.artifact import check_replaceable
from tidegate.data import split_without_overlap, write_table
from tidegate.datasets import load_sms_spam
from tidegate.demo.outcome import FreshInputs, Outcome, check_folder
from tidegate.tasks.text.classifier import TextClassifier

# Written for this demo; none of them is in the data.
FRESH = (
    "Running late, the tide is in and the causeway is closed. Start dinner without me!",
    "CONGRATULATIONS! You have won a £500 voucher. To claim call 09061234567 now, only £1.50/min",
    "Can you ring the garage about the car? They said it would be ready by four.",
)


def filter_spam(out: Path, verbose: bool) -> Outcome:
    """Train, measure, save and use a spam filter for text messages.

    Args:
        out: The folder to write to: `model/`, `train.csv` and `test.csv`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    folder = out / "model"
    check_folder(out)
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
    took = f"learned in {time.monotonic() - began:.0f} s"
    return Outcome(
        summary=f"{took} · model and learning_curve.png in {folder}/",
        report=report,
        answers=FreshInputs("Three messages it has never seen:", model, FRESH),
        commands=_commands(out),
    )


def _commands(out: Path) -> tuple[tuple[str, ...], ...]:
    model, test = f"{out / 'model'}/", f"{out / 'test.csv'}"
    return (
        ("predict", model, "Free entry! Text WIN to 80082 and claim your prize"),
        ("evaluate", model, test),
        ("fit", "text-classifier", f"{out / 'train.csv'}", "--test", test, "--cell", "gru",
         "--out", f"{out / 'gru'}/"),
    )  # fmt: skip
