"""Pictures of gradient flow: curves on a logarithmic scale, by the distance from the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tidegate.errors import InputError, message
from tidegate.explain.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, figure
from tidegate.explain.memory.flow_curves import GradientFlow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (RED, BLUE, GREEN, PURPLE, ORANGE, SKY, GREY)

_DASHES = (0, (4, 2))
_PRODUCTS = "the product alone: ∏ f, ∏ z, Jacobians"

_SYMBOLS = {"hidden": "∂loss/∂h", "cell": "∂loss/∂c", "chain": "∏ Jacobians"}
_HIGHWAYS = {"lstm": "∏ f alone", "gru": "∏ z alone"}


@dataclass(frozen=True)
class _Line:
    label: str
    values: np.ndarray
    colour: str
    dashed: bool


def plot_gradient_flows(flows: Mapping[str, GradientFlow], *, row: int = -1) -> Figure:
    """Draw how much gradient arrives at what distance, one colour a network.

    Solid is the gradient along all paths, of the state that is the memory: c of an LSTM, h of the
    others. Dashed is what the product that tutorials quote makes of the gradient at the end: the
    gates that keep the state alone, or the Jacobians of an RNN. A single flow shows all its curves.

    Args:
        flows: What `gradient_flow` measured, by the name to print.
        row: Which layer and direction, default the last.

    Returns:
        A figure of its own, which no pyplot state knows.

    Raises:
        InputError: If there are no flows, or more than colours.

    Example:
        >>> import torch
        >>> from tidegate.explain import gradient_flow
        >>> from tidegate.nn import GRU, RNN
        >>> x = torch.randn(20, 2, 3)
        >>> flows = {"GRU": gradient_flow(GRU(3, 4), x), "RNN": gradient_flow(RNN(3, 4), x)}
        >>> figure = plot_gradient_flows(flows)
        >>> len(figure.axes[0].get_lines()) >= 4
        True
    """
    if not 1 <= len(flows) <= len(COLOURS):
        rule = f"1 to {len(COLOURS)} flows"
        raise InputError(message("plot_gradient_flows", "flows", rule, len(flows)))
    lines = _lines(flows, row)
    drawn = figure(9.5, 5.5)
    axes = drawn.add_subplot()
    for line in lines:
        # Dark and on top: a product that is all there is to the gradient must still be seen.
        colour = _dark(line.colour) if line.dashed else line.colour
        dashes, width = (_DASHES, 1.3) if line.dashed else ("-", 2.6)
        axes.plot(
            line.values,
            color=colour,
            linestyle=dashes,
            linewidth=width,
            zorder=3 if line.dashed else 2,
        )
    _scale(axes)
    _label_ends(axes, lines if len(flows) == 1 else [line for line in lines if not line.dashed])
    _dress(axes, flows, row)
    return drawn


def _lines(flows: Mapping[str, GradientFlow], row: int) -> list[_Line]:
    if len(flows) == 1:
        (flow,) = flows.values()
        names = _SYMBOLS | {"highway": _HIGHWAYS.get(flow.family, "highway")}
        return [
            _line(names.get(curve, curve), flow, curve, row, colour)
            for curve, colour in zip(flow.curves, COLOURS, strict=False)
        ]
    return [
        _line(name, flow, curve, row, colour)
        for colour, (name, flow) in zip(COLOURS, flows.items(), strict=False)
        # The last two: the gradient of the memory, and the product.
        for curve in flow.curves[-2:]
    ]


def _line(name: str, flow: GradientFlow, curve: str, row: int, colour: str) -> _Line:
    factor = flow.decay(curve, row).factor
    label = name if math.isnan(factor) else f"{name}\n×{factor:.3f} a step"
    values = (flow.curve(curve, row) / math.log(10)).cpu().numpy()
    shown = np.where(np.isfinite(values), values, np.nan)
    return _Line(label, shown, colour, curve not in flow.gradients)


def _scale(axes: Axes) -> None:
    """Whole steps and powers of ten on the axes, and where float32 ends if a curve goes there."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axes.get_ylim()
    if high - low > 2:
        axes.yaxis.set_major_formatter(lambda power, _: f"$10^{{{power:.0f}}}$")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.yaxis.set_major_formatter(lambda power, _: f"{10**power:.2g}")
    ends = {-37.93: "below: too small for float32", 38.53: "above: too large for float32"}
    for power, text in ends.items():
        if low < power < high:
            axes.axhline(power, color="0.6", linewidth=0.8, zorder=0)
            place = axes.get_yaxis_transform()
            axes.text(0.01, power, text, transform=place, color="0.4", fontsize=8, va="bottom")


def _label_ends(axes: Axes, lines: list[_Line]) -> None:
    """Write each line's name beside its end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    lines = sorted(lines, key=lambda line: _last(line.values))
    wanted = [(_last(line.values) - low) / (high - low) for line in lines]
    for line, place in zip(lines, _spread(wanted), strict=True):
        axes.text(
            1.01,
            place,
            line.label,
            transform=axes.transAxes,
            color=_dark(line.colour),
            va="center",
            parse_math=False,
        )


def _spread(places: list[float]) -> list[float]:
    """Move ascending places between 0 and 1 apart by the height of a label, all below 1."""
    height = 0.1
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1] + height)
    top = 1.0
    for index in reversed(range(len(places))):
        places[index] = top = min(places[index], top)
        top -= height
    return places


def _dark(colour: str) -> tuple[float, float, float]:
    """The colour dark enough to be read on white."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return 0.65 * red, 0.65 * green, 0.65 * blue


def _last(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else 0.0


def _dress(axes: Axes, flows: Mapping[str, GradientFlow], row: int) -> None:
    from matplotlib.lines import Line2D

    axes.set_xlabel("distance from the end, in steps")
    axes.set_ylabel("norm of the gradient that arrives")
    layers = dict.fromkeys(flow.rows[row] for flow in flows.values())
    many = any(len(flow.rows) > 1 for flow in flows.values())
    part = f" ({', '.join(layers)})" if many else ""
    axes.set_title(f"How far back does the gradient reach?{part}", loc="left")
    axes.margins(x=0)
    axes.grid(axis="y", color="0.92")
    axes.spines[["top", "right"]].set_visible(False)
    if len(flows) > 1:
        solid = Line2D([], [], color="0.3", linewidth=2.6, label="along all paths")
        dashed = Line2D([], [], color="0", linewidth=1.3, linestyle=_DASHES, label=_PRODUCTS)
        axes.legend(handles=[solid, dashed], frameon=False, loc="best")
