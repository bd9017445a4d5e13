"""Units: the contexts that drive a unit highest and lowest."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tidegate.cells.base import check_size
from tidegate.explain.figures import png
from tidegate.explain.labels import Context, between
from tidegate.explain.signals import read_row, read_signal, read_unit
from tidegate.explain.units.plots import plot_contexts
from tidegate.nn.trace.trace import Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SPANS = {" ": 5, "": 30}  # steps on either side of a context, by what stands between steps


@dataclass(frozen=True, repr=False)
class Contexts:
    """Where a unit is highest, and where lowest.

    Attributes:
        signal: "hidden", "cell" or a gate.
        row: The layer and direction, "layer 0 forward" say.
        unit: Its number.
        highest: From the highest down.
        lowest: From the lowest up.
        gap: What stands between steps in writing: "" between characters.
    """

    signal: str
    row: str
    unit: int
    highest: tuple[Context, ...]
    lowest: tuple[Context, ...]
    gap: str = " "

    def __repr__(self) -> str:
        """Say which unit it is about; the places are in `to_frame()`."""
        places = len(self.highest) + len(self.lowest)
        return f"Contexts({self.row}, unit {self.unit}, {self.signal}: {places} places)"

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a line for each context: the ends, and the fields of `Context`."""
        import pandas as pd

        lines = [
            {"end": end, "row": at.row, "step": at.step, "value": at.value,
             "before": self.gap.join(at.before), "label": at.label,
             "after": self.gap.join(at.after)}
            for end, found in (("highest", self.highest), ("lowest", self.lowest))
            for at in found
        ]  # fmt: skip
        frame: pd.DataFrame = pd.DataFrame(lines)
        return frame

    def plot(self) -> Figure:
        """Draw the contexts as lines of text, the step in the middle, bars for the values."""
        title = f"{self.row}, unit {self.unit}: where {self.signal} is highest and lowest"
        return plot_contexts(
            self.highest, self.lowest, gap=self.gap, signal=self.signal, title=title
        )

    def _repr_png_(self) -> bytes:
        return png(self.plot())


def contexts(
    trace: Trace,
    unit: int,
    *,
    row: str | None = None,
    signal: str = "hidden",
    count: int = 8,
    span: int | None = None,
) -> Contexts:
    """Find the steps at which a unit is highest and lowest, and what stands around them.

    Args:
        trace: Passes over many rows; with labels one can read the result.
        unit: The number of the unit, as in `trace.units`.
        row: The layer and direction, a name out of `trace.rows`; None for the first.
        signal: What to look at: "hidden", "cell" or a gate.
        count: How many contexts of each kind, at most.
        span: Steps to show on either side; None for 5, of characters 30. Two contexts in a row
            are further apart than that.

    Returns:
        The contexts.

    Raises:
        InputError: If there is no such unit, row or signal, or a number is wrong.

    Example:
        >>> from tidegate.nn import GRU
        >>> trace = GRU(1, 2).trace(torch.tensor([0.0, 0.0, 9.0, 0.0])[:, None])
        >>> contexts(trace, 1, count=1).highest[0].step in (0, 1, 2, 3)
        True
    """
    check_size("contexts", "count", count)
    gap = " " if trace.labels is None else between(itertools.chain(*trace.labels))
    if span is None:
        span = _SPANS[gap]
    check_size("contexts", "span", span, least=0)
    entry = read_row("contexts", trace, row)
    part = read_signal("contexts", trace, signal)[entry]
    values = part[..., read_unit("contexts", trace, signal, unit)].cpu()
    highest, lowest = (
        tuple(_context(trace, values, *place, span) for place in _places(trace, key, count, span))
        for key in (-values, values)
    )
    return Contexts(signal, trace.rows[entry], unit, highest, lowest, gap)


def _places(trace: Trace, key: Tensor, count: int, span: int) -> list[tuple[int, int]]:
    """The rows and steps with the smallest keys, no two within `span` steps of each other."""
    mask = trace.mask.cpu()
    found: list[tuple[int, int]] = []
    for index in key.masked_fill(~mask, torch.inf).flatten().argsort(stable=True).tolist():
        row, step = divmod(index, key.shape[1])
        if len(found) == count or not mask[row, step]:
            break
        if all(other != row or abs(at - step) > span for other, at in found):
            found.append((row, step))
    return found


def _context(trace: Trace, values: Tensor, row: int, step: int, span: int) -> Context:
    length = int(trace.lengths[row])
    labels = tuple(map(str, range(length))) if trace.labels is None else trace.labels[row]
    before, after = labels[max(0, step - span) : step], labels[step + 1 : step + 1 + span]
    return Context(row, step, float(values[row, step]), before, labels[step], after)
