"""What cannot be asked of which task is said alike wherever it is asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

from tidegate import tasks
from tidegate.errors import InputError
from tidegate.explain.doctor.case import NEEDS_DATA, NO_CLASSES, NO_WORDS
from tidegate.tasks.core.inspect import limits
from tidegate.tasks.registry import get

ROWS = ("text-classifier", "sequence-classifier", "sequence-regressor")


class Open(nn.Module):
    """What a network must have to be looked into, and nothing else."""

    recurrent = nn.Identity()

    def embed(self, batch): ...

    def decide(self, vectors, batch): ...

    def direct(self, batch): ...


def task(answers: str, network: object = None) -> SimpleNamespace:
    return SimpleNamespace(
        answers=answers, network_=network or Open(), task_name=lambda: "language-model"
    )


@pytest.mark.parametrize("name", tasks.names())
def test_the_doctor_reads_rows_of_tasks_that_answer_rows(name):
    assert limits.examines_rows(get(name)) == (name in ROWS)


def test_a_task_is_called_by_its_name_in_words():
    assert limits.title(task("row")) == "language model"


@pytest.mark.parametrize("question", ["attribute", "explain", "what_if"])
@pytest.mark.parametrize("answers", ["step", "series"])
def test_explanations_are_of_one_answer(answers, question):
    rule = f"{question}: `model` must be of a task with one answer for each input; got a language"
    with pytest.raises(InputError, match=rule):
        limits.inspectable(task(answers), question)
    row = task("row")
    assert limits.inspectable(row, question) is row.network_


def test_a_network_that_shows_nothing_is_refused():
    with pytest.raises(InputError, match="of a task whose network can be looked into"):
        limits.network_of(task("step", nn.Linear(1, 1)), "trace")


def test_data_for_a_doctor_who_reads_none_is_refused_and_the_reasons_are_told():
    limits.check_examined(task("row"), [1])
    assert limits.doctors_reasons(task("row")) == {}
    with pytest.raises(InputError, match="doctor: `DATA` must be left out for a language model"):
        limits.check_examined(task("series"), "a.csv", "DATA")
    told = limits.doctors_reasons(task("step"))
    assert told.keys() == {usual.reason for usual in (NEEDS_DATA, NO_CLASSES, NO_WORDS)}
    assert told[NEEDS_DATA.reason] == "the doctor reads no data of a language model"
