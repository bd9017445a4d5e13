"""Which layers, units and gates somebody wants to see, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

from tidegate import cells
from tidegate.errors import InputError, message

Numbers = int | Iterable[int] | None
Names = str | Iterable[str] | None


def pick(owner: str, argument: str, wanted: Numbers, known: Sequence[int]) -> list[int]:
    """Check numbers of layers, units or rows.

    Args:
        owner: Who complains.
        argument: The argument they came by.
        wanted: One number or several; None for all.
        known: The numbers there are.

    Returns:
        Each number that is wanted, once.

    Raises:
        InputError: If there is no such number, or none is wanted.
    """
    if wanted is None:
        return list(known)
    given: Any = wanted.tolist() if hasattr(wanted, "tolist") else wanted
    numbers = [given] if isinstance(given, Integral | str) else list(given)
    there = set(known)
    for number in numbers or ["none"]:
        # True is 1 to Python, and 2.0 is in a set that holds 2.
        if isinstance(number, bool) or not isinstance(number, Integral) or number not in there:
            raise InputError(message(owner, argument, _rule(known), repr(number)))
    return list(dict.fromkeys(map(int, numbers)))


def pick_gates(
    owner: str, argument: str, wanted: Names, known: tuple[str, ...], family: str
) -> tuple[str, ...]:
    """Check names of gates.

    Args:
        owner: Who complains.
        argument: The argument they came by.
        wanted: One name or several; None for all.
        known: The gates there are.
        family: The name of the cell.

    Returns:
        Each name that is wanted, once.

    Raises:
        InputError: If the cell has no such gate, or it was not kept.
    """
    if wanted is None:
        return known
    names = tuple(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted))
    for name in names:
        if name not in known:
            remedy = _missing(name, known, family)
            raise InputError(message(owner, argument, "a gate that is there", repr(name), remedy))
    return names


def _missing(name: object, known: tuple[str, ...], family: str) -> str:
    """Say why a gate is not there."""
    cell = cells.get(family)(hidden_size=1)
    # An LSTM, a GRU: the letters whose names begin with a vowel.
    article = "An" if cell.title[0] in "AEFHILMNORSX" else "A"
    if name in cell.gates:
        return f"The trace was made without it; it keeps {_listed(known) or 'no gate'}"
    has = f"it has {_listed(cell.gates)}" if cell.gates else "it has none"
    return f"{article} {cell.title} has no {name} gate; {has}"


def _listed(names: Sequence[str]) -> str:
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _rule(known: Sequence[int]) -> str:
    if len(known) == 1:
        return f"{known[0]}, the only one"
    if list(known) == list(range(known[0], known[0] + len(known))):
        return f"from {known[0]} to {known[-1]}"
    return f"out of {', '.join(map(str, known))}"


def pick_directions(owner: str, wanted: Names, known: Sequence[str]) -> tuple[str, ...]:
    """Check names of directions.

    Args:
        owner: Who complains.
        wanted: One name or several; None for all.
        known: The directions there are.

    Returns:
        Each direction that is wanted.

    Raises:
        InputError: If there is no such direction, or none is wanted.
    """
    names = known if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names or ["none"]:
        if name not in known:
            rule = f"out of {_listed(list(dict.fromkeys(known)))}"
            raise InputError(message(owner, "directions", rule, repr(name)))
    return tuple(names)
