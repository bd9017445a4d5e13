"""What looking inside needs of a task: every task has it, and rows that are asked for exist."""

from __future__ import annotations

import inspect

import pytest

from tests.tasks.texts import small
from tidegate import tasks
from tidegate.errors import InputError
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.registry import get

METHODS = [name for name, value in vars(Inspected).items() if inspect.isfunction(value)
           and not name.startswith("__")]  # fmt: skip


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_takes_what_it_is_asked(name):
    for method in METHODS:
        asked, taken = (
            list(inspect.signature(getattr(owner, method)).parameters.values())[1:]
            for owner in (Inspected, get(name))
        )
        in_place = [p.name for p in asked if p.kind is not p.KEYWORD_ONLY]
        assert in_place == [p.name for p in taken][: len(in_place)], method
        assert {p.name for p in asked} <= {p.name for p in taken}, method


def test_rows_are_checked_and_there_must_be_one():
    examples = some(small(), ["a tide"], ["calm"])
    assert len(examples) == 1
    with pytest.raises(InputError, match="TextClassifier: `X` must be at least one row; got none"):
        some(small(), [])
    with pytest.raises(InputError, match="`X` must be made of texts"):
        some(small(), [3])
