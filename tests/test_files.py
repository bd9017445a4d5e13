"""Atomic writing and distrustful reading."""

from __future__ import annotations

import json
import math
import stat
import struct

import numpy as np
import pytest
import torch

from tidegate import files
from tidegate.errors import ArtifactError


def test_a_file_is_replaced_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")

    def crash():
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert path.read_text() == "old"
    with files.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["numbers.txt"]


def test_tensors_and_metadata_come_back(tmp_path):
    path = tmp_path / "t.safetensors"
    tensors = {
        "turned": torch.arange(6.0).view(2, 3).T,  # not contiguous
        "half": torch.ones(2, dtype=torch.bfloat16),
        "count": torch.tensor(3),
        "nothing": torch.zeros(0, 4),
    }
    files.write_tensors(path, tensors, '{"epoch": 1}')
    found, metadata = files.read_tensors(path, "test")
    assert metadata == '{"epoch": 1}'
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def test_tensors_are_as_readable_as_their_folder(tmp_path):
    tmp_path.chmod(0o755)
    files.write_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(1)})
    assert stat.S_IMODE((tmp_path / "t.safetensors").stat().st_mode) == 0o644


def written(tmp_path):
    path = tmp_path / "t.safetensors"
    files.write_tensors(path, {"a": torch.arange(50.0)})
    return path


@pytest.mark.parametrize("keep", [0, 5, 8, 30, 120, 263])
def test_a_file_cut_short_is_named(tmp_path, keep):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtifactError, match=r"test: `.*t\.safetensors` must be a whole"):
        files.read_tensors(path, "test")


def test_a_huge_header_is_refused_before_it_is_read(tmp_path):
    path = written(tmp_path)
    header = files.HEADER_LIMIT + 1
    with path.open("wb") as handle:
        handle.write(struct.pack("<Q", header))
        handle.truncate(header + 100)  # sparse: the size is real, the bytes are not
    with pytest.raises(ArtifactError, match=r"a header of 16777217 bytes"):
        files.read_tensors(path, "test")
    path.write_bytes(struct.pack("<Q", 2**63) + path.read_bytes()[8:100])
    with pytest.raises(ArtifactError, match="cut short"):
        files.read_tensors(path, "test")


def test_a_header_of_garbage_is_named(tmp_path):
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    content[8:30] = b"x" * 22
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="must be a whole safetensors file"):
        files.read_tensors(path, "test")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[" * 100_000 + "]" * 100_000, "JSON"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": -Infinity}', "-Infinity is no JSON"),
    ],
)
def test_what_is_no_json_is_named(tmp_path, text, named):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=named) as caught:
        files.read_json(path, "test")
    assert "config.json" in str(caught.value)


def test_json_comes_back(tmp_path):
    path = tmp_path / "config.json"
    value = {"ü": [1, 2.5, None, True], "deep": {"er": "x"}}
    path.write_text(json.dumps(value), encoding="utf-8")
    assert files.read_json(path, "test") == value


def test_text_that_is_missing_linked_large_or_binary_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "text"
    with pytest.raises(ArtifactError, match="must be a file; got nothing"):
        files.read_text(path, "test")
    path.mkdir()
    with pytest.raises(ArtifactError, match="must be a file; got a folder"):
        files.read_text(path, "test")
    path.rmdir()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtifactError, match="UTF-8"):
        files.read_text(path, "test")
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(ArtifactError, match="symbolic link"):
        files.read_text(link, "test")
    monkeypatch.setattr(files, "JSON_LIMIT", 2)
    with pytest.raises(ArtifactError, match="at most 2 bytes; got 3 bytes"):
        files.read_text(path, "test")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"a": [1, math.nan, {"b": -math.inf}]}, '{"a": [1, null, {"b": null}]}'),
        (np.array([[1.5, np.inf], [np.nan, 2.0]]), "[[1.5, null], [null, 2.0]]"),
        (
            [np.float32(np.inf), np.float32(0.5), np.int64(3), np.bool_(True)],
            "[null, 0.5, 3, true]",
        ),
        (
            (np.array(["2020-01-01"], "datetime64[ns]"), 0.1),
            '[["2020-01-01T00:00:00.000000000"], 0.1]',
        ),
        ({"é": 1e-320, "x": complex(1, 2)}, '{"é": 1e-320, "x": "(1+2j)"}'),
    ],
)
def test_a_value_is_written_as_json_that_everybody_reads(value, wanted):
    assert files.json_text(value) == wanted
    json.loads(wanted, parse_constant=pytest.fail)
