"""Pictures of a text whose tokens are coloured by numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.explain.figures import BLUE, RED, figure
from tidegate.explain.labels import between

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

_COLUMNS = 100  # characters in a line
_POINTS = 9.0  # size of the letters
_WIDE = 0.64 * _POINTS / 72  # inches that a monospaced character takes, rounded to whole pixels
_HIGH = 1.9 * _POINTS / 72  # inches from line to line
_LINE_END = "⏎"
_HEAD, _FOOT, _SIDE = 0.5, 0.65, 0.2  # inches around the text
_STRONGEST = 0.75  # of a colour, so that black letters can be read on it


def diverging() -> LinearSegmentedColormap:
    """Return the colours from -1, orange, over white to 1, blue."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    ends = np.array([to_rgb(RED), (1.0, 1.0, 1.0), to_rgb(BLUE)])
    return LinearSegmentedColormap.from_list("diverging", 1 - _STRONGEST * (1 - ends))


def plot_text(
    tokens: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    against: str,
    towards: str,
    framed: Sequence[bool] = (),
) -> Figure:
    """Draw tokens as running text, each on a ground of the colour of its number.

    Args:
        tokens: The tokens.
        values: Their numbers, one each; 0 is white.
        title: What stands above.
        against: What negative numbers mean.
        towards: What positive numbers mean.
        framed: Which tokens stand in a frame, one each; none by default.

    Returns:
        The figure.

    Example:
        >>> ways = {"against": "bad", "towards": "good"}
        >>> drawn = plot_text(["so", "good"], [-0.1, 1.0], title="Why good?", **ways)
        >>> [text.get_text() for text in drawn.axes[0].texts]
        ['so', 'good']
    """
    shown = [_visible(token) for token in tokens]
    gap = len(between(shown))
    places = _places(shown, gap)
    lines = 1 + max((line for line, _ in places), default=0)
    width, height = _COLUMNS * _WIDE, lines * _HIGH
    drawn = figure(width + 2 * _SIDE, height + _HEAD + _FOOT)
    drawn.set_layout_engine("none")  # every place is known
    whole = drawn.get_size_inches()
    axes = drawn.add_axes((_SIDE / whole[0], _FOOT / whole[1], width / whole[0], height / whole[1]))
    axes.set(xlim=(0, _COLUMNS), ylim=(lines, 0))
    axes.axis("off")
    bound = max((abs(value) for value in values), default=0.0) or 1.0
    colours = diverging()
    for token, value, place in zip(shown, values, places, strict=True):
        _token(axes, token, colours((value / bound + 1) / 2), gap / 4, place)
    for line, start, end in _runs(shown, places, framed):
        _box(axes, line, start - gap / 4, end + gap / 4, facecolor="none", edgecolor="black")
    drawn.text(_SIDE / whole[0], 1 - 0.3 / whole[1], title, fontsize=11, parse_math=False)
    _legend(drawn, colours, bound, against, towards)
    return drawn


def _visible(token: str) -> str:
    """A token on one line, and no longer than it."""
    token = token.replace("\n", _LINE_END).replace("\t", "⇥")
    return token if len(token) <= _COLUMNS else token[: _COLUMNS - 1] + "…"


def _places(tokens: Sequence[str], gap: int) -> list[tuple[int, int]]:
    """Line and column of each token."""
    places, line, column = [], 0, 0
    for token in tokens:
        if column + len(token) > _COLUMNS:
            line, column = line + 1, 0
        places.append((line, column))
        column += len(token) + gap
        if token.endswith(_LINE_END):
            line, column = line + 1, 0
    return places


def _token(
    axes: Axes,
    token: str,
    colour: tuple[float, float, float, float],
    margin: float,
    place: tuple[int, int],
) -> None:
    line, column = place
    _box(axes, line, column - margin, column + len(token) + margin, facecolor=colour)
    axes.text(
        column, line + 0.5, token, va="center", family="monospace", fontsize=_POINTS,
        parse_math=False,
    )  # fmt: skip


def _runs(
    tokens: Sequence[str], places: Sequence[tuple[int, int]], framed: Sequence[bool]
) -> Iterator[tuple[int, float, float]]:
    """Line, start and end of what stands in one frame: framed tokens side by side."""
    run: list[int] = []
    for step, yes in enumerate([*framed, False]):
        if run and not (yes and places[step][0] == places[run[-1]][0]):
            line, column = places[run[-1]]
            yield line, places[run[0]][1], column + len(tokens[run[-1]])
            run = []
        if yes:
            run.append(step)


def _box(axes: Axes, line: int, start: float, end: float, **colours: Any) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((start, line + 0.1), end - start, 0.8, **colours))


def _legend(
    drawn: Figure, colours: LinearSegmentedColormap, bound: float, against: str, towards: str
) -> None:
    _, height = drawn.get_size_inches()
    bar = drawn.add_axes((0.35, 0.3 / height, 0.3, 0.14 / height))
    bar.imshow(np.linspace(0, 1, 256)[None], cmap=colours, aspect="auto")
    bar.set_yticks([])
    bar.set_xticks([0, 127.5, 255], [f"−{bound:.2g}", "0", f"+{bound:.2g}"], fontsize=8)
    ends = {"right": (-0.03, against), "left": (1.03, towards)}
    for side, (place, words) in ends.items():
        bar.text(
            place, 0.5, words, ha=side, va="center", transform=bar.transAxes, fontsize=9,
            parse_math=False,
        )  # fmt: skip


def plot_bars(values: Sequence[float], *, title: str) -> Figure:
    """Draw a number for each step of a series as a bar.

    Args:
        values: One number a step.
        title: What stands above.

    Returns:
        The figure.
    """
    drawn = figure(9, 3)
    axes = drawn.subplots()
    colours = [BLUE if value >= 0 else RED for value in values]
    axes.bar(range(len(values)), values, color=colours, width=1.0)
    axes.axhline(0, color="black", lw=0.6)
    axes.set(xlabel="step", ylabel="contribution")
    axes.set_title(title, fontsize=11, loc="left", parse_math=False)
    return drawn
