"""Pictures of the gates and states of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.explain.figures import figure
from tidegate.explain.signals import SIGNED
from tidegate.nn.trace.selection import Names
from tidegate.nn.trace.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_LABELS = 60  # more would lie on each other


def plot_gates(
    trace: Trace, *, batch: int = 0, row: str | None = None, gates: Names = None
) -> Figure:
    """Draw the gates and states of a pass over one row as heat maps, one above the other.

    The units stand in the order of how much their state changes, the liveliest on top.

    Args:
        trace: The pass.
        batch: The row of the batch, from 0.
        row: The layer and direction, a name out of `trace.rows`; None for the first one.
        gates: Names of the gates to draw; None for all. The states are drawn in any case.

    Returns:
        The figure: steps go to the right, named by the labels of the trace if it has some.

    Raises:
        InputError: If there is no such row, layer, direction or gate, or the row is empty.

    Example:
        >>> import torch
        >>> from tidegate.nn import GRU
        >>> figure = plot_gates(GRU(3, 4).trace(torch.zeros(5, 3)))
        >>> [axes.get_ylabel().split()[0] for axes in figure.axes[:4]]
        ['reset', 'update', 'new', 'hidden']
    """
    name = trace.rows[0] if row is None else row
    if name not in trace.rows:
        rule = f"one of {', '.join(trace.rows)}"
        raise InputError(message("plot_gates", "row", rule, repr(row)))
    part, entry = trace.select(batch=batch, gates=gates), trace.rows.index(name)
    steps = int(part.lengths[0])
    if not steps:
        got = f"{batch}, which has none"
        raise InputError(message("plot_gates", "batch", "a row with valid steps", got))
    panels = {gate: values[entry, 0, :steps] for gate, values in part.gates.items()}
    if part.cell is not None:
        panels["cell"] = part.cell[entry, 0, :steps]
    panels["hidden"] = part.hidden[entry, 0, :steps]
    drawn = figure(min(16, max(6, 2 + 0.25 * steps)), 0.6 + 1.4 * len(panels))
    axes = drawn.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    liveliest = panels["hidden" if part.cell is None else "cell"].var(0, unbiased=False)
    order = liveliest.argsort(descending=True)
    for place, (panel, values) in zip(axes, panels.items(), strict=True):
        features = panel == "hidden" and part.projected
        _draw(place, panel, values if features else values[:, order])
        kind = "features" if features else "units"
        place.set_ylabel(f"{panel}\n{values.shape[1]} {kind}")
    axes[0].set_title(f"{name}: gates and states, step by step")
    labels = None if part.labels is None else part.labels[0]
    if labels is None or steps > _MOST_LABELS:
        axes[-1].set_xlabel("step")
    else:
        axes[-1].set_xticks(range(steps), labels, rotation=60, ha="right", rotation_mode="anchor")
    return drawn


def _draw(axes: Axes, name: str, values: Tensor) -> None:
    """One heat map of `[steps, units]`."""
    values = values.detach().cpu().float()
    signed = name in SIGNED
    bound = float(values.abs().max().clamp(min=1e-6)) if signed else 1.0
    image = axes.imshow(
        values.T.numpy(),
        aspect="auto",
        cmap="PuOr" if signed else "cividis",
        vmin=-bound if signed else 0,
        vmax=bound,
        interpolation="nearest",
    )
    axes.set_yticks([])
    assert axes.figure is not None
    axes.figure.colorbar(image, ax=axes, pad=0.01)
