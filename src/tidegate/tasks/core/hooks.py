"""Hooks: what a task says of itself and writes; `Task` runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.tables.complete import clean_rows
from tidegate.data.tables.reader import READABLE
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case
from tidegate.explain.report.excerpt import Excerpt
from tidegate.files import FoundJson
from tidegate.tasks.core import encoders as saved
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.estimator import Estimator
from tidegate.tasks.core.examples import Array, Examples
from tidegate.tasks.core.files.answer import Answer, TableAnswer
from tidegate.tasks.core.inspect.inspected import Labels
from tidegate.tasks.core.raw import Answers, Evaluation, JsonObject, Raw
from tidegate.tasks.core.settings.option import Option
from tidegate.tasks.core.settings.settings import Settings
from tidegate.training.measure import Loader
from tidegate.training.network import Meter, Metrics, Network


class Hooks(Estimator):
    """What a task says of itself, and the hooks it writes.

    A task sets the class attributes below and writes the hooks `_examples` (check the input),
    `_learn` (fit encoders), `_loader` (encode), `_build` (make the network), `_rank` (compare
    epochs), `_state`, `_files` and `_restore` (save and load), `predict`, `score` and `answer`;
    if it reads more than tables with a row an input, `read_file`, `read_columns`, `check_table`
    and `inputs`; if its inside can be told in words, `_step_labels` and its neighbours. Its
    constructor, with every setting as a keyword argument, is made from `settings_class`.

    Attributes:
        settings_class: The dataclass of the task's settings.
        roles: The columns of a table that the task reads: role name to help text.
        input_role: The role that becomes X.
        target_role: The role that becomes y, or None.
        optional_roles: The roles that a table need not have.
        whole_tables: Whether the rows of a table belong together, so that it is answered whole.
        data_help: What the command line says about the file to learn from.
        data_example: The name of such a file, for commands that are suggested.
        suffixes: How the names of the files that it reads end; .gz may follow.
        answers: What has an answer: "row", each input; "step", each of its steps; "series", what
            comes after it; "sequence", an input as a whole, with a sequence of its own. What cannot
            be asked of which is said in `core.inspect.limits`.
        answer_class: What `respond` returns: the forms in which it can be printed and written.
        predict_options: What can be said to `tidegate predict` besides, by name.
        evaluate_options: What can be said to `evaluate` besides, by name.
        commands: The commands that the task has besides those of every task.
        use: A command that uses a saved model: {model} is its folder, {data} a file.
        encoders: The encoders that it learns, class by attribute: "encoder_", or, where there are
            several, such as "source_encoder_" and "target_encoder_".
        encoder_files: The names of JSON files that it may keep in a saved model besides.
        suits: The settings that the data decides where they are None, see `_suited`.
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

    roles: ClassVar[Mapping[str, str]] = {}
    input_role: ClassVar[str] = ""
    target_role: ClassVar[str | None] = None
    optional_roles: ClassVar[tuple[str, ...]] = ()
    whole_tables: ClassVar[bool] = False
    data_help: ClassVar[str] = "Table to learn from: .csv .tsv .jsonl .parquet."
    data_example: ClassVar[str] = "DATA.csv"
    suffixes: ClassVar[tuple[str, ...]] = READABLE
    answers: ClassVar[str] = "row"
    answer_class: ClassVar[type[Answer]] = TableAnswer
    predict_options: ClassVar[Mapping[str, Option]] = {}
    evaluate_options: ClassVar[Mapping[str, Option]] = {}
    commands: ClassVar[tuple[str, ...]] = ()
    use: ClassVar[str] = "predict {model} {data} --out predictions.csv"
    encoders: ClassVar[Encoders] = {}
    encoder_files: ClassVar[tuple[str, ...]] = ()
    suits: ClassVar[tuple[str, ...]] = ()

    settings_: Settings
    network_: Network
    history_: list[dict[str, float]]
    metrics_: dict[str, Metrics]
    best_epoch_: int
    columns_: Mapping[str, str] = {}

    def predict(self, X: Raw) -> Raw:
        """Answer each row of X."""
        raise NotImplementedError

    def score(self, X: Raw, y: Raw = None, sample_weight: Raw = None) -> float:
        """Return the task's score, greater is better."""
        raise NotImplementedError

    def answer(self, X: Raw) -> Answers:
        """Answer rows as the columns that `tidegate predict` writes.

        Args:
            X: The inputs, one a row.

        Returns:
            Column name to one value a row; `prediction` comes first.
        """
        return {"prediction": list(self.predict(X))}

    def unseen(self, y: Raw, others: Raw) -> list[int]:
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

    # What it reads of files.

    def read_file(self, path: Path, columns: Mapping[str, str]) -> tuple[Raw, Raw] | None:
        """Read a file that is no table.

        Args:
            path: The file.
            columns: The column of each role.

        Returns:
            `(X, y)`, or None when the file is to be read as a table.

        Raises:
            InputError: If something is wrong with the file.
        """
        return None

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Say which columns of a table to read, None for all, and which of them stay text."""
        return list(columns.values()), [columns[self.input_role]]

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """Check the rows of a table that was just read.

        Args:
            frame: The table.
            columns: The column of each role.
            drop_missing: Whether to leave out rows that lack something instead of complaining.
            source: The file, for messages.

        Returns:
            The rows that can be used, and how many were left out.

        Raises:
            InputError: If a row is wrong.
        """
        label = columns.get(self.target_role or "")
        return clean_rows(frame, columns[self.input_role], label, drop_missing, source)

    def inputs(self, frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[Raw, Raw]:
        """Take X and y out of a table that `check_table` made.

        Args:
            frame: The table.
            columns: The column of each role, such as `{"text": "review", "label": "stars"}`.

        Returns:
            `(X, y)`; y is None when the target's role is not named.
        """
        targets = columns.get(self.target_role or "")
        return frame[columns[self.input_role]].tolist(), targets and frame[targets].tolist()

    def located(self, error: InputError, frame: pd.DataFrame) -> str:
        """Say what an error about rows says, and where in the file they stand if that helps."""
        return str(error)

    # What it learns with.

    def _examples(self, X: Raw, y: Raw, sample_weight: Raw) -> Examples:
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

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        """Prepare a network, new or (`going_on`) fitted before, for training on these rows."""

    def _rank(self, metrics: Metrics) -> tuple[float, ...]:
        """Order epochs by their validation metrics: the greatest is the best."""
        return (-metrics["loss"],)

    def _step_labels(self, examples: Examples) -> Labels:
        """What the network reads at each step of each row, in words; None if there are none."""
        return None

    def _output_names(self) -> tuple[str, ...] | None:
        """What the outputs of the network are called; None if they have no names."""
        return None

    def _answers(self, outputs: Tensor) -> Tensor | None:
        """What the task makes of outputs `[rows, C]`, in the same shape; None for nothing."""
        return None

    def _changed(
        self, batch: Batch, labels: Labels, steps: Mapping[int, Raw]
    ) -> tuple[Batch, Labels]:
        """A batch of one row with other values at some steps, and its labels."""
        rule = "left out: this task cannot put single values into a row"
        raise InputError(message(type(self).__name__, "steps", rule, dict(steps), "Pass `other`"))

    def _excerpt(self, examples: Examples) -> Excerpt:
        """What the network reads of one input, and how."""
        return Excerpt(unit="step", whole="sequence")

    def _examined(self, examples: Examples, most: int) -> tuple[Examples, Loader]:
        """Choose evenly, `most` rows at most, what the doctor is to see; each stands by itself."""
        count = min(len(examples), most)
        chosen = np.linspace(0, len(examples) - 1, count).round().astype(int)
        examples = examples.take(chosen)
        return examples, self._loader(examples, training=False)

    def _told(self, case: Case, examples: Examples | None) -> Case:
        """Add to a case what the encoder knows; the examples are what `_examined` chose.

        Where each row has an answer they are the rows of `case.batches`.
        """
        return case

    def _report(self, meter: Meter) -> Evaluation:
        """Details for `evaluate(report=True)`."""
        return {}

    def _state(self) -> JsonObject:
        """What was learned besides weights and encoder files, as JSON."""
        return {"best_epoch": self.best_epoch_, "columns": dict(self.columns_)}

    def _files(self) -> JsonObject:
        """JSON files by name: those of `encoders`, and any of `encoder_files`."""
        return saved.to_files(self, self.encoders)

    def _restore(self, state: FoundJson, files: FoundJson) -> None:
        """Take back what `_state` and `_files` gave; whatever is wrong in it must raise."""
        self.best_epoch_ = state["best_epoch"]
        self.columns_ = dict(state["columns"])
        if not all(isinstance(name, str) for name in self.columns_.values()):
            raise InputError(message("load", "columns", "texts by role", self.columns_))
        saved.restore(self, self.encoders, files)
