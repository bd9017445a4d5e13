"""What if: change an input or a state, and see what the gates and the answer do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.network import Inspectable, still
from tidegate.explain.units.contexts import read_signal
from tidegate.kernels import Request, Result, side_by_side
from tidegate.nn import Recurrent
from tidegate.nn.stack_pass import StackPass
from tidegate.nn.trace.selection import Numbers, pick, pick_directions
from tidegate.nn.trace.trace import DIRECTIONS, Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_OWNER = "what_if"


@dataclass(frozen=True)
class StateChange:
    """A value put into a state in the middle of a row.

    Attributes:
        step: The step after which it is put there; going backward, "after" is towards the start.
        value: The value.
        units: Numbers of the units; None for all.
        layer: Number of the layer, from 0.
        direction: "forward" or "backward".
        state: "cell": what the next step finds in the memory of an LSTM. "hidden": what the next
            step and the layer above see of this one.
    """

    step: int
    value: float = 0.0
    units: Numbers = None
    layer: int = 0
    direction: str = "forward"
    state: str = "hidden"

    def __str__(self) -> str:
        """Say it in words."""
        units = "all units" if self.units is None else f"units {self.units}"
        where = f"layer {self.layer} {self.direction}"
        return f"{self.state} of {units}, {where}, set to {self.value:g} after step {self.step}"


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf:
    """What a change did to one row.

    Axis letters: N layers·directions, T steps, H hidden units, C outputs.

    Attributes:
        change: What was changed, in words.
        before: The pass without it, of one row.
        after: The pass with it.
        outputs: The network's outputs before and after, before a softmax, `[2, C]`.
        answers: What the task makes of them, probabilities say, `[2, C]`; None without a task.
        names: What the outputs are called, or None.
    """

    change: str
    before: Trace
    after: Trace
    outputs: Tensor
    answers: Tensor | None = None
    names: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """Say what was changed, and how far the outputs moved."""
        moves = (self.outputs[1] - self.outputs[0]).tolist()
        moved = ", ".join(f"{n} {m:+.2f}" for n, m in zip(self.output_names, moves, strict=True))
        return f"WhatIf({self.change}: {moved})"

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the outputs are called."""
        return self.names or tuple(f"output {index}" for index in range(self.outputs.shape[1]))

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The steps before and after that belong together.

        All, if there are as many as before; else those of the longest common runs of labels.
        """
        lengths = [int(trace.lengths[0]) for trace in (self.before, self.after)]
        first, second = self.before.labels, self.after.labels
        if lengths[0] == lengths[1] or first is None or second is None:
            return [(step, step) for step in range(min(lengths))]
        blocks = SequenceMatcher(None, first[0], second[0], False).get_matching_blocks()
        return [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]

    def difference(self, signal: str = "hidden") -> Tensor:
        """Return how far a gate or state moved.

        Args:
            signal: "hidden", "cell" or a gate.

        Returns:
            After less before at the steps that belong together (`steps`), `[N, steps, H]`.

        Raises:
            InputError: If the cell has no such gate or state.
        """
        first, second = (read_signal(_OWNER, t, signal)[:, 0] for t in (self.before, self.after))
        pairs = torch.tensor(self.steps, dtype=torch.int64).view(-1, 2)
        return second[:, pairs[:, 1]] - first[:, pairs[:, 0]]

    def to_frame(self) -> pd.DataFrame:
        """Return a table of the outputs: `output`, `before`, `after`, `change`.

        With a task the numbers are its answers, such as probabilities.
        """
        import pandas as pd

        before, after = (self.outputs if self.answers is None else self.answers).tolist()
        change = [b - a for a, b in zip(before, after, strict=True)]
        names = {"output": self.output_names, "before": before, "after": after, "change": change}
        frame: pd.DataFrame = pd.DataFrame(names)
        return frame

    def plot(self, row: str | None = None) -> Figure:
        """Draw the answer and the gates before and after, and how far they moved.

        Args:
            row: The layer and direction, a name out of `before.rows`; None for the one whose
                hidden state moved most.

        Returns:
            The figure.

        Raises:
            InputError: If there is no such layer and direction.
        """
        from tidegate.explain.attribution.what_if_plots import plot_what_if

        return plot_what_if(self, row)

    def _repr_png_(self) -> bytes:
        from tidegate.explain.figures import png

        return png(self.plot())


@torch.no_grad()
def what_if(
    network: Inspectable,
    batch: Batch,
    changed: Batch | None = None,
    *,
    state: StateChange | None = None,
    change: str | None = None,
) -> WhatIf:
    """Run a network on a row as it is, and with a change.

    Args:
        network: The network; it runs in evaluation mode.
        batch: One row.
        changed: The row with other values, or another row of any length; None for the same.
        state: A value put into a state in the middle of the row; None for none.
        change: The change in words; None for words that say where the values differ.

    Returns:
        Both passes, and both answers.

    Raises:
        InputError: If there is not exactly one row or no change, or the step, layer, direction,
            unit or state does not exist.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = recurrent_layer("lstm", 4, 3, batch_first=True)
        >>> network = TextNetwork(Embedding(9, 4), layer, "last", 2)
        >>> batch = Batch(torch.tensor([[5, 2, 7]]), torch.tensor([3]))
        >>> found = what_if(network, batch, state=StateChange(step=1, state="cell"))
        >>> bool(found.difference("cell")[0, 0].abs().max() < 1e-6)  # before it: as it was
        True
    """
    other = batch if changed is None else changed
    for name, rows in (("batch", batch), ("changed", other)):
        if len(rows) != 1:
            raise InputError(message(_OWNER, name, "one row", f"{len(rows)} of them"))
    if changed is None and state is None:
        rule = "given, or `state`: something has to change"
        raise InputError(message(_OWNER, "changed", rule, "neither"))
    with still(network) as device:
        before, first = _observe(network, batch.to(device), None)
        after, second = _observe(network, other.to(device), state)
    words = [] if changed is None else [change or _words(batch, changed)]
    words += [] if state is None else [str(state)]
    return WhatIf("; ".join(words), before, after, torch.cat([first, second]).cpu())


def _words(batch: Batch, changed: Batch) -> str:
    """Say at which steps the values of two rows differ."""
    if batch.values.shape != changed.values.shape:
        return f"{int(changed.lengths[0])} steps in the place of {int(batch.lengths[0])}"
    differ = (batch.values != changed.values)[0].flatten(1) if batch.values.ndim > 2 else None
    steps = (batch.values != changed.values)[0] if differ is None else differ.any(1)
    return f"other values at steps {steps.nonzero()[:, 0].tolist()}"


def _observe(
    network: Inspectable, batch: Batch, change: StateChange | None
) -> tuple[Trace, Tensor]:
    """The trace of a pass, on the CPU, and the outputs, `[1, C]`."""
    layer, vectors = network.recurrent, network.embed(batch)
    trace = layer.trace(vectors, lengths=batch.lengths)
    if change is None:
        return _on_cpu(trace), network.decide(vectors, batch)
    _check(layer, trace, change)
    watch = _Watch(change)
    handle = layer.register_forward_hook(watch.rerun, with_kwargs=True)
    try:
        outputs = network.decide(vectors, batch)
    finally:
        handle.remove()
    gates = {name: watch.parts[name] for name in trace.gates}
    hidden, cell = watch.parts["hidden"], watch.parts.get("cell")
    return _on_cpu(replace(trace, gates=gates, hidden=hidden, cell=cell)), outputs


def _on_cpu(trace: Trace) -> Trace:
    return replace(
        trace,
        gates={name: gate.cpu() for name, gate in trace.gates.items()},
        hidden=trace.hidden.cpu(),
        cell=None if trace.cell is None else trace.cell.cpu(),
        lengths=trace.lengths.cpu(),
    )


def _check(layer: Recurrent, trace: Trace, change: StateChange) -> None:
    """Refuse a change of what is not there."""
    pick(_OWNER, "layer", change.layer, range(layer.num_layers))
    pick_directions(_OWNER, change.direction, trace.directions)
    pick(_OWNER, "step", change.step, range(int(trace.lengths[0])))
    states = dict(zip(layer.cell.states, layer.cell.state_sizes, strict=True))
    if change.state not in states:
        rule = f"a state of this {layer.cell.title}: {' or '.join(states)}"
        raise InputError(message(_OWNER, "state", rule, repr(change.state)))
    pick(_OWNER, "units", change.units, range(states[change.state]))


@dataclass
class _Watch:
    """Lets a stack run again with a change of a state, and keeps its gates and states."""

    change: StateChange
    parts: dict[str, Tensor] = field(default_factory=dict)

    def rerun(self, layer: Recurrent, arguments: Any, options: Any, _: Any) -> tuple[Any, Any]:
        """A forward hook: what it returns takes the place of the layer's result."""
        plain = layer._pass()
        given = {name: getattr(plain, name) for name in StackPass.__dataclass_fields__}
        changed = _ChangedPass(**given, change=self.change)
        given = {"hx": None, **dict(zip(("x", "hx"), arguments, strict=False)), **options}
        output, state, self.parts = changed.run(**given, return_gates=True)
        return output, state


