"""CONTRIBUTING.md is proved: a sequence-to-sequence task written by its steps alone is a task.

It has two encoders and two recurrent stacks, and is no part of the package.
"""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tidegate
from tests.plugins.reverser import Reverser
from tests.task_contracts import check_task
from tidegate import tasks
from tidegate.errors import InputError
from tidegate.tasks.core.hooks import Hooks
from tidegate.tasks.core.task import Task

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "tests" / "plugins" / "reverser.py"
WORDS = "ebb flood gate lock moon sand tide wave".split()
QUICK = {"hidden_size": 32, "epochs": 40, "learning_rate": 0.02, "verbose": False}


def sentences(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Sentences of two to five words, and the same backwards, in capitals."""
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(WORDS, rng.integers(2, 6)).tolist() for _ in range(count)]
    return [" ".join(row) for row in chosen], [" ".join(row[::-1]).upper() for row in chosen]


@pytest.fixture
def plugin(monkeypatch):
    point = importlib.metadata.EntryPoint(
        "reverser", "tests.plugins.reverser:Reverser", "tidegate.tasks"
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])


@pytest.fixture(scope="module")
def model():
    return Reverser(**QUICK).fit(*sentences(1000, seed=0))


def test_it_passes_the_contract(plugin, tmp_path):
    check_task(Reverser, *sentences(48, seed=1), tmp_path)


def test_it_learns_to_say_sentences_backwards(model):
    X, y = sentences(200, seed=2)
    assert model.score(X, y) > 0.9
    told = zip(model.predict(X), y, strict=True)
    assert np.mean([said == truth.lower() for said, truth in told]) > 0.9


def test_both_encoders_are_saved_and_come_back(plugin, model, tmp_path):
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "source_vocabulary.json").is_file()
    assert (tmp_path / "model" / "target_vocabulary.json").is_file()
    X, _ = sentences(20, seed=3)
    assert tidegate.load(tmp_path / "model").predict(X) == model.predict(X)


def test_both_stacks_are_seen_by_their_names(model):
    X, _ = sentences(5, seed=4)
    encoder, decoder = (model.trace(X, stack=name) for name in ("encoder", "decoder"))
    assert encoder.lengths.tolist() == [len(text.split()) for text in X]
    said = [len(text.split()) for text in model.predict(X)]
    assert decoder.lengths.tolist() == [count + 1 for count in said]  # and the end
    assert encoder.labels == tuple(tuple(text.split()) for text in X)
    assert model.trace(X).hidden.equal(encoder.hidden)
    with pytest.raises(InputError, match="`stack` must be one of encoder, decoder; got 'decoded'"):
        model.trace(X, stack="decoded")
    assert {"dead units", "decoder: dead units"} <= set(model.doctor().passed)


def test_the_decoder_begins_where_the_encoder_ended(model):
    X, _ = sentences(1, seed=5)
    encoder, decoder = (model.trace(X, stack=name) for name in ("encoder", "decoder"))
    network = model.network_
    start = encoder.cell[:, :, -1], encoder.hidden[:, :, -1]
    first = network.target.weight[0].expand(1, 1, -1)
    output, _ = network.decoder(first, (start[1], start[0]))
    np.testing.assert_allclose(output[0, 0].detach(), decoder.hidden[-1, 0, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("question", ["explain", "attribute", "what_if"])
def test_what_cannot_be_asked_is_one_line(model, question):
    with pytest.raises(InputError, match="a task with one answer for each input; got a reverser"):
        getattr(model, question)("tide gate")


def test_an_installed_package_brings_it_to_the_command_line(tmp_path):
    """The only tie between the two packages is a line of metadata, as an installer writes it."""
    shutil.copy(PLUGIN, tmp_path / "backwards.py")
    info = tmp_path / "backwards-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: backwards\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tidegate.tasks]\nreverser = backwards:Reverser\n")
    data = tmp_path / "pairs.csv"
    with data.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["said", "back"])
        writer.writerows(zip(*sentences(60, seed=6), strict=True))
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    columns = ("--source", "said", "--target", "back")
    commands = (
        ("fit", "reverser", data, *columns, "--epochs", "2", "--quiet", "--out", tmp_path / "m"),
        ("evaluate", tmp_path / "m", data, "--json"),
        ("predict", tmp_path / "m", data, "--format", "jsonl"),
    )
    code = "import sys; from tidegate.cli import main\n" + "".join(
        f"sys.argv[1:] = {list(map(str, words))}\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        for words in commands
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert set(lines[0]) == {"loss", "accuracy", "exact"}
    assert len(lines) == 61
    assert set(lines[1]) == {"said", "back", "prediction"}


def test_the_guide_names_every_step_that_the_plug_in_took():
    """What the task says and overrides is what CONTRIBUTING tells to write."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Add a task")[1].split("\n## ")[0]
    hooks = {name for name in vars(Hooks) if not name.startswith(("__", "set_"))}
    for name in {*vars(Reverser)} & hooks:
        assert f"`{name}`" in section, name
    assert "check_task" in section


def test_the_plug_in_is_the_only_file_that_knows_it():
    assert "reverser" not in tasks.names()
    assert issubclass(Reverser, Task)
    known = [path for path in (ROOT / "src").rglob("*.py") if "everser" in path.read_text("utf-8")]
    assert known == []
