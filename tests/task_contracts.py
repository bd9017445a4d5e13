"""What every task must do, whatever it is about."""

from __future__ import annotations

import inspect
import json
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.base import clone

import tidegate
from tidegate import tasks
from tidegate.errors import InputError
from tidegate.explain import plot_gates
from tidegate.explain.doctor.doctor import CHECKS
from tidegate.explain.network import shows_inputs
from tidegate.tasks.core.task import Task

QUICK = {"epochs": 2, "hidden_size": 3, "batch_size": 8, "verbose": False}


PNG = b"\x89PNG"


class StoppedError(Exception):
    """Stands for anything that ends a program."""


def check_task(cls: type[Task], X: Any, y: Any, folder: Path) -> None:
    """Raise an AssertionError where a task breaks its contract.

    Args:
        cls: The task's class, found under its name.
        X: A few dozen inputs.
        y: Their targets.
        folder: An empty folder.
    """
    check_declaration(cls)
    check_estimator(cls)
    task = fitted(cls, X, y)
    check_threads(task, X, y)
    check_repeats(task, X, y)
    check_resumes(task, X, y, folder / "checkpoint")
    check_saves(task, X, y, folder / "model")
    check_other_default(task, X, y, folder)
    check_inside(task, X, y, folder)


def check_declaration(cls: type[Task]) -> None:
    """The name, the roles and the settings are there for the command line and the docs."""
    assert tasks.get(cls.task_name()) is cls
    assert cls.input_role in cls.roles
    assert cls.target_role is None or cls.target_role in cls.roles
    assert cls.answers in {"row", "step", "series", "sequence"}
    assert all(hasattr(cls, command) for command in cls.commands)
    assert "{model}" in cls.use
    assert inspect.getdoc(cls)
    assert cls.settings_class.owner == cls.__name__
    for name, option in cls.settings_class.options().items():
        assert option.help.endswith("."), f"{name} has no help"
        assert option.check(option.default, "contract") == option.default, name
    json.dumps(cls.settings_class().to_json())


def check_estimator(cls: type[Task]) -> None:
    """scikit-learn can look into it, copy it and set it; mistyped settings are refused."""
    parameters = inspect.signature(cls).parameters
    assert list(parameters) == list(cls.settings_class.options())
    twin = clone(cls(**QUICK))
    assert twin.get_params() == cls(**QUICK).get_params()
    assert twin.set_params(hidden_size=5).hidden_size == 5
    with pytest.raises(InputError, match="Did you mean 'hidden_size'"):
        cls(hiden_size=5)


def fitted(cls: type[Task], X: Any, y: Any, seed: int = 0, **options: Any) -> Task:
    return cls(**QUICK, random_state=seed).fit(X, y, **options)


def weights(task: Task) -> dict[str, list[float]]:
    return {name: tensor.tolist() for name, tensor in task.network_.state_dict().items()}


def generators() -> str:
    """The state of the generators that belong to the program."""
    numpy = np.random.get_state()  # noqa: NPY002  # the program's own, whatever it draws from
    return repr((torch.get_rng_state().tolist(), random.getstate(), numpy))


def check_threads(alone: Task, X: Any, y: Any) -> None:
    """Fits in several threads have numbers of their own, and the program's are left alone."""
    before = generators()
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(fitted, type(alone), X, y, seed) for seed in (0, 1)]
        same, other = (weights(fit.result()) for fit in fits)
    assert same == weights(alone)
    assert other != same
    if type(alone).__module__.startswith("tidegate."):
        alone.answer(X)
        assert generators() == before


