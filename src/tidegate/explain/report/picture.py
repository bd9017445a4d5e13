"""Picture: a report as one figure: the answer, the text, the gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.explain.figures import BLUE, GREY, figure
from tidegate.explain.report.explanation import Explanation
from tidegate.explain.units.gate_plots import plot_gates

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_DPI = 130
_MOST_CLASSES = 8


def picture(explanation: Explanation) -> Figure:
    """Draw a report: probabilities, the text coloured by contribution, the gates of a layer.

    Args:
        explanation: What the report shows.

    Returns:
        A figure of pixels, made to be saved or shown as it is: at 130 dots an inch. The gates are
        those of the top layer on its way forward.
    """
    from tidegate.explain.shown import ShownFigure  # matplotlib: only when drawn

    text = explanation.attributions[0].plot()
    width = float(text.get_size_inches()[0])
    gates = plot_gates(explanation.trace, row=explanation.top_row)
    gates.set_size_inches(width, float(gates.get_size_inches()[1]))
    parts = [_pixels(part) for part in (_answer(explanation, width), text, gates)]
    widest = max(part.shape[1] for part in parts)
    whole = np.concatenate([_widened(part, widest) for part in parts])
    drawn = ShownFigure(figsize=(whole.shape[1] / _DPI, whole.shape[0] / _DPI), dpi=_DPI)
    drawn.figimage(whole)
    return drawn


def _answer(explanation: Explanation, width: float) -> Figure:
    """A bar for the probability of each class, the most probable ones on top."""
    ranked = sorted(explanation.probabilities.items(), key=lambda pair: -pair[1])[:_MOST_CLASSES]
    drawn = figure(width, 0.7 + 0.25 * len(ranked))
    drawn.suptitle(f"{explanation.prediction}   ({explanation.model})", parse_math=False)
    axes = drawn.subplots()
    axes.set_axis_off()
    axes.set(xlim=(-0.3, 1.15), ylim=(len(ranked) - 0.5, -0.5) if ranked else (1, 0))
    for line, (name, share) in enumerate(ranked):
        axes.barh(line, share, color=BLUE if name == explanation.prediction else GREY, height=0.6)
        shown = name if len(name) <= 24 else name[:23] + "…"
        axes.text(-0.02, line, shown, ha="right", va="center", parse_math=False)
        axes.text(share + 0.01, line, f"{share:.1%}", va="center")
    return drawn


def _pixels(part: Figure) -> np.ndarray[Any, Any]:
    """Draw a figure: `[height, width, 4]` uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    part.set_dpi(_DPI)
    canvas = FigureCanvasAgg(part)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _widened(part: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    return np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=255)
