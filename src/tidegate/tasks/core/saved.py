"""Saved: a fitted task back from its folder, every part checked before it is used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from tidegate.artifact import Artifact
from tidegate.card import read_history
from tidegate.data.codec import Field
from tidegate.data.schema import Each
from tidegate.device import building, pick_device, single
from tidegate.errors import ArtifactError
from tidegate.files import damaged, read_text
from tidegate.nn.init import skipped
from tidegate.tasks.core.encoders import file_names
from tidegate.tasks.core.task import Task

_OWNER = "load"
_SCORES = Each(Each(Field(float), by_name=True), by_name=True)


@single()
def restore(artifact: Artifact, cls: type[Task], *, device: str | None = None) -> Task:
    """Make a fitted task of a model's folder; see `tidegate.load`.

    Args:
        artifact: The folder, its config read.
        cls: The class of the task that the config names.
        device: Where to put the network; None takes what its settings say.

    Returns:
        The fitted estimator.

    Raises:
        ArtifactError: If the folder is damaged or hostile.
        InputError: If this machine has no such device.
    """
    config = artifact.path / "config.json"
    try:
        settings = cls.settings_class.from_json(artifact.settings)
        if device is not None:
            settings = dataclasses.replace(settings, device=device)
        for name in cls.suits:
            if settings.options()[name].structural and getattr(settings, name) is None:
                raise damaged(_OWNER, config, f"what {name} was found to be", None)
        task = cls(**settings.to_dict())
        task.settings_ = task._settings()
        task._restore(
            artifact.state, artifact.documents((*file_names(cls.encoders), *cls.encoder_files))
        )
    except ArtifactError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        # forged JSON
        raise damaged(_OWNER, config, "settings and state that fit together", error) from error
    _restore_past(task, artifact)
    _restore_network(task, artifact)
    return task


def _restore_network(task: Task, artifact: Artifact) -> None:
    place = pick_device(task.settings_.device)
    # Shapes without memory: a forged size must not take any.
    with torch.device("meta"), skipped(), _Undrawn():
        artifact.check_tensors(task._build())
    with building(task.settings_.random_state, torch.device("cpu")), skipped():
        network = task._build()
    artifact.load_into(network)
    task.network_ = network.to(place).eval()


class _Undrawn(TorchFunctionMode):
    """Leaves out `normal_`: to draw nothing on "meta", torch would load its compiler, a second."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in (nn.init.normal_, torch.Tensor.normal_):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def _restore_past(task: Task, artifact: Artifact) -> None:
    """Read history and metrics, which only inform."""
    path = artifact.path / "history.csv"
    text = read_text(path, _OWNER)
    try:
        task.history_ = read_history(text)
    except ValueError as error:
        raise damaged(_OWNER, path, "the table of numbers that fit wrote", error) from error
    task.metrics_ = _metrics(artifact.document("metrics.json"), artifact.path / "metrics.json")
    best: object = task.best_epoch_
    if not (type(best) is int and 1 <= best <= len(task.history_)):
        rule = f"a table with the best epoch of config.json, {best!r:.20}"
        raise damaged(_OWNER, path, rule, f"{len(task.history_)} epochs")


def _metrics(found: Any, path: Path) -> dict[str, dict[str, float]]:
    if fault := _SCORES.fault(found):
        raise damaged(_OWNER, path, "numbers by part of the data and name", repr(fault[1]))
    scores: dict[str, dict[str, float]] = found
    return scores
