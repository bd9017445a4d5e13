"""A figure that is the value of a cell is drawn there."""

from __future__ import annotations

from matplotlib.figure import Figure

from tidegate.explain.figures import figure
from tidegate.explain.shown import ShownFigure


def test_a_notebook_gets_a_picture_of_what_is_in_the_figure():
    drawn = figure(2, 1)
    assert isinstance(drawn, Figure)
    assert isinstance(drawn, ShownFigure)
    empty = drawn._repr_png_()
    drawn.subplots().plot([1, 2])
    assert empty.startswith(b"\x89PNG")
    assert drawn._repr_png_() != empty
