"""Figures: what the pictures have in common. They are made without pyplot, which keeps state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that people with any colour vision tell apart (Okabe & Ito 2008).
BLUE, ORANGE, GREEN, RED, SKY, PURPLE = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7",
)  # fmt: skip
GREY = "#777777"


def figure(width: float, height: float) -> Figure:
    """Make an empty figure.

    Args:
        width: In inches.
        height: In inches.

    Returns:
        A figure that keeps labels from overlapping, and that notebooks show.
    """
    from tidegate.explain.shown import ShownFigure  # matplotlib: only when drawn

    return ShownFigure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """Draw a figure.

    Returns:
        A PNG, as notebooks show it.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
