"""Pictures of what a unit does along a text or a series."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING, Any

from tidegate.explain.attribution.text_plots import plot_text
from tidegate.explain.figures import BLUE, GREY, ORANGE, RED, figure
from tidegate.explain.units.contexts import read_signal
from tidegate.nn.trace.selection import pick

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tidegate.explain.units.contexts import Context, Contexts
    from tidegate.explain.units.search import UnitSearch

_AROUND = 44  # characters on either side of a context's step
_WIDE = 0.08  # inches that a monospaced character of 9 points takes, rounded to whole pixels
_TITLE = 40  # characters beside the bars that the title needs


def plot_contexts(found: Contexts) -> Figure:
    """Draw contexts as lines of text around the step, with a bar for the value.

    Args:
        found: The contexts of a unit.

    Returns:
        The figure: the highest above, the lowest below.
    """
    places = [*found.highest, *found.lowest]
    lines = [_parts(at, found.gap) for at in places]
    left = max((len(before) for before, _, _ in lines), default=0)
    right = max((len(label + after) for _, label, after in lines), default=0)
    right = max(min(right, _AROUND + 10), _TITLE - left)
    # The text gets the room that its longest line takes, so that the bars stand beside it.
    words_width, bars_width = _WIDE * (left + right), 2.0
    drawn = figure(words_width + bars_width + 0.3, 0.9 + 0.26 * len(places))
    words, bars = drawn.subplots(1, 2, sharey=True, width_ratios=[words_width, bars_width])
    for line, (at, parts) in enumerate(zip(places, lines, strict=True)):
        colour = BLUE if line < len(found.highest) else RED
        _line_up(words, line, parts, colour, len(found.gap) / 4)
        bars.barh(line, at.value, color=colour, height=0.7)
    words.set(xlim=(-left, right), ylim=(len(places) - 0.4, -0.6))
    words.axis("off")
    bars.axvline(0, color="black", lw=0.6)
    bars.set_yticks([])
    bars.set_xlabel(found.signal)
    title = f"{found.row}, unit {found.unit}: where {found.signal} is highest and lowest"
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


def plot_search(found: UnitSearch, rank: int, batch: int | None) -> Figure:
    """Draw what a unit does along a row, and where the pattern is.

    Args:
        found: The search.
        rank: Which unit: 0 for the best.
        batch: Which row; None for the one where the pattern comes and goes most.

    Returns:
        The figure: running text with the pattern framed, or a curve with the pattern shaded.
    """
    trace = found.trace
    pick("UnitSearch.plot", "rank", rank, range(len(found.order)))
    if batch is None:
        batch = int((found.marks[:, 1:] != found.marks[:, :-1]).sum(1).argmax())
    pick("UnitSearch.plot", "batch", batch, range(len(trace.lengths)))
    entry, place = found.order[rank].tolist()
    length = int(trace.lengths[batch])
    signal = read_signal("UnitSearch.plot", trace, found.signal)
    values = signal[entry, batch, :length, place].tolist()
    marked = found.marks[batch, :length].tolist()
    line = found.to_frame().iloc[rank]
    title = (
        f"{line['row']}, unit {line['unit']}: {found.signal}; "
        f"framed: {shorten(found.pattern, 36, placeholder=' …')} ({_following(line)})"
    )
    if trace.labels is not None:
        ends = {"against": "below zero", "towards": "above zero"}
        return plot_text(trace.labels[batch], values, title=title, framed=marked, **ends)
    drawn = figure(9, 3)
    axes = drawn.subplots()
    axes.plot(values, color=BLUE, lw=1.2, label=found.signal)
    low, high = axes.get_ylim()
    edges = [step - 0.5 for step in range(length + 1)]
    shade = [*marked, False]
    axes.fill_between(
        edges, low, high, where=shade, step="post", color=ORANGE, alpha=0.3, lw=0,
        label=found.pattern,
    )  # fmt: skip
    axes.set(ylim=(low, high), xlabel="step", ylabel=found.signal)
    axes.set_title(title.replace("framed:", "shaded:"), fontsize=11, loc="left", parse_math=False)
    axes.legend(frameon=False, loc="upper right")
    return drawn


def _following(line: pd.Series[Any]) -> str:
    """How well a unit follows the pattern: the higher the better, whichever way it goes.

    The way is that of the half that ranked the units: where the other half contradicts it, the
    number is below 0.5, as it should be.
    """
    up, auc = line["follows"] == "up", line["held_out_auc"]
    return f"higher there, AUC {auc:.2f}" if up else f"lower there, AUC {1 - auc:.2f}"
