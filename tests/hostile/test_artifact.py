"""Attacks on a saved model: each must end in an ArtifactError that names the file."""

from __future__ import annotations

import json
import struct
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import tidegate
from tidegate import files
from tidegate.errors import ArtifactError, InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.text.classifier import TextClassifier

TEXTS = ["good tide", "bad gate", "good gate today", "bad tide"] * 3


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model"
    model = TextClassifier(
        epochs=1,
        hidden_size=3,
        embedding_size=4,
        ngrams=2,
        ngram_vectors=True,
        wide=1.0,
        verbose=False,
    )
    model.fit(TEXTS, [1, 0] * 6, validation=None).save(path)
    return path


@pytest.fixture
def model(saved, tmp_path) -> Path:
    """A copy of a good model, to be damaged."""
    path = tmp_path / "model"
    path.mkdir()
    for entry in saved.iterdir():
        (path / entry.name).write_bytes(entry.read_bytes())
    return path


def refused(model: Path, named: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArtifactError) as caught:
            tidegate.load(model)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, **values):
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | values), encoding="utf-8")


def change_settings(model: Path, **values):
    config = model / "config.json"
    change(config, settings=json.loads(config.read_text())["settings"] | values)


def change_state(model: Path, **values):
    config = model / "config.json"
    change(config, state=json.loads(config.read_text())["state"] | values)


def test_the_model_itself_loads(model):
    assert tidegate.load(model).predict(["good"]).shape == (1,)


NEEDED = [
    "config.json", "model.safetensors", "encoder.json", "vocabulary.json", "ngrams.json",
    "metrics.json", "history.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_file_is_named(model, name):
    (model / name).unlink()
    refused(model, name)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_file_cut_short_is_named(model, name, share):
    content = (model / name).read_bytes()
    # A cut anywhere in the last line of a table may leave a shorter number: cut into the name row.
    kept = content[: int(len(content) * share)] if name != "history.csv" else b"epoch,train\nx,"
    (model / name).write_bytes(kept)
    refused(model, name)


@pytest.mark.parametrize("name", NEEDED)
def test_a_link_out_of_the_folder_is_refused(model, name, tmp_path):
    secret = tmp_path / "secret"
    (model / name).rename(secret)
    (model / name).symlink_to(secret)
    assert "symbolic link" in refused(model, name)


@pytest.mark.parametrize("name", [n for n in NEEDED if n.endswith(".json")])
@pytest.mark.parametrize(
    "content",
    ["[" * 200_000, "[" * 5000 + "]" * 5000, '{"a": NaN}', "null", "[]", "7", '"x"', "\x00", "{}"],
    ids=["open", "deep", "nan", "null", "list", "number", "text", "zero byte", "object"],
)
def test_other_json_is_refused(model, name, content):
    (model / name).write_text(content)
    if name == "metrics.json" and content == "{}":
        assert tidegate.load(model).metrics_ == {}  # no scores are no lie
    else:
        refused(model, "config.json" if name == "config.json" else "")


def test_an_oversized_json_is_refused_unread(model):
    with (model / "vocabulary.json").open("wb") as handle:
        handle.truncate(files.JSON_LIMIT + 1)
    assert "bytes" in refused(model, "vocabulary.json")


@pytest.mark.parametrize("version", [0, 2, "1", None, True, [1]])
def test_another_format_is_refused(model, version):
    change(model / "config.json", format=version)
    refused(model, "config.json")


def test_extra_keys_are_refused(model):
    change(model / "config.json", code="import os")
    assert "code" in refused(model, "config.json")
    (model / "config.json").write_text("{}")
    refused(model, "config.json")


@pytest.mark.parametrize(
    "task",
    ["../evil", "base", "settings", "text_classifier", "os", "", "text-classifier\n", "saved"],
)
def test_only_known_tasks_are_loaded(model, task):
    change(model / "config.json", task=task)
    refused(model, "config.json")


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": "3"},
        {"hidden_size": -3},
        {"hidden_size": 10**12},
        {"num_layers": 10**6},
        {"cell": "../lstm"},
        {"exec": "rm"},
        {"layer_options": {"device": "cuda"}},
        {"layer_options": {"init": "evil"}},
        {"tokenizer": "os:system"},
        {"tokenizer": "builtins:eval"},
        {"tokenizer": "nowhere:at_all"},
        {"tokenizer": 5},
        {"pooling": None},
    ],
    ids=repr,
)
def test_forged_settings_are_refused(model, values):
    change_settings(model, **values)
    refused(model, "")


