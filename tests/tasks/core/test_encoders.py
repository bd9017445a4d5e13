"""Several encoders in one saved model: each comes back from its own files."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tidegate.data import TextEncoder
from tidegate.errors import ArtifactError
from tidegate.tasks.core import encoders

BOTH = {"encoder_": TextEncoder, "target_encoder_": TextEncoder}


@pytest.fixture
def task():
    return SimpleNamespace(
        encoder_=TextEncoder().fit(["low tide", "high tide"]),
        target_encoder_=TextEncoder().fit(["ebbe", "flut"]),
    )


def test_files_of_the_only_encoder_keep_their_names(task):
    one = {"encoder_": TextEncoder}
    assert set(encoders.to_files(task, one)) <= set(TextEncoder.files)
    assert encoders.file_names(one) == TextEncoder.files


def test_several_are_told_apart_by_a_prefix_and_come_back(task):
    files = encoders.to_files(task, BOTH)
    assert set(files) <= set(encoders.file_names(BOTH))
    assert files["vocabulary.json"] != files["target_vocabulary.json"]
    found = SimpleNamespace()
    encoders.restore(found, BOTH, files)
    assert found.encoder_.vocabulary == task.encoder_.vocabulary
    assert found.target_encoder_.vocabulary == task.target_encoder_.vocabulary


def test_a_file_of_one_is_no_file_of_the_other(task):
    files = encoders.to_files(task, BOTH)
    del files["target_vocabulary.json"]
    with pytest.raises((ArtifactError, KeyError)):
        encoders.restore(SimpleNamespace(), BOTH, files)