@dataclass(frozen=True, kw_only=True)
class _ChangedPass(StackPass):
    """A pass in which a state is changed after a step of one layer and direction.

    Attributes:
        change: The change.
        runs: A mark for each layer and direction that has run.
    """

    change: StateChange
    runs: list[None] = field(default_factory=list)

    def _run_layer(self, requests: list[Request]) -> tuple[Tensor, list[Result]]:
        made = [self._run_one(request) for request in requests]
        return side_by_side([result.output for result in made]), made

    def _run_one(self, request: Request) -> Result:
        change, ways = self.change, 2 if self.bidirectional else 1
        place = change.layer * ways + DIRECTIONS.index(change.direction)
        self.runs.append(None)
        if len(self.runs) != place + 1:
            return self._plain(request)
        step, steps = change.step, request.x.shape[1]
        spans = [(0, step + 1), (step + 1, steps)]
        if request.reverse:
            spans = [(step, steps), (0, step)]
        first = self._plain(request.chunk(*spans[0], request.state))
        state, index = list(first.state), self.cell.states.index(change.state)
        state[index] = _put(state[index], change)
        second = self._plain(request.chunk(*spans[1], tuple(state)))
        early, late = (second, first) if request.reverse else (first, second)
        assert early.trace is not None
        assert late.trace is not None
        trace = {name: torch.cat([part, late.trace[name]], 1) for name, part in early.trace.items()}
        output = torch.cat([early.output, late.output], 1)
        trace[change.state][:, step] = state[index]
        if change.state == "hidden":
            output[:, step] = state[index]
        return Result(output, second.state, trace)

    def _plain(self, request: Request) -> Result:
        return super()._run_layer([request])[1][0]


def _put(state: Tensor, change: StateChange) -> Tensor:
    """A state `[B, size]` with the value in the place of some units."""
    state = state.clone()
    state[:, pick(_OWNER, "units", change.units, range(state.shape[1]))] = change.value
    return state
