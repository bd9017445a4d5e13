"""Pieces of a text cover it once, and none reaches into another document."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.language.batch import NOTHING
from tidegate.data.language.corpus import Corpus
from tidegate.data.language.pieces import TextPieces


@pytest.mark.parametrize("starts", [[], [0, 4, 11], [0, 22]])
def test_every_symbol_but_the_last_is_read_once_and_what_follows_is_its_target(starts):
    ids = np.arange(23) + 5
    pieces = TextPieces(Corpus(ids, np.array(starts, np.int64)), steps=5, most=99)
    batch = pieces.batch(np.arange(len(pieces)))
    assert sorted(batch.values[batch.mask].tolist()) == ids[:-1].tolist()
    assert (batch.targets[batch.mask] == batch.values[batch.mask] + 1).all()
    assert (batch.targets[~batch.mask] == NOTHING).all()
    for start, length in zip(pieces.starts, pieces.lengths, strict=True):
        assert not any(start < begin < start + length for begin in starts)


def test_the_pieces_kept_are_taken_evenly():
    pieces = TextPieces(Corpus(np.arange(101)), steps=10, most=3)
    assert pieces.starts.tolist() == [0, 40, 90]
    whole = TextPieces(Corpus(np.arange(101)), steps=10, most=99)
    assert pieces.fingerprint() == whole.fingerprint()
