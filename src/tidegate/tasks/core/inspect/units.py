"""The units of a task: which follow a pattern, and what drives one."""

from __future__ import annotations

from tidegate.errors import InputError, message
from tidegate.explain.units.contexts import Contexts
from tidegate.explain.units.contexts import contexts as find_contexts
from tidegate.explain.units.patterns import Pattern, mark
from tidegate.explain.units.search import Marks, UnitSearch, find_units
from tidegate.tasks.core.inspect.inspected import Inspected
from tidegate.tasks.core.raw import Raw


def units(
    task: Inspected, X: Raw, pattern: Pattern | Marks, *, signal: str = "hidden"
) -> UnitSearch:
    """Find the units that follow a pattern in what the network reads.

    Args:
        task: The fitted task.
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
    trace = task.trace(X)
    named = isinstance(pattern, str) or hasattr(pattern, "pattern") or callable(pattern)
    if named and trace.labels is None:
        rule = "truth values, a sequence for each row, for a task whose steps have no labels"
        raise InputError(message(type(task).__name__, "pattern", rule, repr(pattern)))
    marks: Raw = pattern  # of which a type checker cannot tell names from truth values
    if named:
        marks = mark(trace.labels or (), pattern)  # type: ignore[arg-type]
    name = getattr(pattern, "pattern", getattr(pattern, "__name__", pattern))
    shown = str(name) if named else "the pattern"
    return find_units(trace, marks, signal=signal, pattern=shown)


def contexts(
    task: Inspected,
    X: Raw,
    unit: int,
    *,
    row: str | None = None,
    signal: str = "hidden",
    count: int = 8,
) -> Contexts:
    """Find the places that drive a unit highest and lowest.

    Args:
        task: The fitted task.
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
    return find_contexts(task.trace(X), unit, row=row, signal=signal, count=count)
