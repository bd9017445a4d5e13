"""Fitting: what `Task.fit` checks of its arguments, and what a checkpoint must agree with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from tidegate.artifact import version
from tidegate.errors import InputError, message
from tidegate.tasks.core.raw import JsonObject
from tidegate.tasks.core.settings.settings import Settings

S = TypeVar("S", bound=Settings)

# Settings that may differ between a run and its resumption: the result does not depend on them.
_FREE_ON_RESUME = {"verbose", "checkpoint_minutes"}


def checked_share(validation: object, owner: str) -> float:
    """Check a share of the rows to hold out.

    Args:
        validation: What was given.
        owner: Who complains.

    Returns:
        A number greater than 0 and less than 1.

    Raises:
        InputError: If it is none.
    """
    if isinstance(validation, bool) or not isinstance(validation, int | float):
        rule = "a share of the rows, a pair (X, y), or None"
        raise InputError(message(owner, "validation", rule, repr(validation)))
    if not 0 < validation < 1:
        rule = "greater than 0 and less than 1"
        remedy = "0.1 holds out a tenth of the rows; None holds out nothing"
        raise InputError(message(owner, "validation", rule, validation, remedy))
    return float(validation)


def as_fitted(fitted: S, settings: S, suits: Sequence[str] = ()) -> S:
    """Return the settings under which a fitted network goes on.

    Args:
        fitted: Those it was fitted with.
        settings: Those of now.
        suits: Those that were left to the data, where they are None: they stay as they were found.

    Raises:
        InputError: If one that its shape hangs on is another.
    """
    old = fitted.to_dict()
    left = {name: old[name] for name in suits if getattr(settings, name) is None}
    settings = replace(settings, **left)
    for name, option in settings.options().items():
        if option.structural and old[name] != getattr(settings, name):
            rule = f"as it was fitted, {old[name]!r}, when warm_start goes on from it"
            remedy = "Set it back, or fit a new model with warm_start=False"
            got = repr(getattr(settings, name))
            raise InputError(message(settings.owner, name, rule, got, remedy))
    return settings


def identity(task: str, settings: Settings) -> JsonObject:
    """Say what a checkpoint must have been made with to go on from it.

    Args:
        task: The task's name.
        settings: Its settings.
    """
    kept = {n: v for n, v in settings.to_json().items() if n not in _FREE_ON_RESUME}
    plain: JsonObject = json.loads(json.dumps(kept))  # as it comes back: tuples are lists
    return {"task": task, "tidegate": version(), **plain}
