"""What if: change an input or a state of a task, and see what the gates and the answer do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.attribution.state_change import StateChange
from tidegate.explain.attribution.what_if import WhatIf
from tidegate.explain.attribution.what_if import what_if as compare
from tidegate.tasks.core.inspect.inspected import Inspected, Labels
from tidegate.tasks.core.inspect.limits import inspectable
from tidegate.tasks.core.raw import Raw


def what_if(
    task: Inspected,
    x: Raw,
    other: Raw = None,
    *,
    steps: Mapping[int, Raw] | None = None,
    state: StateChange | None = None,
) -> WhatIf:
    """Change an input or a state, and see what the gates and the answer do.

    Args:
        task: The fitted task.
        x: One input, not a list.
        other: Another input in its place.
        steps: What to put in the place of single steps: a token, or a value, by the number
            of the step.
        state: A value put into a state of the network in the middle of the row.

    Returns:
        The passes before and after, and the answers.

    Raises:
        InputError: If an input is wrong, nothing is changed, both `other` and `steps` are
            given, or there is no such step, token, layer, direction, unit or state.
        NotFittedError: If the task was not fitted.

    Example:
        >>> model.what_if("A good film.", steps={1: "bad"}).to_frame()  # doctest: +SKIP
    """
    task._check_fitted()
    network = inspectable(task, "what_if")
    if other is not None and steps is not None:
        rule = "left out with `other`"
        raise InputError(message(type(task).__name__, "steps", rule, "both"))
    batch, labels = _one(task, x)
    changed, after, words = None, labels, None
    if other is not None:
        changed, after = _one(task, other)
        words = "another input"
    elif steps:
        changed, after = task._changed(batch, labels, steps)
        words = ", ".join(_said(labels, step, value) for step, value in steps.items())
    found = compare(network, batch, changed, state=state, change=words)
    if labels is not None and after is not None:
        before, then = found.before.labelled(labels), found.after.labelled(after)
        found = replace(found, before=before, after=then)
    return replace(found, answers=task._answers(found.outputs), names=task._output_names())


def _one(task: Inspected, x: Raw) -> tuple[Batch, Labels]:
    """One input as a batch of one row, and its labels."""
    examples = task._examples([x], None, None)
    batch = task._loader(examples, training=False).batch(np.zeros(1, np.int64))
    return batch, task._step_labels(examples)


def _said(labels: Labels, step: int, value: Raw) -> str:
    """A change of a step in words."""
    old = "" if labels is None else f"{labels[0][step]!r} "
    return f"{old}(step {step}) becomes {value!r}"
