"""Explanation: what a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.explain.attribution.attribution import Attribution
from tidegate.explain.memory.memory import Memory
from tidegate.explain.report.excerpt import Excerpt
from tidegate.nn.trace.trace import Trace


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One answer of a model, and everything that led to it, for a page or a picture to show.

    Attributes:
        model: What answered, in a few words.
        prediction: The answer.
        probabilities: Probability by answer.
        attributions: Of this one row, the one to be shown first in front.
        trace: Of this one row.
        memory: How long the units remember; None for a cell without a gate that keeps.
        excerpt: How it read its input.
    """

    model: str
    prediction: str
    probabilities: Mapping[str, float]
    attributions: tuple[Attribution, ...]
    trace: Trace
    memory: Memory | None
    excerpt: Excerpt = field(default_factory=Excerpt)

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the steps are called: the tokens of a text, times, or numbers from 0."""
        if self.trace.labels is None:
            before = 0 if self.excerpt.skipped_after else self.excerpt.skipped
            steps = range(before, before + int(self.trace.lengths[0]))
            return tuple(map(str, steps))
        return self.trace.labels[0]

    @property
    def target(self) -> str:
        """The answer whose score the attributions explain."""
        found = self.attributions[0]
        number = int(found.target[0])
        return str(number) if found.names is None else found.names[number]

    @property
    def top_row(self) -> str:
        """The name of the top layer, on its way forward if it goes there."""
        forward = [name for name in self.trace.rows if name.endswith("forward")]
        return (forward or list(self.trace.rows))[-1]
