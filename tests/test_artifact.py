"""The artifact: what is written comes back, and a save never costs what was there."""

from __future__ import annotations

import json
import re

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from tidegate import artifact
from tidegate.artifact import Artifact, check_replaceable, is_model, save_artifact
from tidegate.errors import ArtifactError, InputError


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def save(path, network=None, **changes):
    parts = {
        "task": "toy",
        "settings": {"hidden_size": 4, "words": ["ü", "b"]},
        "state": {"classes": [False, True]},
        "tensors": (network or net()).state_dict(),
        "documents": {"encoder.json": {"vocabulary": ["<pad>"]}},
        "others": {"README.md": b"# Toy\n"},
    }
    save_artifact(path, **(parts | changes))


def everything(path):
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_a_model_comes_back(tmp_path):
    network, other = net(), net(seed=1)
    save(tmp_path / "deep" / "model", network)
    found = Artifact.open(tmp_path / "deep" / "model")
    assert found.task == "toy"
    assert found.settings == {"hidden_size": 4, "words": ["ü", "b"]}
    assert found.state == {"classes": [False, True]}
    assert found.document("encoder.json") == {"vocabulary": ["<pad>"]}
    assert found.documents(("encoder.json", "missing.json")) == {
        "encoder.json": {"vocabulary": ["<pad>"]}
    }
    found.load_into(other)
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name
        assert other.state_dict()[name].dtype == tensor.dtype


def test_the_folder_is_safetensors_json_and_what_was_handed_in(tmp_path):
    save(tmp_path / "model")
    names = {"model.safetensors", "config.json", "encoder.json", "README.md"}
    assert set(everything(tmp_path / "model")) == names
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert config["format"] == 1
    assert config["tidegate"] == artifact.version()
    assert set(config["files"]) == names


def test_shapes_are_checked_on_a_network_without_memory(tmp_path):
    save(tmp_path / "model")
    with torch.device("meta"):
        network = net()
    Artifact.open(tmp_path / "model").check_tensors(network)


def test_a_model_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    save(tmp_path / "model")
    save(tmp_path / "model", task="other", documents={})
    assert Artifact.open(tmp_path / "model").task == "other"
    assert "encoder.json" not in everything(tmp_path / "model")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "model").mkdir()
    save(tmp_path / "model")
    assert is_model(tmp_path / "model")


@pytest.mark.parametrize("crash", ["rename", "write"])
def test_a_crash_while_saving_leaves_the_old_model_whole(tmp_path, monkeypatch, crash):
    save(tmp_path / "model")
    before = everything(tmp_path / "model")
    if crash == "write":
        monkeypatch.setattr(artifact, "write_tensors", lambda *_: 1 / 0)
    else:
        rename = artifact.Path.rename

        def fail(self, target):
            if ".old" not in str(target) and ".old" not in str(self):
                raise KeyboardInterrupt
            return rename(self, target)

        monkeypatch.setattr(artifact.Path, "rename", fail)
    with pytest.raises((ZeroDivisionError, KeyboardInterrupt)):
        save(tmp_path / "model", net(seed=1))
    monkeypatch.undo()
    assert everything(tmp_path / "model") == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("suffix", [".new", ".old"])
def test_a_model_that_a_killed_save_left_beside_is_back_at_the_next_load(tmp_path, suffix):
    save(tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / f".model.0123abcd{suffix}")
    (tmp_path / ".model.89abcdef").mkdir()
    with pytest.warns(UserWarning, match="model: a save was cut short; the folder is back"):
        assert Artifact.open(tmp_path / "model").task == "toy"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_save_left_is_tidied_by_the_next(tmp_path):
    save(tmp_path / "model")
    save(tmp_path / ".model.0123abcd.new")
    (tmp_path / ".model.89abcdef").mkdir()
    (tmp_path / ".model.89abcdef" / "config.json").write_text('{"format"')
    with pytest.warns(UserWarning, match="left beside is removed"):
        save(tmp_path / "model")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_a_full_disk_is_the_users_and_nothing_is_left(tmp_path, monkeypatch):
    def full(*_, **__):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("tidegate.files.save_file", full)
    with pytest.raises(InputError, match=r"No space left on device .os error 28.. Choose another"):
        save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_working_folder_that_is_gone_is_named(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match="save: `model` must be in a folder that is there"):
        save("model")


def someone_elses(path):
    """Make the folders and files of somebody else that a save must not touch."""
    (path / "folder").mkdir(parents=True)
    (path / "folder" / "thesis.tex").write_text("years of work")
    (path / "file").write_text("a file")
    (path / "link").symlink_to(path / "folder")
    save(path / "model_and_notes")
    (path / "model_and_notes" / "notes.txt").write_text("mine")
    save(path / "model_and_folder")
    (path / "model_and_folder" / "runs").mkdir()
    return ["folder", "file", "link", "model_and_notes", "model_and_folder"]


def test_what_is_no_tidegate_model_is_never_replaced(tmp_path):
    for name in someone_elses(tmp_path):
        path = tmp_path / name
        before = everything(path) if path.is_dir() and name != "model_and_folder" else None
        with pytest.raises(InputError, match=f"save: `{re.escape(str(path))}` must be a"):
            save(path)
        with pytest.raises(InputError):
            check_replaceable(path)
        assert before is None or everything(path) == before
    assert (tmp_path / "file").read_text() == "a file"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "model_and_folder" / "runs").is_dir()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="must be a place that can be written to"):
        save(tmp_path / "file" / "model")


def test_what_is_no_json_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path / "model", state={"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_model_says_so(tmp_path):
    with pytest.raises(ArtifactError, match="must be a model's folder; got nothing"):
        Artifact.open(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="must be a model's folder; got a file"):
        Artifact.open(tmp_path / "file")
    with pytest.raises(ArtifactError, match="a model's folder; got a folder of other things"):
        Artifact.open(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ArtifactError, match=r"folder; got a config\.json of something else"):
        Artifact.open(tmp_path)
