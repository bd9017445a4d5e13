"""SentenceRows: every sentence once, in batches of bounded size."""

from __future__ import annotations

import numpy as np

from tidegate.data import TagEncoder
from tidegate.tasks.tagging.rows import SentenceRows


def loader(lengths, batch_size=32):
    sentences = [["a", *["b"] * (length - 1)][:length] for length in lengths]
    encoder = TagEncoder(affixes=False).fit([["a", "b"]], [["X", "Y"]])
    return SentenceRows(encoder.encode(sentences), batch_size=batch_size, seed=0)


def test_long_sentences_stand_alone_and_short_ones_together():
    lengths = [5, 10_000, 7, 9_000, 3, 8_000, 20_000, *range(40, 100)]
    rows = loader(lengths)
    for batches in (rows.epoch(0), rows.epoch(1), rows.in_order()):
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
        for batch in batches:
            longest = max(lengths[row] for row in batch)
            assert len(batch) == 1 or longest * len(batch) <= 16_384
    assert [len(batch) for batch in rows.in_order()][-4:] == [1, 1, 1, 1]


def test_sentences_of_usual_length_are_cut_as_in_every_task():
    rows = loader(range(1, 100), batch_size=8)
    assert [len(batch) for batch in rows.in_order()] == [99]
    assert sorted(len(batch) for batch in rows.epoch(0)) == [3, *[8] * 12]
    assert [batch.tolist() for batch in rows.epoch(3)] == [
        batch.tolist() for batch in loader(range(1, 100), batch_size=8).epoch(3)
    ]
