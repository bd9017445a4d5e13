"""Fingerprints tell data apart by all that matters, and by nothing else."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np

from tidegate.data.fingerprint import fingerprint

ARRAY = np.arange(6, dtype=np.int64)


def test_values_types_shapes_and_parts_count():
    parts = [
        (ARRAY,),
        (ARRAY[::-1],),
        (ARRAY.astype(np.int32),),
        (ARRAY.reshape(2, 3),),
        (ARRAY[:3], ARRAY[3:]),
        (ARRAY, None),
        (ARRAY, ""),
        (ARRAY[:0],),
        (ARRAY[:0].astype(bool),),
        ("0", "1"),
        ("01",),
        (),
    ]
    found = [fingerprint(*part) for part in parts]
    assert all(first != second for first, second in itertools.combinations(found, 2))
    assert {len(text) for text in found} == {32}


def test_how_an_array_lies_in_memory_does_not_count(tmp_path):
    table = np.arange(12.0).reshape(3, 4)
    assert fingerprint(np.asfortranarray(table)) == fingerprint(table)
    assert fingerprint(table[:, ::2]) == fingerprint(table[:, ::2].copy())
    np.save(tmp_path / "table.npy", table)
    assert fingerprint(np.load(tmp_path / "table.npy", mmap_mode="r")) == fingerprint(table)


def test_by_hand():
    digest = hashlib.sha256(b"int64 (6,) " + ARRAY.tobytes() + b"'a' None ")
    assert fingerprint(ARRAY, "a", None) == digest.hexdigest()[:32]
