"""What the tasks on sequences of numbers share: settings, tables, encoder, windows, network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from tidegate.batch import Batch
from tidegate.data.batching import Buckets
from tidegate.data.names import ColumnNames, check_there, places
from tidegate.data.rows import Rows
from tidegate.data.sequences.encoder import EncodedSequences, SequenceEncoder
from tidegate.data.sequences.rows import (
    channel_names,
    in_order,
    of_table,
    read_sequences,
    step_names,
)
from tidegate.errors import InputError, message
from tidegate.explain.report.excerpt import Excerpt
from tidegate.heads import ClassifyHead, RegressHead
from tidegate.nn.blocks.convolution import Convolution
from tidegate.nn.blocks.pooling import Pooling
from tidegate.tasks.core.classifier import shortened
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.ensemble import EnsembleSettings, joined
from tidegate.tasks.core.examples import Array, DataWarning, Examples
from tidegate.tasks.core.files.columns import check_lengths, checked_weights
from tidegate.tasks.core.inspect.inspected import Labels
from tidegate.tasks.core.raw import Raw
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import PooledSettings, Settings, build_layer
from tidegate.tasks.core.task import Task
from tidegate.tasks.sequence.network import SequenceNetwork
from tidegate.training.network import Network


@dataclass(frozen=True, kw_only=True)
class SequenceSettings(EnsembleSettings, PooledSettings):
    """The settings of every task that answers sequences of numbers."""

    bidirectional: bool = changed(Settings, "bidirectional", True)
    hidden_size: int = changed(Settings, "hidden_size", 64)
    dropout: float = changed(Settings, "dropout", 0.5)
    epochs: int = changed(Settings, "epochs", 100)
    batch_size: int = changed(Settings, "batch_size", 16)
    learning_rate: float = changed(Settings, "learning_rate", 2e-3)
    patience: int | None = changed(Settings, "patience", None)
    scaling: str = setting(
        "standard",
        help="How each channel is scaled: standard by mean and deviation, robust by median and "
        "quartiles of the training rows; sequence by each sequence's own mean and deviation.",
        choices=("standard", "robust", "sequence", "none"),
        structural=True,
        group="Series",
    )
    missing: str = setting(
        "mask",
        help="What becomes of missing values: the mean, with a mask as further inputs, or a line "
        "between their neighbours in time.",
        choices=("mask", "interpolate"),
        structural=True,
        group="Series",
    )
    window: int | None = setting(
        None,
        help="Read the last so many steps instead of whole sequences; where each step has a "
        "target, learn from the window that ends there.",
        minimum=1,
        structural=True,
        group="Series",
    )
    stride: int = setting(
        1, help="Steps from one window to the next in training.", minimum=1, group="Series"
    )
    noise: float = setting(
        0.0,
        help="Deviation of the noise added to the scaled values in training.",
        minimum=0,
        maximum=10,
        group="Training",
    )
    convolutions: int = setting(
        3,
        help="Convolutions before the recurrent layer, which show it each step's neighbourhood.",
        minimum=0,
        maximum=16,
        structural=True,
    )
    filters: int = setting(
        64, help="Features that a convolution finds.", minimum=1, maximum=65536, structural=True
    )
    width: int = setting(
        7, help="Steps that a convolution sees, odd.", minimum=1, maximum=9999, structural=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.convolutions and self.width % 2 == 0:
            remedy = f"Pass {self.width - 1} or {self.width + 1}"
            raise InputError(message(self.owner, "width", "odd", self.width, remedy))
        if self.stride > 1 and self.window is None:
            rule, remedy = "1 without a window", "Set a window, or leave stride out"
            raise InputError(message(self.owner, "stride", rule, self.stride, remedy))


class SequenceTask(Task):
    """Base of the tasks on sequences of numbers.

    Attributes:
        encoder_: The fitted `SequenceEncoder`.
        channels_: Names of the channels, where it learned from DataFrames or a table; else None.
        steps_: Names of the steps, where it learned from a table with a sequence a row; else None.
    """

    optional_roles: ClassVar[tuple[str, ...]] = ("id", "time", "values")
    whole_tables: ClassVar[bool] = True
    encoders: ClassVar[Encoders] = {"encoder_": SequenceEncoder}

    settings_: Any
    encoder_: SequenceEncoder
    channels_: tuple[str, ...] | None
    steps_: tuple[str, ...] | None

    if TYPE_CHECKING:  # what `Classifier` and `Regressor` have

        def _column(self, y: object) -> Array: ...

    # Tables.

    def inputs(
        self, frame: pd.DataFrame, columns: Mapping[str, str]
    ) -> tuple[list[pd.DataFrame], list[object] | None]:
        """Take X and y out of a table that `check_table` made, a sequence a row."""
        from tidegate.data.sequences.table import SEQUENCE, TARGETS

        target = TARGETS if TARGETS in frame else columns.get(self.target_role or "")
        return frame[SEQUENCE].tolist(), frame[target].tolist() if target in frame else None

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read everything: which columns are channels, their types may have to say."""
        return None, []

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """Make a table with a sequence a row; see `data.sequence_table.gather_sequences`."""
        from tidegate.data.sequences.table import gather_sequences

        target = columns.get(self.target_role or "")
        if hasattr(self, "network_") and target not in frame:
            target = None  # there may be none to learn from in rows that are to be answered
        return gather_sequences(
            frame,
            id=columns.get("id"),
            time=columns.get("time"),
            values=self._values(columns.get("values"), frame, source),
            target=target,
            steps=self.window is not None,
            drop_missing=drop_missing,
            source=source,
        )

    @property
    def _learned_names(self) -> tuple[str, ...] | None:
        """The channels or steps of the fit, if they have names."""
        return self.channels_ or self.steps_ if hasattr(self, "network_") else None

    def _values(
        self, asked: str | None, frame: pd.DataFrame, source: str
    ) -> str | Sequence[str] | None:
        """The columns to read, in the order of the fit."""
        learned = self._learned_names
        if learned is None:
            return asked
        if asked is not None and asked != self.columns_.get("values"):
            names = ColumnNames(tuple(name.strip() for name in asked.split(",")))
            places(names, ColumnNames(learned), source, argument="values")
        check_there(frame, learned, source)
        return learned

    # What Task asks for.

    def _examples(self, X: object, y: object, sample_weight: object) -> Examples:
        owner = type(self).__name__
        inputs = self._inputs(X)
        shape: Sequence[int] = getattr(X, "shape", ())
        whole = int(shape[1]) if len(shape) > 1 else None
        targets = None if y is None else self._targets_of(y, inputs, whole)
        weights = None if sample_weight is None else checked_weights(sample_weight, owner)
        check_lengths(len(inputs), owner, {"y": targets, "sample_weight": weights})
        return Examples(inputs, targets, weights)

    def _inputs(self, X: object) -> Sequence[Raw]:
        """Check sequences; DataFrames stay such, for their names."""
        rows = self._in_order(X, self._learned_names)
        channels = self.encoder_.channels if hasattr(self, "network_") else None
        arrays = read_sequences(rows, type(self).__name__, channels=channels)
        named = arrays and (channel_names(rows) or step_names(rows))
        return list(rows) if named else arrays

    def _in_order(self, X: Raw, learned: Sequence[str] | None) -> Raw:
        """Bring channels or steps that have names into the order of a fit."""
        owner = type(self).__name__
        rows = of_table(X, learned, owner) if isinstance(X, pd.DataFrame) else X
        return in_order(rows, learned, owner)

    def _split(
        self, examples: Examples, validation: float | tuple[Raw, Raw] | None, settings: Settings
    ) -> tuple[Examples, Examples | None]:
        names = channel_names(examples.inputs) or step_names(examples.inputs)
        if names and isinstance(validation, tuple) and len(validation) == 2:
            validation = (self._in_order(validation[0], names), validation[1])
        return super()._split(examples, validation, settings)

    def _targets_of(self, y: object, rows: Sequence[Sized], whole: int | None) -> Array:
        """Check targets: one a row, or with a window one a step, each row an array.

        Where rows were padded to `whole` steps, what stands beside the padding is left out.
        """
        owner = type(self).__name__
        if not per_step(y):
            return self._column(y)
        if self.window is None:
            remedy = "Set a window to learn a target at each step, or pass one target a row"
            raise InputError(message(owner, "y", "one target a row", "a list in row 1", remedy))
        found = np.empty(len(y), dtype=object)
        for number, (targets, row) in enumerate(zip(y, rows, strict=False)):
            if len(targets) == whole or _padded(targets, len(row)):
                targets = targets[: len(row)]
            if len(targets) != len(row):
                rule = "one target a step in each row"
                got = f"{len(targets)} for {len(row)} steps in row {number + 1}"
                raise InputError(message(owner, "y", rule, got))
            found[number] = self._column(targets)
        return found

    def _learn(self, examples: Examples) -> None:
        super()._learn(examples)
        settings = self.settings_
        encoder = SequenceEncoder(settings.scaling, settings.missing)
        self.channels_, self.steps_ = channel_names(examples.inputs), step_names(examples.inputs)
        self.encoder_ = encoder.fit(read_sequences(examples.inputs))

    def _loader(self, examples: Examples, *, training: bool) -> Rows[EncodedSequences]:
        settings = self.settings_
        arrays = read_sequences(examples.inputs)
        unpractised = self.encoder_.unpractised(arrays)
        if unpractised:
            what = "sequences miss values in channels that never missed any in training."
            warnings.warn(DataWarning(what, unpractised, len(arrays)), stacklevel=4)
        encoded, targets, weights = self.encoder_.encode(arrays), examples.targets, examples.weights
        if settings.window is not None:
            encoded, targets, weights = self._windows(encoded, targets, weights, training)
        order = Buckets(encoded.lengths, settings.batch_size, seed=settings.random_state)
        return Rows(encoded, order, self._numbered(targets), weights)

    def _windows(
        self,
        encoded: EncodedSequences,
        targets: Array | None,
        weights: Array | None,
        training: bool,
    ) -> tuple[EncodedSequences, Array | None, Array | None]:
        """Cut rows into windows: one at each step that has a target, or the last of each row."""
        ends = None
        if targets is not None and targets.dtype == object:
            stride = self.settings_.stride if training else 1
            ends = [np.arange(steps - 1, -1, -stride)[::-1] for steps in encoded.lengths]
            targets = np.concatenate([row[at] for row, at in zip(targets, ends, strict=True)])
            if weights is not None:
                weights = np.repeat(weights, [len(at) for at in ends])
        return encoded.windows(self.settings_.window, ends), targets, weights

    def _numbered(self, targets: Array | None) -> Array | None:
        """Turn targets into what a batch holds."""
        return targets

    def _make_head(self, features: int) -> ClassifyHead | RegressHead:
        """Make the head."""
        raise NotImplementedError

    def _build(self) -> Network:
        return joined(self._member, self.settings_.members)

    def _member(self) -> SequenceNetwork:
        settings, size = self.settings_, self.encoder_.size
        front = None
        if settings.convolutions:
            options = {"width": settings.width, "layers": settings.convolutions}
            front = Convolution(size, settings.filters, **options)
            size = front.output_size
        layer = build_layer(settings, size)
        final = (2 if layer.bidirectional else 1) * layer.cell.output_size
        beside = 0 if front is None else size
        pooling = Pooling(settings.pooling, layer.output_size + beside, final)
        return SequenceNetwork(
            front,
            layer,
            pooling,
            self._make_head(pooling.output_size),
            dropout=settings.dropout,
            noise=settings.noise,
        )

    def _step_labels(self, examples: Examples) -> list[list[str]] | None:
        """The times of the steps, where they are known."""
        if channel_names(examples.inputs) is None:
            return None
        last = slice(None if self.settings_.window is None else -self.settings_.window, None)
        return [[str(time) for time in row.index[last]] for row in examples.inputs]

    def _excerpt(self, examples: Examples) -> Excerpt:
        found, window = super()._excerpt(examples), self.settings_.window
        steps = len(examples.inputs[0])
        if window is None or steps <= window:
            return found
        note = f"The model read the last {window:,} of the {steps:,} steps: window is {window}."
        return replace(found, skipped=steps - window, notes=(note,))

    def _changed(
        self, batch: Batch, labels: Labels, steps: Mapping[int, ArrayLike]
    ) -> tuple[Batch, Labels]:
        if self.encoder_.scaling == "sequence":  # one value changes the scale of all the others
            return super()._changed(batch, labels, steps)
        owner, values = type(self).__name__, batch.values.clone()
        for step, value in steps.items():
            if not 0 <= step < values.shape[1]:
                rule = f"numbers of steps from 0 to {values.shape[1] - 1}"
                raise InputError(message(owner, "steps", rule, step))
            (row,) = read_sequences([np.atleast_2d(value)], owner)
            values[0, step] = torch.from_numpy(self.encoder_.encode([row]).values[0])
        return replace(batch, values=values), labels

    def facts(self) -> dict[str, str]:
        """Return what the sequences are made of besides."""
        names = self.channels_ or tuple(map(str, range(self.encoder_.channels)))
        masked = [names[channel] for channel in self.encoder_.masked]
        told = {"channels": f"{len(names):,}: {shortened(names)}"}
        if masked:
            told["missing in training"] = shortened(masked)
        return super().facts() | told

    def _state(self) -> dict[str, object]:
        steps = {} if self.steps_ is None else {"steps": list(self.steps_)}
        return super()._state() | {"channels": self.channels_ and list(self.channels_), **steps}

    def _restore(self, state: Mapping[str, object], files: Mapping[str, object]) -> None:
        super()._restore(state, files)
        self.channels_ = _texts(state["channels"], "channels")
        if self.channels_ is not None and len(self.channels_) != self.encoder_.channels:
            got = len(self.channels_)
            raise InputError(message("load", "channels", "a text for each channel", got))
        self.steps_ = _texts(state.get("steps"), "steps")


def _texts(names: Raw, argument: str) -> tuple[str, ...] | None:
    """Take names out of JSON, whatever it says; None for none."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(
            message("load", argument, f"a text for each {argument.rstrip('s')}", names)
        )
    return tuple(names)


def _padded(targets: Sequence[object], steps: int) -> bool:
    """Say whether targets after so many steps are nothing but missing."""
    rest = targets[steps:]
    return len(rest) > 0 and bool(pd.isna(np.array(rest, dtype=object)).all())


def per_step(y: object) -> TypeGuard[Sequence[Sequence[object]]]:
    """Say whether targets come as a list for each row.

    Example:
        >>> per_step([[0, 1], [1]]), per_step(["walk", "run"])
        (True, False)
    """
    rows = y.tolist() if hasattr(y, "tolist") else y
    first = rows[0] if isinstance(rows, list | tuple) and rows else None
    return hasattr(first, "__len__") and not isinstance(first, str | bytes)
