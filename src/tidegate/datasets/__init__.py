"""Small real data sets that ship, each with its licence, and problems made by formula."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Literal, overload

import pandas as pd

from tidegate.datasets.memory_problems import (
    AddingProblem,
    CopyMemory,
    MemoryProblem,
    SequentialDigits,
    TemporalOrder,
)
from tidegate.datasets.series import load_airline_passengers, load_co2, make_broken_sensor
from tidegate.datasets.text import load_tiny_shakespeare, load_ud_english_ewt

__all__ = [
    "AddingProblem",
    "CopyMemory",
    "MemoryProblem",
    "SequentialDigits",
    "TemporalOrder",
    "load_airline_passengers",
    "load_co2",
    "load_sms_spam",
    "load_tiny_shakespeare",
    "load_ud_english_ewt",
    "make_broken_sensor",
]


@overload
def load_sms_spam(*, return_X_y: Literal[False] = False) -> pd.DataFrame: ...
@overload
def load_sms_spam(*, return_X_y: Literal[True]) -> tuple[list[str], list[str]]: ...


def load_sms_spam(*, return_X_y: bool = False) -> pd.DataFrame | tuple[list[str], list[str]]:
    """Load the SMS Spam Collection: 5,574 text messages, 4,827 of them ham and 747 spam.

    Almeida, Gómez Hidalgo and Yamakami 2011; CC BY 4.0, from the UCI repository. 403 messages
    repeat an earlier one, so split them with `tidegate.data.split_without_overlap`.

    Args:
        return_X_y: Return two lists instead of a table.

    Returns:
        A table with the columns "text" and "label" ("ham" or "spam"); or the texts and labels.

    Example:
        >>> load_sms_spam()["label"].value_counts().to_dict()
        {'ham': 4827, 'spam': 747}
    """
    file = resources.files(__name__) / "data" / "sms_spam.tsv.gz"
    # Quotes are common signs in these texts, so the lines are cut by hand.
    lines = gzip.decompress(file.read_bytes()).decode("utf-8").removesuffix("\n").split("\n")
    pairs = [line.split("\t") for line in lines]
    texts, labels = [text for _, text in pairs], [label for label, _ in pairs]
    return (texts, labels) if return_X_y else pd.DataFrame({"text": texts, "label": labels})
