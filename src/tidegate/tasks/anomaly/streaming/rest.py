"""Rest: for how long a value does not move, and whether that is longer than usual."""

from __future__ import annotations

from tidegate.data.codec import Field
from tidegate.data.schema import Record
from tidegate.files import FoundJson

UNKNOWN = 50
"""The longest rest of a model that was saved without it."""

# Fewer steps at rest are never too many.
_FEWEST = 2

STATE = Record({"steps": Field(int, minimum=0), "longest": Field(int, minimum=0)})
"""What a file says of what was learned."""


class Rest:
    """Counts the steps at which a value moves no more than a bound.

    Args:
        bound: Of a move that is none.

    Attributes:
        steps: Steps since the last move.

    Example:
        >>> rest = Rest(0.0)
        >>> for move in (1.0, 0.0, 0.0):
        ...     rest.update(move, learned=True)
        >>> rest.steps, rest.too_long
        (2, True)
    """

    def __init__(self, bound: float) -> None:
        self._bound = bound
        self.steps = self._longest = 0

    @property
    def too_long(self) -> bool:
        """Whether it is longer than the longest rest that was usual."""
        return self.steps >= max(_FEWEST, self._longest + 1)

    def update(self, move: float, *, learned: bool) -> None:
        """Take one step.

        Args:
            move: How far the value moved.
            learned: Whether what is usual is known by and large: a rest that is too long is then
                learned by and by, as it may be a fault, or the new usual.
        """
        if move <= self._bound:
            self.steps += 1
            return
        most = 2 * self._longest + 1 if learned else self.steps
        self._longest = max(self._longest, min(self.steps, most))
        self.steps = 0

    def state(self) -> dict[str, int]:
        """Return everything learned, as JSON."""
        return {"steps": self.steps, "longest": self._longest}

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.steps, self._longest = int(state["steps"]), int(state["longest"])
