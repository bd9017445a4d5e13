"""Pictures of what a unit does along a text or a series."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

from tidegate.explain.figures import BLUE, GREY, ORANGE, RED, figure
from tidegate.explain.text_plots import plot_text
from tidegate.explain.units import read_signal
from tidegate.nn.selection import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tidegate.explain.unit_search import UnitSearch
    from tidegate.explain.units import Context, Contexts

_AROUND = 44  # characters on either side of a context's step


def plot_contexts(found: Contexts) -> Figure:
    """Draw contexts as lines of text around the step, with a bar for the value.

    Args:
        found: The contexts of a unit.

    Returns:
        The figure: the highest above, the lowest below.
    """
    places = [*found.highest, *found.lowest]
    drawn = figure(10, 0.9 + 0.26 * len(places))
    words, bars = drawn.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    for line, at in enumerate(places):
        colour = BLUE if line < len(found.highest) else RED
        _line_up(words, line, at, colour, found.gap)
        bars.barh(line, at.value, color=colour, height=0.7)
    words.set(xlim=(-_AROUND, _AROUND + 10), ylim=(len(places) - 0.4, -0.6))
    words.axis("off")
    bars.axvline(0, color="black", lw=0.6)
    bars.set_yticks([])
    bars.set_xlabel(found.signal)
    title = f"{found.row}, unit {found.unit}: where {found.signal} is highest and lowest"
    drawn.suptitle(title, fontsize=11)
    return drawn


def _line_up(axes: Axes, line: int, at: Context, colour: str, gap: str) -> None:
    """A context on one line, the steps of all contexts below each other."""
    before = gap.join(at.before)[-_AROUND:] + gap
    after = gap.join(at.after)[: max(0, _AROUND + 8 - len(at.label))]
    parts = ((0, before, "right", GREY), (0, at.label, "left", colour))
    for place, text, side, shade in (*parts, (len(at.label + gap), after, "left", GREY)):
        axes.text(
            place, line, text.replace("\n", "⏎"), ha=side, va="center", family="monospace",
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
        f"{line['row']}, unit {line['unit']}: {found.signal}, AUC {line['held_out_auc']:.2f}; "
        f"framed: {shorten(found.pattern, 40, placeholder=' …')}"
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
