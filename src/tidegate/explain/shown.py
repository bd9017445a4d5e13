"""ShownFigure: a matplotlib figure that a notebook shows, though no pyplot made it."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A figure that shows itself where it is the value of a cell.

    Example:
        >>> ShownFigure(figsize=(1, 1))._repr_png_()[1:4]
        b'PNG'
    """

    def _repr_png_(self) -> bytes:
        """Draw the figure as a PNG, as notebooks ask for it."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()
