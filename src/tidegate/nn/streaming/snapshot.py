"""The state of a stream as bytes: a version, what stream it fits, and a check of its own."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from tidegate.errors import ArtifactError, InputError, message

Array = npt.NDArray[Any]

_MAGIC = b"tidegate-stream\n"
_VERSION = 1
# Version, length of the description, CRC-32 of the description and the numbers after it.
_HEADER = struct.Struct("<HII")


def pack(description: Mapping[str, Any], arrays: Sequence[Array]) -> bytes:
    """Write a state.

    Args:
        description: What the stream must be like that can take it: numbers, texts, lists.
        arrays: The states.

    Returns:
        A mark, a header, the description in JSON, and the numbers, the least byte first.
    """
    text = json.dumps(description).encode()
    numbers = b"".join(part.astype(part.dtype.newbyteorder("<")).tobytes() for part in arrays)
    body = text + numbers
    return _MAGIC + _HEADER.pack(_VERSION, len(text), zlib.crc32(body)) + body


def unpack(owner: str, snapshot: object, description: Mapping[str, Any], size: int) -> bytes:
    """Check a snapshot and return its numbers.

    Args:
        owner: Who complains.
        snapshot: What `pack` wrote.
        description: That of the stream that is to take it.
        size: Of the numbers, in bytes.

    Returns:
        The numbers, the least byte first.

    Raises:
        ArtifactError: If it is damaged, or of another version.
        InputError: If it is no snapshot, or of a stream that is not like this one.
    """
    if not isinstance(snapshot, (bytes, bytearray, memoryview)):
        rule = "the bytes of a snapshot"
        raise InputError(message(owner, "snapshot", rule, type(snapshot).__name__))
    data = bytes(snapshot)
    start = len(_MAGIC) + _HEADER.size
    if not data.startswith(_MAGIC) or len(data) < start:
        rule = "the bytes of a snapshot"
        raise ArtifactError(message(owner, "snapshot", rule, f"{len(data)} other bytes"))
    version, length, check = _HEADER.unpack_from(data, len(_MAGIC))
    if version != _VERSION:
        remedy = "Take it anew with this version of tidegate"
        raise ArtifactError(message(owner, "snapshot", f"of version {_VERSION}", version, remedy))
    body = data[start:]
    if zlib.crc32(body) != check:
        raise ArtifactError(message(owner, "snapshot", "whole", "a damaged one"))
    theirs = _description(owner, body[:length])
    for name, value in description.items():
        if theirs.get(name) != value:
            rule = f"of a stream with {name} {value}"
            raise InputError(message(owner, "snapshot", rule, theirs.get(name)))
    numbers = body[length:]
    if len(numbers) != size:
        raise ArtifactError(message(owner, "snapshot", f"of {size} bytes of state", len(numbers)))
    return numbers


def _description(owner: str, text: bytes) -> dict[str, Any]:
    try:
        description = json.loads(text)
    except ValueError as error:
        raise ArtifactError(message(owner, "snapshot", "with a description", error)) from None
    if not isinstance(description, dict):
        raise ArtifactError(message(owner, "snapshot", "with a description", description))
    return description
