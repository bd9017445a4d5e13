"""The JSON files of a TextEncoder: written, and read back trusting nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from tidegate.data.codec import Field, damaged, read_fields, read_texts, take
from tidegate.data.text.functions import import_name, resolve
from tidegate.data.text.ngrams import Order
from tidegate.data.text.options import FIELDS, TextOptions
from tidegate.data.text.segmenter import Segmenter
from tidegate.data.text.subwords import byte_alphabet
from tidegate.data.text.vocabulary import SPECIAL
from tidegate.errors import ArtifactError, InputError

OPTIONS_FILE = "encoder.json"
VOCABULARY_FILE = "vocabulary.json"
NGRAMS_FILE = "ngrams.json"
MERGES_FILE = "merges.json"
VERSION = 2
FILES = (OPTIONS_FILE, VOCABULARY_FILE, MERGES_FILE, NGRAMS_FILE)
_FIELDS = FIELDS | {
    "tokenizer": Field(str, optional=True, rule="the import name of a function, module:name")
}


def to_files(
    options: TextOptions,
    vocabulary: Sequence[str],
    merges: Sequence[tuple[str, str]] | None,
    orders: Sequence[Order],
) -> dict[str, object]:
    """Write down a fitted encoder.

    Args:
        options: Its options.
        vocabulary: Its tokens; index = id.
        merges: The merges of its sub-words, or None.
        orders: Its n-grams.

    Returns:
        JSON-able values by file name.

    Raises:
        InputError: If the tokenizer cannot be imported by a name.
    """
    told = {field.name: getattr(options, field.name) for field in fields(options)}
    told["clean"], told["stop_words"] = list(options.clean), list(options.stop_words)
    if options.tokenizer is not None:
        told["tokenizer"] = import_name(options.tokenizer)
    files: dict[str, object] = {
        OPTIONS_FILE: {"version": VERSION, **told},
        VOCABULARY_FILE: list(vocabulary),
    }
    if merges is not None:
        files[MERGES_FILE] = [list(pair) for pair in merges]
    if options.ngrams > 1:
        files[NGRAMS_FILE] = [
            {"prefix": order.prefix.tolist(), "word": order.word.tolist()} for order in orders
        ]
    return files


def read_options(files: Mapping[str, object]) -> dict[str, Any]:
    """Read the options of an encoder.

    Args:
        files: Parsed JSON by file name.

    Returns:
        Keyword arguments of TextEncoder; whether they are in range is checked there.

    Raises:
        ArtifactError: If a value is missing, unknown, of a wrong type or out of range, or the
            file is of another version.
    """
    absent = {"unspaced": False}  # which models of version 1 knew nothing of
    told = read_fields(upgraded(files), OPTIONS_FILE, _FIELDS, version=VERSION, absent=absent)
    if told["tokenizer"] is not None:
        told["tokenizer"] = resolve(told["tokenizer"])
    try:
        Segmenter(TextOptions(**told))
    except InputError as error:
        raise ArtifactError(f"{OPTIONS_FILE}: {error}") from None
    return told


def upgraded(files: Mapping[str, object]) -> Mapping[str, object]:
    """Say what options of version 1 meant in the words of this one.

    Args:
        files: Parsed JSON by file name.

    Returns:
        The same, with options of this version; they are checked by whoever reads them.
    """
    told = files.get(OPTIONS_FILE)
    if not isinstance(told, dict) or repr(told.get("version")) != "1":
        return files
    clean = told.get("clean")
    if isinstance(clean, list):  # "html" took all that stands between < and >
        clean = ["angles" if name == "html" else name for name in clean]
    return {**files, OPTIONS_FILE: {**told, "version": VERSION, "clean": clean}}


def read_vocabulary(
    files: Mapping[str, object], options: TextOptions, special: tuple[str, ...] = SPECIAL
) -> list[str]:
    """Read the tokens of an encoder.

    Args:
        files: Parsed JSON by file name.
        options: The options that were read.
        special: The tokens that come first.

    Returns:
        The tokens after the special ones.

    Raises:
        ArtifactError: If they are not a list of different strings of the size that fits.
    """
    words = read_texts(files, VOCABULARY_FILE, special=special, argument="tokens")
    if not 1 <= len(words) <= options.max_vocabulary:
        rule = f"1 to {options.max_vocabulary} besides the special ones"
        raise damaged(VOCABULARY_FILE, "tokens", rule, len(words))
    if options.level == "char" and any(len(word) != 1 for word in words):
        raise damaged(VOCABULARY_FILE, "tokens", "single characters", "longer or empty ones")
    return words


def read_merges(
    files: Mapping[str, object], options: TextOptions, vocabulary: Sequence[str]
) -> list[tuple[str, str]] | None:
    """Read the merges of sub-words.

    Args:
        files: Parsed JSON by file name.
        options: The options that were read.
        vocabulary: The tokens that were read, without the special ones.

    Returns:
        Pairs of tokens, or None when the level is not "bpe".

    Raises:
        ArtifactError: If one is not a pair of tokens that make a third one.
    """
    if options.level != "bpe":
        return None
    words = set(vocabulary)
    if not words.issuperset(byte_alphabet()):
        raise damaged(VOCABULARY_FILE, "tokens", "sub-words that cover all bytes", "fewer")
    merges: list[tuple[str, str]] = []
    for pair in take(files, MERGES_FILE, list):
        whole = isinstance(pair, list) and len(pair) == 2 and {type(part) for part in pair} == {str}
        if not whole or not words.issuperset([*pair, "".join(pair)]):
            raise damaged(MERGES_FILE, "merges", "pairs of tokens that make a token", repr(pair))
        merges.append((pair[0], pair[1]))
    return merges


def read_orders(files: Mapping[str, object], options: TextOptions, words: int) -> list[Order]:
    """Read the n-grams of an encoder.

    Args:
        files: Parsed JSON by file name.
        options: The options that were read.
        words: Size of the vocabulary.

    Returns:
        The table, of 2-grams first; empty without n-grams.

    Raises:
        ArtifactError: If an id does not exist, an n-gram comes twice, or there are too many.
    """
    if options.ngrams == 1:
        return []
    found = take(files, NGRAMS_FILE, list)
    if len(found) != options.ngrams - 1 or not all(isinstance(order, dict) for order in found):
        raise damaged(NGRAMS_FILE, "lengths", f"{options.ngrams - 1} objects", len(found))
    orders: list[Order] = []
    first, prefixes = 1, range(len(SPECIAL), words)
    for order in found:
        prefix = _ids(order.get("prefix"), prefixes)
        word = _ids(order.get("word"), range(len(SPECIAL), words))
        keys = prefix * words + word if len(prefix) == len(word) else np.zeros(2)
        if len(np.unique(keys)) != len(keys):
            raise damaged(NGRAMS_FILE, "n-grams", "pairs that differ", "repeated or unequal ones")
        orders.append(Order(prefix, word, first, words))
        prefixes = range(first, first + len(prefix))
        first = prefixes.stop
    if first - 1 > options.max_ngrams:
        raise damaged(NGRAMS_FILE, "n-grams", f"at most {options.max_ngrams}", first - 1)
    return orders


def _ids(found: object, allowed: range) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Read a list of ids."""
    if not isinstance(found, list) or not all(
        type(item) is int and item in allowed for item in found
    ):
        rule = f"lists of ids from {allowed.start} to {allowed.stop - 1}"
        raise damaged(NGRAMS_FILE, "n-grams", rule, repr(found))
    return np.array(found, np.int64)
