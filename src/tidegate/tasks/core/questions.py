"""Questions: the methods of every task that ask which unit follows what, and what if."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.attribution.state_change import StateChange
from tidegate.explain.attribution.what_if import WhatIf, what_if
from tidegate.explain.units.contexts import Contexts, contexts
from tidegate.explain.units.patterns import Pattern, mark
from tidegate.explain.units.search import Marks, UnitSearch, find_units
from tidegate.tasks.core.inside import Inside

Labels = Sequence[Sequence[str]] | None


class Questions(Inside):
    """What a fitted task answers about its units, and about changes; `Task` inherits it."""

    def units(self, X: Any, pattern: Pattern | Marks, *, signal: str = "hidden") -> UnitSearch:
        """Find the units that follow a pattern in what the network reads.

        Args:
            X: The inputs, one a row; a few dozen rows or more say whether it is chance.
            pattern: A regular expression, a name such as "inside quotes", or a function from the
                steps of a row to a truth value for each (`tidegate.explain.mark`); or the truth
                values themselves, a sequence for each row.
            signal: What to look at: "hidden", "cell" or a gate.

        Returns:
            The units of all layers and directions, the best first.

        Raises:
            InputError: If an input is wrong, the pattern never or always holds, or the cell has
                no such gate or state.
            NotFittedError: If the task was not fitted.

        Example:
            >>> model.units(texts, "inside quotes").to_frame()  # doctest: +SKIP
        """
        trace = self.trace(X)
        named = isinstance(pattern, str) or hasattr(pattern, "pattern") or callable(pattern)
        if named and trace.labels is None:
            rule = "truth values, a sequence for each row, for a task whose steps have no labels"
            raise InputError(message(type(self).__name__, "pattern", rule, repr(pattern)))
        marks: Any = mark(trace.labels, pattern) if named else pattern  # type: ignore[arg-type]
        name = getattr(pattern, "pattern", getattr(pattern, "__name__", pattern))
        shown = str(name) if named else "the pattern"
        return find_units(trace, marks, signal=signal, pattern=shown)

    def contexts(
        self,
        X: Any,
        unit: int,
        *,
        row: str | None = None,
        signal: str = "hidden",
        count: int = 8,
    ) -> Contexts:
        """Find the places that drive a unit highest and lowest.

        Args:
            X: The inputs, one a row.
            unit: The number of the unit, from 0.
            row: The layer and direction, "layer 0 backward" say; None for the first.
            signal: What to look at: "hidden", "cell" or a gate.
            count: How many places of each kind, at most.

        Returns:
            The places, with what stands around them.

        Raises:
            InputError: If an input is wrong, or there is no such unit, layer, direction, gate or
                state.
            NotFittedError: If the task was not fitted.

        Example:
            >>> model.contexts(texts, 12).plot()  # doctest: +SKIP
        """
        return contexts(self.trace(X), unit, row=row, signal=signal, count=count)

    def what_if(
        self,
        x: Any,
        other: Any = None,
        *,
        steps: Mapping[int, Any] | None = None,
        state: StateChange | None = None,
    ) -> WhatIf:
        """Change an input or a state, and see what the gates and the answer do.

        Args:
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
        self._check_fitted()
        self._check_inspectable("what_if")
        if other is not None and steps is not None:
            rule = "left out with `other`"
            raise InputError(message(type(self).__name__, "steps", rule, "both"))
        batch, labels = self._one(x)
        changed, after, words = None, labels, None
        if other is not None:
            changed, after = self._one(other)
            words = "another input"
        elif steps:
            changed, after = self._changed(batch, labels, steps)
            words = ", ".join(_said(labels, step, value) for step, value in steps.items())
        found = what_if(self.network_, batch, changed, state=state, change=words)
        if labels is not None and after is not None:
            before, then = found.before.labelled(labels), found.after.labelled(after)
            found = replace(found, before=before, after=then)
        return replace(found, answers=self._answers(found.outputs), names=self._output_names())

    def _one(self, x: Any) -> tuple[Batch, Labels]:
        """One input as a batch of one row, and its labels."""
        examples = self._examples([x], None, None)
        batch = self._loader(examples, training=False).batch(np.zeros(1, np.int64))
        return batch, self._step_labels(examples)

    def _answers(self, outputs: Tensor) -> Tensor | None:
        """What the task makes of outputs `[rows, C]`, in the same shape; None for nothing."""
        return None

    def _changed(
        self, batch: Batch, labels: Labels, steps: Mapping[int, Any]
    ) -> tuple[Batch, Labels]:
        """A batch of one row with other values at some steps, and its labels."""
        rule = "left out: this task cannot put single values into a row"
        raise InputError(message(type(self).__name__, "steps", rule, dict(steps), "Pass `other`"))


def _said(labels: Labels, step: int, value: Any) -> str:
    """A change of a step in words."""
    old = "" if labels is None else f"{labels[0][step]!r} "
    return f"{old}(step {step}) becomes {value!r}"