def test_a_device_that_is_not_here_is_the_users_to_change(model):
    change_settings(model, device="evil")
    with pytest.raises(InputError, match="device of this machine; got 'evil'"):
        tidegate.load(model)
    assert tidegate.load(model, device="cpu").settings_.device == "cpu"


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": 60_000, "num_layers": 60},
        {"embedding_size": 65536},
        {"bidirectional": False},
        {"cell": "gru"},
        {"pooling": "attention"},
        {"wide": 0.0},
        {"ngram_vectors": False},
    ],
    ids=repr,
)
def test_settings_that_do_not_fit_the_weights_are_refused_without_memory(model, values):
    change_settings(model, **values)
    if "embedding_size" in values:
        change_state(model, embedding_size=values["embedding_size"])
    refused(model, "model.safetensors")


@pytest.mark.parametrize(
    "values",
    [
        {"classes": []},
        {"classes": [0]},
        {"classes": [0, 1, 2]},
        {"classes": [0, 0.5]},
        {"classes": [[0], [1]]},
        {"classes": None},
        {"classes": [0, 0]},
        {"embedding_size": -4},
        {"embedding_size": "4"},
        {"embedding_size": 10**15},
        {"embedding_size": 4.5},
        {"best_epoch": 9},
        {"best_epoch": 0},
        {"best_epoch": "1"},
        {"columns": ["text"]},
        {"columns": {"text": {"a": 1}}},
    ],
    ids=repr,
)
def test_forged_state_is_refused(model, values):
    change_state(model, **values)
    refused(model, "")


def test_state_that_is_missing_is_refused(model):
    change(model / "config.json", state={})
    refused(model, "config.json")


@pytest.mark.parametrize(
    "metrics", [{"train": []}, {"train": {"loss": "low"}}, [], {"train": None}], ids=repr
)
def test_forged_metrics_are_refused(model, metrics):
    (model / "metrics.json").write_text(json.dumps(metrics))
    refused(model, "metrics.json")


# ------------------------------------------------------------------ weights


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def test_a_huge_header_is_refused(model):
    path = model / "model.safetensors"
    with path.open("wb") as handle:
        handle.write(struct.pack("<Q", files.HEADER_LIMIT + 1))
        handle.truncate(files.HEADER_LIMIT + 100)
    assert "header" in refused(model, "model.safetensors")


@pytest.mark.parametrize("length", [0, 2**31, 2**63 - 1, 2**64 - 1])
def test_a_forged_header_length_is_refused(model, length):
    path = model / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    refused(model, "model.safetensors")


@pytest.mark.parametrize("offsets", [[0, 10**9], [-8, 8], [8, 0], [0, 8.5], []], ids=str)
def test_forged_offsets_are_refused(model, offsets):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": offsets}
    header = json.dumps({"head.linear.bias": entry}).encode()
    path = model / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    refused(model, "model.safetensors")


@pytest.mark.parametrize("attack", ["swapped", "dtype", "missing", "extra", "renamed", "empty"])
def test_tensors_that_do_not_fit_are_named(model, attack):
    tensors = weights(model)
    name = "recurrent.weight_ih_l0"
    tensor = tensors.pop(name)
    if attack == "swapped":
        tensors[name] = tensor.T.contiguous()
    elif attack == "dtype":
        tensors[name] = tensor.to(torch.float16)
    elif attack == "empty":
        tensors[name] = torch.zeros(0)
    elif attack == "renamed":
        tensors["../../" + name] = tensor
    elif attack == "extra":
        tensors |= {name: tensor, "recurrent.evil": torch.zeros(1)}
        name = "recurrent.evil"
    save_file(tensors, model / "model.safetensors")
    refused(model, name)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(model, value):
    tensors = weights(model)
    tensors["head.linear.bias"][1] = value
    save_file(tensors, model / "model.safetensors")
    assert "head.linear.bias" in refused(model, "model.safetensors")


