"""Trace: every gate and state of every step of a pass, with names."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.nn.trace import file as trace_file
from tidegate.nn.trace.lazy import LazyField
from tidegate.nn.trace.selection import Names, Numbers, pick, pick_directions, pick_gates

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Labels = tuple[tuple[str, ...], ...]

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """The gates and states of every step of a pass.

    Axis letters: N layers·directions in torch.nn's order, B rows, T steps, H hidden units, P
    features of the output (H, or the projected size).

    Attributes:
        family: The name of the cell: "lstm", "gru", "rnn".
        gates: `[N, B, T, H]` by the name of the gate; empty for an RNN.
        hidden: `[N, B, T, P]`.
        cell: `[N, B, T, H]`; None for a GRU and an RNN, which have no such state.
        lengths: Valid steps of each row, `[B]` int64; everything is zero past them.
        rows: Names of the first axis: "layer 0 forward", "layer 0 backward", ...
        units: The numbers that the units of the last axis have in the layer.
        labels: The token or the time of each valid step of each row; None if nobody said.
        zoneout: Share of its old memory that zoneout lets a unit keep in evaluation.
        projected: Whether `hidden` holds the features of a projection instead of the units.

    Example:
        >>> from tidegate.nn import GRU
        >>> trace = GRU(3, 4, bidirectional=True).trace(torch.zeros(5, 2, 3), lengths=[5, 2])
        >>> trace
        Trace(gru, N 2, B 2, T 5, H 4: reset, update, new, hidden)
        >>> list(trace.gate("update").shape), trace.rows
        ([2, 2, 5, 4], ('layer 0 forward', 'layer 0 backward'))
    """

    family: str
    gates: Mapping[str, Tensor]
    hidden: Tensor
    cell: Tensor | None
    lengths: Tensor
    rows: tuple[str, ...]
    units: tuple[int, ...]
    labels: Labels | None = None
    zoneout: float = 0.0
    projected: bool = False

    def __repr__(self) -> str:
        """Say what is in it; the numbers would fill the screen."""
        count, rows, steps, _ = self.hidden.shape
        sizes = f"N {count}, B {rows}, T {steps}, H {len(self.units)}"
        return f"Trace({self.family}, {sizes}: {', '.join(self._names)})"

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: values, not the functions that would make them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def layers(self) -> tuple[int, ...]:
        """The layer of each entry of the first axis, counted from 0."""
        return tuple(int(name.split()[1]) for name in self.rows)

    @property
    def directions(self) -> tuple[str, ...]:
        """The direction of each entry of the first axis: "forward" or "backward"."""
        return tuple(name.split()[2] for name in self.rows)

    @property
    def mask(self) -> Tensor:
        """`[B, T]` bool: True where a step is valid."""
        steps = torch.arange(self.hidden.shape[2], device=self.lengths.device)
        return steps < self.lengths[:, None]

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.gates, "hidden", *(() if self.cell is None else ("cell",)))

    def gate(self, name: str) -> Tensor:
        """Return one gate.

        Args:
            name: Such as "forget" or "update".

        Returns:
            `[N, B, T, H]`.

        Raises:
            InputError: If the cell has no such gate, or the trace does not keep it.
        """
        pick_gates("Trace", "name", name, tuple(self.gates), self.family)
        return self.gates[name]

    def labelled(self, labels: Sequence[Sequence[object]]) -> Trace:
        """Say what each step is.

        Args:
            labels: For each row the tokens, times or frames of its valid steps.

        Returns:
            The same trace with these labels.

        Raises:
            InputError: If a row has more or fewer labels than steps.
        """
        texts = tuple(tuple(map(str, row)) for row in labels)
        counts, lengths = [len(row) for row in texts], self.lengths.tolist()
        if counts != lengths:
            rule = f"one for each valid step, {lengths} in the rows"
            raise InputError(message("Trace", "labels", rule, counts))
        return dataclasses.replace(self, labels=texts)

    def select(
        self,
        *,
        layers: Numbers = None,
        directions: Names = None,
        units: Numbers = None,
        gates: Names = None,
        batch: Numbers = None,
    ) -> Trace:
        """Take a part of the trace; what is left out takes no memory any more.

        Args:
            layers: Numbers of layers, from 0; None for all, as everywhere here.
            directions: "forward", "backward" or both.
            units: Numbers of units, as in `units`. The features of a projection all stay.
            gates: Names of gates; the states stay.
            batch: Numbers of rows, from 0.

        Returns:
            A trace of its own.

        Raises:
            InputError: If one of them is not in this trace.
        """
        kept = pick_gates("Trace.select", "gates", gates, tuple(self.gates), self.family)
        on_layers = pick("Trace.select", "layers", layers, sorted(set(self.layers)))
        towards = pick_directions("Trace.select", directions, self.directions)
        places = enumerate(zip(self.layers, self.directions, strict=True))
        entries = [n for n, (layer, way) in places if layer in on_layers and way in towards]
        numbers = pick("Trace.select", "units", units, self.units)
        lines = pick("Trace.select", "batch", batch, range(len(self.lengths)))
        columns = [self.units.index(number) for number in numbers]

        def cut(part: Tensor, features: Sequence[int]) -> Tensor:
            return part[_grid(entries, lines, part)][..., list(features)]

        features = range(self.hidden.shape[-1]) if self.projected else columns
        return dataclasses.replace(
            self,
            gates={name: cut(self.gates[name], columns) for name in kept},
            hidden=cut(self.hidden, features),
            cell=None if self.cell is None else cut(self.cell, columns),
            lengths=self.lengths[lines],
            rows=tuple(self.rows[entry] for entry in entries),
            units=tuple(numbers),
            labels=None if self.labels is None else tuple(self.labels[line] for line in lines),
        )

    def numpy(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the arrays by name: the gates, `hidden`, `cell` if there is one, `lengths`."""
        arrays = {name: self._part(name) for name in self._names} | {"lengths": self.lengths}
        return {name: _array(part) for name, part in arrays.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a line for each valid step and unit.

        Returns:
            The columns `row`, `step`, `label` if there are labels, `layer`, `direction`, `unit`,
            and one for each gate and state; `hidden` is left out if a projection made its
            features from all units.
        """
        import numpy as np
        import pandas as pd

        count, units = len(self.rows), len(self.units)
        row, step = _array(self.mask).nonzero()
        lines = len(row) * units
        columns: dict[str, Any] = {"row": np.repeat(row, units), "step": np.repeat(step, units)}
        columns = {name: np.tile(part, count) for name, part in columns.items()}
        if self.labels is not None:
            labels = pd.Categorical(list(itertools.chain(*self.labels)))
            columns["label"] = labels[np.tile(np.repeat(np.arange(len(row)), units), count)]
        columns["layer"] = np.repeat(self.layers, lines)
        ways = pd.Categorical(list(self.directions), categories=list(DIRECTIONS))
        columns["direction"] = ways.repeat(lines)
        columns["unit"] = np.tile(self.units, count * len(row))
        for name in self._names:
            if not (name == "hidden" and self.projected):
                columns[name] = _array(self._part(name)[:, self.mask]).reshape(-1)
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def save(self, path: str | Path) -> None:
        """Write the trace as one safetensors file; a crash leaves an old one whole.

        Args:
            path: The file.

        Raises:
            InputError: If it cannot be written there.
        """
        tensors = {name: self._part(name) for name in self._names}
        fields = (self.family, self.rows, self.units, self.zoneout, self.projected)
        trace_file.write(Path(path), tensors, self.lengths, fields, self.labels)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read a trace that `save` wrote.

        Args:
            path: The file; it is not trusted.

        Raises:
            ArtifactError: If it is missing or damaged, or no trace.
        """
        return cls(**trace_file.read(Path(path)))

    def _part(self, name: str) -> Tensor:
        if name == "cell" and self.cell is not None:
            return self.cell
        return self.hidden if name == "hidden" else self.gates[name]


# Putting gates in order and joining layers copies: that waits until somebody looks.
for _name in ("gates", "hidden", "cell"):
    setattr(Trace, _name, LazyField(_name))


def join(traces: Sequence[Trace], order: Sequence[int]) -> Trace:
    """Put the traces of several batches together, padded to the longest.

    Args:
        traces: Of one layer and with the same parts.
        order: For each row of the traces, one after the other, its place in the result.

    Returns:
        One trace.
    """
    if len(traces) == 1 and list(order) == list(range(len(order))):
        return traces[0]
    first, places = traces[0], torch.tensor(order).split([len(t.lengths) for t in traces])
    longest = max(trace.hidden.shape[2] for trace in traces)

    def joined(name: str) -> Tensor:
        part = first._part(name)
        whole = part.new_zeros(len(part), len(order), longest, part.shape[-1])
        for place, trace in zip(places, traces, strict=True):
            whole[:, place, : trace.hidden.shape[2]] = trace._part(name)
        return whole

    lengths = torch.cat([trace.lengths for trace in traces])
    labels = None
    if first.labels is not None:
        rows = itertools.chain.from_iterable(trace.labels or () for trace in traces)
        labels = tuple(row for _, row in sorted(zip(order, rows, strict=True)))
    return dataclasses.replace(
        first,
        gates={name: joined(name) for name in first.gates},
        hidden=joined("hidden"),
        cell=None if first.cell is None else joined("cell"),
        lengths=lengths[torch.tensor(order).argsort()],
        labels=labels,
    )


def _grid(entries: list[int], lines: list[int], part: Tensor) -> tuple[Tensor, Tensor]:
    """The index of whole sequences, `[entries, lines]`."""
    rows, columns = (torch.tensor(found, device=part.device) for found in (entries, lines))
    return rows[:, None], columns


def _array(part: Tensor) -> np.ndarray[Any, Any]:
    """A tensor in NumPy, which has no bfloat16."""
    part = part.detach().cpu()
    array: np.ndarray[Any, Any] = (part.float() if part.dtype == torch.bfloat16 else part).numpy()
    return array