def check_repeats(first: Task, X: Any, y: Any) -> None:
    """The same seed gives the same bits, and answers do not depend on the other rows.

    Up to the rounding of products that sum in another order, as docs/models.md promises; and not
    where rows are the steps of one series.
    """
    assert weights(first) == weights(fitted(type(first), X, y))
    assert {"train", "validation"} == set(first.metrics_)
    assert [row["epoch"] for row in first.history_] == [1, 2]
    answers = first.answer(X)
    assert next(iter(answers)) == "prediction"
    assert all(len(column) == len(X) for column in answers.values())
    assert isinstance(first.score(X, y), float)
    if isinstance(X[0], float | int):  # steps of one series
        return
    alone = [first.answer([x]) for x in X[:5]]
    for name, column in answers.items():
        for found, expected in zip([answer[name][0] for answer in alone], column, strict=False):
            if np.asarray(expected).dtype.kind == "f":
                np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)
            else:
                assert np.array_equal(found, expected)


def check_resumes(whole: Task, X: Any, y: Any, folder: Path) -> None:
    """A run that was stopped in the middle and resumed equals one that was not."""

    def stop(event: Any) -> None:
        if event.kind == "batch" and event.epoch == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        fitted(type(whole), X, y, checkpoint=folder, callbacks=[stop])
    resumed = fitted(type(whole), X, y, checkpoint=folder, resume=True)
    assert weights(resumed) == weights(whole)


def check_other_default(task: Task, X: Any, y: Any, folder: Path) -> None:
    """Where torch's default is float64, it fits, loads and answers the same; a float64 file too."""
    torch.set_default_dtype(torch.float64)
    try:
        assert weights(fitted(type(task), X, y)) == weights(task)
        assert tasks.load(folder / "model").answer(X) == task.answer(X)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    path = folder / "model" / "model.safetensors"
    wide = {n: t.double() if t.is_floating_point() else t for n, t in load_file(path).items()}
    save_file(wide, path)
    assert tasks.load(folder / "model").answer(X) == task.answer(X)


def check_saves(task: Task, X: Any, y: Any, path: Path) -> None:
    """A saved task comes back with the same answers, and goes on from there."""
    task.save(path)
    found = tasks.load(path)
    assert type(found) is type(task)
    assert found.settings_ == task.settings_
    assert found.answer(X) == task.answer(X)
    assert pickle.loads(pickle.dumps(found)).answer(X) == task.answer(X)
    found.set_params(warm_start=True, epochs=1).fit(X, y)
    assert len(found.history_) == 1
    assert tidegate.load(path).metrics_ == task.metrics_


def check_inside(task: Task, X: Any, y: Any, folder: Path) -> None:
    """It can be traced, examined and drawn; what cannot be explained is refused in one line."""
    if not shows_inputs(task.network_):
        with pytest.raises(InputError, match="one that shows what it reads"):
            task.trace(X)
        return
    trace = task.trace(X)
    assert len(trace.lengths)
    assert bool(torch.isfinite(trace.hidden).all())
    assert plot_gates(trace)._repr_png_().startswith(PNG)
    if task.answers == "sequence":
        with pytest.raises(InputError, match="left out for a task that answers with sequences"):
            task.doctor(X, y)
        return
    for told in (task.doctor(X, y), task.doctor(X), task.doctor()):
        names = {*told.passed, *told.skipped}
        assert len(names) + len(told.findings) >= len(CHECKS)
        assert set(CHECKS) >= names - {n for n in names if ": " in n}
    examined = task.doctor(X, y)
    assert "needs data" not in examined.skipped.values()
    if task.answers != "row":
        for question in (task.attribute, task.explain, task.what_if):
            with pytest.raises(InputError, match="must be of a task with one answer"):
                question(X)
        return
    report = task.explain(X[0])
    assert "\n" not in repr(report)
    assert report.attributions[0].plot()._repr_png_().startswith(PNG)
    for form in ("html", "json", "png"):
        report.save(folder / f"report.{form}")
    found = json.loads((folder / "report.json").read_text())
    assert len(found["tokens"]) == len(found["attributions"][0]["scores"])
    assert task.what_if(X[0], X[1]).plot()._repr_png_().startswith(PNG)
