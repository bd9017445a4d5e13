"""Beam search: the continuation that is likeliest as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Advance = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Beam:
    """A continuation, and how likely it is.

    Attributes:
        ids: The symbols.
        total: The log-probability of all of them.
    """

    ids: tuple[int, ...] = ()
    total: float = 0.0

    @property
    def mean(self) -> float:
        """Mean log-probability of a symbol."""
        return self.total / len(self.ids)


def beam_search(
    first: Array,
    advance: Advance,
    *,
    width: int,
    length: int,
    ended: Callable[[Sequence[int]], bool],
) -> Beam:
    """Search the continuation whose symbols have the greatest mean log-probability.

    Of all ways to go on by one symbol the likeliest are gone on with. Continuations of one length
    are ordered by their mean as they are by their sum; those that end before are not preferred
    for being short.

    Args:
        first: Scores of the first symbol, `[V]`.
        advance: Lets beams go on: takes for each the symbol it wrote and the row of the beam it
            came from, `[rows]` both, and returns scores `[rows, V]`.
        width: Beams at once.
        length: Symbols at most.
        ended: Whether a continuation ends with these symbols.

    Returns:
        The best found.

    Example:
        >>> chances = np.log([[0.6, 0.4], [0.1, 0.9]])  # of the next symbol, after each symbol
        >>> found = beam_search(
        ...     chances[0], lambda ids, _: chances[ids], width=2, length=3, ended=lambda _: False
        ... )
        >>> found.ids
        (1, 1, 1)
    """
    beams, scores, best = [Beam()], first[None], None
    for step in range(1, length + 1):
        going: list[tuple[Beam, int]] = []
        for total, row, symbol in _likeliest(beams, scores, 2 * width):
            found = Beam((*beams[row].ids, symbol), total)
            if step == length or ended(found.ids):
                best = found if best is None or found.mean > best.mean else best
            elif len(going) < width:
                going.append((found, row))
        # No symbol to come can be likelier than certain.
        if not going or (best is not None and going[0][0].total / length <= best.mean):
            break
        beams = [found for found, _ in going]
        symbols = [found.ids[-1] for found in beams]
        scores = advance(np.array(symbols), np.array([row for _, row in going]))
    assert best is not None
    return best


def _likeliest(beams: Sequence[Beam], scores: Array, count: int) -> list[tuple[float, int, int]]:
    """The likeliest ways to go on: log-probability, row of the beam, symbol."""
    totals = _log_softmax(scores) + np.array([beam.total for beam in beams])[:, None]
    flat = totals.ravel()
    top = np.argpartition(-flat, count - 1)[:count] if count < len(flat) else np.arange(len(flat))
    top = top[np.argsort(-flat[top], kind="stable")]
    ways = ((float(flat[place]), *divmod(place, totals.shape[1])) for place in top.tolist())
    return [way for way in ways if way[0] > -np.inf]


def _log_softmax(scores: Array) -> Array:
    """Scores as log-probabilities, float64."""
    shifted = scores.astype(np.float64) - scores.max(-1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return logs
