"""What if: change an input or a state, and see what the gates and the answer do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.attribution.state_change import StateChange, changed_state
from tidegate.explain.attribution.trace_pair import TracePair
from tidegate.explain.attribution.what_if_plots import Bars, plot_what_if
from tidegate.explain.figures import png
from tidegate.explain.network import Inspectable, still
from tidegate.nn.trace.trace import Trace
from tidegate.terminal import cell

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_OWNER = "what_if"


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
        moves = zip(self.output_names, (self.outputs[1] - self.outputs[0]).tolist(), strict=True)
        moved = ", ".join(f"{cell(name)} {move:+.2f}" for name, move in moves)
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
        return TracePair(self.before, self.after).steps

    def difference(self, signal: str = "hidden") -> Tensor:
        """Return how far a gate or state moved.

        Args:
            signal: "hidden", "cell" or a gate.

        Returns:
            After less before at the steps that belong together (`steps`), `[N, steps, H]`.

        Raises:
            InputError: If the cell has no such gate or state.
        """
        return TracePair(self.before, self.after).difference(signal)

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
        pair = TracePair(self.before, self.after)
        answers, measure = self.outputs, "score"
        if self.answers is not None:
            answers, measure = self.answers, "probability"
        bars = Bars(self.output_names, answers, measure)
        return plot_what_if(pair, bars, change=self.change, row=row)

    def _repr_png_(self) -> bytes:
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
    with changed_state(layer, trace, change) as parts:
        outputs = network.decide(vectors, batch)
    gates = {name: parts[name] for name in trace.gates}
    hidden, cell = parts["hidden"], parts.get("cell")
    return _on_cpu(replace(trace, gates=gates, hidden=hidden, cell=cell)), outputs


def _on_cpu(trace: Trace) -> Trace:
    return replace(
        trace,
        gates={name: gate.cpu() for name, gate in trace.gates.items()},
        hidden=trace.hidden.cpu(),
        cell=None if trace.cell is None else trace.cell.cpu(),
        lengths=trace.lengths.cpu(),
    )
