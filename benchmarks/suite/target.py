"""Target: a bound and what was measured; Group: rows that belong together, with their targets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.suite.measure import Row


@dataclass(frozen=True)
class Target:
    """One bound.

    Attributes:
        what: What was measured, in words.
        rule: The bound, such as "≥ 2×".
        measured: What came out, such as "2.3×"; "not measured" and why, otherwise.
        met: Whether it is within the bound; None if it was not measured.
    """

    what: str
    rule: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """One word."""
        return {True: "met", False: "MISSED", None: "–"}[self.met]


@dataclass
class Group:
    """What a group of the table measured.

    Attributes:
        name: What `--only` knows it by.
        title: What it is about.
        rows: One for each case and phase.
        targets: Its bounds.
        notes: Sentences for the reader.
        peak: GFLOP/s of fused multiply-adds before and after; empty if unknown.
        seconds: How long it took.
    """

    name: str
    title: str
    rows: list[Row]
    targets: list[Target]
    notes: list[str] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def share(self, row: Row) -> float | None:
        """The part of the measured peak that tidegate reached in a row."""
        if not self.peak or row.gflops is None:
            return None
        return row.gflops / (sum(self.peak) / len(self.peak))


def at_least(what: str, bound: float, measured: float | None, unit: str = "×") -> Target:
    """A target for a number that should be large."""
    return _target(what, "≥", bound, measured, unit)


def at_most(what: str, bound: float, measured: float | None, unit: str = "×") -> Target:
    """A target for a number that should be small."""
    return _target(what, "≤", bound, measured, unit)


def _target(what: str, sign: str, bound: float, measured: float | None, unit: str) -> Target:
    rule = f"{sign} {number(bound)}{unit}"
    if measured is None:
        return Target(what, rule, "not measured", None)
    met = measured >= bound if sign == "≥" else measured <= bound
    return Target(what, rule, f"{number(measured)}{unit}", met)


def number(value: float) -> str:
    """Two digits after the point below 10, one below 100, none above."""
    return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def smallest(values: Iterable[float | None]) -> float | None:
    """The smallest of those that were measured; None if none was."""
    return min((value for value in values if value is not None), default=None)


def largest(values: Iterable[float | None]) -> float | None:
    """The largest of those that were measured; None if none was."""
    return max((value for value in values if value is not None), default=None)
