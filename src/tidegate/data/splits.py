"""Splits in which no text stands on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from tidegate.data.text.cleaning import text_chunks
from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[np.int64]]


def split_without_overlap(
    texts: Iterable[str],
    labels: Sequence[Any] | None = None,
    *,
    test_size: float = 0.2,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Split texts into two parts that share no text, each label in proportion.

    Texts that differ only in capitals and white space count as the same one, and all its copies
    go to the same side: a model must not be tested on what it was trained on. Proportions are
    those of different texts, so they differ a little when some texts come often.

    Args:
        texts: The texts, `[rows]`.
        labels: Their labels, `[rows]`; None splits without regard to labels.
        test_size: Share of the second part, between 0 and 1.
        seed: Seed of the draw; the same one gives the same split.

    Returns:
        Row numbers of the two parts, ascending, int64.

    Raises:
        InputError: If the share is no share, the lengths differ, or there are too few different
            texts to put every label on both sides.

    Example:
        >>> first, second = split_without_overlap(["a", "b", "A ", "c"], test_size=0.4)
        >>> sorted([*first.tolist(), *second.tolist()])
        [0, 1, 2, 3]
    """
    owner = "split_without_overlap"
    if isinstance(test_size, bool) or not 0 < test_size < 1:
        raise InputError(message(owner, "test_size", "between 0 and 1", repr(test_size)))
    keys = [" ".join(text.lower().split()) for chunk in text_chunks(texts, owner) for text in chunk]
    groups, distinct = pd.factorize(np.array(keys, dtype=object))
    first = np.unique(groups, return_index=True)[1]
    kinds = None
    if labels is not None:
        codes = pd.factorize(np.array(list(labels), dtype=object))[0]
        if len(codes) != len(groups):
            got = f"{len(codes)} for {len(groups)} texts"
            raise InputError(message(owner, "labels", "one per text", got))
        kinds = codes[first]
    try:
        sides = train_test_split(
            np.arange(len(distinct)), test_size=test_size, random_state=seed, stratify=kinds
        )
    except ValueError as error:
        remedy = "Add texts, or pass a file for the other part"
        rule = "enough different texts of every label for two parts"
        raise InputError(message(owner, "texts", rule, error, remedy)) from None
    parts = [np.flatnonzero(np.isin(groups, side)).astype(np.int64) for side in sides]
    return parts[0], parts[1]
