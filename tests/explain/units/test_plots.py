"""Pictures of a unit: what is drawn at which place."""

from __future__ import annotations

import pytest

from tidegate.explain.labels import Context
from tidegate.explain.units.plots import plot_contexts, plot_unit

HIGH = (
    Context(0, 2, 0.9, ("to", "be"), "or", ("not",)),
    Context(1, 0, 0.5, (), "that", ("is", "it")),
)
LOW = (Context(2, 1, -0.7, ("a",), "b", ()),)


def contexts_of(highest=HIGH, lowest=LOW, gap=" "):
    return plot_contexts(highest, lowest, gap=gap, signal="forget", title="unit 3")


def test_contexts_are_lines_with_a_bar_each_the_highest_above():
    words, bars = contexts_of().axes
    lines = [words.texts[start : start + 3] for start in range(0, 9, 3)]
    written = ["".join(text.get_text() for text in line) for line in lines]
    assert written == ["to be or not", " that is it", "a b "]
    assert [line[1].get_position() for line in lines] == [(0, 0), (0, 1), (0, 2)]
    assert [bar.get_width() for bar in bars.patches] == [0.9, 0.5, -0.7]
    colours = [bar.get_facecolor() for bar in bars.patches]
    assert colours[0] == colours[1] != colours[2]
    assert bars.get_xlabel() == "forget"
    assert words.yaxis_inverted()


def test_a_long_context_is_cut_on_both_sides_of_the_step():
    long = Context(0, 9, 1.0, ("x" * 30,) * 4, "here", ("y" * 30,) * 4)
    words, _ = contexts_of((long,), ()).axes
    before, label, after = (text.get_text() for text in words.texts)
    assert (label, len(before), len(after)) == ("here", 45, 49)
    assert words.get_xlim() == (-45, 53)


def test_no_contexts_at_all():
    figure = contexts_of((), ())
    figure.canvas.draw()
    assert not figure.axes[0].texts


VALUES, MARKED = [0.1, -0.4, 0.8, 0.2], [False, True, True, False]


def unit_of(labels, **options):
    options = {"signal": "hidden", "pattern": "rising", "title": "unit 3: $hidden$", **options}
    return plot_unit(VALUES, MARKED, labels, **options)


def test_a_series_is_a_curve_with_the_pattern_shaded():
    axes = unit_of(None).axes[0]
    assert axes.lines[0].get_ydata().tolist() == VALUES
    (shade,) = axes.collections
    (box,) = (path.get_extents() for path in shade.get_paths())
    assert (box.x0, box.x1) == (0.5, 2.5)  # from before step 1 to behind step 2
    assert (box.y0, box.y1) == axes.get_ylim()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "hidden")
    assert [text.get_text() for text in axes.get_legend().texts] == ["hidden", "rising"]
    axes.figure.canvas.draw()
    assert axes.get_title(loc="left") == "unit 3: $hidden$"


def test_steps_that_stand_alone_are_shaded_too():
    marked = [True, False, False, True]
    drawn = plot_unit(VALUES, marked, None, signal="hidden", pattern="rising", title="unit 3")
    boxes = [path.get_extents() for path in drawn.axes[0].collections[0].get_paths()]
    assert [(box.x0, box.x1) for box in boxes] == [(-0.5, 0.5), (2.5, 3.5)]


@pytest.mark.parametrize("labels", [("to", "be", "or", "not"), tuple("abcd")])
def test_labels_are_running_text_with_the_pattern_framed(labels):
    figure = unit_of(labels)
    axes = figure.axes[0]
    assert tuple(text.get_text() for text in axes.texts) == labels
    frames = [patch for patch in axes.patches if patch.get_edgecolor()[3] > 0]
    assert len(frames) == 1  # the two steps stand side by side
    assert figure.texts[0].get_text() == "unit 3: $hidden$"
