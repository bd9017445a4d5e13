"""Pictures of what a change did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tidegate.explain.attribution.trace_pair import TracePair
from tidegate.explain.figures import BLUE, GREY, figure
from tidegate.explain.signals import SIGNED, read_row, read_signal
from tidegate.nn.trace.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_LABELS = 30  # more would lie on each other
_MOST_UNITS = 24
_MOST_OUTPUTS = 6


@dataclass(frozen=True, eq=False)
class Bars:
    """The answers before and after a change, as they are drawn.

    Attributes:
        names: What the C outputs are called.
        values: Before and after, `[2, C]`.
        measure: What they measure: "probability", "score".
    """

    names: Sequence[str]
    values: Tensor
    measure: str


def plot_what_if(pair: TracePair, bars: Bars, *, change: str, row: str | None = None) -> Figure:
    """Draw the answer and the gates before and after, and how far they moved.

    Args:
        pair: The passes.
        bars: The answers.
        change: What was changed, in words.
        row: The layer and direction; None for the one whose hidden state moved most.

    Returns:
        The figure: a line of heat maps for each gate and state, of the units that moved most.
    """
    moved = pair.difference("hidden")
    entry = read_row("WhatIf.plot", pair.before, row)
    if row is None and moved.numel():
        entry = int(moved.abs().flatten(1).mean(1).argmax())
    names = [*pair.before.gates, *(["cell"] if pair.before.cell is not None else []), "hidden"]
    drawn = figure(13, 1.9 + 1.35 * len(names))
    parts = drawn.subfigures(2, 1, squeeze=False, height_ratios=[1.2, 1.35 * len(names)])
    answer, maps = parts[:, 0]
    _draw_bars(answer.subplots(), bars)
    axes = maps.subplots(len(names), 3, squeeze=False)
    units = _liveliest(pair, entry)
    for line, name in zip(axes, names, strict=True):
        whole = pair.before.projected and name == "hidden"
        _draw_maps(line, pair, name, entry, slice(None) if whole else units)
    for place, title in zip(axes[0], ("before", "after", "after − before"), strict=True):
        place.set_title(title)
    for place, labels in zip(axes[-1], _labels(pair), strict=True):
        _name_steps(place, labels)
    title = f"{change}\n{pair.before.rows[entry]}, the {len(units)} units that moved most"
    drawn.suptitle(title, fontsize=11, parse_math=False)
    return drawn


def _labels(pair: TracePair) -> list[tuple[str, ...] | None]:
    """What the steps of the three columns are called: before, after, and those of both."""
    before, after = (
        None if trace.labels is None else trace.labels[0] for trace in (pair.before, pair.after)
    )
    both = None if after is None else tuple(after[step] for _, step in pair.steps)
    return [before, after, both]


def _name_steps(axes: Axes, labels: tuple[str, ...] | None) -> None:
    """Write the labels below a column, if there is room for them."""
    if labels is None or len(labels) > _MOST_LABELS:
        axes.set_xlabel("step")
    else:
        axes.set_xticks(
            range(len(labels)), labels, rotation=60, ha="right", rotation_mode="anchor",
            fontsize=8, parse_math=False,
        )  # fmt: skip


def _liveliest(pair: TracePair, entry: int) -> list[int]:
    """The units whose gates or states moved most."""
    name = "hidden" if pair.before.cell is None else "cell"
    moved = pair.difference(name)[entry].abs()
    size = moved.amax(0) if len(moved) else torch.zeros(moved.shape[1])
    return size.argsort(descending=True)[:_MOST_UNITS].tolist()


def _draw_bars(axes: Axes, bars: Bars) -> None:
    """The outputs before and after, those that moved most."""
    values = bars.values
    shown = (values[1] - values[0]).abs().argsort(descending=True)[:_MOST_OUTPUTS].tolist()
    for place, (index, colour) in enumerate(((0, GREY), (1, BLUE))):
        heights = [line + (place - 0.5) * 0.38 for line in range(len(shown))]
        label = ("before", "after")[index]
        drawn = axes.barh(
            heights, values[index, shown].tolist(), height=0.36, color=colour, label=label
        )
        axes.bar_label(drawn, fmt="%.2f", padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), [bars.names[index] for index in shown])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(0, color="black", lw=0.6)
    axes.set_xlabel(bars.measure)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_maps(
    line: list[Axes], pair: TracePair, name: str, entry: int, units: list[int] | slice
) -> None:
    """Heat maps of one gate or state: before, after, and the difference."""
    first, second = (_values(trace, name)[entry] for trace in (pair.before, pair.after))
    moved = pair.difference(name)[entry]
    signed = name in SIGNED
    bound = max(float(part.abs().max()) for part in (first, second)) if signed else 1.0
    for axes, values in zip(line, (first, second, moved), strict=True):
        axes.set_xticks([])
        axes.set_yticks([])
        if not len(values):  # another text, which has no step in common
            continue
        change = values is moved
        top = max(float(moved.abs().max()), 1e-6) if change else bound
        image = axes.imshow(
            values[:, units].T.numpy(),
            aspect="auto",
            cmap="PuOr" if signed or change else "cividis",
            vmin=-top if signed or change else 0,
            vmax=top,
            interpolation="nearest",
        )
        if axes is not line[0]:
            axes.figure.colorbar(image, ax=axes, pad=0.01)
    line[0].set_ylabel(name)


def _values(trace: Trace, name: str) -> Tensor:
    return read_signal("WhatIf.plot", trace, name)[:, 0, : int(trace.lengths[0])].float()
