"""Task: what every estimator shares: constructor, fit, evaluate, save and load."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.exceptions import NotFittedError

from tidegate.artifact import save_artifact, version
from tidegate.card import describe
from tidegate.device import pick_device, seeded
from tidegate.errors import InputError, message
from tidegate.tasks.core.reading import Reading
from tidegate.tasks.core.rows import Array, Examples
from tidegate.tasks.core.settings import Settings
from tidegate.training.loop import Training, TrainingPlan, part_scores
from tidegate.training.measure import Loader, Metrics, Network, measure
from tidegate.training.progress import Event, display

T = TypeVar("T", bound="Task")

# Settings that may differ between a run and its resumption: the result does not depend on them.
_FREE_ON_RESUME = {"verbose", "checkpoint_minutes"}


class Task(Reading):
    """Base of the estimators: it owns the chain from raw data to saved model.

    A task sets the class attributes below and writes the hooks `_examples` (check the input),
    `_learn` (fit encoders), `_loader` (encode), `_build` (make the network), `_rank` (compare
    epochs), `_state`, `_files` and `_restore` (save and load), `predict`, `score` and `answer`.
    Its constructor, with every setting as a keyword argument, is made from `settings_class`.

    Attributes:
        settings_class: The dataclass of the task's settings.
        roles: The columns of a table that the task reads: role name to help text.
        input_role: The role that becomes X.
        target_role: The role that becomes y, or None.
        optional_roles: The roles that a table need not have.
        forecasts: Whether `predict` says what comes after the end of X, and takes `horizon`.
        writes: Whether the fitted task has `generate`.
        examines_rows: Whether `doctor` reads rows, too.
        whole_tables: Whether the rows of a table belong together, so that it is answered whole.
        encoder_files: The names of the JSON files that the encoder may keep in a saved model.
        settings_: The checked, frozen settings of the last fit.
        network_: The trained `torch.nn.Module`.
        history_: One dict an epoch: `epoch`, `train_loss`, `validation_loss`, the task's scores
            under the same prefixes, `learning_rate` and `seconds`; with `gradient_clip` also
            `train_gradient_norm` and `train_clipped`, see `tidegate.training.loop.Training`.
        metrics_: `{"train": {...}, "validation": {...}}`: `loss` and scores of the best epoch;
            whoever measures on test data adds `"test"` before `save`.
        best_epoch_: The number of the epoch whose weights were kept, from 1.
        columns_: The column of each role in the table it learned from, when it was a table;
            whoever read the table sets it.
    """

    optional_roles: ClassVar[tuple[str, ...]] = ()
    forecasts: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    examines_rows: ClassVar[bool] = True
    whole_tables: ClassVar[bool] = False
    encoder_files: ClassVar[tuple[str, ...]] = ()

    settings_: Settings
    network_: Network
    history_: list[dict[str, float]]
    metrics_: dict[str, Metrics]
    best_epoch_: int
    columns_: Mapping[str, str] = {}

    def fit(
        self: T,
        X: Any,
        y: Any = None,
        *,
        validation: float | tuple[Any, Any] | None = 0.1,
        sample_weight: Any = None,
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
        going_on = settings.warm_start and hasattr(self, "network_")
        if going_on:
            self._check_structure(settings)
        device = pick_device(settings.device)
        rows, held = self._split(self._examples(X, y, sample_weight), validation, settings)
        with seeded(settings.random_state, device):
            network, loaders = self._prepare(rows, held, settings, going_on=going_on)
        training = Training(
            network.to(device),
            *loaders,
            TrainingPlan(
                **{field.name: getattr(settings, field.name) for field in fields(TrainingPlan)}
            ),
            rank=self._rank,
            callbacks=[*([display()] if settings.verbose else []), *callbacks],
            checkpoint=None if checkpoint is None else Path(checkpoint),
            identity=self._identity(settings),
        )
        try:
            training.run(resume=resume)
        finally:  # stopped by Ctrl-C or a broken loss, the task is still worth its best epoch
            if training.best_epoch:
                self._keep(training)
        return self

    def evaluate(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, report: bool = False
    ) -> dict[str, Any]:
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
        result: dict[str, Any] = meter.result()
        return result | (self._report(meter) if report else {})

    def answer(self, X: Any) -> dict[str, Sequence[Any]]:
        """Answer rows as the columns that `tidegate predict` writes.

        Args:
            X: The inputs, one a row.

        Returns:
            Column name to one value a row; `prediction` comes first.
        """
        return {"prediction": list(self.predict(X))}

    def unseen(self, y: Any, others: Any) -> list[int]:
        """List the positions in `others` whose target cannot be learned from the targets `y`.

        Args:
            y: The targets of the training rows.
            others: Targets of validation or test rows.

        Returns:
            Positions, ascending; none for a task whose targets are numbers.

        Raises:
            InputError: If a target is wrong by itself.
        """
        return []

    def facts(self) -> dict[str, str]:
        """Return what the fitted task is worth telling about besides its settings, by name."""
        self._check_fitted()
        return {"parameters": f"{self.number_of_parameters:,}"}

    def beside(self) -> dict[str, Any]:
        """Return what is worth printing beside the scores of a fit: `figures`, `verdict`."""
        return {}

    def predict(self, X: Any) -> Any:
        """Answer each row of X."""
        raise NotImplementedError

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the task's score, greater is better."""
        raise NotImplementedError

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
                use="generate" if self.writes else "predict",
            ),
        )

    # What a task writes.

    def _examples(self, X: Any, y: Any, sample_weight: Any) -> Examples:
        """Check raw input; y is None when only inputs are known."""
        raise NotImplementedError

    def _hold_out(self, examples: Examples, share: float, seed: int) -> Array:
        """Choose the rows of the validation part: `[rows]` bool."""
        chosen = np.zeros(len(examples), dtype=bool)
        count = round(share * len(examples))
        chosen[np.random.default_rng(seed).permutation(len(examples))[:count]] = True
        return chosen

    def _learn(self, examples: Examples) -> None:
        """Learn encoders and classes from the training rows, into attributes ending in _."""
        raise NotImplementedError

    def _loader(self, examples: Examples, *, training: bool) -> Loader:
        """Encode rows; `training` says whether their weights are for the loss."""
        raise NotImplementedError

    def _build(self) -> Network:
        """Make the untrained network of the current settings and encoders."""
        raise NotImplementedError

    def _begin(self, network: Network, examples: Examples, loader: Any, *, going_on: bool) -> None:
        """Prepare a network, new or (`going_on`) fitted before, for training on these rows."""

    def _rank(self, metrics: Metrics) -> tuple[float, ...]:
        """Order epochs by their validation metrics: the greatest is the best."""
        return (-metrics["loss"],)

    def _report(self, meter: Any) -> dict[str, Any]:
        """Details for `evaluate(report=True)`."""
        return {}

    def _state(self) -> dict[str, Any]:
        """What was learned besides weights and encoder files, as JSON."""
        return {"best_epoch": self.best_epoch_, "columns": dict(self.columns_)}

    def _files(self) -> dict[str, Any]:
        """The encoder's JSON files by name, out of `encoder_files`."""
        return {}

    def _restore(self, state: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        """Take back what `_state` and `_files` gave; whatever is wrong in it must raise."""
        self.best_epoch_ = state["best_epoch"]
        self.columns_ = dict(state["columns"])
        if not all(isinstance(name, str) for name in self.columns_.values()):
            raise InputError(message("load", "columns", "texts by role", self.columns_))

    # What every task shares.

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            name = type(self).__name__
            raise NotFittedError(f"{name}: not fitted yet. Call `fit` or `tidegate.load` first.")

    def _check_structure(self, settings: Settings) -> None:
        old = self.settings_.to_dict()
        for name, option in settings.options().items():
            if option.structural and old[name] != getattr(settings, name):
                rule = f"as it was fitted, {old[name]!r}, when warm_start goes on from it"
                remedy = "Set it back, or fit a new model with warm_start=False"
                got = repr(getattr(settings, name))
                raise InputError(message(settings.owner, name, rule, got, remedy))

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
        return network, (loader, held_loader)

    def _split(
        self, examples: Examples, validation: float | tuple[Any, Any] | None, settings: Settings
    ) -> tuple[Examples, Examples | None]:
        if validation is None:
            return examples, None
        if isinstance(validation, tuple) and len(validation) == 2:
            return examples, self._examples(*validation, None)
        share = self._share(validation, settings)
        chosen = self._hold_out(examples, share, settings.random_state)
        rows = np.arange(len(examples))
        return examples.take(rows[~chosen]), examples.take(rows[chosen])

    def _share(self, validation: Any, settings: Settings) -> float:
        if isinstance(validation, bool) or not isinstance(validation, int | float):
            rule = "a share of the rows, a pair (X, y), or None"
            raise InputError(message(settings.owner, "validation", rule, repr(validation)))
        if not 0 < validation < 1:
            rule = "greater than 0 and less than 1"
            remedy = "0.1 holds out a tenth of the rows; None holds out nothing"
            raise InputError(message(settings.owner, "validation", rule, validation, remedy))
        return float(validation)

    def _identity(self, settings: Settings) -> dict[str, Any]:
        """What a checkpoint must have been made with to go on from it."""
        kept = {n: v for n, v in settings.to_json().items() if n not in _FREE_ON_RESUME}
        plain: dict[str, Any] = json.loads(json.dumps(kept))  # as it comes back: tuples are lists
        return {"task": self.task_name(), "tidegate": version(), **plain}

    def _keep(self, training: Training) -> None:
        self.network_ = training.network.eval()
        self.history_ = training.history
        self.best_epoch_ = training.best_epoch
        best = self.history_[self.best_epoch_ - 1]
        self.metrics_ = {}
        for part in ("train", "validation"):
            if found := part_scores(best, part):
                self.metrics_[part] = found
