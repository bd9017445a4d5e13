"""Models that an earlier state of the package saved still load, and answer as they did.

`tests/saved` holds a tiny model of each task (two units, an epoch), saved before the package was
divided into rooms, and in `answers.json` what each answered to a few inputs.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tidegate
from tidegate.data.tags.notation import Notation
from tidegate.data.text.files import upgraded

FOLDER = Path(__file__).parent / "saved"
TOLD: dict[str, Any] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))


# Options of encoders that did not exist, and what they are for models of older versions.
NEW = {"unspaced": False, **asdict(Notation())}


def plain(found: Any) -> Any:
    """Answers as JSON has them: lists of numbers and texts."""
    return json.loads(json.dumps(found, default=lambda value: value.tolist()))


def close(found: Any, told: Any) -> None:
    """Texts and counts are equal; numbers are, but for the rounding of another processor."""
    if isinstance(told, float):
        np.testing.assert_allclose(found, told, rtol=1e-5, atol=1e-5)
    elif isinstance(told, dict):
        assert set(found) == set(told)
        for name, value in told.items():
            close(found[name], value)
    elif isinstance(told, list):
        assert len(found) == len(told)
        for one, other in zip(found, told, strict=True):
            close(one, other)
    else:
        assert found == told


@pytest.mark.parametrize("name", sorted(TOLD))
def test_it_loads_and_answers_as_it_did(name):
    model = tidegate.load(FOLDER / name)
    assert model.task_name() == name
    X = TOLD[name]["X"]
    if name.startswith("sequence"):
        X = [np.array(row) for row in X]
    if name in ("forecaster", "anomaly-detector"):
        X = np.array(X)
    close(plain(model.answer(X)), TOLD[name]["answer"])


@pytest.mark.parametrize("name", sorted(TOLD))
def test_it_is_saved_again_as_it_was(name, tmp_path):
    model = tidegate.load(FOLDER / name)
    model.save(tmp_path / name)
    for file in (FOLDER / name).glob("*.json"):
        again = json.loads((tmp_path / name / file.name).read_text(encoding="utf-8"))
        told = json.loads(file.read_text(encoding="utf-8"))
        if file.name == "config.json":  # a setting that did not exist is left as it is by default
            new = set(again["settings"]) - set(told["settings"])
            default = plain(type(model.settings_)().to_json())
            told["settings"] |= {setting: default[setting] for setting in new}
        if file.name == "encoder.json":
            told = {**upgraded({file.name: told})[file.name]}
            told |= {name: value for name, value in NEW.items() if name in again}
        close(again, told)
