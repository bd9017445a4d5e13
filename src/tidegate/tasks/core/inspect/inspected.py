"""Inspected: what looking inside needs of a fitted task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from torch import Tensor

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case
from tidegate.explain.report.excerpt import Excerpt
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.raw import Answers, Raw
from tidegate.tasks.core.settings.settings import Settings
from tidegate.training.measure import Loader
from tidegate.training.network import Metrics, Network

Labels = Sequence[Sequence[str]] | None


class Inspected(Protocol):
    """A task, as far as looking inside goes; its attributes are those of `Task`."""

    answers: ClassVar[str]

    @property
    def network_(self) -> Network:
        """The trained network."""

    @property
    def settings_(self) -> Settings:
        """The settings of the last fit."""

    @property
    def history_(self) -> list[dict[str, float]]:
        """One dict an epoch."""

    @property
    def metrics_(self) -> Mapping[str, Metrics]:
        """The scores by part of the data."""

    @property
    def best_epoch_(self) -> int:
        """The epoch whose weights were kept."""

    @classmethod
    def task_name(cls) -> str:
        """The kebab-case name."""

    def answer(self, X: Raw) -> Answers:
        """Columns of answers by name, `prediction` first."""

    def trace(
        self, X: Raw, *, layers: Numbers = None, units: Numbers = None, gates: Names = None
    ) -> Trace:
        """Gates and states of every step."""

    def _check_fitted(self) -> None: ...

    def _examples(self, X: Raw, y: Raw, sample_weight: Raw) -> Examples: ...

    def _loader(self, examples: Examples, *, training: bool) -> Loader: ...

    def _step_labels(self, examples: Examples) -> Labels: ...

    def _output_names(self) -> tuple[str, ...] | None: ...

    def _answers(self, outputs: Tensor) -> Tensor | None: ...

    def _changed(
        self, batch: Batch, labels: Labels, steps: Mapping[int, Raw]
    ) -> tuple[Batch, Labels]: ...

    def _excerpt(self, examples: Examples) -> Excerpt: ...

    def _examined(self, examples: Examples, most: int) -> tuple[Examples, Loader]: ...

    def _told(self, case: Case, examples: Examples | None) -> Case: ...


def some(task: Inspected, X: Raw, y: Raw = None) -> Examples:
    """Check inputs, of which there must be one.

    Raises:
        InputError: If there is none, or one is wrong.
    """
    examples = task._examples(X, y, None)
    if not len(examples):
        raise InputError(message(type(task).__name__, "X", "at least one row", "none"))
    return examples
