"""Attributions and reports: why a task answers one input as it does."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import torch

from tidegate.data.classes import find_labels
from tidegate.errors import InputError, message, suggest
from tidegate.explain.attribution.attribution import Attribution, join
from tidegate.explain.attribution.methods import read_method
from tidegate.explain.memory.memory import memory
from tidegate.explain.report.report import Report
from tidegate.nn import Recurrent
from tidegate.nn.trace.selection import Numbers
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.core.inspect.limits import inspectable
from tidegate.tasks.core.raw import Raw

# Longer inputs are not occluded unless asked for.
_OCCLUDED_STEPS = 500


def attribute(
    task: Inspected, X: Raw, *, method: str = "integrated gradients", target: Raw = None
) -> Attribution:
    """Say how much each step of each row moved the score of an answer.

    Args:
        task: The fitted task.
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
    task._check_fitted()
    network = inspectable(task, "attribute")
    explain = read_method(type(task).__name__, method)
    examples = some(task, X)
    targets = _outputs(task, target, len(examples))
    loader = task._loader(examples, training=False)
    parts: list[Attribution] = []
    order: list[int] = []
    for rows in loader.in_order():
        own = None if targets is None else targets[rows]
        parts.append(explain(network, loader.batch(rows), own))
        order += rows.tolist()
    labels, names = task._step_labels(examples), task._output_names()
    texts = None if labels is None else tuple(tuple(row) for row in labels)
    return replace(join(parts, order), labels=texts, names=names)


def explain(
    task: Inspected,
    x: Raw,
    *,
    target: Raw = None,
    methods: Sequence[str] | None = None,
    layers: Numbers = None,
    units: Numbers = None,
) -> Report:
    """Show why the model answers one input as it does.

    Args:
        task: The fitted task.
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
    task._check_fitted()
    network = inspectable(task, "explain")
    excerpt = task._excerpt(task._examples([x], None, None))
    if excerpt.skipped:
        warnings.warn(DataWarning(excerpt.notes[0]), stacklevel=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # each pass would say it again
        passed = task.trace([x], layers=layers, units=units)
        if not int(passed.lengths[0]):
            rule = f"a {excerpt.whole} with a {excerpt.unit}"
            raise InputError(message("explain", "input", rule, repr(x)))
        found, refused = _attributions(task, x, target, methods, int(passed.lengths[0]))
        answer = {name: column[0] for name, column in task.answer([x]).items()}
    shares = {
        name.removeprefix("probability_"): share
        for name, share in answer.items()
        if name.startswith("probability_")
    }
    return Report(
        model=f"{type(task).__name__}, {_outline(network.recurrent)}",
        prediction=str(answer["prediction"]),
        probabilities=shares,
        attributions=found,
        trace=passed,
        memory=memory(passed) if network.recurrent.cell.keep_gate in passed.gates else None,
        excerpt=replace(excerpt, notes=excerpt.notes + refused),
    )


def _attributions(
    task: Inspected, x: Raw, target: Raw, methods: Sequence[str] | None, steps: int
) -> tuple[tuple[Attribution, ...], tuple[str, ...]]:
    """The attributions of one input, and why one that was not asked for is left out."""
    usual = ("integrated gradients", *(("occlusion",) if steps <= _OCCLUDED_STEPS else ()))
    named = usual if methods is None else methods
    found = tuple(attribute(task, [x], method=name, target=target) for name in named)
    if methods is not None:
        return found, ()
    try:
        return (*found, attribute(task, [x], method="gates", target=target)), ()
    except InputError as error:
        return found, (f"Contributions by gates are left out. {error}",)


def _outputs(task: Inspected, target: Raw, rows: int) -> torch.Tensor | None:
    """Turn an answer, or one for each row, into the numbers of outputs, `[rows]`."""
    if target is None:
        return None
    owner, names = type(task).__name__, task._output_names()
    given = target.tolist() if hasattr(target, "tolist") else target
    each = list(given) if isinstance(given, list | tuple) else [given] * rows
    if len(each) != rows:
        rule = f"one answer, or one for each of {rows} rows"
        raise InputError(message(owner, "target", rule, f"{len(each)} of them"))
    if names is None:
        if not all(isinstance(number, int) for number in each):
            rule = "left out, or the number of an output: the answers have no names"
            raise InputError(message(owner, "target", rule, repr(target)))
        return torch.as_tensor(each)
    places = find_labels(each, names)
    for answer, place in zip(map(str, each), places, strict=True):
        if place is None:
            rule, remedy = "an answer of this model", suggest(answer, names)
            raise InputError(message(owner, "target", rule, repr(answer), remedy))
    return torch.tensor(places)


def _outline(layer: Recurrent) -> str:
    """A recurrent stack in a few words, such as "LSTM, 64 units, 2 directions"."""
    counts = {"layer": layer.num_layers, "direction": 1 + layer.bidirectional}
    more = [f"{count} {name}s" for name, count in counts.items() if count > 1]
    return ", ".join([layer.cell.title, f"{layer.cell.hidden_size} units", *more])
