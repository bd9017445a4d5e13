"""Splits in which no text stands on both sides, and no label is lost to one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from tidegate.data.text.cleaning import text_chunks
from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]


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
    groups = same_texts(texts, owner)
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
            np.arange(len(first)), test_size=test_size, random_state=seed, stratify=kinds
        )
    except ValueError as error:
        remedy = "Add texts, or pass a file for the other part"
        rule = "enough different texts of every label for two parts"
        raise InputError(message(owner, "texts", rule, error, remedy)) from None
    parts = [np.flatnonzero(np.isin(groups, side)).astype(np.int64) for side in sides]
    return parts[0], parts[1]


def same_texts(texts: Iterable[str], owner: str = "same_texts") -> Array:
    """Number texts, those that differ only in capitals and white space alike.

    Args:
        texts: The texts, `[rows]`.
        owner: Who complains.

    Returns:
        Numbers from 0, `[rows]` int64.

    Raises:
        InputError: If one is no text.

    Example:
        >>> same_texts(["a", "b", "A "]).tolist()
        [0, 1, 0]
    """
    keys = [" ".join(text.lower().split()) for chunk in text_chunks(texts, owner) for text in chunk]
    groups: Array = pd.factorize(np.array(keys, dtype=object))[0]
    return groups


def hold_out(groups: Array, labels: Sequence[Any], share: float, seed: int) -> Array:
    """Choose rows to measure on, so that every label can still be learned.

    The labels come in proportion, each once at least: more rows than the share are held out if
    that needs it. A label of a single group is not held out.

    Args:
        groups: Rows of one number stay on one side, `[rows]` int64 from 0.
        labels: Their labels, `[rows]`; rows of a group may differ.
        share: Share of the groups to hold out, between 0 and 1.
        seed: Seed of the draw.

    Returns:
        Which rows are held out, `[rows]` bool; none if each label has a single group.

    Example:
        >>> hold_out(np.arange(5), ["a", "a", "b", "b", "rare"], 0.1, seed=0).tolist()
        [True, False, False, True, False]
    """
    codes = pd.factorize(np.array(list(labels), dtype=object))[0]
    kinds = codes[np.unique(groups, return_index=True)[1]]
    (several,) = (np.bincount(kinds)[kinds] >= 2).nonzero()
    least = len(np.unique(kinds[several]))
    if not least:
        return np.zeros(len(codes), dtype=bool)
    count = min(max(math.ceil(share * len(several)), least), len(several) - least)
    held = train_test_split(several, test_size=count, random_state=seed, stratify=kinds[several])[1]
    chosen = np.isin(groups, held)
    for label in range(codes.max() + 1):  # copies that contradict each other may all be held
        own = codes == label
        if chosen[own].all():
            chosen &= groups != groups[own][0]
    return chosen
