"""What comes from outside and goes there, which no type can describe: here, and JSON in `files`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Raw: TypeAlias = Any
"""Data as users have it: lists, arrays, tables, files. Each task says what it takes, and its hook
`_examples` checks it."""

JsonObject: TypeAlias = dict[str, Any]
"""An object that will be one of a JSON file."""

Answers: TypeAlias = dict[str, Sequence[Any]]
"""Columns by name, a value a row, each of the type that its task answers."""

Evaluation: TypeAlias = dict[str, Any]
"""`loss` and scores by name, numbers; with `report=True` also tables and sentences."""
