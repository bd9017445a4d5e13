"""The few exceptions tidegate raises, and the one sentence they all speak.

Every message reads "Owner: `argument` must be RULE; got VALUE. REMEDY." so that a user learns
in one line what was wrong and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TidegateError(Exception):
    """Base of every error that tidegate raises on purpose."""


class InputError(TidegateError, ValueError):
    """What the caller passed in is wrong; the command line ends with exit code 2."""


class ArtifactError(InputError):
    """A saved model is damaged, hostile or of another version."""


class BackendError(TidegateError, RuntimeError):
    """The backend that was asked for cannot run this layer."""


class TrainingError(TidegateError, RuntimeError):
    """Training cannot go on, a loss that is not a number being the usual cause."""


def message(owner: str, argument: str, rule: str, got: object, remedy: str = "") -> str:
    """Build the house sentence of an error.

    Args:
        owner: The class, function or file that complains.
        argument: The argument, column or file part that is wrong.
        rule: What it must be, without the words "must be".
        got: What was received; long values are shortened to 120 characters.
        remedy: What to do about it, a full sentence without its full stop or question mark.

    Returns:
        One line of text.

    Example:
        >>> message("LSTM", "hidden_size", "an integer >= 1", 0, "Pass a positive size")
        'LSTM: `hidden_size` must be an integer >= 1; got 0. Pass a positive size.'
    """
    shown = str(got)
    if len(shown) > 120:
        shown = shown[:117] + "..."
    sentence = f"{owner}: `{argument}` must be {rule}; got {shown}."
    mark = "?" if remedy.startswith("Did you mean") else "."
    return f"{sentence} {remedy}{mark}" if remedy else sentence


def quoted(value: object) -> str:
    """Write a value as messages show it: a text in quotes, anything else as it prints.

    A number of NumPy or a time of pandas would name its class in its `repr`.

    Example:
        >>> quoted("5"), quoted(5)
        ("'5'", '5')
    """
    return repr(str(value)) if isinstance(value, str) else str(value)


def a(noun: str) -> str:
    """Put the article before a noun.

    Example:
        >>> a("tagger"), a("anomaly-detector")
        ('a tagger', 'an anomaly-detector')
    """
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def suggest(name: str, known: Iterable[str], *, listed: bool = False) -> str:
    """Say which known name was probably meant, or list them all.

    Args:
        name: The name that nobody knows.
        known: The names that exist.
        listed: Whether the reader has the list already; it is not told again.

    Returns:
        A sentence without its full stop or question mark.

    Example:
        >>> suggest("hiden_size", ["hidden_size", "dropout"])
        "Did you mean 'hidden_size'"
    """
    names = {_plain(other): other for other in sorted(known, reverse=True)}
    asked = _plain(name)
    meant = asked if asked in names else _OTHER_NAMES.get(asked, "")
    close = [meant] if meant in names else difflib.get_close_matches(asked, names, 1, _ALIKE)
    if close:
        return f"Did you mean '{names[close[0]]}'"
    return "" if listed else f"Known: {', '.join(sorted(names.values()))}"


def _plain(name: str) -> str:
    """A name without what spells it as an option or a task."""
    return name.strip().lstrip("-").lower().replace("-", "_")


# How alike two names must be to be taken for one, from 0 to 1.
_ALIKE = 0.6
# What other libraries call settings, and people call tasks.
_OTHER_NAMES = {
    "lr": "learning_rate", "eta": "learning_rate", "step_size": "learning_rate",
    "units": "hidden_size", "hidden": "hidden_size", "hidden_dim": "hidden_size",
    "hidden_units": "hidden_size", "n_units": "hidden_size", "n_hidden": "hidden_size",
    "layers": "num_layers", "n_layers": "num_layers", "depth": "num_layers",
    "n_epochs": "epochs", "num_epochs": "epochs", "max_epochs": "epochs", "iterations": "epochs",
    "bs": "batch_size", "batch": "batch_size", "seed": "random_state", "drop": "dropout",
    "wd": "weight_decay", "l2": "weight_decay", "clip": "gradient_clip",
    "early_stopping": "patience", "embedding_dim": "embedding_size", "emb_size": "embedding_size",
    "max_len": "max_length", "maxlen": "max_length", "steps": "horizon", "h": "horizon",
    "pred_len": "horizon", "output_chunk_length": "horizon", "input_chunk_length": "lookback",
    "seq_len": "lookback", "output": "out", "contamination": "false_alarm_rate",
    "ner": "tagger", "pos": "tagger", "tagging": "tagger", "token_classification": "tagger",
    "lm": "language_model", "char_rnn": "language_model", "text_generation": "language_model",
    "sentiment": "text_classifier", "classification": "text_classifier",
    "text_classification": "text_classifier", "spam": "text_classifier",
    "time_series": "forecaster", "timeseries": "forecaster", "forecasting": "forecaster",
    "anomalies": "anomaly_detector", "text": "text_classifier", "series": "forecaster",
    "anomaly": "anomaly_detector", "anomaly_detection": "anomaly_detector",
    "outliers": "anomaly_detector", "time_series_classification": "sequence_classifier",
    "time_series_regression": "sequence_regressor", "regression": "sequence_regressor",
}  # fmt: skip
