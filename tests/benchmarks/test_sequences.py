"""The benchmark of sequences: it reads the archive's form, and counts errors right."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.sequences")

from benchmarks import sequences
from tests.tasks.sequences import walks


def add(archive, name, table):
    text = "\n".join(" ".join(map(str, row)) for row in table).encode()
    member = tarfile.TarInfo(f"cmapss_fd001/{name}")
    member.size = len(text)
    archive.addfile(member, io.BytesIO(text))


@pytest.fixture
def data(tmp_path):
    """A set of walks padded with NaN, and six engines of 26 columns that wear out."""
    X, y, _ = walks(24)
    cube = np.full((24, 12, 2), np.nan)
    for row, walk in zip(cube, X, strict=True):
        row[: len(walk)] = walk
    parts = {"X_train": cube[:16], "y_train": y[:16], "X_test": cube[16:], "y_test": y[16:]}
    np.savez(tmp_path / "tsc_gunpoint.npz", **parts)
    with tarfile.open(tmp_path / "cmapss_fd001.tar.gz", "w:gz") as archive:
        for part, cut in (("train", 0), ("test", 4)):
            rows = [
                [unit, cycle, *[unit + cycle / 10] * 24]
                for unit in range(1, 4)
                for cycle in range(1, 9 + unit - cut)
            ]
            add(archive, f"{part}_FD001.txt", rows)
        add(archive, "RUL_FD001.txt", [[4], [4], [200]])
    return str(tmp_path)


def test_engines_are_read_one_by_one(data):
    train, test, lives = sequences.read_engines(data)
    assert [len(engine) for engine in train] == [9, 10, 11]
    assert [len(engine) for engine in test] == [5, 6, 7]
    assert train[1][0].tolist() == [2, 1, *[2.1] * 24]
    assert lives.tolist() == [4, 4, 200]


def test_errors_are_against_capped_and_whole_lives(data, monkeypatch):
    monkeypatch.setattr(
        sequences, "ENGINES_SETTINGS", {"window": 3, "epochs": 1, "hidden_size": 2, "filters": 2}
    )
    monkeypatch.setattr(sequences.tidegate.SequenceRegressor, "predict", lambda *_: [4, 1, 125])
    found = sequences.engines(data, [0])
    assert found["rmse"] == pytest.approx(np.sqrt(9 / 3))
    assert found["rmse_uncapped"] == pytest.approx(np.sqrt((9 + 75**2) / 3))


def test_a_result_file_has_every_seed(data, tmp_path, capsys):
    sequences.main(["--data", data, "--out", str(tmp_path), "--seeds", "3", "--sets", "gunpoint"])
    found = json.loads((tmp_path / "sequences.json").read_text())["gunpoint"]
    (row,) = found["seeds"]
    assert row["seed"] == 3
    assert found["mean"] == row["accuracy"]
    assert row["accuracy"] * 8 % 100 == 0  # eight test rows
    assert f"accuracy {row['accuracy']:.2f}" in capsys.readouterr().out
