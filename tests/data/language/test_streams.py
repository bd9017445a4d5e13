"""Streams cover a text exactly once, in order, each stream going on where it was."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tidegate.data.language.batch import NOTHING
from tidegate.data.language.corpus import Corpus
from tidegate.data.language.streams import StreamPieces, Streams


def walked(streams, pieces):
    """The inputs and targets of each stream, its pieces joined."""
    values = [[] for _ in range(streams.count)]
    targets = [[] for _ in range(streams.count)]
    for rows in pieces:
        batch = streams.batch(rows)
        for row, length in enumerate(batch.lengths.tolist()):
            values[row] += batch.values[row, :length].tolist()
            targets[row] += batch.targets[row, :length].tolist()
            assert (batch.targets[row, length:] == NOTHING).all()
    return values, targets


@pytest.mark.parametrize("tokens", [2, 3, 10, 101, 1000])
@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("vary", [True, False])
def test_every_token_but_the_first_is_predicted_once_from_the_one_before(tokens, count, vary):
    ids = np.random.default_rng(0).permutation(tokens)
    streams = Streams(Corpus(ids), count=count, steps=13)
    plan = StreamPieces(streams, vary=vary, seed=1)
    for pieces in (plan.epoch(0), plan.in_order()):
        values, targets = walked(streams, pieces)
        assert list(itertools.chain(*values)) == ids[:-1].tolist()
        assert list(itertools.chain(*targets)) == ids[1:].tolist()
        assert [len(stream) for stream in values] == streams.lengths.tolist()
    assert len(streams) == streams.count == min(count, tokens - 1)


def test_one_stream_reads_long_pieces_and_many_read_short_ones():
    corpus = Corpus(np.zeros(10_001, np.uint16))
    for count, steps in ((1, 4096), (8, 512)):
        streams = Streams(corpus, count=count, steps=9)
        assert int(StreamPieces(streams).in_order()[0][1]) == steps


def test_lengths_vary_as_in_the_paper():
    corpus = Corpus(np.zeros(400_001, np.uint16))
    streams = StreamPieces(Streams(corpus, count=1, steps=70), seed=3)
    lengths = np.array([piece[1] for piece in streams.epoch(2)[:-1]])
    assert np.array_equal(lengths, [piece[1] for piece in streams.epoch(2)[:-1]])
    assert not np.array_equal(lengths[:50], [piece[1] for piece in streams.epoch(3)[:50]])
    half = lengths < 52
    assert abs(half.mean() - 0.05) < 0.01
    assert abs(lengths[~half].mean() - 70) < 0.5
    assert abs(lengths[half].mean() - 35) < 1
    assert abs(lengths[~half].std() - 5) < 0.3


def test_a_short_piece_is_learned_from_in_short_steps():
    streams = Streams(Corpus(np.arange(21)), count=2, steps=8)
    pieces = StreamPieces(streams, vary=False).epoch(0)
    assert [streams.batch(rows).share for rows in pieces] == [1.0, 0.25]


def test_resets_stand_where_documents_begin():
    corpus = Corpus(np.arange(12), np.array([0, 4, 5, 9]))
    streams = Streams(corpus, count=2, steps=4)
    first, second = (
        streams.batch(rows).resets for rows in StreamPieces(streams, vary=False).epoch(0)
    )
    # The streams begin at 0 and 6; they have 6 and 5 steps.
    assert first.int().tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]
    assert second.int().tolist() == [[1, 1], [0, 0]]
    assert Streams(Corpus(np.arange(12)), count=2, steps=4).batch(np.array([0, 4])).resets is None


def test_a_start_past_the_end_of_a_stream_is_none():
    corpus = Corpus(np.arange(4), np.array([0]))
    streams = Streams(corpus, count=2, steps=4)
    assert streams.batch(np.array([0, 2])).resets.int().tolist() == [[1, 0], [0, 0]]


def test_the_batch_moves_as_a_whole():
    corpus = Corpus(np.arange(12), np.array([0, 4]))
    batch = Streams(corpus, count=2, steps=8).batch(np.array([0, 4])).to("meta")
    assert batch.resets.device.type == batch.targets.device.type == "meta"
    assert batch.share == 0.5
