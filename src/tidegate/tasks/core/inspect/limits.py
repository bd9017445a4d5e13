"""Limits: what cannot be asked of which task, and why; nowhere else is it said."""

from __future__ import annotations

from tidegate.errors import InputError, a, message
from tidegate.explain.doctor.case import NEEDS_DATA, NO_CLASSES, NO_WORDS
from tidegate.explain.network import Inspectable
from tidegate.tasks.core.inspect.inspected import Inspected

# What explanations of one answer explain; other tasks have an answer at each step, or a series.
_ROW = "row"
_WORDS = "made only for texts with one answer each"


def title(task: Inspected) -> str:
    """Say what a task is, in words: "language model"."""
    return task.task_name().replace("-", " ")


def examines_rows(task: Inspected | type[Inspected]) -> bool:
    """Say whether the doctor reads rows of this task, or only what the model tells of itself."""
    return task.answers == _ROW


def inspectable(task: Inspected, question: str) -> Inspectable:
    """Take the network of a task that gives one answer to each input.

    Args:
        task: The fitted task.
        question: The method that was called: "attribute", "explain" or "what_if".

    Returns:
        The network.

    Raises:
        InputError: If the task answers otherwise, or its network cannot be looked into.
    """
    if not examines_rows(task):
        rule, got = "of a task with one answer for each input", a(title(task))
        remedy = "Look with model.trace, model.units and model.contexts in Python"
        raise InputError(message(question, "model", rule, got, remedy))
    return network_of(task, question)


def network_of(task: Inspected, question: str) -> Inspectable:
    """Take the network of a task, if it can be looked into.

    Raises:
        InputError: If it cannot.
    """
    if not isinstance(task.network_, Inspectable):
        rule = "of a task whose network can be looked into, see tidegate.explain.Inspectable"
        raise InputError(message(question, "model", rule, type(task).__name__))
    return task.network_


def check_examined(task: Inspected, data: object, name: str = "X") -> None:
    """Refuse data for the doctor where he reads none.

    Args:
        task: The fitted task.
        data: What was given.
        name: What that is called.

    Raises:
        InputError: If the task does not answer row by row.
    """
    if examines_rows(task):
        return
    rule = f"left out for {a(title(task))}, of which the doctor reads weights and history"
    remedy = "tidegate evaluate measures it on data"
    raise InputError(message("doctor", name, rule, data, remedy))


def doctors_reasons(task: Inspected) -> dict[str, str]:
    """Say why checks are left out of a task whose rows the doctor does not read."""
    if examines_rows(task):
        return {}
    unread = f"the doctor reads no data of {a(title(task))}"
    told = {NEEDS_DATA: unread, NO_CLASSES: unread, NO_WORDS: _WORDS}
    return {usual.reason: reason for usual, reason in told.items()}
