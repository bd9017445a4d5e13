"""Lines of values as they come: where the values and the time stand in them, and their findings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tidegate.data.series.dates.instants import OtherClockError
from tidegate.errors import InputError, message, suggest
from tidegate.tasks.anomaly.streaming.cold_start import ColdStartStream
from tidegate.tasks.anomaly.streaming.steps import read_number
from tidegate.tasks.anomaly.streaming.stream import AnomalyStream, Detection

_EMPTY = ("", "nan", "null", "none", "na")
# How a column's name begins, and no number.
_NAME = re.compile(r"[^\W\d_]")
# Lines from the beginning on of which one at least can be read, or it is no stream of values.
_MOST_UNREADABLE = 100


@dataclass(frozen=True)
class LineLayout:
    """Where the values and the time stand in a line, fields counted from 0.

    Attributes:
        values: The field of each variable.
        time: The field of the time, or None.
        count: How many fields a line has.
    """

    values: tuple[int, ...]
    time: int | None
    count: int

    @classmethod
    def plain(cls, count: int, *, clocked: bool) -> LineLayout:
        """The values one after the other, after the time if there is one."""
        fields = range(clocked, clocked + count)
        return cls(tuple(fields), 0 if clocked else None, clocked + count)

    @classmethod
    def of_header(cls, line: bytes, names: Sequence[str], time: str | None) -> LineLayout | None:
        """Read a header; None if the line does not name all variables.

        Args:
            line: The first line.
            names: What the variables are called.
            time: What the column of the time is called, or None.
        """
        fields = _fields(line)
        if not set(names) <= set(fields):
            return None
        at = fields.index(time) if time in fields else None
        return cls(tuple(map(fields.index, names)), at, len(fields))

    def read(self, line: bytes) -> tuple[str | None, list[float], bool]:
        """Read the values of one step.

        Args:
            line: A line; commas, semicolons or tabs stand between its fields.

        Returns:
            The time or None; the values, NaN for an empty or wrong field; and whether the line
            was as it should be: `count` fields, each value empty or a finite number.

        Example:
            >>> LineLayout.plain(1, clocked=True).read(b"2024-01-01 00:00, 3.5")
            ('2024-01-01 00:00', [3.5], True)
            >>> LineLayout.plain(2, clocked=False).read(b"rubbish")
            (None, [nan, nan], False)
        """
        fields = _fields(line)
        if len(fields) != self.count:
            return None, [math.nan] * len(self.values), False
        chosen = [fields[place] for place in self.values]
        values = [read_number(field) for field in chosen]
        whole = all(
            field.lower() in _EMPTY or not math.isnan(value)
            for field, value in zip(chosen, values, strict=True)
        )
        return None if self.time is None else fields[self.time], values, whole


def _fields(line: bytes) -> list[str]:
    text = line.decode("utf-8-sig", errors="replace").replace("\t", ",").replace(";", ",")
    return [field.strip().strip('"') for field in text.split(",")]


class LineWatch:
    """Scores lines of values: `AnomalyDetector.watch()` makes one.

    A line holds the values of all variables with commas between, after the time if the model
    learned with times; a first line that names the columns may say otherwise. What is no number
    is scored as missing, and counted.

    Args:
        stream: The stream that scores.
        names: What the variables are called.
        clocked: Whether a time stands first.
        time: What the column of the time is called, or None.
        named: Whether the data of the fit called the variables so; else a header tells nothing.
    """

    def __init__(
        self,
        stream: AnomalyStream | ColdStartStream,
        names: Sequence[str],
        *,
        clocked: bool,
        time: str | None,
        named: bool = True,
    ) -> None:
        self._named = named
        self._stream, self._names, self._time = stream, names, time
        self._layout = LineLayout.plain(len(names), clocked=clocked)
        self.unreadable = self.silences = self._lines = 0

    def scan(self, lines: Iterable[bytes | None]) -> Iterator[tuple[int, Detection]]:
        """Yield the number of each line, and what was found in it.

        Args:
            lines: The lines without their ends; None where nothing came for too long: that is
                scored as missing values.

        Raises:
            InputError: If the first line names other columns, or none of the first 100 lines is
                as it should be.
        """
        number = 0
        for line in lines:
            if line is None:
                self.silences += 1
                yield number, self._stream.update([math.nan] * len(self._names))
                continue
            number += 1
            named = number == 1 and LineLayout.of_header(line, self._names, self._time)
            if named:
                self._layout = named
                continue
            if number == 1 and self._check_columns(line):
                continue
            yield number, self._score(line)
            self._check_readable()

    def _check_columns(self, line: bytes) -> bool:
        """Refuse a first line that names other columns; True where nothing has names to compare."""
        fields = _fields(line)
        if not all(_NAME.match(field) and field.lower() not in _EMPTY for field in fields):
            return False
        if not self._named and len(fields) == self._layout.count:
            return True
        lacking = next((name for name in self._names if name not in fields), "")
        rule = f"lines of values, or lines under a header that names {', '.join(self._names)}"
        got = f"{', '.join(fields):.80}"
        remedy = suggest(lacking, set(fields) - set(self._names), listed=True)
        raise InputError(message("watch", "line 1", rule, got, remedy))

    def _check_readable(self) -> None:
        """Refuse lines of which none at all is as it should be: they are something else."""
        self._lines += 1
        if self.unreadable == self._lines == _MOST_UNREADABLE:
            count = self._layout.count
            rule = f"lines of {count} field{'' if count == 1 else 's'}, such as {self._example()}"
            got = f"none among the first {self._lines}"
            raise InputError(message("watch", "FILE", rule, got))

    def _example(self) -> str:
        fields = ["…"] * self._layout.count
        for place, name in zip(self._layout.values, self._names, strict=True):
            fields[place] = name
        if self._layout.time is not None:
            fields[self._layout.time] = self._time or "time"
        return ",".join(fields)

    def _score(self, line: bytes) -> Detection:
        time, values, whole = self._layout.read(line)
        try:
            found = self._stream.update(values, time)
        except InputError as error:  # a time that is none: the clock goes on by itself
            if isinstance(error, OtherClockError) and self.unreadable == self._lines:
                raise  # not one of them tells what those of the fit did
            found, whole = self._stream.update(values), False
        self.unreadable += not whole
        return found

    def remarks(self) -> list[str]:
        """Say what could not be read, if anything."""
        told = []
        if self.unreadable:
            lines = f"{self.unreadable:,} lines were not as they should be"
            told.append(f"{lines}: what could not be read was scored as missing.")
        if self.silences:
            told.append(f"{self.silences:,} times nothing came; it was scored as missing.")
        return told