# ------------------------------------------------------------------ nothing outside is touched


def test_no_path_of_the_config_is_ever_opened(model, tmp_path, monkeypatch):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    change(model / "config.json", files=[str(secret), "../../etc/passwd"])
    change_settings(model, vectors=str(secret))
    opened: list[str] = []
    original = Path.open

    def watched(self, *args, **kwargs):
        opened.append(str(self))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", watched)
    tidegate.load(model)
    ours = {Path(path) for path in opened if path.startswith(str(tmp_path))}
    assert ours
    assert {path.parent for path in ours} == {model}


def test_a_model_is_loaded_without_pickle_or_code(model, monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("pickle was asked to load something")

    monkeypatch.setattr("pickle.load", forbidden)
    monkeypatch.setattr("pickle.loads", forbidden)
    monkeypatch.setattr("torch.load", forbidden)
    with pytest.warns(DataWarning):
        tidegate.load(model).predict(["", "good"])


# ------------------------------------------------------------------ files that only inform


@pytest.mark.parametrize(
    "table",
    ["epoch,train_loss\n1,0.5,7\n", "epoch,train_loss\n1\n", "epoch,train_loss\n1,1e999\n",
     "epoch,train_loss\n1,nan\n", "epoch,train_loss\n2,0.5\n", "train_loss\n0.5\n",
     "epoch,epoch\n1,1\n", "epoch,train_loss\n1," + "9" * 200_000 + "\n", "epoch,\n1,2\n",
     'epoch,train_loss\n1,"0.5\n', "epoch,train_loss\n1,²\n", "epoch\n", "\x00\n", ""],
    ids=range(14),
)  # fmt: skip
def test_another_history_is_refused(model, table):
    (model / "history.csv").write_text(table, encoding="utf-8")
    assert refused(model, "history.csv").startswith("load: ")


def test_a_number_beyond_all_numbers_is_refused_wherever_it_stands(model):
    for name in ("metrics.json", "config.json", "encoder.json"):
        whole = (model / name).read_text(encoding="utf-8")
        (model / name).write_text(whole.replace("1,", "1e999,", 1).replace("0.5", "1e999", 1))
        if (model / name).read_text(encoding="utf-8") != whole:
            assert "1e999" in refused(model, name)
        (model / name).write_text(whole, encoding="utf-8")


@pytest.mark.parametrize("name", NEEDED)
def test_bytes_that_are_no_text_are_refused(model, name):
    content = (model / name).read_bytes()
    (model / name).write_bytes(content[:9] + b"\xff\xfe" + content[9:])
    refused(model, name)


def test_weights_beyond_all_sense_are_refused(model):
    tensors = weights(model)
    tensors["head.linear.bias"][1] = 3e38
    save_file(tensors, model / "model.safetensors")
    assert "3e+38" in refused(model, "model.safetensors")


def test_of_several_encoders_the_damaged_one_is_named():
    from tidegate.data.text.encoder import TextEncoder
    from tidegate.tasks.core import encoders

    kinds = {"source_encoder_": TextEncoder, "target_encoder_": TextEncoder}
    task = type("Task", (), {})()
    for name in kinds:
        setattr(task, name, TextEncoder().fit(["to be"]))
    kept = encoders.to_files(task, kinds)
    kept["target_vocabulary.json"] = []
    with pytest.raises(ArtifactError, match=r"^target_vocabulary\.json: `tokens` must be"):
        encoders.restore(task, kinds, kept)
