"""Loading: what a machine or a version may change, and what it may not."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import ArtifactError, InputError

X, Y = texts(40)


@pytest.fixture
def path(tmp_path):
    small(epochs=1).fit(X, Y, validation=None).save(tmp_path / "model")
    return tmp_path / "model"


def test_a_device_can_be_chosen_when_loading(path):
    found = tidegate.load(path, device="cpu")
    assert found.settings_.device == "cpu"
    assert next(found.network_.parameters()).device.type == "cpu"
    with pytest.raises(InputError, match=r"device of this machine; got 'cuda:99'"):
        tidegate.load(str(path), device="cuda:99")


def test_a_model_of_a_task_that_is_not_installed_says_which(path):
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"task": "mind-reader"}))
    with pytest.raises(ArtifactError, match=r"must be of the task .*text-classifier.*mind-reader"):
        tidegate.load(path)


def test_a_setting_of_another_version_is_named(path):
    config = json.loads((path / "config.json").read_text())
    config["settings"]["hidden_sizes"] = 3
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArtifactError, match="hidden_sizes"):
        tidegate.load(path)


def test_a_model_without_validation_loads(path):
    found = tidegate.load(path)
    assert set(found.metrics_) == {"train"}
    assert np.isfinite(found.predict_proba(X)).all()


def test_a_model_moves_with_its_folder(path, tmp_path):
    first = tidegate.load(path).predict_proba(X)
    path.rename(tmp_path / "elsewhere")
    assert np.array_equal(tidegate.load(tmp_path / "elsewhere").predict_proba(X), first)
