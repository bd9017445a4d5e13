"""A corpus holds ids in a mapped file, not in Python's memory."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.language.corpus import Corpus


@pytest.mark.parametrize(("size", "dtype"), [(65, np.uint16), (2**16, np.uint16), (70_000, "i4")])
def test_ids_come_back_as_they_were_written(size, dtype):
    parts = [np.array([0, size - 1]), np.array([], np.int64), np.array([7])]
    corpus = Corpus.written(iter(parts), size)
    assert isinstance(corpus.ids, np.memmap)
    assert corpus.ids.dtype == np.dtype(dtype)
    assert corpus.ids.tolist() == [0, size - 1, 7]
    assert len(corpus) == 3


def test_nothing_written_is_an_empty_corpus():
    assert len(Corpus.written([], 10)) == 0


def test_the_fingerprint_sees_ids_and_starts():
    plain = Corpus(np.arange(9))
    twin = Corpus.written([np.arange(9)], 10)
    assert plain.fingerprint() == Corpus(np.arange(9)).fingerprint()
    assert twin.fingerprint() == Corpus.written([np.arange(4), np.arange(4, 9)], 10).fingerprint()
    assert twin.fingerprint() != Corpus.written([np.arange(1, 10)], 10).fingerprint()
    assert plain.fingerprint() != Corpus(np.arange(9), np.array([4])).fingerprint()
