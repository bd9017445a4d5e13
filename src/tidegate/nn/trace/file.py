"""A trace on disk: one safetensors file, read without trusting it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from tidegate import cells
from tidegate.errors import ArtifactError, InputError, message
from tidegate.files import damaged, parse_json, read_tensors, replacing, write_tensors

_FORMAT = 1
_OWNER = "Trace.load"
_FIELDS = ("family", "rows", "units", "zoneout", "projected")
_STATES = ("hidden", "cell")
# Labels can be many: as the bytes of a tensor they do not swell the header, which is bounded.
_LABELS = "labels"
_ROW = re.compile(r"layer \d{1,9} (forward|backward)")


def write(
    path: Path,
    parts: Mapping[str, Tensor],
    lengths: Tensor,
    fields: tuple[Any, ...],
    labels: Sequence[Sequence[str]] | None,
) -> None:
    """Write a trace.

    Args:
        path: The file to make or replace.
        parts: Gates and states by name.
        lengths: `[B]`.
        fields: The trace's `family`, `rows`, `units`, `zoneout` and `projected`.
        labels: Those of each row, or None.

    Raises:
        InputError: If it cannot be written there.
    """
    tensors = {**parts, "lengths": lengths}
    if labels is not None:
        tensors[_LABELS] = torch.frombuffer(
            bytearray(json.dumps(labels).encode()), dtype=torch.uint8
        )
    about = {"format": _FORMAT, **dict(zip(_FIELDS, fields, strict=True))}
    try:
        with replacing(path) as temporary:
            write_tensors(temporary, tensors, json.dumps(about))
    except (OSError, SafetensorError) as error:
        rule, remedy = "a place that can be written to", "Choose another place or make room"
        raise InputError(message("Trace.save", str(path), rule, error, remedy)) from error


def read(path: Path) -> dict[str, Any]:
    """Read a trace.

    Args:
        path: A file that `write` wrote.

    Returns:
        The fields of a trace by name.

    Raises:
        ArtifactError: If it is missing or damaged, or holds something else.
    """
    tensors, metadata = read_tensors(path, _OWNER)
    about = parse_json(metadata or "null", path, _OWNER)
    if not isinstance(about, dict) or set(about) != {"format", *_FIELDS}:
        raise damaged(_OWNER, path, "a trace", "a safetensors file of something else")
    if about["format"] != _FORMAT:
        rule = f"a trace of format {_FORMAT}"
        raise damaged(_OWNER, path, rule, f"format {about['format']!r:.40}")
    return _Reader(path, about, tensors).fields()


class _Reader:
    """Checks what stands in a file, part by part.

    Args:
        path: The file, for messages.
        about: What its header tells.
        tensors: Its tensors by name.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
        self._path, self._about, self._tensors = path, about, tensors

    def fields(self) -> dict[str, Any]:
        """The fields of the trace by name."""
        names, units = self._names(), self._units()
        sizes = self._sizes(names)
        rows = self._about["rows"]
        self._demand(isinstance(rows, list) and len(rows) == sizes[0], "a name for each layer")
        valid = all(isinstance(row, str) and _ROW.fullmatch(row) for row in rows)
        self._demand(valid and len(set(rows)) == len(rows), "rows such as 'layer 0 forward'")
        zoneout = self._about["zoneout"]
        number = isinstance(zoneout, int | float) and not isinstance(zoneout, bool)
        self._demand(number and 0 <= zoneout <= 1, "a share of zoneout from 0 to 1")
        projected = self._about["projected"]
        self._demand(isinstance(projected, bool), "projected true or false")
        for name in names:
            wide = sizes[3] if name == "hidden" and projected else len(units)
            fits = self._tensors[name].shape == (*sizes[:3], wide)
            self._demand(fits, f"{name} of shape {[*sizes[:3], wide]}")
        lengths = self._lengths(sizes[1], sizes[2])
        return {
            "family": self._about["family"],
            "gates": {name: self._tensors[name] for name in names if name not in _STATES},
            "hidden": self._tensors["hidden"],
            "cell": self._tensors.get("cell"),
            "lengths": lengths,
            "rows": tuple(rows),
            "units": units,
            "labels": self._labels(lengths.tolist()),
            "zoneout": float(zoneout),
            "projected": projected,
        }

    def _demand(self, fits: object, rule: str) -> None:
        if not fits:
            raise damaged(_OWNER, self._path, f"a trace with {rule}", "another one")

    def _names(self) -> list[str]:
        """The gates and states, in the order of the cell."""
        family = self._about["family"]
        if family not in cells.names():
            rule, remedy = "of a cell that is known here", "Import the package of the cell first"
            raise ArtifactError(message(_OWNER, str(self._path), rule, repr(family), remedy))
        cell = cells.get(family)(hidden_size=1)
        names = [name for name in (*cell.gates, *_STATES) if name in self._tensors]
        unknown = sorted(set(self._tensors) - {*names, "lengths", _LABELS})
        self._demand(not unknown, f"the gates and states of the {cell.title} alone")
        self._demand("hidden" in names and "lengths" in self._tensors, "hidden and lengths")
        return names

    def _units(self) -> tuple[int, ...]:
        units = self._about["units"]
        numbers = isinstance(units, list) and all(type(u) is int and u >= 0 for u in units)
        self._demand(numbers and units and len(set(units)) == len(units), "numbers of units")
        return tuple(units)

    def _sizes(self, names: list[str]) -> torch.Size:
        """Those of the hidden states, `[N, B, T, P]`."""
        kinds = {self._tensors[name].dtype for name in names}
        real = len(kinds) == 1 and all(kind.is_floating_point for kind in kinds)
        self._demand(real, "numbers of one floating-point type")
        hidden = self._tensors["hidden"]
        self._demand(hidden.ndim == 4, "hidden states [N, B, T, P]")
        return hidden.shape

    def _lengths(self, rows: int, steps: int) -> Tensor:
        lengths = self._tensors["lengths"]
        fits = lengths.shape == (rows,) and lengths.dtype == torch.int64
        self._demand(fits and bool(((lengths >= 0) & (lengths <= steps)).all()), "a length a row")
        return lengths

    def _labels(self, lengths: list[int]) -> tuple[tuple[str, ...], ...] | None:
        if _LABELS not in self._tensors:
            return None
        data = self._tensors[_LABELS]
        self._demand(data.dtype == torch.uint8 and data.ndim == 1, "labels in bytes")
        try:
            text = data.numpy().tobytes().decode("ascii")
        except UnicodeDecodeError as error:
            raise damaged(_OWNER, self._path, "a trace with labels in JSON", error) from error
        labels = parse_json(text, self._path, _OWNER)
        self._demand(isinstance(labels, list) and len(labels) == len(lengths), "labels of each row")
        for row, length in zip(labels, lengths, strict=True):
            fits = isinstance(row, list) and len(row) == length
            self._demand(fits and all(isinstance(label, str) for label in row), "a label a step")
        return tuple(map(tuple, labels))
