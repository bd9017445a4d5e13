"""Live lines: read as they come, and the values and times in them."""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.errors import InputError, message

_PIPE_BYTES = 1 << 16
_EMPTY = ("", "nan", "null", "none", "na")


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
        values = [_number(field) for field in chosen]
        whole = all(
            field.lower() in _EMPTY or not math.isnan(value)
            for field, value in zip(chosen, values, strict=True)
        )
        return None if self.time is None else fields[self.time], values, whole


def _fields(line: bytes) -> list[str]:
    text = line.decode("utf-8-sig", errors="replace").replace("\t", ",").replace(";", ",")
    return [field.strip().strip('"') for field in text.split(",")]


def _number(field: str) -> float:
    try:
        number = float(field)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def lines(source: str, stall: float | None) -> Iterator[bytes | None]:
    """Read lines as soon as they are whole.

    Args:
        source: A file, or - for standard input.
        stall: Seconds without anything after which None is yielded, again and again; None waits.

    Yields:
        Lines without their ends; the last one may lack it.

    Raises:
        InputError: If the file cannot be read.
    """
    rest = b""
    for chunk in _chunks(stall) if source == "-" else _file_chunks(source):
        if chunk is None:
            yield None
            continue
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _file_chunks(path: str) -> Iterator[bytes]:
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_PIPE_BYTES):
                yield chunk
    except OSError as error:
        rule = "a file that can be read, or -"
        raise InputError(message("watch", "FILE", rule, f"{path} ({error.strerror})")) from error


def _chunks(stall: float | None) -> Iterator[bytes | None]:
    """What standard input has, as it comes: a pipe must not wait for a full buffer."""
    if stall is None:
        stream: Any = sys.stdin.buffer
        while chunk := stream.read1(_PIPE_BYTES):
            yield chunk
        return
    # A thread, because Windows cannot wait for a pipe with a time limit; and read past the
    # buffer, whose lock a thread that waits for ever would hold when the program ends.
    arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    file = sys.stdin.fileno()

    def read() -> None:
        while chunk := os.read(file, _PIPE_BYTES):
            arrived.put(chunk)
        arrived.put(b"")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            chunk = arrived.get(timeout=stall)
        except queue.Empty:
            yield None
            continue
        if not chunk:
            return
        yield chunk
