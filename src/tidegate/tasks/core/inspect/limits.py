"""Limits: what cannot be asked of which task, and why; nowhere else is it said."""

from __future__ import annotations

from tidegate.errors import InputError, a, message
from tidegate.explain.network import Inspectable
from tidegate.tasks.core.inspect.inspected import Inspected

# What explanations of one answer explain; other tasks have an answer at each step, or a series.
_ROW = "row"
_SEQUENCE = "sequence"


def title(task: Inspected) -> str:
    """Say what a task is, in words: "language model"."""
    return task.task_name().replace("-", " ")


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
    if task.answers != _ROW:
        rule, got = "of a task with one answer for each input", a(title(task))
        remedy = "Look with model.trace, model.units and model.contexts in Python"
        raise InputError(message(question, "model", rule, got, remedy))
    return network_of(task, question)


def check_comparable(task: Inspected) -> None:
    """Refuse data for the doctor of a task whose answers cannot be laid side by side.

    Raises:
        InputError: If each answer is a sequence of a length of its own.
    """
    if task.answers == _SEQUENCE:
        rule, got = "left out for a task that answers with sequences", a(title(task))
        remedy = "Without data the doctor examines weights, history and scores"
        raise InputError(message("doctor", "X", rule, got, remedy))


def network_of(task: Inspected, question: str) -> Inspectable:
    """Take the network of a task, if it can be looked into.

    Raises:
        InputError: If it cannot.
    """
    if not isinstance(task.network_, Inspectable):
        rule = "of a task whose network can be looked into, see tidegate.explain.Inspectable"
        raise InputError(message(question, "model", rule, type(task).__name__))
    return task.network_
