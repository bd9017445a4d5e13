"""The report as one picture."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tests.explain.reports import report
from tidegate.explain.figures import BLUE
from tidegate.nn import recurrent_layer


def pixels(figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def blue_pixels(made) -> int:
    colour = [int(BLUE[at : at + 2], 16) for at in (1, 3, 5)]
    return int((pixels(made.plot())[:200] == colour).all(-1).sum())


def test_the_bar_of_the_answer_is_as_long_as_it_is_probable():
    sure = report(probabilities={"no": 0.1, "yes": 0.9})
    unsure = report(probabilities={"no": 0.4, "yes": 0.6})
    assert blue_pixels(sure) / blue_pixels(unsure) == pytest.approx(1.5, rel=0.03)


def test_it_grows_with_the_text_and_with_the_gates():
    height = report().plot().get_size_inches()[1]
    assert report(["tide"] * 200).plot().get_size_inches()[1] > height
    assert report(layer=recurrent_layer("rnn", 2, 3)).plot().get_size_inches()[1] < height


def test_names_are_no_formulas_and_many_classes_are_cut_to_the_most_probable():
    names = [f"${index}_{{" for index in range(40)]
    probabilities = dict.fromkeys(names, 1 / 40)
    made = report(prediction="$0_{", probabilities=probabilities)
    few = report(prediction="$0_{", probabilities=dict.fromkeys(names[:8], 1 / 8))
    assert made.plot().get_size_inches()[1] == few.plot().get_size_inches()[1]


def test_an_answer_without_probabilities_has_no_bars():
    made = report()
    object.__setattr__(made, "probabilities", {})
    assert made.plot().get_size_inches()[1] < report().plot().get_size_inches()[1]
