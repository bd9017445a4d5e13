"""tidegate: recurrent networks for Python.

Importing it is light: each name below is resolved on its first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate import cells, data, datasets, errors, heads, kernels, nn, tasks
    from tidegate.batch import Batch
    from tidegate.data.text.encoder import TextEncoder
    from tidegate.nn.accelerate import accelerate, restore
    from tidegate.tasks import load
    from tidegate.tasks.anomaly.detector import AnomalyDetector
    from tidegate.tasks.forecast.forecaster import Forecaster
    from tidegate.tasks.language.model import LanguageModel
    from tidegate.tasks.sequence.classifier import SequenceClassifier
    from tidegate.tasks.sequence.regressor import SequenceRegressor
    from tidegate.tasks.tagging.tagger import Tagger
    from tidegate.tasks.text.classifier import TextClassifier

__all__ = [
    "AnomalyDetector",
    "Batch",
    "Forecaster",
    "LanguageModel",
    "SequenceClassifier",
    "SequenceRegressor",
    "Tagger",
    "TextClassifier",
    "TextEncoder",
    "__version__",
    "accelerate",
    "cells",
    "data",
    "datasets",
    "errors",
    "heads",
    "kernels",
    "load",
    "nn",
    "restore",
    "tasks",
]

_HOMES = {
    "AnomalyDetector": "tidegate.tasks.anomaly.detector",
    "Batch": "tidegate.batch",
    "Forecaster": "tidegate.tasks.forecast.forecaster",
    "LanguageModel": "tidegate.tasks.language.model",
    "SequenceClassifier": "tidegate.tasks.sequence.classifier",
    "SequenceRegressor": "tidegate.tasks.sequence.regressor",
    "Tagger": "tidegate.tasks.tagging.tagger",
    "TextClassifier": "tidegate.tasks.text.classifier",
    "TextEncoder": "tidegate.data.text.encoder",
    "accelerate": "tidegate.nn.accelerate",
    "load": "tidegate.tasks",
    "restore": "tidegate.nn.accelerate",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a class from its home, a subpackage, or the version."""
    if name == "__version__":
        from importlib.metadata import version

        return version("tidegate")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"tidegate.{name}")
    raise AttributeError(f"module 'tidegate' has no attribute '{name}'")


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return sorted(__all__)
