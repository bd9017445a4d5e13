"""Task: what every estimator shares: constructor, fit, evaluate, save and load."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np
from sklearn.exceptions import NotFittedError

from tidegate.artifact import save_artifact
from tidegate.card import describe
from tidegate.device import building, pick_device, single
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.files.responding import respond
from tidegate.tasks.core.fitting import as_fitted, checked_share, identity
from tidegate.tasks.core.hooks import Hooks
from tidegate.tasks.core.inspect.attribution import attribute, explain
from tidegate.tasks.core.inspect.change import what_if
from tidegate.tasks.core.inspect.diagnosis import doctor
from tidegate.tasks.core.inspect.trace import trace
from tidegate.tasks.core.inspect.units import contexts, units
from tidegate.tasks.core.raw import Evaluation, Raw
from tidegate.tasks.core.settings.settings import Settings
from tidegate.training.loop import Training, TrainingPlan, part_scores
from tidegate.training.measure import Loader, measure
from tidegate.training.memory import check_network
from tidegate.training.network import Network
from tidegate.training.progress import Event, display

T = TypeVar("T", bound="Task")


class Task(Hooks):
    """Base of the estimators: it owns the chain from raw data to saved model.

    What a task says of itself and writes stands in `Hooks`; here is what runs it.
    """

    @single()
    def fit(
        self: T,
        X: Raw,
        y: Raw = None,
        *,
        validation: float | tuple[Raw, Raw] | None = 0.1,
        sample_weight: Raw = None,
        callbacks: Sequence[Callable[[Event], object]] = (),
        checkpoint: str | Path | None = None,
        resume: bool = False,
    ) -> T:
        """Learn from examples; the weights of the best validation epoch are kept.

        With `warm_start=True` a fitted task goes on from its weights and keeps its encoder.

        Args:
            X: The inputs, one a row.
            y: The targets, one a row.
            validation: The share of rows held out to choose the best epoch, or `(X, y)` of their
                own, or None for no validation: then the last epoch is kept.
            sample_weight: How much each row counts in the loss, `[rows]` numbers >= 0; default 1.
            callbacks: Functions that are called with an `Event` after each batch and each epoch;
                one that returns True after an epoch ends the training there.
            checkpoint: A folder that keeps what is needed to go on after a crash; None keeps
                nothing.
            resume: Whether to go on from `checkpoint`: the result equals an uninterrupted fit.

        Returns:
            The fitted task itself.

        Raises:
            InputError: If a setting or the data is wrong, or the checkpoint is of another run.
            TrainingError: If the loss stops being a number; the best epoch so far is kept.
        """
        settings = self._settings()
        if going_on := settings.warm_start and hasattr(self, "network_"):
            settings = as_fitted(self.settings_, settings, self.suits)
        device = pick_device(settings.device)
        with self._forgotten(not going_on):
            given = self._examples(X, y, sample_weight)
            settings = settings if going_on else self._suited(settings, given, validation)
            rows, held = self._split(given, validation, settings)
        with building(settings.random_state, device):
            network, loaders = self._prepare(rows, held, settings, going_on=going_on)
        training = Training(
            network.to(device),
            *loaders,
            TrainingPlan(**{one.name: getattr(settings, one.name) for one in fields(TrainingPlan)}),
            rank=self._rank,
            callbacks=[*([display()] if settings.verbose else []), *callbacks],
            checkpoint=None if checkpoint is None else Path(checkpoint),
            identity=identity(self.task_name(), settings),
        )
        try:
            training.run(resume=resume)
        finally:  # stopped by Ctrl-C or a broken loss, the task is still worth its best epoch
            if training.best_epoch:
                self._keep(training)
        return self

    def evaluate(
        self, X: Raw, y: Raw = None, *, sample_weight: Raw = None, report: bool = False
    ) -> Evaluation:
        """Measure the loss and the task's scores on labelled data.

        Args:
            X: The inputs, one a row.
            y: Their true targets.
            sample_weight: How much each row counts, `[rows]`; default 1.
            report: Whether to add the details that the task has, such as scores by class.

        Returns:
            `loss` and the scores under their usual names.

        Raises:
            InputError: If the data is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        examples = self._examples(X, y, sample_weight)
        if examples.targets is None or not len(examples):
            rule, got = "given: one target a row", None if y is None else "no rows"
            raise InputError(message(type(self).__name__, "y", rule, got))
        loader = self._loader(examples, training=False)
        meter = measure(self.network_, loader, shown=self.settings_.verbose)
        result: Evaluation = {**meter.result()}
        return result | (self._report(meter) if report else {})

    # Functions of a task that are its methods; each file says what it needs of one.

    respond = respond
    trace = trace
    attribute = attribute
    explain = explain
    what_if = what_if
    units = units
    contexts = contexts
    doctor = doctor

    def facts(self) -> dict[str, str]:
        """Return what the fitted task is worth telling about besides its settings, by name."""
        self._check_fitted()
        return {"parameters": f"{self.number_of_parameters:,}"}

    def beside(self) -> Evaluation:
        """Return what is worth printing beside the scores of a fit: `figures`, `verdict`."""
        return {}

    @property
    def number_of_parameters(self) -> int:
        """Trained numbers in the network."""
        self._check_fitted()
        return sum(parameter.numel() for parameter in self.network_.parameters())

    def save(self, path: str | Path) -> None:
        """Write the fitted task to a folder; a tidegate model already there is replaced.

        Args:
            path: The folder to make: weights, settings, encoder, metrics, history, model card
                and learning curve.

        Raises:
            InputError: If the folder holds something else, or the task cannot be saved.
            NotFittedError: If the task was not fitted.

        Example:
            >>> model.save("model/")  # doctest: +SKIP
        """
        self._check_fitted()
        settings = self.settings_
        save_artifact(
            path,
            task=self.task_name(),
            settings=settings.to_json(),
            state=self._state(),
            tensors=self.network_.state_dict(),
            documents={**self._files(), "metrics.json": self.metrics_},
            others=describe(
                type(self).__name__,
                settings.to_json(),
                self.metrics_,
                self.history_,
                self.number_of_parameters,
                use=self.use.split()[0],
                facts={**{f"column of {r}": c for r, c in self.columns_.items()}, **self.facts()},
            ),
        )

    # What every task shares.

    @contextlib.contextmanager
    def _forgotten(self, anew: bool) -> Iterator[None]:
        """While data is read to be fitted anew, the task is as if it had never been fitted."""
        network = self.__dict__.pop("network_", None) if anew else None
        try:
            yield
        finally:
            if network is not None:
                self.network_ = network

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            name = type(self).__name__
            raise NotFittedError(f"{name}: not fitted yet. Call `fit` or `tidegate.load` first.")

    def _prepare(
        self, rows: Examples, held: Examples | None, settings: Settings, *, going_on: bool
    ) -> tuple[Network, tuple[Loader, Loader | None]]:
        """Fit the encoders and make the network, or take those fitted before."""
        self.settings_ = settings
        if not going_on:
            # Encoders and network are one: a fit that fails leaves no new half beside an old one.
            self.__dict__.pop("network_", None)
            self._learn(rows)
        loader = self._loader(rows.normalised(), training=True)
        held_loader = None if held is None else self._loader(held, training=False)
        network = copy.deepcopy(self.network_) if going_on else self._build()
        self._begin(network, rows, loader, going_on=going_on)
        check_network(network, settings, pick_device(settings.device), settings.owner)
        return network, (loader, held_loader)

    def _suited(
        self, settings: Settings, examples: Examples, validation: float | tuple[Raw, Raw] | None
    ) -> Settings:
        """Fill in the settings that are left to the data."""
        return settings

    def _split(
        self, examples: Examples, validation: float | tuple[Raw, Raw] | None, settings: Settings
    ) -> tuple[Examples, Examples | None]:
        if validation is None:
            return examples, None
        if isinstance(validation, tuple) and len(validation) == 2:
            return examples, self._examples(*validation, None)
        share = checked_share(validation, settings.owner)
        chosen = self._hold_out(examples, share, settings.random_state)
        rows = np.arange(len(examples))
        held = examples.take(rows[chosen]) if chosen.any() else None
        return examples.take(rows[~chosen]), held

    def _keep(self, training: Training) -> None:
        self.network_ = training.network.eval()
        self.history_ = training.history
        self.best_epoch_ = training.best_epoch
        best = self.history_[self.best_epoch_ - 1]
        self.metrics_ = {}
        for part in ("train", "validation"):
            if found := part_scores(best, part):
                self.metrics_[part] = found
