"""The doctor of a task: what is wrong with a fitted model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case
from tidegate.explain.doctor.doctor import Diagnosis, diagnose
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.core.inspect.limits import check_comparable
from tidegate.tasks.core.raw import Raw
from tidegate.training.measure import Loader

# Shares, and the answers of a network, are as plain on these as on more.
_DOCTOR_ROWS = 2000
# Rows that are answered alone, and with the padding of others.
_TRIED = 16


def doctor(task: Inspected, X: Raw = None, y: Raw = None) -> Diagnosis:
    """Look for what is wrong with the model: units, training, answers, encoding.

    Args:
        task: The fitted task.
        X: Data to try it on, as for `evaluate`; up to 2,000 rows, windows of a series or pieces
            of a text are taken, evenly. None reads only what the model itself tells: weights,
            history, scores.
        y: Their targets, or None.

    Returns:
        The findings, each with evidence, cost and remedy; what passed; what was skipped.

    Raises:
        InputError: If the data is wrong.
        NotFittedError: If the task was not fitted.
    """
    task._check_fitted()
    case = Case(
        network=task.network_,
        history=task.history_,
        best_epoch=task.best_epoch_,
        metrics=task.metrics_,
        settings=task.settings_.to_dict(),
        classes=[str(label) for label in getattr(task, "classes_", ())],
        stepwise=task.answers == "step",
    )
    if X is None:
        return diagnose(task._told(case, None))
    check_comparable(task)
    examples = some(task, X, y)
    with warnings.catch_warnings():
        # Cut and empty texts are what the doctor tells of himself.
        warnings.simplefilter("ignore", DataWarning)
        examples, loader = task._examined(examples, _DOCTOR_ROWS)
        order = _most(loader.in_order(), _DOCTOR_ROWS)
        rows = np.concatenate(order)
        batches = [loader.batch(part) for part in order]
        if not any(batch.values.shape[1] for batch in batches):
            raise InputError(message(type(task).__name__, "X", "at least one step", "none"))
        case = replace(case, batches=batches, trial=_trial(loader, rows))
        if task.answers == "row" and len(rows) == len(examples):  # no windows of a row each
            examples = examples.take(rows)
        return diagnose(task._told(case, examples))


def _most(order: Sequence[Array], most: int) -> list[Array]:
    """Take evenly, `most` rows at most, of batches of them."""
    total = sum(map(len, order))
    kept = np.zeros(total, dtype=bool)
    kept[np.linspace(0, total - 1, min(total, most)).round().astype(int)] = True
    parts = np.split(kept, np.cumsum([len(rows) for rows in order])[:-1])
    found = [rows[part] for rows, part in zip(order, parts, strict=True)]
    return [rows for rows in found if len(rows)]


def _trial(loader: Loader, rows: Array) -> tuple[list[Batch], Batch]:
    """Some rows evenly taken, each alone and all of them together."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), _TRIED)).round().astype(int)]
    return [loader.batch(chosen[place : place + 1]) for place in range(len(chosen))], loader.batch(
        chosen
    )
