"""Every task obeys its contract, and so does one written by CONTRIBUTING.md alone."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
import pytest

from tests.plugins.adder import Adder
from tests.task_contracts import check_task
from tests.tasks.sentences import tagged
from tests.tasks.sequences import walks
from tests.tasks.series import wave
from tests.tasks.texts import texts
from tidegate import tasks
from tidegate.errors import InputError


def sums(count: int, longest: int = 9, seed: int = 0) -> tuple[list[str], list[float]]:
    rng = np.random.default_rng(seed)
    rows, totals = [], []
    for _ in range(count):
        numbers = rng.random(rng.integers(2, longest)).round(3)
        marks = rng.permutation(len(numbers)) < 2
        steps = zip(numbers, marks, strict=True)
        rows.append(" ".join(f"{x}{'*' if mark else ''}" for x, mark in steps))
        totals.append(float(numbers[marks].sum()))
    return rows, totals


# A few rows for each task: what it is about decides what they are.
DATA: dict[str, Any] = {"text-classifier": texts(48), "adder": sums(48)}
WALKS, WAYS, ENDS = walks(48)
# Whole periods, held out or not: alone, without a name, a series is measured by all of its steps.
WAVES = [np.sin(np.arange(156) * np.pi / 6 + phase).cumsum() for phase in range(24)]
DATA["forecaster"] = (WAVES, None)
DATA["tagger"] = tagged(48)
DATA |= {"anomaly-detector": (wave(130).tolist(), [0, 1] * 65)}
DATA |= {"language-model": (texts(48)[0], None)}
DATA |= {"sequence-classifier": (WALKS, WAYS), "sequence-regressor": (WALKS, ENDS)}


@pytest.fixture
def plugin(monkeypatch):
    """Announce the plug-in as an installed package would."""
    point = importlib.metadata.EntryPoint("adder", "tests.plugins.adder:Adder", "tidegate.tasks")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])


@pytest.mark.parametrize("name", tasks.names())
def test_tasks_of_the_package(name, tmp_path):
    check_task(tasks.get(name), *DATA[name], tmp_path)


def test_a_task_written_by_the_steps_of_contributing(plugin, tmp_path):
    assert "adder" in tasks.names()
    check_task(tasks.get("adder"), *DATA["adder"], tmp_path)


def test_the_plugin_learns_to_add(plugin):
    model = Adder(epochs=30, learning_rate=0.02, patience=None, verbose=False)
    model.fit(*sums(300))
    rows, totals = sums(50, seed=1)
    assert model.score(rows, totals) > -0.02
    guess = -np.var(totals)
    assert guess < -0.1
    np.testing.assert_allclose(-np.mean((model.predict(rows) - totals) ** 2),
                               model.score(rows, totals), rtol=1e-4)  # fmt: skip


def test_the_plugins_own_errors_and_settings_work(plugin):
    with pytest.raises(InputError, match="Did you mean 'scale'"):
        Adder(scales=False)
    with pytest.raises(InputError, match=r"Adder: `X` must be numbers .* got '1 x' in row 1"):
        Adder(verbose=False).fit(["1 2", "1 x"], [3, 1])
    assert Adder(scale=False, epochs=1, verbose=False).fit(*sums(40)).mean_ == 0.0
