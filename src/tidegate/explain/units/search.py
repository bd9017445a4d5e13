"""Unit search: the units that follow a pattern, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.explain.figures import png
from tidegate.explain.signals import read_signal
from tidegate.explain.units.plots import plot_unit
from tidegate.nn.trace.selection import pick
from tidegate.nn.trace.trace import Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[Any]]
Marks = Sequence[Sequence[bool]] | Array | Tensor

_OWNER = "find_units"
_BLOCKS = 20  # of each half, if the rows are too few to be the blocks


@dataclass(frozen=True, eq=False, repr=False)
class UnitSearch:
    """How well each unit follows a pattern, the best first.

    Axis letters: N layers·directions, B rows, T steps, H units.

    Attributes:
        trace: The passes searched.
        marks: Where the pattern is, `[B, T]` bool.
        signal: "hidden", "cell" or a gate.
        pattern: What the pattern is called.
        auc: How well each unit follows it in the half that ranked them, `[N, H]`: the
            probability that the unit is higher at a step with the pattern than at one without.
        held_out: The same in the other half.
        p_value: How often chance makes the best of all units as good in the other half, `[N, H]`.
        order: Layers·directions and units from the best down, `[N * H, 2]`.
        blocks: Blocks of the other half in which the pattern comes and goes.
    """

    trace: Trace
    marks: Tensor
    signal: str
    pattern: str
    auc: Tensor
    held_out: Tensor
    p_value: Tensor
    order: Tensor
    blocks: int

    def __repr__(self) -> str:
        """Say what was found first."""
        row, unit, auc, p = self.to_frame().loc[0, ["row", "unit", "held_out_auc", "p_value"]]
        best = f"best: {row}, unit {unit}, held-out AUC {auc:.2f}, p {p:.3f}"
        return f"UnitSearch({self.pattern!r}, {len(self.order)} units; {best})"

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a line for each unit, the best first.

        Returns:
            The columns `row` (layer and direction), `unit`, `follows` ("up" if it is higher
            where the pattern is, "down" if lower), `auc`, `held_out_auc` and `p_value`.
        """
        import pandas as pd

        entry, place = self.order.T
        projected = self.trace.projected and self.signal == "hidden"
        units = range(self.auc.shape[1]) if projected else self.trace.units
        auc = self.auc[entry, place].numpy()
        frame: pd.DataFrame = pd.DataFrame(
            {
                "row": [self.trace.rows[index] for index in entry.tolist()],
                "unit": [units[index] for index in place.tolist()],
                "follows": np.where(auc >= 0.5, "up", "down"),
                "auc": auc,
                "held_out_auc": self.held_out[entry, place].numpy(),
                "p_value": self.p_value[entry, place].numpy(),
            }
        )
        return frame

    def plot(self, rank: int = 0, *, batch: int | None = None) -> Figure:
        """Draw what a unit does along a row, and where the pattern is.

        Args:
            rank: Which unit: 0 for the best.
            batch: Which row; None for the one with most of the pattern's comings and goings.

        Returns:
            The figure.

        Raises:
            InputError: If there is no such rank or row.
        """
        owner, trace = "UnitSearch.plot", self.trace
        pick(owner, "rank", rank, range(len(self.order)))
        if batch is None:
            batch = int((self.marks[:, 1:] != self.marks[:, :-1]).sum(1).argmax())
        pick(owner, "batch", batch, range(len(trace.lengths)))
        entry, place = self.order[rank].tolist()
        length = int(trace.lengths[batch])
        values = read_signal(owner, trace, self.signal)[entry, batch, :length, place]
        marked = self.marks[batch, :length]
        labels = None if trace.labels is None else trace.labels[batch]
        names = {"signal": self.signal, "pattern": self.pattern, "title": self._title(rank)}
        return plot_unit(values.tolist(), marked.tolist(), labels, **names)

    def _title(self, rank: int) -> str:
        """Say above a picture which unit it is, and how well it follows the pattern."""
        line = self.to_frame().iloc[rank]
        sign = "shaded" if self.trace.labels is None else "framed"
        return (
            f"{line['row']}, unit {line['unit']}: {self.signal}; "
            f"{sign}: {shorten(self.pattern, 36, placeholder=' …')} ({_following(line)})"
        )

    def _repr_png_(self) -> bytes:
        return png(self.plot())


