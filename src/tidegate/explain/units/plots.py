"""Pictures of what a unit does along a text or a series."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidegate.explain.figures import BLUE, GREY, ORANGE, RED, figure
from tidegate.explain.labels import Context
from tidegate.explain.text_plots import plot_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AROUND = 44  # characters on either side of a context's step
_WIDE = 0.08  # inches that a monospaced character of 9 points takes, rounded to whole pixels
_TITLE = 40  # characters beside the bars that the title needs


def plot_contexts(
    highest: Sequence[Context], lowest: Sequence[Context], *, gap: str, signal: str, title: str
) -> Figure:
    """Draw contexts as lines of text around the step, with a bar for the value.

    Args:
        highest: Where a unit is highest; in blue, above.
        lowest: Where it is lowest; in red, below.
        gap: What stands between steps in writing.
        signal: What the bars measure.
        title: What stands above.

    Returns:
        The figure.
    """
    places = [*highest, *lowest]
    lines = [_parts(at, gap) for at in places]
    left = max((len(before) for before, _, _ in lines), default=0)
    right = max((len(label + after) for _, label, after in lines), default=0)
    right = max(min(right, _AROUND + 10), _TITLE - left)
    # The text gets the room that its longest line takes, so that the bars stand beside it.
    words_width, bars_width = _WIDE * (left + right), 2.0
    drawn = figure(words_width + bars_width + 0.3, 0.9 + 0.26 * len(places))
    words, bars = drawn.subplots(1, 2, sharey=True, width_ratios=[words_width, bars_width])
    for line, (at, parts) in enumerate(zip(places, lines, strict=True)):
        colour = BLUE if line < len(highest) else RED
        _line_up(words, line, parts, colour, len(gap) / 4)
        bars.barh(line, at.value, color=colour, height=0.7)
    words.set(xlim=(-left, right), ylim=(len(places) - 0.4, -0.6))
    words.axis("off")
    bars.axvline(0, color="black", lw=0.6)
    bars.set_yticks([])
    bars.set_xlabel(signal)
    drawn.suptitle(title, fontsize=11)
    return drawn


def _parts(at: Context, gap: str) -> tuple[str, str, str]:
    """What is written before the step, at it and after it, on one line."""
    before = gap.join(at.before)[-_AROUND:] + gap
    after = gap + gap.join(at.after)[: max(0, _AROUND + 8 - len(at.label))]
    # Between words a space is clear; at the step itself nobody would see it.
    return _signs(before), _signs(at.label).replace(" ", "␣"), _signs(after)


def _signs(text: str) -> str:
    return text.replace("\n", "⏎").replace("\t", "⇥")


def _line_up(
    axes: Axes, line: int, parts: tuple[str, str, str], colour: str, margin: float
) -> None:
    """A context on one line, the steps of all contexts below each other."""
    from matplotlib.patches import Rectangle

    before, label, after = parts
    # A ground as well: a sign is small, and other characters are invisible too.
    width = len(label) + 2 * margin
    axes.add_patch(Rectangle((-margin, line - 0.4), width, 0.8, color=colour, alpha=0.2, lw=0))
    for place, text, side, shade in (
        (0, before, "right", GREY), (0, label, "left", colour), (len(label), after, "left", GREY),
    ):  # fmt: skip
        axes.text(
            place, line, text, ha=side, va="center", family="monospace",
            fontsize=9, color=shade, weight="bold" if shade == colour else "normal",
            parse_math=False,
        )  # fmt: skip


def plot_unit(
    values: Sequence[float],
    marked: Sequence[bool],
    labels: Sequence[str] | None,
    *,
    signal: str,
    pattern: str,
    title: str,
) -> Figure:
    """Draw what a unit does along a row, and where a pattern is.

    Args:
        values: What the unit does at each step.
        marked: Whether the pattern is there, at each step.
        labels: What the steps are called; None for a series.
        signal: What `values` are called.
        pattern: What the pattern is called.
        title: What stands above.

    Returns:
        The figure: running text with the pattern framed, or a curve with the pattern shaded.

    Example:
        >>> drawn = plot_unit([0.1, 0.9], [False, True], None, signal="hidden", pattern="rising",
        ...                   title="unit 3")
        >>> drawn.axes[0].get_ylabel()
        'hidden'
    """
    if labels is not None:
        ends = {"against": "below zero", "towards": "above zero"}
        return plot_text(labels, values, title=title, framed=marked, **ends)
    drawn = figure(9, 3)
    axes = drawn.subplots()
    axes.plot(values, color=BLUE, lw=1.2, label=signal)
    low, high = axes.get_ylim()
    axes.broken_barh(
        _spans(marked), (low, high - low), facecolor=ORANGE, alpha=0.3, lw=0, label=pattern
    )
    axes.set(ylim=(low, high), xlabel="step", ylabel=signal)
    axes.set_title(title, fontsize=11, loc="left", parse_math=False)
    axes.legend(frameon=False, loc="upper right")
    return drawn


def _spans(marked: Sequence[bool]) -> list[tuple[float, int]]:
    """Runs of marked steps: where each begins, half a step before its first, and its width."""
    spans, step = [], 0
    for mark, run in itertools.groupby(marked):
        width = len(list(run))
        if mark:
            spans.append((step - 0.5, width))
        step += width
    return spans
