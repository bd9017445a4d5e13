"""What a task says of itself when it says nothing, and what every task of the package says."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tidegate import tasks
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.tasks.core.hooks import Hooks
from tidegate.tasks.registry import get


class Shouts(Hooks):
    """Answers in capital letters; it says nothing else of itself."""

    roles = {"text": "The text.", "label": "What to shout."}  # noqa: RUF012
    input_role, target_role = "text", "label"

    def __init__(self) -> None: ...

    def predict(self, X):
        return [text.upper() for text in X]


TASK = Shouts()
TABLE = pd.DataFrame({"body": ["a", " ", "c"], "label": ["x", "y", "z"]})


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_says_what_it_reads(name):
    cls = get(name)
    assert cls.input_role in cls.roles
    assert set(cls.optional_roles) <= cls.roles.keys()
    assert all(text.endswith(".") for text in (*cls.roles.values(), cls.data_help))
    assert all(suffix.startswith(".") for suffix in cls.suffixes)
    assert cls.data_example.partition(".")[2]
    assert cls.answers in ("row", "step", "series")
    cls.use.format(model="m/", data="d.csv")
    assert cls.encoders


@pytest.mark.parametrize("name", tasks.names())
def test_hooks_are_overridden_with_the_same_arguments(name):
    cls = get(name)
    for hook, own in inspect.getmembers(Hooks, inspect.isfunction):
        if not hook.startswith("__") and hook in vars(Hooks):
            asked = list(inspect.signature(own).parameters)
            taken = list(inspect.signature(getattr(cls, hook)).parameters)
            assert taken[: len(asked)] == asked, hook


def test_an_answer_is_what_is_predicted():
    assert TASK.answer(["a", "b"]) == {"prediction": ["A", "B"]}
    assert TASK.unseen(["x"], ["y"]) == []


def test_tables_are_read_by_their_roles_and_empty_rows_told():
    columns = {"text": "body", "label": "label"}
    assert TASK.read_file("a.csv", columns) is None
    assert TASK.read_columns(columns) == (["body", "label"], ["body"])
    with pytest.raises(InputError, match=r"a.csv: .*1 empty texts \(row 2\)"):
        TASK.check_table(TABLE, columns, drop_missing=False, source="a.csv")
    kept, dropped = TASK.check_table(TABLE, columns, drop_missing=True, source="a.csv")
    assert dropped == 1
    assert TASK.inputs(kept, columns) == (["a", "c"], ["x", "z"])
    assert TASK.inputs(kept, {"text": "body"}) == (["a", "c"], None)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_is_held_out_by_the_seed(share):
    rows = range(40)
    held = TASK._hold_out(rows, share, 3)
    assert held.sum() == share * 40
    np.testing.assert_array_equal(held, TASK._hold_out(rows, share, 3))
    assert not np.array_equal(held, TASK._hold_out(rows, share, 4))


def test_epochs_are_ranked_by_their_loss():
    assert TASK._rank({"loss": 0.1}) > TASK._rank({"loss": 0.2})


def test_a_step_cannot_be_changed_unless_a_task_says_how():
    with pytest.raises(InputError, match="this task cannot put single values into a row"):
        TASK._changed(SimpleNamespace(spec=Batch), None, {1: "b"})


def test_what_was_learned_goes_to_files_and_comes_back():
    task, twin = Shouts(), Shouts()
    task.best_epoch_, task.columns_ = 3, {"text": "body"}
    twin._restore(task._state(), task._files())
    assert (twin.best_epoch_, twin.columns_) == (3, {"text": "body"})
    with pytest.raises(InputError, match="load: `columns` must be texts by role"):
        twin._restore({"best_epoch": 3, "columns": {"text": 7}}, {})
