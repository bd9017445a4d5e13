"""Live lines, read as they come."""

from __future__ import annotations

import gzip
import os
import queue
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tidegate.errors import InputError, message

_PIPE_BYTES = 1 << 16
# Of a line of values.
_MOST_BYTES = 1 << 20
# Tables whose lines, if they have any, are no values with commas between.
_NO_LINES = (".parquet", ".jsonl")


def lines(source: str, stall: float | None) -> Iterator[bytes | None]:
    """Read lines as soon as they are whole.

    Args:
        source: A file, or - for standard input.
        stall: Seconds without anything after which None is yielded, again and again; None waits.

    Yields:
        Lines without their ends; the last one may lack it.

    Raises:
        InputError: If the file cannot be read, or a line of it does not end.
    """
    chunks = _chunks(stall) if source == "-" else _file_chunks(source)
    name = "standard input" if source == "-" else source
    for whole in split_lines(chunks, "watch", name, _MOST_BYTES):
        if whole is None:
            yield None
        else:
            yield from whole


def split_lines(
    chunks: Iterable[bytes | None], owner: str, name: str, most: int
) -> Iterator[list[bytes] | None]:
    """Put lines together of what comes in pieces, in linear time and bounded memory.

    Args:
        chunks: The pieces; None where nothing came for too long.
        owner: Who complains.
        name: What is read, for messages.
        most: Bytes of a line; one without an end must not fill the memory.

    Yields:
        The lines that each piece ends, without their ends; None for None. The last one may lack
        its end.

    Raises:
        InputError: If a line is longer.
    """
    parts: list[bytes] = []  # of the line that has begun; joined once, or time were quadratic
    number, size = 1, 0
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        more, *others = chunk.split(b"\n")
        whole = []
        for begun in others:
            whole.append(b"".join([*parts, more]))
            parts, size, number, more = [], 0, number + 1, begun
        if whole:
            yield whole
        parts.append(more)
        size += len(more)
        if size > most:
            rule, got = f"lines of at most {most:,} bytes", f"a longer one, line {number}"
            raise InputError(message(owner, name, rule, got))
    if size:
        yield [b"".join(parts)]


def _file_chunks(path: str) -> Iterator[bytes]:
    packed = path.lower().endswith(".gz")
    if path.lower().removesuffix(".gz").endswith(_NO_LINES):
        rule, remedy = (
            "a file with a line for each time",
            f"tidegate predict MODEL {path} scores it",
        )
        raise InputError(message("watch", "FILE", rule, path, remedy))
    try:
        with gzip.open(path) if packed else Path(path).open("rb") as file:
            while chunk := file.read(_PIPE_BYTES):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        rule = "a file that can be read, or -"
        raise InputError(
            message("watch", "FILE", rule, f"{path} ({getattr(error, 'strerror', None) or error})")
        ) from error


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
