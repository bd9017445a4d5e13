"""Two thousand damaged models: each is refused in one line, or loads and answers finite numbers."""

from __future__ import annotations

import math
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tidegate
from tests.hostile.models import Ask, models
from tests.hostile.mutants import mutants
from tidegate.errors import InputError

COUNT = 240  # of each of the nine models
NAMES = (
    "words", "pieces", "tagger", "language", "forecaster", "logarithms", "detector", "classes",
    "values",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, tuple[Path, Ask]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they learn next to nothing from next to nothing
        return models(tmp_path_factory.mktemp("models"))


def finite(found: Any) -> bool:
    if isinstance(found, dict):
        return all(map(finite, found.values()))
    if isinstance(found, list | tuple):
        return all(map(finite, found))
    if isinstance(found, np.ndarray):
        return found.dtype.kind != "f" or bool(np.isfinite(found).all())
    return not isinstance(found, float) or math.isfinite(found)


def outcome(path: Path, ask: Ask) -> Any:
    """What a model answers, or how it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ask(tidegate.load(path))
    except InputError as error:
        return error


@pytest.mark.parametrize("name", NAMES)
def test_no_mutant_crashes_or_answers_nonsense(made, name):
    path, ask = made[name]
    whole = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    drawn = mutants(whole, random.Random(name))
    refused = 0
    for _ in range(COUNT):
        file, content, done = next(drawn)
        (path / file).write_bytes(content)
        try:
            found = outcome(path, ask)
        except Exception as error:
            raise AssertionError(f"{file}, {done}: {type(error).__name__} {error}") from error
        (path / file).write_bytes(whole[file])
        if isinstance(found, InputError):
            refused += 1
            assert "\n" not in str(found), (file, done)
            assert len(str(found)) < 700, (file, done)
        else:
            assert finite(found), (file, done)
    assert COUNT / 2 < refused < COUNT  # what is damaged is mostly found, and the rest is tried
    assert finite(ask(tidegate.load(path)))
