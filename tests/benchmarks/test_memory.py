"""The benchmark of memory: a ladder ends at its first failure, parts merge, pictures are drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.memory")

from benchmarks import memory
from tidegate.datasets import AddingProblem
from tidegate.demo.recall import LOOK, Recipe, Recollection, Variant

LSTM = Variant("LSTM", "lstm")


def test_a_variant_climbs_until_it_fails(monkeypatch):
    tried = []

    def learned(problem, variant, recipe, *, until, callbacks):
        tried.append((problem.steps, variant.name, until))
        losses = [0.2, 0.01] if problem.steps < 30 else [0.2, 0.2]
        return Recollection(losses, losses[-1], None, 1.0)

    monkeypatch.setattr(memory, "learn", learned)
    part = memory.Part([AddingProblem(lag) for lag in (10, 20, 30, 40)], Recipe(updates=9), [LSTM])
    rows = list(memory.climb(part, LSTM))
    assert tried == [(lag, "LSTM", 1 / 60) for lag in (10, 20, 30)]
    assert [row["updates_to_solve"] for row in rows] == [2 * LOOK, 2 * LOOK, None]
    assert memory.reach({"adding": {"rows": rows}}) == {"LSTM": {"adding": 20}}
    assert memory.reach({"adding": {"rows": rows[2:]}}) == {"LSTM": {"adding": 0}}
    (row,) = memory.climb(replace(part, problems=part.problems[:1], until=0.001), LSTM)
    assert (row["enough"], row["updates_to_solve"]) == (0.001, None)


def test_parts_merge_and_are_drawn(tmp_path, capsys):
    for name in ("copy-500", "order", "adding-600"):
        memory.main(["--quick", "--problem", name, "--out", str(tmp_path)])
    kept = json.loads((tmp_path / "memory.json").read_text(encoding="utf-8"))
    assert list(kept["problems"]) == ["order", "adding-600", "copy-500"]
    for part in kept["problems"].values():
        assert part["machine"]["cores"] > 0
        assert part["recipe"]["updates"] == LOOK
    rows = kept["problems"]["order"]["rows"]
    assert [row["variant"] for row in rows] == [variant.name for variant in memory.VARIANTS]
    assert all(row["updates"] == LOOK and row["loss"] > 0 for row in rows)
    assert kept["reach"].keys() == {variant.name for variant in memory.VARIANTS}
    assert "lag 25" in capsys.readouterr().out
    words = ["--quick", "--problem", "order", "--variant", "GRU", "--out", str(tmp_path)]
    memory.main(words)
    again = json.loads((tmp_path / "memory.json").read_text(encoding="utf-8"))["problems"]["order"]
    assert [row["variant"] for row in again["rows"]] == [row["variant"] for row in rows]
    same = [{**row, "cpu_seconds": 0} for row in rows]
    assert [{**row, "cpu_seconds": 0} for row in again["rows"]] == same
    for picture in ("memory.png", "memory_long.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_every_part_names_its_problems_from_short_to_long():
    for part in memory.PARTS.values():
        lags = [problem.lag for problem in part.problems]
        assert lags == sorted(set(lags))
        assert part.recipe.updates % LOOK == 0
    assert memory.PARTS["adding-600"].problems == [AddingProblem(600)]
    assert memory.PARTS["adding-600"].recipe.updates == 7000
    assert memory.PARTS["copy-500"].problems[0].sample(1, np.random.default_rng(0))[0].shape == (
        1,
        520,
    )
    assert memory.PARTS["copy-500"].recipe.updates == 20_000
    assert {part.recipe.batch_size for part in memory.PARTS.values()} == {32}
