"""The demos: found by name, each with a file of its own."""

from __future__ import annotations

import pytest

from tidegate import demo
from tidegate.errors import InputError


def test_demos_are_found_by_name():
    assert {"spam", "memory"} <= set(demo.names())
    for name in demo.names():
        found = demo.get(name)
        assert found.name == name
        assert found.run.__module__ == f"tidegate.demo.{name}"
    with pytest.raises(InputError, match=r"must be a demo; got .spma.* Did you mean .spam."):
        demo.get("spma")


@pytest.mark.parametrize("name", demo.names())
def test_a_place_that_cannot_be_used_is_refused_before_training(name, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file.* must be a folder that can be written to"):
        demo.get(name).run(tmp_path / "file", False)
    assert (tmp_path / "file").read_text() == "mine"
