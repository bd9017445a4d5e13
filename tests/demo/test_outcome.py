"""What a demo hands back, and the folder it writes to."""

from __future__ import annotations

import pytest

from tidegate.demo.outcome import Outcome, check_folder
from tidegate.errors import InputError


def test_what_a_demo_has_not_is_empty():
    outcome = Outcome("done")
    assert not any((outcome.report, outcome.figures, outcome.verdict, outcome.commands))
    assert outcome.answers is None


def test_a_folder_is_made_with_those_above_it_and_left_as_it_is(tmp_path):
    folder = tmp_path / "one" / "two"
    check_folder(folder)
    (folder / "mine").write_text("kept")
    check_folder(folder)
    assert (folder / "mine").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"^demo: .*must be a folder.*Choose another one with"):
        check_folder(tmp_path / "file" / "below")
