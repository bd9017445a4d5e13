"""Case: what the doctor is told about a model, and what a check may answer."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.explain.network import shows_inputs, stack_of
from tidegate.explain.units.activity import Activity, observe
from tidegate.nn import Recurrent
from tidegate.terminal import cell
from tidegate.training.network import Network

Severity = Literal["serious", "warning", "note"]

# Fewer rows or steps show what these rows are like, not what the model is like.
FEWEST_ROWS = 8


@dataclass(frozen=True, repr=False)
class Finding:
    """Something that is wrong with a model, or will be.

    Attributes:
        name: What it is, in a few words.
        severity: "serious": answers are wrong because of it; "warning": it probably costs
            quality; "note": it costs time or space, or may turn out to cost quality.
        evidence: What was seen, with the numbers.
        cost: What it costs.
        remedy: What to change, with the names of the settings.
    """

    name: str
    severity: Severity
    evidence: str
    cost: str
    remedy: str

    def __repr__(self) -> str:
        """Say what it is; `print` tells everything."""
        return f"Finding({self.severity}: {self.name})"

    def __str__(self) -> str:
        """Tell everything, to read."""
        return (
            f"{self.severity}: {self.name}\n"
            f"  seen    {cell(self.evidence)}.\n"
            f"  costs   {cell(self.cost)}.\n"
            f"  change  {cell(self.remedy)}.\n"
        )

    def _repr_html_(self) -> str:
        """Show everything in a notebook."""
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True)
class Skip:
    """A check that could not be made.

    Attributes:
        reason: What it needs, "needs data" say, or why it does not apply.
    """

    reason: str


CheckResult = Finding | Skip | None

# Why checks are left out, in the words for most models; see `Case.reasons`.
NEEDS_DATA = Skip("needs data")
NO_CLASSES = Skip("answers with no classes")
NO_WORDS = Skip("reads no words")


@dataclass(frozen=True, kw_only=True)
class TextSample:
    """What an encoder made of a sample of texts.

    Attributes:
        lengths: Tokens of each whole text `[rows]`, in the order of the rows of `Case.batches`.
        max_length: How many of them are read; None for all, however many.
        unknown: How often each token that is not in the vocabulary occurs.
        longer: Places in `lengths` of some texts that have more than `max_length` tokens.
        whole: These texts, in that order, read to their end.
    """

    lengths: Tensor
    max_length: int | None
    unknown: Counter[str]
    longer: Sequence[int] = ()
    whole: Sequence[Batch] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model, and everything that is known about it; what is left out is not checked.

    Axis letters: B rows, T steps, C outputs.

    Attributes:
        network: The network: a module that maps a Batch to outputs, `[B, C]` or, where it answers
            each step, `[B, T, C]`. What looks at units and gates needs an `Inspectable` one, or a
            `Network` that shows what its stack reads.
        batches: Rows to try it on, with targets `[B]`, or `[B, T]`, where they are known.
        trial: Some of the rows, each alone without padding, and all of them in one batch; None to
            take them out of `batches`, which must be no more than a `Batch` each then.
        stepwise: Whether each step has an answer and not each row.
        decode: What is answered: from the outputs for a batch and the batch to numbers of classes,
            `[answers]`; None for the greatest output.
        history: One row an epoch, as a fit keeps it.
        best_epoch: The epoch whose weights were kept, from 1; 0 if nobody knows.
        metrics: Loss and scores by part of the data.
        settings: What the model was told, by name; remedies name only what is in here.
        classes: Names of the outputs of a classifier; none for other tasks.
        vocabulary: How many tokens have an id; 0 for a task that reads none.
        words: All that the network may read at a step, each as a step of one row, or None.
        reading: What an encoder made of the texts, or None.
        reasons: What to say instead of a reason why a check is left out, where that is not true
            of this model.
        stack_name: Which recurrent stack is looked at, where the network has several; None for
            the first.
    """

    network: nn.Module
    batches: Sequence[Batch] = ()
    trial: tuple[Sequence[Batch], Batch] | None = None
    stepwise: bool = False
    decode: Callable[[Tensor, Batch], Tensor] | None = None
    history: Sequence[Mapping[str, float]] = ()
    best_epoch: int = 0
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    vocabulary: int = 0
    words: Batch | None = None
    reading: TextSample | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    stack_name: str | None = None

    @property
    def stack(self) -> Recurrent | None:
        """The recurrent stack, if the network shows it; with rows, it must show the rest, too."""
        shown = shows_inputs(self.network) or not self.batches
        return stack_of(self.network, self.stack_name) if shown else None

    @property
    def rows(self) -> int:
        """How many rows there are to try the network on."""
        return sum(map(len, self.batches))

    @cached_property
    def targets(self) -> Tensor | None:
        """The truth of all answers, `[answers]`; None if it is not known."""
        found = [
            self._valid(batch.targets, batch) for batch in self.batches if batch.targets is not None
        ]
        return torch.cat(found).cpu() if found and len(found) == len(self.batches) else None

    @cached_property
    def outputs(self) -> Tensor:
        """What the network answers to all rows, `[answers, C]`."""
        return self.ask(self.batches)

    @cached_property
    def answers(self) -> Tensor:
        """The numbers of the classes answered, `[answers]`; one for each row, or each step."""
        if self.decode is None:
            return self.outputs.argmax(1)
        pairs = [(self._run(batch), batch) for batch in self.batches]
        return torch.cat([self.decode(outputs, batch).cpu() for outputs, batch in pairs])

    @property
    def answered(self) -> str:
        """What has an answer, for sentences: "rows" or "steps"."""
        return "steps" if self.stepwise else "rows"

    @cached_property
    def activity(self) -> Activity:
        """What the units and gates did on a sample of the rows."""
        return observe(self.network, self.batches, self.stack_name)

    def ask(self, batches: Sequence[Batch]) -> Tensor:
        """Return what the network answers, `[answers, ...]` float32 on the CPU."""
        found = [self._valid(self._run(batch), batch).float().cpu() for batch in batches]
        return torch.cat(found)

    def _run(self, batch: Batch) -> Tensor:
        """What the network answers to a batch by itself, whatever came before it."""
        if isinstance(self.network, Network):
            self.network.begin_pass()
        with torch.inference_mode():
            outputs: Tensor = self.network(batch.to(next(self.network.parameters()).device))
        return outputs

    def _valid(self, values: Tensor, batch: Batch) -> Tensor:
        """Leave out what belongs to no valid step, where there is something for each step."""
        return values[batch.mask.to(values.device)] if self.stepwise else values


def percent(share: float) -> str:
    """Put a share as a percentage, with a decimal where it is small.

    Example:
        >>> percent(0.5), percent(0.012)
        ('50 %', '1.2 %')
    """
    return f"{share:.1%}".replace("%", " %") if share < 0.1 else f"{share:.0%}".replace("%", " %")
