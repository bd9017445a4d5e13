"""The benchmark of language models: its plain PyTorch is the same model, and its table is true."""

from __future__ import annotations

import argparse
import gzip
import json

import pytest
import torch

from benchmarks import language
from benchmarks.peers import UnableError
from benchmarks.suite.language_steps import make_network, make_step, seconds_in_turn
from tidegate.errors import InputError
from tidegate.kernels import aten

SMALL = {
    "level": "space", "num_layers": 3, "hidden_size": 6, "embedding_size": 4, "batch_size": 2,
    "bptt": 7, "dropout": 0.0, "layer_options": {"weight_dropout": 0.5},
}  # fmt: skip


def test_the_plain_network_computes_the_same():
    ours, plain = make_network(SMALL, 20, "tidegate"), make_network(SMALL, 20, "torch")
    ids = torch.randint(0, 20, (2, 9))
    for network in (ours, plain):
        network.eval()
    features, state = ours.read(ids)
    others, after = plain.read(ids)
    torch.testing.assert_close(others, features)
    again = [network.read(ids, before)[0] for network, before in ((ours, state), (plain, after))]
    torch.testing.assert_close(again[1], again[0])


def test_the_plain_network_drops_weights_in_training():
    plain = make_network(SMALL, 20, "torch")
    ids = torch.randint(0, 20, (2, 9))
    assert not torch.equal(plain.read(ids)[0], plain.read(ids)[0])


@pytest.mark.parametrize("peer", ["tidegate", "torch", "torch-bfloat16"])
def test_steps_learn_and_are_timed(peer):
    if peer == "torch-bfloat16" and not aten.has_mixed_lstm(torch.float32, torch.bfloat16, True):
        with pytest.raises(UnableError, match="on this processor"):
            make_network(SMALL, 20, peer)
        return
    step = make_step(make_network(SMALL, 20, peer), SMALL | {"learning_rate": 0.03}, 20)
    first = step()
    for _ in range(20):
        last = step()
    assert last < first
    assert seconds_in_turn({"a": step}, 2)["a"] > 0


def test_a_peer_that_cannot_run_says_so(monkeypatch, capsys):
    monkeypatch.setattr(aten, "has_mixed_lstm", lambda dtype, low, train: False)
    words = ["hidden_size=6", "embedding_size=4", "num_layers=2", "bptt=3", "batch_size=2"]
    (result,) = language.speed(argparse.Namespace(settings=words, rounds=1))
    assert list(result["tokens_per_second"]) == ["tidegate", "tidegate-bfloat16", "torch"]
    assert (
        "torch-bfloat16     not measured: torch cannot train an LSTM under bfloat16 autocast "
        "on this processor\n"
    ) in capsys.readouterr().out


def test_settings_are_read_as_on_the_command_line():
    found = language.read_settings(["epochs=3", "patience=none", "dropout=0.25"])
    assert found == {"epochs": 3, "patience": None, "dropout": 0.25}
    with pytest.raises(InputError, match="Did you mean 'epochs'"):
        language.read_settings(["epoch=3"])


def test_shakespeare_is_split_and_measured_as_published(tmp_path, capsys):
    text = "to be, or not to be, that is the question. " * 20
    with gzip.open(tmp_path / "tinyshakespeare.txt.gz", "wt") as handle:
        handle.write(text)
    words = ["shakespeare", "--data", str(tmp_path), "--out", str(tmp_path), "--dynamic"]
    words += ["--save", str(tmp_path / "model"), "epochs=2", "hidden_size=8", "num_layers=1"]
    language.main([*words, "batch_size=4", "bptt=20"])
    result = json.loads((tmp_path / "language_shakespeare.json").read_text())
    printed = capsys.readouterr().out
    assert f"validation: loss {result['scores']['validation']['loss']:.4f}" in printed
    assert [row["epoch"] for row in result["history"]] == [1, 2]
    assert set(result["dynamic"]) == {"validation"}
    import tidegate

    model = tidegate.load(tmp_path / "model")
    held = text[int(len(text) * 0.9) :]
    assert model.evaluate(held)["loss"] == pytest.approx(result["scores"]["validation"]["loss"])


def test_penn_treebank_has_three_files(tmp_path, capsys):
    for part in ("train", "valid", "test"):
        with gzip.open(tmp_path / f"ptb.{part}.txt.gz", "wt") as handle:
            handle.write(" no it was n't black monday \n" * 30)
    words = ["ptb", "--data", str(tmp_path), "--out", str(tmp_path), "hidden_size=6", "epochs=1"]
    language.main(words)
    result = json.loads((tmp_path / "language_ptb.json").read_text())
    assert set(result["scores"]) == {"validation", "test"}
    assert "test: loss" in capsys.readouterr().out


def test_torch_s_own_layers_learn_alike(tmp_path):
    for part in ("train", "valid", "test"):
        with gzip.open(tmp_path / f"ptb.{part}.txt.gz", "wt") as handle:
            handle.write(" no it was n't black monday \n" * 60)
    words = ["ptb", "--awd", "--data", str(tmp_path), "--out", str(tmp_path), "epochs=2"]
    words += ["hidden_size=12", "embedding_size=6", "bptt=5", "learning_rate=3", "batch_size=4"]
    language.main(words)
    language.main([*words, "--plain"])
    ours, theirs = (
        json.loads((tmp_path / f"language_ptb_{name}.json").read_text())["history"][-1]
        for name in ("awd", "awd_plain")
    )
    assert ours["train_loss"] != theirs["train_loss"]  # weights are dropped at other places
    assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=0.1)


def test_the_recipe_of_awd_lstm_is_the_authors_command():
    """Its number of weights is that of the paper's model: 24 million."""
    network = make_network(language.RECIPE, 10_000, "tidegate")
    assert 24.1e6 < sum(p.numel() for p in network.parameters()) < 24.3e6
    assert [stack.hidden_size for stack in network.layers] == [1150, 400]
