"""Memory: how long each unit remembers, read from the gates of a trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tidegate import cells
from tidegate.errors import InputError, message
from tidegate.explain.figures import png
from tidegate.explain.memory.memory_plots import Retention, plot_comparison, plot_retentions
from tidegate.nn.trace.trace import DIRECTIONS, Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OPEN = 0.9
"""From here on a gate counts as open; Karpathy et al. 2015 use the same bounds."""
CLOSED = 0.1
"""Up to here a gate counts as closed."""
STUCK = 1e-3
"""So near to 0 or 1 a gate passes less than a thousandth of a gradient on: f (1 - f)."""
STILL = 0.01
"""A unit whose state stays within so small a range tells the steps from each other no more."""

_SHARE = 0.95  # of the steps for which a saturated gate is stuck
_TANH = ("candidate", "new")  # these go from -1 to 1: nothing opens or closes


@dataclass(frozen=True, eq=False, repr=False)
class Memory:
    """How long the units of a layer remember, as the gates of a trace had it.

    Axis letters: N layers·directions, H units, S distances from 0 to the longest row's last step.

    Attributes:
        half_life: Steps after which half of what a unit holds is left, `[N, H]` float64:
            ln ½ over the mean of ln f over all valid steps, f being the share that a step keeps.
            Infinite where nothing is lost.
        retention: Share that is left of a value written at the first step of the walk, by its
            distance in steps, `[N, S, H]`: ∏ f, the geometric mean over rows where there are more.
        effective: Steps after which half of all that a layer's units hold is left, `[N]`: where
            the mean of 2^(-steps / half_life) over the units is ½. One long-lived unit does not
            make it long, as it would an average of half-lives. Infinite if half the units or
            more lose nothing.
        open: Share of the valid steps at which a gate is 0.9 or more, `[N, H]` by its name.
        closed: The same for 0.1 or less.
        saturated: Whether a gate is within 0.001 of 0 or of 1 at 95 % of the valid steps or
            more: hardly any gradient comes through it, `[N, H]` bool by its name.
        dead: Whether a unit's state stays within 0.01 at all valid steps, `[N, H]` bool.
        gate: The gate that keeps: "forget" or "update".
        rows: Names of the first axis.
        units: Numbers of the units.

    Example:
        >>> from tidegate.nn import LSTM
        >>> layer = LSTM(1, 3, init="chrono", max_lag=500)
        >>> memory(layer.trace(torch.zeros(20, 1, 1))).half_life.shape
        torch.Size([1, 3])
    """

    half_life: Tensor
    retention: Tensor
    effective: Tensor
    open: Mapping[str, Tensor]
    closed: Mapping[str, Tensor]
    saturated: Mapping[str, Tensor]
    dead: Tensor
    gate: str
    rows: tuple[str, ...]
    units: tuple[int, ...]

    def __repr__(self) -> str:
        """Say the essential of each layer and direction in a line."""
        return "\n".join(self._line(entry) for entry in range(len(self.rows)))

    def _line(self, entry: int) -> str:
        """Describe one layer and direction."""
        lives = self.half_life[entry]
        longest = int(lives.argmax())
        stuck, dead = int(self.saturated[self.gate][entry].sum()), int(self.dead[entry].sum())
        effective = _steps(self.effective[entry])
        gone = effective if effective == "never" else f"after {effective} steps"
        return (
            f"{self.rows[entry]}: half of what it holds is gone {gone} "
            f"(median unit {_steps(lives.median())}; "
            f"longest {_steps(lives[longest])}, unit {self.units[longest]}); "
            f"of {len(lives)} units {dead} dead, {stuck} with a saturated {self.gate} gate"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a line for each unit.

        Returns:
            The columns `layer`, `direction`, `unit`, `half_life`, `dead`, and for each gate
            `GATE_open`, `GATE_closed` and `GATE_saturated`.
        """
        import pandas as pd

        places = [name.split() for name in self.rows]
        units, count = len(self.units), len(self.rows)
        layers = [int(place[1]) for place in places for _ in range(units)]
        ways = [place[2] for place in places for _ in range(units)]
        columns: dict[str, Any] = {
            "layer": layers,
            "direction": pd.Categorical(ways, categories=list(DIRECTIONS)),
            "unit": list(self.units) * count,
            "half_life": self.half_life.flatten().numpy(),
            "dead": self.dead.flatten().numpy(),
        }
        for gate in self.open:
            columns[f"{gate}_open"] = self.open[gate].flatten().numpy()
            columns[f"{gate}_closed"] = self.closed[gate].flatten().numpy()
            columns[f"{gate}_saturated"] = self.saturated[gate].flatten().numpy()
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def plot(self) -> Figure:
        """Draw what is left of a value against its age, and the half-lives of the units.

        Returns:
            A figure with a line of two pictures for each layer and direction.
        """
        return plot_retentions([_retention_of(self, row) for row in self.rows], self.gate)

    def _repr_png_(self) -> bytes:
        return png(self.plot())


