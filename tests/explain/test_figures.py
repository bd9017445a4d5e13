"""Figures: made without pyplot, of the size asked for, in colours that can be told apart."""

from __future__ import annotations

import itertools
import struct

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb

from tidegate.explain import figures
from tidegate.explain.figures import figure, png, shown


def test_a_figure_has_its_size_and_pyplot_knows_nothing_of_it():
    drawn = figure(3, 2)
    assert drawn.get_size_inches().tolist() == [3, 2]
    assert drawn.get_layout_engine() is not None
    assert not plt.get_fignums()


def test_a_png_has_the_pixels_of_its_inches():
    data = png(figure(3, 2))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (330, 220)  # at 110 dots an inch
    assert data == png(figure(3, 2))


def test_colours_differ_for_those_who_see_no_red():
    """By the matrix of Viénot, Brettel & Mollon 1999 for protanopes, of linear light."""
    protanope = np.array([[0.1124, 0.8876, 0.0], [0.1124, 0.8876, 0.0], [0.004, -0.004, 1.0]])
    names = ("BLUE", "ORANGE", "GREEN", "RED", "SKY", "PURPLE")
    seen = [protanope @ np.array(to_rgb(getattr(figures, name))) ** 2.2 for name in names]
    for one, two in itertools.combinations(seen, 2):
        assert np.abs(one - two).max() > 0.05


def test_a_result_is_shown_with_its_picture_and_the_first_rows():
    drawn = figure(1, 1)
    page = shown("a < b", drawn, pd.DataFrame({"value": range(14)}))
    assert page.startswith("<p>a &lt; b</p><img ")
    assert page.count("<tr>") == 1 + 9
    assert page.endswith("<p>… and 4 rows more: to_frame()</p>")
    assert "<table" not in shown("", drawn)
