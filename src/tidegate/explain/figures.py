"""Figures: what the pictures have in common. They are made without pyplot, which keeps state."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

# Colours that people with any colour vision tell apart (Okabe & Ito 2008).
BLUE, ORANGE, GREEN, RED, SKY, PURPLE = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7",
)  # fmt: skip
GREY = "#777777"
# Of a table that a notebook shows.
_ROWS = 10


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


def shown(told: str, figure: Figure, table: DataFrame | None = None) -> str:
    """Write what a notebook shows of a result: a sentence, a picture, the first rows of a table.

    Args:
        told: The sentence.
        figure: The picture.
        table: The table, or None.

    Returns:
        HTML that loads nothing.
    """
    picture = base64.b64encode(png(figure)).decode("ascii")
    rows = "" if table is None else table.head(_ROWS).to_html(border=0)
    rest = 0 if table is None else len(table) - _ROWS
    more = f"<p>… and {rest:,} rows more: to_frame()</p>" if rest > 0 else ""
    image = f'<img style="max-width: 100%" src="data:image/png;base64,{picture}">'
    return f"<p>{html.escape(told)}</p>{image}{rows}{more}"


def png(figure: Figure) -> bytes:
    """Draw a figure.

    Returns:
        A PNG, as notebooks show it.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