def memory(trace: Trace) -> Memory:
    """Measure how long each unit remembers.

    An LSTM keeps the share f of its cell state at each step (the forget gate), a GRU the share z
    of its hidden state (the update gate of torch.nn's equations; papers that swap z and 1 - z
    would say 1 - z). Zoneout in evaluation keeps p + (1 - p) f. What the path through the hidden
    state adds is not counted, nor are resets.

    Args:
        trace: With the gate that keeps among its gates.

    Returns:
        The half-lives and the rest.

    Raises:
        InputError: If the cell has no gate that keeps, the trace was made without it, or no step
            is valid.

    Example:
        >>> from tidegate.nn import GRU
        >>> layer = GRU(1, 2)
        >>> for weight in layer.parameters():
        ...     _ = torch.nn.init.zeros_(weight)
        >>> memory(layer.trace(torch.zeros(4, 1, 1))).half_life  # update gates of a half
        tensor([[1., 1.]], dtype=torch.float64)
    """
    gate = _keep_gate(trace)
    if not int(trace.lengths.sum()):
        raise InputError(message("memory", "trace", "of a valid step at least", "empty rows"))
    kept = trace.zoneout + (1 - trace.zoneout) * trace.gate(gate).detach().cpu().double()
    # A gate that underflows to 0 forgets all at that step; -inf would say it does so at every one.
    logs = kept.clamp(min=torch.finfo(torch.float32).tiny).log()
    mask = trace.mask.cpu()
    half_life = math.log(0.5) / logs[:, mask].mean(1)
    gates = {name: trace.gates[name][:, trace.mask] for name in trace.gates if name not in _TANH}
    return Memory(
        half_life=half_life.abs(),  # ln ½ / 0 would be -inf
        retention=_retention(logs, mask, trace.directions),
        effective=torch.stack([_effective(lives) for lives in half_life.abs()]),
        open={name: _share(values >= OPEN) for name, values in gates.items()},
        closed={name: _share(values <= CLOSED) for name, values in gates.items()},
        saturated={
            name: _share((values <= STUCK) | (values >= 1 - STUCK)) >= _SHARE
            for name, values in gates.items()
        },
        dead=_dead(trace),
        gate=gate,
        rows=trace.rows,
        units=trace.units,
    )


def plot_memories(memories: Mapping[str, Memory], row: str = "layer 0 forward") -> Figure:
    """Compare the memory of layers: before and after training, torch's initial weights and chrono.

    Args:
        memories: The memory of each by its name.
        row: The layer and direction to compare.

    Returns:
        A figure with what is left of a value at the median unit, against its age, and with the
        share of the units that remember longer, against the half-life.

    Raises:
        InputError: If there is nothing to compare, or one has no such layer and direction.
    """
    if not memories:
        raise InputError(message("plot_memories", "memories", "at least one memory", "none"))
    for found in memories.values():
        if row not in found.rows:
            rule = f"one of {', '.join(found.rows)}"
            raise InputError(message("plot_memories", "row", rule, repr(row)))
    parts = {name: _retention_of(found, row) for name, found in memories.items()}
    return plot_comparison(parts, row)


def _retention_of(found: Memory, row: str) -> Retention:
    """What of one layer and direction is drawn."""
    entry = found.rows.index(row)
    shares, lives = found.retention[entry].numpy(), found.half_life[entry].numpy()
    return Retention(row, shares, lives, float(found.effective[entry]))


def _keep_gate(trace: Trace) -> str:
    """The gate that says how much a step keeps, which has to be in the trace."""
    cell = cells.get(trace.family)(hidden_size=1)
    if cell.keep_gate is None:
        rule = "of a cell with a gate that keeps its memory, such as an LSTM or a GRU"
        remedy = f"See `gradient_flow` for how far the {cell.title} reaches back"
        raise InputError(message("memory", "trace", rule, f"the {cell.title}", remedy))
    if cell.keep_gate not in trace.gates:
        remedy = "Trace it with that gate too"
        kept = f"only {', '.join(trace.gates) or 'states'}"
        raise InputError(
            message("memory", "trace", f"with the {cell.keep_gate} gate", kept, remedy)
        )
    return cell.keep_gate


def _share(marks: Tensor) -> Tensor:
    """Mean over steps: `[N, steps, H]` bool to `[N, H]` float64."""
    return marks.double().mean(1).cpu()


def _retention(logs: Tensor, mask: Tensor, directions: tuple[str, ...]) -> Tensor:
    """What is left by age: `[N, B, T, H]` of ln f to `[N, S, H]`.

    The gate of the first step acts on what was there before it. At each age the rows that are
    long enough are averaged, so that the curves never rise where a short row ends.
    """
    steps, lengths = mask.shape[1], mask.sum(1)
    longest = int(lengths.max())
    ages = torch.arange(longest)
    # Walking backwards, a row begins at its own last step.
    backward = (lengths[:, None] - 1 - ages).clamp(0, max(0, steps - 1))
    there = (ages < lengths[:, None])[..., None]
    curves = []
    for part, direction in zip(logs, directions, strict=True):
        walk = part[:, :longest]
        if direction == "backward":
            walk = part.gather(1, backward[..., None].expand(-1, -1, part.shape[-1]))
        mean = walk.where(there, 0).sum(0) / there.sum(0)
        mean[0] = 0
        curves.append(mean.cumsum(0).exp())
    return torch.stack(curves)


def _effective(half_lives: Tensor) -> Tensor:
    """The age at which the units together have lost half, by bisection; `[H]` to `[]`."""

    def left(age: float) -> float:
        return float(torch.exp2(-age / half_lives).mean())

    if float(half_lives.isinf().double().mean()) >= 0.5:
        return half_lives.new_tensor(math.inf)
    low, high = 0.0, 1.0
    while left(high) > 0.5:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) > 0.5 else (low, middle)
    return half_lives.new_tensor(high)


def _dead(trace: Trace) -> Tensor:
    """Whether a unit's state hardly changes; with a projection, its cell state."""
    states = trace.cell if trace.projected and trace.cell is not None else trace.hidden
    values = states[:, trace.mask]
    if values.shape[1] < 2:  # one step alone has no range
        return torch.zeros(values.shape[0], values.shape[2], dtype=torch.bool)
    return (values.amax(1) - values.amin(1) < STILL).cpu()


def _steps(count: Tensor) -> str:
    """A number of steps for people."""
    number = float(count)
    return "never" if math.isinf(number) else f"{number:.3g}"
