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
        remedy: What to do about it, a full sentence without its full stop.

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
    return f"{sentence} {remedy}." if remedy else sentence


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
        "Did you mean 'X'?"-style text without its full stop.

    Example:
        >>> suggest("hiden_size", ["hidden_size", "dropout"])
        "Did you mean 'hidden_size'"
    """
    names = sorted(known)
    same = [other for other in names if other.strip().lower() == name.strip().lower()]
    close = same or difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean '{close[0]}'"
    return "" if listed else f"Known: {', '.join(names)}"
