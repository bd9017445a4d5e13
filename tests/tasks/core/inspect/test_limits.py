"""What cannot be asked of which task is said alike wherever it is asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

from tidegate.errors import InputError
from tidegate.tasks.core.inspect import limits


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
