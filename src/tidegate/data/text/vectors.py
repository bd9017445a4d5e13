"""Pretrained word vectors, read for the words that are needed and no others."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidegate.data.tables.formats import check_file, explained
from tidegate.errors import InputError, message

Array = NDArray[np.float32]
_COUNTS = re.compile(rb"\s*\d+[ \t]+\d+\s*")
NPZ_FAULTS = (
    KeyError,
    ValueError,
    EOFError,
    TypeError,
    AttributeError,  # a single array has no names
    NotImplementedError,
    zipfile.BadZipFile,
)
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
REMEDY = "Pass GloVe or word2vec text, or an .npz with the arrays words and vectors"


def load_vectors(path: str | os.PathLike[str], vocabulary: Sequence[str]) -> tuple[Array, int]:
    """Read the vectors of the words in a vocabulary.

    A text file has a word and its D numbers on each line, parted by spaces or by tabs; a first
    line with the two counts, as word2vec writes it, says how many numbers there are, so that words
    may hold spaces, as they may before a tab; it may be gzipped (.gz). It is streamed, so
    it may be larger than the memory. An .npz has arrays "words" `[W]` and "vectors" `[W, D]`. Of
    a word that comes twice the first vector counts.

    Args:
        path: The file.
        vocabulary: Words, index = id.

    Returns:
        Vectors `[V, D]` float32, zeros for words that were not found, and how many were found.

    Raises:
        InputError: If the file is missing, damaged or of another form, a line (named) has another
            number of values, or all have more than the first line says, a value is not a finite
            number, or no word was found.

    Example:
        >>> vectors, found = load_vectors("glove.6B.100d.txt", ["<pad>", "<unk>", "the"])
        ... # doctest: +SKIP
    """
    path = Path(path)
    check_file(path)
    reader = _read_npz if path.suffix.lower() == ".npz" else _read_text
    with explained(path), np.errstate(over="ignore"):
        vectors, rows = reader(path, vocabulary)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        got = f"others for the word {vocabulary[row]!r}"
        raise InputError(message(str(path), "vectors", "finite numbers", got, REMEDY))
    if not rows.any():
        got = f"none of {len(vocabulary)}"
        remedy = "Check that the words are spelled alike: lower-case, and of the same language"
        raise InputError(message(str(path), "words", "in the vocabulary", got, remedy))
    return vectors, int(rows.sum())


def _rows_of(vocabulary: Sequence[str]) -> dict[str, int]:
    """Row of each word, the first one of a word that comes twice; padding keeps its zeros."""
    last_first = reversed(list(enumerate(vocabulary)))
    return {word: row for row, word in last_first if row or word != "<pad>"}


def _read_text(path: Path, vocabulary: Sequence[str]) -> tuple[Array, NDArray[np.bool_]]:
    rows = {word.encode(): row for word, row in _rows_of(vocabulary).items()}
    found = np.zeros(len(vocabulary), bool)
    vectors: Array | None = None
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as handle:
        width, told, empty, lines, stretched = 0, False, 0, 0, 0
        for number, whole in enumerate(handle, 1):
            line = whole.removeprefix(codecs.BOM_UTF8) if number == 1 else whole
            if number == 1 and _COUNTS.fullmatch(line):
                width, told = int(line.split()[1]), True
                continue
            if not line.strip():
                empty = empty or number
                continue
            if empty:  # one at the end is none; in the midst something is missing
                _parted(b"", width, path, empty, told=told)
            line = line.rstrip()
            width = width or _count(_halves(line)[1])
            word, values = _parted(line, width, path, number, told=told)
            lines, stretched = lines + 1, stretched + _ends_in_number(word)
            row = rows.get(word)
            if vectors is None:
                vectors = np.zeros((len(vocabulary), width), np.float32)
            if row is not None and not found[row]:
                vectors[row] = _numbers(values, path, number)
                found[row] = True
    if vectors is None:
        raise InputError(message(str(path), "file", "word vectors", "a header alone", REMEDY))
    if told and stretched == lines:  # then they are no words, but the first values of each line
        rule, got = "how many numbers each line has", f"{width}, and each line has more"
        raise InputError(message(str(path), "line 1", rule, got, "Correct it, or drop that line"))
    return vectors, found


def _halves(line: bytes) -> tuple[bytes, bytes]:
    """The word and its values, which have spaces between them then, whatever parted them."""
    word, tab, values = line.partition(b"\t")
    if tab:
        return word, values.replace(b"\t", b" ")
    word, _, values = line.partition(b" ")
    return word, values


def _count(values: bytes) -> int:
    return values.count(b" ") + bool(values)


def _ends_in_number(word: bytes) -> bool:
    return b" " in word and _NUMBER.fullmatch(word.rsplit(b" ", 1)[1]) is not None


def _parted(line: bytes, width: int, path: Path, number: int, *, told: bool) -> tuple[bytes, bytes]:
    """Part a line into the word, which may hold spaces (". . ." in GloVe), and its values."""
    word, values = _halves(line)
    count = _count(values)
    surplus = count - width
    if surplus > 0 and width > 0 and b"\t" not in line:
        word = line.rsplit(b" ", width)[0]
        values = line[len(word) + 1 :]
        # A number in front of the values is one value too many, not a part of the word: unless the
        # file told how many values there are.
        if told or not _ends_in_number(word):
            surplus = 0
    if surplus or not word or not values:
        got = f"{count}: {line[:40].decode('utf-8', 'replace')!r}"
        rule = f"a word and {width} numbers" if width else "a word and its numbers"
        raise InputError(message(str(path), f"line {number}", rule, got, REMEDY))
    return word, values


def _numbers(values: bytes, path: Path, number: int) -> list[float]:
    try:
        return [float(value) for value in values.split(b" ")]
    except ValueError as error:
        raise InputError(message(str(path), f"line {number}", "numbers", error, REMEDY)) from None


def _read_npz(path: Path, vocabulary: Sequence[str]) -> tuple[Array, NDArray[np.bool_]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            words, values = np.asarray(arrays["words"]), np.asarray(arrays["vectors"])
    except NPZ_FAULTS as error:
        rule = "an .npz with the arrays words and vectors"
        raise InputError(message(str(path), "file", rule, error)) from None
    shaped = words.ndim == 1 and values.ndim == 2 and len(words) == len(values)
    if not shaped or words.dtype.kind != "U" or values.dtype.kind != "f":
        got = f"{words.dtype} {words.shape} and {values.dtype} {values.shape}"
        rule = "words [W] of text and vectors [W, D] of floats"
        raise InputError(message(str(path), "arrays", rule, got))
    rows = _rows_of(vocabulary)
    found = np.zeros(len(vocabulary), bool)
    vectors = np.zeros((len(vocabulary), values.shape[1]), np.float32)
    for place, word in enumerate(words.tolist()):
        row = rows.get(word)
        if row is not None and not found[row]:
            vectors[row] = values[place]
            found[row] = True
    return vectors, found
