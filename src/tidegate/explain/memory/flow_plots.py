"""Pictures of gradient flow: curves on a logarithmic scale, by the distance from the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.explain.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[Any]]

COLOURS = (RED, BLUE, GREEN, PURPLE, ORANGE, SKY, GREY)

_DASHES = (0, (4, 2))
_PRODUCTS = "the product alone: ∏ f, ∏ z, Jacobians"

_SYMBOLS = {"hidden": "∂loss/∂h", "cell": "∂loss/∂c", "chain": "∏ Jacobians"}
_HIGHWAYS = {"lstm": "∏ f alone", "gru": "∏ z alone"}


@dataclass(frozen=True, eq=False)
class FlowCurve:
    """A curve of a gradient flow, as it is drawn.

    Attributes:
        name: "hidden" or "cell", for the gradient of a state; "highway" or "chain", the product.
        logs: ln of the norm by distance in steps, `[T]`.
        factor: What one step multiplies it by; NaN if that is not known.
        product: Whether it is what the product alone makes of the gradient at the end.
    """

    name: str
    logs: Array
    factor: float
    product: bool


@dataclass(frozen=True)
class _Line:
    label: str
    values: Array
    colour: str
    dashed: bool


def plot_flow(family: str, curves: Sequence[FlowCurve], layer: str) -> Figure:
    """Draw all curves of one network, one colour a curve.

    Args:
        family: The name of its cell: "lstm", "gru", "rnn".
        curves: The curves.
        layer: Which layer and direction; "" if there is but one.

    Returns:
        The figure.
    """
    names = _SYMBOLS | {"highway": _HIGHWAYS.get(family, "highway")}
    pairs = zip(curves, COLOURS, strict=False)
    lines = [_line(names.get(curve.name, curve.name), curve, colour) for curve, colour in pairs]
    drawn = figure(9.5, 5.5)
    _draw(drawn.add_subplot(), lines, lines, layer)
    return drawn


def plot_flows(networks: Mapping[str, Sequence[FlowCurve]], layer: str) -> Figure:
    """Draw the gradient of the memory and the product of several networks, one colour a network.

    Args:
        networks: The curves of each by its name, these two last.
        layer: Which layer and direction; "" if each has but one.

    Returns:
        The figure: solid the gradients, which are named, dashed the products.
    """
    lines = [
        _line(name, curve, colour)
        for colour, (name, curves) in zip(COLOURS, networks.items(), strict=False)
        for curve in curves[-2:]
    ]
    drawn = figure(9.5, 5.5)
    axes = drawn.add_subplot()
    _draw(axes, lines, [line for line in lines if not line.dashed], layer)
    _add_legend(axes)
    return drawn


def _line(name: str, curve: FlowCurve, colour: str) -> _Line:
    label = name if math.isnan(curve.factor) else f"{name}\n×{curve.factor:.3f} a step"
    powers = curve.logs / math.log(10)
    shown = np.where(np.isfinite(powers), powers, np.nan)
    return _Line(label, shown, colour, curve.product)


def _draw(axes: Axes, lines: Sequence[_Line], named: Sequence[_Line], layer: str) -> None:
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
    _label_ends(axes, named)
    _dress(axes, layer)


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


def _label_ends(axes: Axes, lines: Sequence[_Line]) -> None:
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


def _last(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else 0.0


def _dress(axes: Axes, layer: str) -> None:
    axes.set_xlabel("distance from the end, in steps")
    axes.set_ylabel("norm of the gradient that arrives")
    part = f" ({layer})" if layer else ""
    axes.set_title(f"How far back does the gradient reach?{part}", loc="left")
    axes.margins(x=0)
    axes.grid(axis="y", color="0.92")
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(axes: Axes) -> None:
    """Say what solid and dashed mean."""
    from matplotlib.lines import Line2D

    solid = Line2D([], [], color="0.3", linewidth=2.6, label="along all paths")
    dashed = Line2D([], [], color="0", linewidth=1.3, linestyle=_DASHES, label=_PRODUCTS)
    axes.legend(handles=[solid, dashed], frameon=False, loc="best")
