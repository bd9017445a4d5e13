"""Inside: the methods of every task that look into its network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from tidegate.errors import InputError, message, suggest
from tidegate.explain.attribution import attribution
from tidegate.explain.attribution.attribution import Attribution
from tidegate.explain.attribution.methods import read_method
from tidegate.explain.doctor.case import NEEDS_DATA, NO_CLASSES, NO_WORDS, Case
from tidegate.explain.doctor.doctor import Diagnosis, diagnose
from tidegate.explain.memory.memory import memory
from tidegate.explain.network import Inspectable, still
from tidegate.explain.report.excerpt import Excerpt
from tidegate.explain.report.report import Report
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace, join
from tidegate.tasks.core.estimator import Estimator
from tidegate.tasks.core.rows import DataWarning

if TYPE_CHECKING:
    from tidegate.nn import Recurrent
    from tidegate.tasks.core.rows import Examples
    from tidegate.tasks.core.settings import Settings
    from tidegate.training.measure import Loader, Metrics

# Shares, and the answers of a network, are as plain on these as on more.
_DOCTOR_ROWS = 2000
# Why a task whose rows the doctor does not read has no checks of how it reads texts.
_LABELLED = "made only for texts with one answer each"
# Longer inputs are not occluded unless asked for.
_OCCLUDED_STEPS = 500


class Inside(Estimator):
    """What a fitted task shows of its inside; `Task` inherits it."""

    if TYPE_CHECKING:  # what `Task` has
        network_: Any
        settings_: Settings
        history_: list[dict[str, float]]
        metrics_: Mapping[str, Metrics]
        best_epoch_: int
        examines_rows: ClassVar[bool]

        def _check_fitted(self) -> None: ...

        def _examples(self, X: Any, y: Any, sample_weight: Any) -> Examples: ...

        def _loader(self, examples: Examples, *, training: bool) -> Loader: ...

    def trace(
        self, X: Any, *, layers: Numbers = None, units: Numbers = None, gates: Names = None
    ) -> Trace:
        """Trace the gates and states of the recurrent stack while it reads rows.

        Args:
            X: The inputs, one a row.
            layers: Numbers of the layers to keep, from 0; None for all.
            units: Numbers of the units to keep, from 0; None for all.
            gates: Names of the gates to keep; None for all. The states are kept in any case.

        Returns:
            A trace with the rows in the order of X; its labels are what the network read at
            each step, if the task can say that in words.

        Raises:
            InputError: If an input is wrong, or there is no such layer, unit or gate.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        examples = self._some(X)
        loader = self._loader(examples, training=False)
        network: Inspectable = self.network_
        traces, order = [], []
        with still(network) as device, torch.no_grad():
            for rows in loader.in_order():
                batch = loader.batch(rows).to(device)
                vectors, lengths = network.embed(batch), batch.lengths
                chosen: dict[str, Any] = {"layers": layers, "units": units, "gates": gates}
                traces.append(network.recurrent.trace(vectors, lengths=lengths, **chosen))
                order += rows.tolist()
        trace, labels = join(traces, order), self._step_labels(examples)
        return trace if labels is None else trace.labelled(labels)

    def attribute(
        self, X: Any, *, method: str = "integrated gradients", target: Any = None
    ) -> Attribution:
        """Say how much each step of each row moved the score of an answer.

        Args:
            X: The inputs, one a row.
            method: "integrated gradients": the scores add up to the change of the output from a
                row that says nothing. "occlusion": how far the output falls without the step.
                "gates": what the step wrote into the memory that was kept and read.
            target: The answer to explain, a class for a classifier: one for all rows or one for
                each; None for what the model answers.

        Returns:
            The attribution, rows in the order of X, labelled like a trace.

        Raises:
            InputError: If an input is wrong, there is no such method or answer, or the method
                does not fit the model's cell.
            NotFittedError: If the task was not fitted.

        Example:
            >>> model.attribute(["A fine film."]).to_frame()  # doctest: +SKIP
        """
        self._check_fitted()
        self._check_inspectable("attribute")
        explain = read_method(type(self).__name__, method)
        examples = self._some(X)
        targets = self._outputs(target, len(examples))
        loader = self._loader(examples, training=False)
        parts: list[Attribution] = []
        order: list[int] = []
        for rows in loader.in_order():
            own = None if targets is None else targets[rows]
            parts.append(explain(self.network_, loader.batch(rows), own))
            order += rows.tolist()
        labels, names = self._step_labels(examples), self._output_names()
        texts = None if labels is None else tuple(tuple(row) for row in labels)
        return replace(attribution.join(parts, order), labels=texts, names=names)

    def explain(
        self,
        x: Any,
        *,
        target: Any = None,
        methods: Sequence[str] | None = None,
        layers: Numbers = None,
        units: Numbers = None,
    ) -> Report:
        """Show why the model answers one input as it does.

        Args:
            x: The input, one, not a list.
            target: The answer to explain, such as a class; None for what the model answers.
            methods: As in `attribute`, the one to be shown first in front; None for integrated
                gradients, occlusion of inputs up to 500 steps (it takes time with the square
                of them), and gates where they fit the model's cell.
            layers: Numbers of the layers to show, from 0; None for all.
            units: Numbers of the units to show, from 0; None for all.

        Returns:
            A report: `save` writes it as a page, a picture or numbers; a notebook shows the page.

        Raises:
            InputError: If the input is wrong or empty, the task's network cannot be looked into,
                or there is no such answer, method, layer or unit.
            NotFittedError: If the task was not fitted.

        Example:
            >>> model.explain("A fine film.").save("report.html")  # doctest: +SKIP
        """
        self._check_fitted()
        self._check_inspectable("explain")
        owner, network = type(self).__name__, self.network_
        excerpt = self._excerpt(self._examples([x], None, None))
        if excerpt.skipped:
            warnings.warn(DataWarning(excerpt.notes[0]), stacklevel=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # each pass would say it again
            trace = self.trace([x], layers=layers, units=units)
            if not int(trace.lengths[0]):
                raise InputError(message("explain", "input", "a text with a token", repr(x)))
            found, refused = self._attributions(x, target, methods, int(trace.lengths[0]))
            answer = {name: column[0] for name, column in self.answer([x]).items()}
        shares = {
            name.removeprefix("probability_"): share
            for name, share in answer.items()
            if name.startswith("probability_")
        }
        return Report(
            model=f"{owner}, {_outline(network.recurrent)}",
            prediction=str(answer["prediction"]),
            probabilities=shares,
            attributions=found,
            trace=trace,
            memory=memory(trace) if network.recurrent.cell.keep_gate in trace.gates else None,
            excerpt=replace(excerpt, notes=excerpt.notes + refused),
        )

    def _attributions(
        self, x: Any, target: Any, methods: Sequence[str] | None, steps: int
    ) -> tuple[tuple[Attribution, ...], tuple[str, ...]]:
        """The attributions of one input, and why one that was not asked for is left out."""
        usual = ("integrated gradients", *(("occlusion",) if steps <= _OCCLUDED_STEPS else ()))
        named = usual if methods is None else methods
        found = tuple(self.attribute([x], method=name, target=target) for name in named)
        if methods is not None:
            return found, ()
        try:
            return (*found, self.attribute([x], method="gates", target=target)), ()
        except InputError as error:
            return found, (f"Contributions by gates are left out. {error}",)

    def doctor(self, X: Any = None, y: Any = None) -> Diagnosis:
        """Look for what is wrong with the model: units, training, answers, encoding.

        Args:
            X: Rows to try it on, one each; up to 2,000 are taken, evenly. None reads only what
                the model itself tells: weights, history, scores.
            y: Their targets, or None.

        Returns:
            The findings, each with evidence, cost and remedy; what passed; what was skipped.

        Raises:
            InputError: If the data is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        case = Case(
            network=self.network_,
            history=self.history_,
            best_epoch=self.best_epoch_,
            metrics=self.metrics_,
            settings=self.settings_.to_dict(),
            classes=[str(label) for label in getattr(self, "classes_", ())],
            reasons=self._reasons(),
        )
        if X is None:
            return diagnose(self._told(case, None))
        examples = self._examples(X, y, None)
        if not len(examples):
            raise InputError(message(type(self).__name__, "X", "at least one row", "none"))
        count = min(len(examples), _DOCTOR_ROWS)
        examples = examples.take(np.linspace(0, len(examples) - 1, count).round().astype(int))
        with warnings.catch_warnings():
            # Cut and empty texts are what the doctor tells of himself.
            warnings.simplefilter("ignore", DataWarning)
            loader = self._loader(examples, training=False)
        order = loader.in_order()
        case = replace(case, batches=[loader.batch(rows) for rows in order])
        return diagnose(self._told(case, examples.take(np.concatenate(order))))

    def _reasons(self) -> dict[str, str]:
        """Why checks are left out of a task whose rows the doctor does not read."""
        if self.examines_rows:
            return {}
        unread = f"the doctor reads no data of a {self._title()}"
        told = {NEEDS_DATA: unread, NO_CLASSES: unread, NO_WORDS: _LABELLED}
        return {usual.reason: reason for usual, reason in told.items()}

    def _title(self) -> str:
        """What the task is, in words: "language model"."""
        return self.task_name().replace("-", " ")

    def _check_inspectable(self, question: str) -> None:
        """Refuse a question that only some networks can answer."""
        if isinstance(self.network_, Inspectable):
            return
        if self.examines_rows:
            rule = "of a task whose network can be looked into, see tidegate.explain.Inspectable"
            raise InputError(message(question, "model", rule, type(self).__name__))
        rule, got = "of a task with one answer for each input", f"a {self._title()}"
        remedy = "Look with model.trace, model.units and model.contexts in Python"
        raise InputError(message(question, "model", rule, got, remedy))

    def _some(self, X: Any) -> Examples:
        """Check inputs; there must be one."""
        examples = self._examples(X, None, None)
        if not len(examples):
            raise InputError(message(type(self).__name__, "X", "at least one row", "none"))
        return examples

    def _output_names(self) -> tuple[str, ...] | None:
        """What the outputs of the network are called; None if they have no names."""
        return None

    def _outputs(self, target: Any, rows: int) -> torch.Tensor | None:
        """Turn an answer, or one for each row, into the numbers of outputs, `[rows]`."""
        if target is None:
            return None
        owner, names = type(self).__name__, self._output_names()
        given = target.tolist() if hasattr(target, "tolist") else target
        each = list(given) if isinstance(given, list | tuple) else [given] * rows
        if len(each) != rows:
            rule = f"one answer, or one for each of {rows} rows"
            raise InputError(message(owner, "target", rule, f"{len(each)} of them"))
        if names is None:
            return torch.as_tensor(each)
        for answer in map(str, each):
            if answer not in names:
                rule, remedy = "an answer of this model", suggest(answer, names)
                raise InputError(message(owner, "target", rule, repr(answer), remedy))
        return torch.tensor([names.index(str(answer)) for answer in each])

    def _told(self, case: Case, examples: Examples | None) -> Case:
        """Add to a case what the encoder knows; the examples are the rows of `case.batches`."""
        return case

    def _excerpt(self, examples: Examples) -> Excerpt:
        """What the network reads of one input, and how."""
        return Excerpt()

    def _step_labels(self, examples: Examples) -> Sequence[Sequence[str]] | None:
        """What the network reads at each step of each row, in words; None if there are none."""
        return None


def _outline(layer: Recurrent) -> str:
    """A recurrent stack in a few words, such as "LSTM, 64 units, 2 directions"."""
    counts = {"layer": layer.num_layers, "direction": 1 + layer.bidirectional}
    more = [f"{count} {name}s" for name, count in counts.items() if count > 1]
    return ", ".join([layer.cell.title, f"{layer.cell.hidden_size} units", *more])