def find_units(
    trace: Trace,
    marks: Marks,
    *,
    signal: str = "hidden",
    pattern: str = "the pattern",
    flips: int = 999,
    seed: int = 0,
) -> UnitSearch:
    """Rank the units by how well they follow a pattern.

    One half of the rows (of each row's steps, if the rows are few) ranks the units by their AUC,
    the other half says how good they really are: the best of many units looks good by chance.

    The p-value is that of the largest statistic over all units under sign flips (Westfall & Young
    1993), so that it holds for the whole list. Neighbouring steps are alike, so whole blocks are
    flipped: rows, or twentieths of a half where rows are few. In each block the pattern is
    compared with the other steps of the same block; a pattern that covers whole rows, and not
    steps within them, therefore has p = 1, and no p is below 2 ** (1 - blocks).

    Args:
        trace: Passes over many steps.
        marks: Where the pattern is: `[B, T]` bool, or a sequence of truth values for each row;
            `mark` makes them from a pattern. What they say about padding is not read.
        signal: What to look at: "hidden", "cell" or a gate.
        pattern: What the pattern is called.
        flips: How often signs are flipped.
        seed: Of the flips, and of the choice of the rows of a half.

    Returns:
        The units, ranked.

    Raises:
        InputError: If the pattern never or always holds, in all or in one of the halves, if its
            shape does not fit the trace, or the trace has no such signal.

    Example:
        >>> from tidegate.nn import GRU
        >>> x = torch.randn(20, 30, 1)
        >>> trace = GRU(1, 4, batch_first=True).trace(x)
        >>> len(find_units(trace, x[..., 0] > 1).to_frame())
        4
    """
    mask = trace.mask.cpu()
    marked = _read_marks(marks, mask)
    part = read_signal(_OWNER, trace, signal)
    # [steps, units]: all valid steps of all rows, one after the other.
    values = part[:, trace.mask].transpose(0, 1).flatten(1).float().cpu().numpy()
    flat = marked[mask].numpy()
    held, blocks = _halves(trace.lengths.cpu().numpy(), seed)
    _check_halves(flat, held)
    auc, held_out = (_auc(_ranks(values[half]), flat[half]) for half in (~held, held))
    rng = np.random.default_rng(seed)
    p_value, count = _p_values(_ranks(values[held]), flat[held], blocks[held], flips, rng)
    shape = part.shape[0], part.shape[-1]
    order = np.stack(np.unravel_index(np.argsort(-np.abs(auc - 0.5), kind="stable"), shape), 1)
    first, second, chance = (torch.from_numpy(p.reshape(shape)) for p in (auc, held_out, p_value))
    ranking = torch.from_numpy(order)
    return UnitSearch(trace, marked & mask, signal, pattern, first, second, chance, ranking, count)


def _following(line: pd.Series[Any]) -> str:
    """How well a unit follows the pattern: the higher the better, whichever way it goes.

    The way is that of the half that ranked the units: where the other half contradicts it, the
    number is below 0.5, as it should be.
    """
    up, auc = line["follows"] == "up", line["held_out_auc"]
    return f"higher there, AUC {auc:.2f}" if up else f"lower there, AUC {1 - auc:.2f}"


def _check_halves(marked: Array, held: Array) -> None:
    """Refuse a pattern that never or always holds in one of the halves."""
    for half in (~held, held):
        if not 0 < marked[half].sum() < half.sum():
            rule = "true at some steps and false at others in both halves of the data"
            got = f"true at {marked[half].sum()} of {half.sum()} steps in one of them"
            remedy = "Pass more rows, or another pattern"
            raise InputError(message(_OWNER, "marks", rule, got, remedy))


def _read_marks(marks: Marks, mask: Tensor) -> Tensor:
    """Check marks and bring them to `[B, T]` bool."""
    lengths = mask.sum(1).tolist()
    rule = f"a truth value for each step, {lengths} in the rows"
    if isinstance(marks, Tensor | np.ndarray):
        given = torch.as_tensor(marks).cpu()
        if given.dtype != torch.bool or given.shape != mask.shape:
            got = f"{given.dtype} of shape {list(given.shape)}"
            raise InputError(message(_OWNER, "marks", rule, got))
    else:
        counts = [len(row) for row in marks]
        if counts != lengths:
            raise InputError(message(_OWNER, "marks", rule, counts))
        given = torch.zeros_like(mask)
        flat = [value for row in marks for value in row]
        given[mask] = torch.tensor(flat, dtype=torch.bool)
    share = given[mask].float().mean().item() if mask.any() else 0.0
    if share in (0.0, 1.0):
        rule = "true at some steps and false at others"
        remedy = "Pass rows in which the pattern comes and goes"
        got = f"{'always' if share else 'never'} true"
        raise InputError(message(_OWNER, "marks", rule, got, remedy))
    return given


def _halves(lengths: Array, seed: int) -> tuple[Array, Array]:
    """For each valid step whether it is held out, and the number of its block."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    if (lengths > 0).sum() >= 2 * _BLOCKS:
        chosen = np.random.default_rng(seed).permutation(len(lengths)) % 2 == 1
        return chosen[rows], rows
    # Each row's second half is held out; neighbours on either side of the cut are alike, but few.
    cuts = 2 * -(-_BLOCKS // len(lengths))
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    piece = within * cuts // np.repeat(lengths, lengths)
    return piece >= cuts // 2, rows * cuts + piece


def _ranks(values: Array) -> Array:
    """Rank of each step in each column, equal ones in the middle of theirs, `[steps, units]`."""
    import pandas as pd

    ranks: Array = pd.DataFrame(values).rank().to_numpy()
    return ranks


def _auc(ranks: Array, marked: Array) -> Array:
    """Probability that a marked step ranks above an unmarked one (Mann & Whitney 1947)."""
    inside, outside = marked.sum(), (~marked).sum()
    auc: Array = (ranks[marked].sum(0) - inside * (inside + 1) / 2) / (inside * outside)
    return auc


def _p_values(
    ranks: Array, marked: Array, blocks: Array, flips: int, rng: np.random.Generator
) -> tuple[Array, int]:
    """Chance of the best unit being as good, `[units]`, and how many blocks say something."""
    _, block = np.unique(blocks, return_inverse=True)
    share = np.bincount(block, marked) / np.bincount(block)
    centred = (marked - share[block])[:, None] * ranks
    # Covariance of pattern and unit in each block, [blocks, units]; by chance of either sign.
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    sums = np.add.reduceat(centred, starts, axis=0)
    sums = sums[(share > 0) & (share < 1)]
    size = np.sqrt((sums**2).sum(0))
    scaled = np.divide(sums, size, out=np.zeros_like(sums), where=size > 0)
    observed = np.abs(scaled.sum(0))
    signs = rng.choice([-1.0, 1.0], (flips, len(sums)))
    largest = np.abs(signs @ scaled).max(1)
    as_good = (largest[:, None] >= observed - 1e-12).sum(0)
    return (1 + as_good) / (1 + flips), len(sums)
