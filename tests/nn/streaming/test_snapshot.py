"""Snapshots: the bytes of a state, and what is refused of them."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tidegate.errors import ArtifactError, InputError
from tidegate.nn.streaming.snapshot import pack, unpack

D, H = 3, 4


def walked(layer: tn.Recurrent, rows: int = 2) -> tn.Stream:
    """A stream that has taken three steps."""
    stream = layer.stream(rows)
    for x in torch.randn(3, rows, D).numpy():
        stream.step(x)
    return stream


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8"])
def test_numbers_come_back_the_least_byte_first(dtype):
    description = {"cell": "lstm", "sizes": {"hidden": 2}, "dtype": "float32"}
    arrays = [np.arange(6, dtype=dtype).reshape(3, 2), np.array([[-1.5]], dtype)]
    size = sum(part.nbytes for part in arrays)
    numbers = unpack("Stream", pack(description, arrays), description, size)
    expected = [*range(6), -1.5]
    assert np.frombuffer(numbers, np.dtype(dtype).newbyteorder("<")).tolist() == expected


def test_a_part_that_is_a_view_is_written_row_by_row():
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert pack({}, [whole[:, 1:3]]) == pack({}, [np.array([[1, 2], [5, 6], [9, 10]], np.float32)])


def test_what_a_description_has_beyond_that_of_the_stream_is_not_looked_at():
    data = pack({"cell": "gru", "note": 1}, [])
    assert unpack("Stream", data, {"cell": "gru"}, 0) == b""
    with pytest.raises(InputError, match="Stream: `snapshot` must be of a stream with rows 2; got"):
        unpack("Stream", data, {"cell": "gru", "rows": 2}, 0)


def test_a_snapshot_is_laid_out_as_it_is_described():
    stream = tn.RNN(D, 2).stream()
    stream.state = np.array([[[1.5, -2.0]]], np.float32)
    data = stream.snapshot()
    mark, version, length = data[:16], data[16:18], int.from_bytes(data[18:22], "little")
    assert (mark, version) == (b"tidegate-stream\n", b"\x01\x00")
    assert json.loads(data[26 : 26 + length])["sizes"] == {"hidden": 2}
    assert data[26 + length :] == np.array([1.5, -2.0], "<f4").tobytes()


def forged(snapshot: bytes, body: bytes) -> bytes:
    """A snapshot with another body, and the check sum that fits it."""
    return snapshot[:22] + zlib.crc32(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda data: "text", InputError, "the bytes of a snapshot; got str"),
        (lambda data: b"", ArtifactError, "got 0 other bytes"),
        (lambda data: data[:20], ArtifactError, "got 20 other bytes"),
        (lambda data: b"x" + data[1:], ArtifactError, "other bytes"),
        (lambda data: data[:16] + b"\x02" + data[17:], ArtifactError, "version 1; got 2"),
        (lambda data: data[:-1], ArtifactError, "a damaged one"),
        (lambda data: data[:-1] + b"\xff", ArtifactError, "a damaged one"),
        (lambda data: forged(data, data[26:-4]), ArtifactError, "64 bytes of state; got 60"),
        (lambda data: forged(data, b"{}" * 99), ArtifactError, "a description"),
        (lambda data: forged(data, b" " * 99), ArtifactError, "a description"),
    ],
)
def test_spoilt_bytes_are_refused_and_the_state_stays(spoil, error, words):
    stream = walked(tn.LSTM(D, H), 2)
    before = stream.snapshot()
    with pytest.raises(error, match=words):
        stream.restore(spoil(before))
    assert stream.snapshot() == before


@pytest.mark.parametrize(
    ("other", "rows", "words"),
    [
        (tn.LSTM(D, H, 2), 1, "batch_size 2; got 1"),
        (tn.LSTM(D, H, 3), 2, "layers 2; got 3"),
        (tn.LSTM(D, H + 1, 2), 2, "sizes .*4.*; got .*5"),
        (tn.GRU(D, H, 2), 2, "cell lstm; got gru"),
        (tn.LSTM(D, H, 2, dtype=torch.float64), 2, "dtype float32; got float64"),
    ],
)
def test_a_snapshot_of_a_stream_that_is_not_like_this_one_is_refused(other, rows, words):
    stream = walked(tn.LSTM(D, H, 2))
    with pytest.raises(InputError, match=f"must be of a stream with {words}"):
        stream.restore(other.stream(rows).snapshot())
