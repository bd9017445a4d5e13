"""The benchmark of tagging: official splits, one line a seed, parts that merge."""

from __future__ import annotations

import json

import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.tagging")

from benchmarks import tagging
from tests.tasks.sentences import tagged
from tidegate.errors import InputError

TINY = ("epochs=4", "hidden_size=4", "embedding_size=4", "character_units=2", "batch_size=8",
        "learning_rate=0.05", "weight_averaging=0")  # fmt: skip


@pytest.fixture
def data(tmp_path):
    for seed, part in enumerate(("train", "testa", "testb")):
        lines = []
        for words, tags in zip(*tagged(40, seed), strict=True):
            lines += [*map(" ".join, zip(words, tags, strict=True)), ""]
        (tmp_path / f"{part}.txt").write_text("\n".join(lines))
    return tmp_path


def test_every_seed_is_told_with_its_scores(data, monkeypatch, capsys):
    files = ["train.txt", "testa.txt", "testb.txt"]
    monkeypatch.setitem(tagging.SETS["conll2003"], "files", files)
    words = ("--data", str(data), "--out", str(data), "--tasks", "conll2003", "--seeds", "3", "5")
    (data / "tagging.json").write_text(json.dumps({"ud-ewt": {"test": 95.0}}))
    tagging.main([*words, "--set", *TINY])
    told = json.loads((data / "tagging.json").read_text())
    assert told["ud-ewt"] == {"test": 95.0}
    found = told["conll2003"]
    assert [row["seed"] for row in found["seeds"]] == [3, 5]
    assert found["test"] == pytest.approx(sum(row["test"] for row in found["seeds"]) / 2)
    assert found["settings"]["hidden_size"] == 4
    assert found["settings"]["affixes"] is False
    assert set(found["seeds"][0]["report"]) == {"LOC", "PER"}
    assert found["target"] == 85.0
    assert f"test {found['test']:.2f} (target 85.0)" in capsys.readouterr().out


def test_settings_that_are_unknown_are_refused(data):
    with pytest.raises(InputError, match="`made_up` must be a setting of this task"):
        tagging.main(["--data", str(data), "--set", "made_up=1"])
