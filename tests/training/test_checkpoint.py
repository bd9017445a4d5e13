"""Checkpoints: one file, whole or absent."""

from __future__ import annotations

import pytest
import torch

from tidegate.errors import ArtifactError, InputError
from tidegate.training import checkpoint

STATE = {"epoch": 3, "history": [{"loss": 0.1 + 0.2}], "identity": {"task": "ü"}}


def test_tensors_and_state_come_back_to_the_bit(tmp_path):
    tensors = {"network/a": torch.randn(3, 5), "random/cpu": torch.get_rng_state()}
    checkpoint.save(tmp_path / "new" / "folder", tensors, STATE)
    found, state = checkpoint.load(tmp_path / "new" / "folder")
    assert state == STATE
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_a_crash_while_saving_leaves_the_old_one(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, {"a": torch.zeros(2)}, STATE)

    def crash(path, tensors, text):
        path.write_bytes(b"half a")
        raise MemoryError

    monkeypatch.setattr(checkpoint, "write_tensors", crash)
    with pytest.raises(MemoryError):
        checkpoint.save(tmp_path, {"a": torch.ones(2)}, STATE)
    assert checkpoint.load(tmp_path)[0]["a"].tolist() == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file.* must be a folder that can be written to"):
        checkpoint.save(tmp_path / "file", {"a": torch.zeros(2)}, STATE)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_missing_or_damaged_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match="must be a folder with a checkpoint; got none"):
        checkpoint.load(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"\x05")
    with pytest.raises(ArtifactError, match=r"checkpoint\.safetensors"):
        checkpoint.load(tmp_path)


def test_remove_deletes_the_checkpoint_and_nothing_else(tmp_path):
    folder = tmp_path / "kept"
    checkpoint.remove(folder)
    checkpoint.save(folder, {"a": torch.zeros(2)}, STATE)
    (folder / "notes.txt").write_text("mine")
    (folder / ".checkpoint.safetensors.0f").write_bytes(b"what a killed run had written")
    checkpoint.remove(folder)
    assert [entry.name for entry in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    checkpoint.remove(folder)
    assert not folder.exists()
