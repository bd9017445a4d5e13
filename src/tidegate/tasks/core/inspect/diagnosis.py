"""The doctor of a task: what is wrong with a fitted model."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from tidegate.explain.doctor.case import Case
from tidegate.explain.doctor.doctor import Diagnosis, diagnose
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.core.inspect.limits import check_examined, doctors_reasons
from tidegate.tasks.core.raw import Raw

# Shares, and the answers of a network, are as plain on these as on more.
_DOCTOR_ROWS = 2000


def doctor(task: Inspected, X: Raw = None, y: Raw = None) -> Diagnosis:
    """Look for what is wrong with the model: units, training, answers, encoding.

    Args:
        task: The fitted task.
        X: Rows to try it on, one each; up to 2,000 are taken, evenly. None reads only what
            the model itself tells: weights, history, scores.
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
        reasons=doctors_reasons(task),
    )
    if X is None:
        return diagnose(task._told(case, None))
    check_examined(task, type(X).__name__)
    examples = some(task, X, y)
    count = min(len(examples), _DOCTOR_ROWS)
    examples = examples.take(np.linspace(0, len(examples) - 1, count).round().astype(int))
    with warnings.catch_warnings():
        # Cut and empty texts are what the doctor tells of himtask.
        warnings.simplefilter("ignore", DataWarning)
        loader = task._loader(examples, training=False)
    order = loader.in_order()
    case = replace(case, batches=[loader.batch(rows) for rows in order])
    return diagnose(task._told(case, examples.take(np.concatenate(order))))
