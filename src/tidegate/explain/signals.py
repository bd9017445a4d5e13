"""Signals: a gate or state of a trace, a layer and direction, a unit, each by its name."""

from __future__ import annotations

from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.nn.trace.selection import pick
from tidegate.nn.trace.trace import Trace

SIGNED = frozenset({"candidate", "new", "hidden", "cell"})
"""Signals on both sides of 0; the gates go from 0 to 1."""


def read_signal(owner: str, trace: Trace, signal: str) -> Tensor:
    """Return a gate or state of a trace by its name.

    Args:
        owner: Who complains.
        trace: The trace.
        signal: "hidden", "cell" or a gate.

    Returns:
        `[N, B, T, H]`.

    Raises:
        InputError: If the trace has no such gate or state.
    """
    if signal == "hidden":
        return trace.hidden
    if signal == "cell":
        if trace.cell is None:
            remedy = "Ask for 'hidden'"
            rule = f"there: the cell {trace.family!r} has no cell state"
            raise InputError(message(owner, "signal", rule, "'cell'", remedy))
        return trace.cell
    return trace.gate(signal)


def read_row(owner: str, trace: Trace, row: str | None) -> int:
    """Return the place of a layer and direction in a trace; None for the first.

    Raises:
        InputError: If the trace has no such row.
    """
    if row is not None and row not in trace.rows:
        rule = f"one of {', '.join(trace.rows)}"
        raise InputError(message(owner, "row", rule, repr(row)))
    return 0 if row is None else trace.rows.index(row)


def read_unit(owner: str, trace: Trace, signal: str, unit: int) -> int:
    """Return the place of a unit on the last axis of a signal.

    Raises:
        InputError: If the trace has no such unit.
    """
    features = trace.projected and signal == "hidden"
    known = range(trace.hidden.shape[-1]) if features else trace.units
    pick(owner, "unit", unit, known)
    return known.index(unit)
