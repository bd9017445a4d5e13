"""Names of columns: where those that were learned stand among those that are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from tidegate.data.text.cleaning import WITHOUT_SURROGATES, lone_surrogate
from tidegate.errors import InputError, message, suggest

_WHOLE = re.compile(r"^(-?\d+)\.0+$")


@dataclass(frozen=True)
class ColumnNames:
    """What columns are called, and whether anybody called them so.

    Attributes:
        names: The names; those of an array are the usual ones.
        named: Whether they are the data's own; else position alone tells columns apart.

    Example:
        >>> ColumnNames.of(["load", "heat"]).named, ColumnNames.of([0, 1]).named
        (True, False)
    """

    names: tuple[str, ...]
    named: bool = True

    def __post_init__(self) -> None:
        check_characters(self.names, "columns")

    @classmethod
    def of(cls, labels: Iterable[object]) -> ColumnNames:
        """Take the labels of a table's columns; 0, 1, 2 are no names, None is none either."""
        found = list(labels)
        if any(label is None for label in found):
            return cls.usual(len(found))
        return cls(tuple(map(str, found)), found != list(range(len(found))))

    @classmethod
    def usual(cls, columns: int) -> ColumnNames:
        """Name the columns of an array."""
        return cls(usual_names(columns), False)

    def to_json(self) -> dict[str, bool]:
        """Return whether they are the data's own, where the names themselves do not tell."""
        return {} if named(self.names, None) == self.named else {"named": self.named}


def check_characters(names: Iterable[object], what: str) -> None:
    """Refuse names with half a character, which no file can hold.

    Args:
        names: Names; those that are no texts are fine.
        what: What has them, such as "columns".

    Raises:
        InputError: If one has.

    Example:
        >>> check_characters(["load", 3], "columns")
    """
    for name in names:
        if isinstance(name, str) and (found := lone_surrogate(name)):
            got = f"{found} of {name!r}"
            raise InputError(message(what, "names", "valid Unicode", got, WITHOUT_SURROGATES))


def named(names: tuple[str, ...], found: object) -> bool:
    """Take back what `ColumnNames.to_json` gave; of None the names themselves have to tell.

    Raises:
        InputError: If it is neither True, False nor None.
    """
    if found is None:
        return names not in (usual_names(len(names)), tuple(map(str, range(len(names)))))
    if not isinstance(found, bool):
        raise InputError(message("load", "named", "true or false", repr(found)))
    return found


def places(
    given: ColumnNames,
    learned: ColumnNames,
    owner: str,
    *,
    argument: str = "X",
    kind: str = "columns",
    of: str = "`fit`",
    where: str = "",
) -> list[int]:
    """Say where each learned column stands among those that are given.

    Args:
        given: The columns there are.
        learned: Those of the fit.
        owner: Who complains.
        argument: What they are an argument for.
        kind: What they are called in messages.
        of: Where those that are learned are from.
        where: What to say after what is not there, such as " in row 3".

    Returns:
        A place for each learned column: by its name where both have names, else by position.

    Raises:
        InputError: If one is not there, or there twice; it says which one was probably meant.

    Example:
        >>> places(ColumnNames(("heat", "load")), ColumnNames(("load",)), "docs")
        [1]
    """
    names, wanted = given.names, learned.names
    lacking = [name for name in wanted if name not in names]
    rule = f"with the {kind} of {of}: {', '.join(wanted)}"
    if names == wanted or not given.named or (lacking and not learned.named):
        if len(names) != len(wanted):
            raise InputError(message(owner, argument, rule, f"{len(names)} {kind}{where}"))
        return list(range(len(wanted)))
    if lacking:
        others = [name for name in names if name not in wanted]
        remedy = suggest(lacking[0], others) if others else "Add it"
        raise InputError(message(owner, argument, rule, f"no {lacking[0]!r}{where}", remedy))
    twice = [name for name in wanted if names.count(name) > 1]
    if twice:
        remedy = "Drop one of them, or rename it"
        raise InputError(message(owner, argument, rule, f"{twice[0]!r} twice{where}", remedy))
    return [names.index(name) for name in wanted]


def check_there(frame: pd.DataFrame, learned: Sequence[str], owner: str) -> None:
    """Refuse a table that lacks a column of the fit; its own columns of purposes do not count.

    Args:
        frame: The table; columns that were added while reading begin with a null character.
        learned: The columns of the fit.
        owner: Who complains.

    Raises:
        InputError: If one is not there; it says which one was probably meant.
    """
    own = [str(name) for name in frame.columns if not str(name).startswith("\0")]
    places(ColumnNames(tuple(own)), ColumnNames(tuple(learned)), owner)


def numbers_of(names: Iterable[object], known: Iterable[object]) -> list[int | None]:
    """Say which known identifier each one is; 1.0 is 1 where no other is.

    Args:
        names: Identifiers, such as those of series.
        known: Identifiers that were seen before.

    Returns:
        The number of each; None for one that was not.

    Example:
        >>> numbers_of(["1.0", "x"], ["2", "1"])
        [1, None]
    """
    index: dict[str, int] = {}
    listed = [str(name) for name in known]
    for number, name in enumerate(listed):  # whole numbers of a column with empty cells are floats
        index.setdefault(_WHOLE.sub(r"\1", name), number)
    index |= {name: number for number, name in enumerate(listed)}
    texts = map(str, names)
    return [index.get(name, index.get(_WHOLE.sub(r"\1", name))) for name in texts]


def usual_names(columns: int) -> tuple[str, ...]:
    """Name the columns of an array: "value", or "value_1" and so on."""
    return ("value",) if columns == 1 else tuple(f"value_{n + 1}" for n in range(columns))
