"""Memory: whether the linear part of a text classifier fits into it, known before it is made."""

from __future__ import annotations

from tidegate.device import pick_device
from tidegate.tasks.text.settings import TextClassifierSettings
from tidegate.training.memory import check_room, training_bytes

_NUMBER = 4  # bytes


def check_wide(settings: TextClassifierSettings, words: int, ngrams: int, classes: int) -> None:
    """Refuse more words and classes than memory has room for: each pair of them is a weight.

    Args:
        settings: The settings.
        words: Of the vocabulary.
        ngrams: Of their table.
        classes: C.

    Raises:
        InputError: If the linear part takes more memory than is free.
    """
    table = _NUMBER * (words + ngrams) * classes
    needed = 2 * table + training_bytes(table, table, settings)  # weights, and ratios as fixed
    parts = f"{words:,} words" + (f" and {ngrams:,} n-grams" if ngrams else "")
    got = f"{parts} for each of {classes:,} classes, about {{}}"
    remedy = "Lower max_vocabulary or max_ngrams, raise min_frequency, or pass wide=0"
    check_room(settings.owner, "wide", got, needed, pick_device(settings.device), remedy)
