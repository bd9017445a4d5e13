"""Running text: where tokens stand."""

from __future__ import annotations

from tidegate.explain.text_plots import plot_text

WAYS = {"title": "", "against": "down", "towards": "up"}


def frames(tokens, framed):
    drawn = plot_text(tokens, [0.5] * len(tokens), framed=framed, **WAYS)
    boxes = [patch for patch in drawn.axes[0].patches if patch.get_edgecolor()[3] > 0]
    return [(box.get_x(), box.get_x() + box.get_width(), box.get_y()) for box in boxes]


def places(tokens):
    drawn = plot_text(tokens, [0.5] * len(tokens), **WAYS)
    return [(text.get_text(), *text.get_position()) for text in drawn.axes[0].texts]


def test_words_stand_apart_and_go_on_below():
    assert places(["to", "be"]) == [("to", 0, 0.5), ("be", 3, 0.5)]
    long = places(["a" * 60, "b" * 60])
    assert [at[1:] for at in long] == [(0, 0.5), (0, 1.5)]


def test_characters_stand_side_by_side_and_a_line_ends_where_the_text_says():
    assert places("ab\nc") == [("a", 0, 0.5), ("b", 1, 0.5), ("⏎", 2, 0.5), ("c", 0, 1.5)]


def test_neighbours_stand_in_one_frame_up_to_the_end_of_the_line():
    assert frames("abcd\nef", [0, 1, 1, 1, 1, 1, 0]) == [(1, 5, 0.1), (0, 1, 1.1)]
    assert frames("abcd", [1, 0, 0, 1]) == [(0, 1, 0.1), (3, 4, 0.1)]
    assert frames(["to", "be", "or"], [0, 1, 1]) == [(2.75, 8.25, 0.1)]
    assert frames("ab", []) == frames("ab", [0, 0]) == []
