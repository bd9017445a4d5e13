"""Checkpoints: everything a training needs to go on, in one file that is whole or absent.

Tensors and JSON share one safetensors file (the JSON is a text in its header), so a crash can
never leave weights of one moment beside the history of another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.files import parse_json, read_tensors, replacing, write_tensors

_FILE = "checkpoint.safetensors"
_OWNER = "checkpoint"


def save(folder: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Replace the folder's checkpoint in one step.

    Args:
        folder: Where to keep it; made when missing.
        tensors: Tensors by name.
        state: Numbers and texts, as JSON.

    Raises:
        InputError: If the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / _FILE) as temporary:
            write_tensors(temporary, tensors, json.dumps(state))
    except OSError as error:
        remedy = "Choose another place or make room"
        rule = "a folder that can be written to"
        raise InputError(message(_OWNER, str(folder), rule, error, remedy)) from error


def exists(folder: Path) -> bool:
    """Say whether a folder holds a checkpoint."""
    return (folder / _FILE).is_file()


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the folder's checkpoint.

    Args:
        folder: Where `save` kept it.

    Returns:
        The tensors and the state.

    Raises:
        InputError: If there is none.
        ArtifactError: If it is damaged.
    """
    path = folder / _FILE
    if not path.exists():
        remedy = "Start without resume; a checkpoint is written after each epoch"
        raise InputError(message(_OWNER, str(folder), "a folder with a checkpoint", "none", remedy))
    tensors, text = read_tensors(path, _OWNER)
    return tensors, parse_json(text, path, _OWNER)


def remove(folder: str | Path) -> None:
    """Delete the folder's checkpoint, and the folder when nothing else is in it.

    Args:
        folder: Where `save` kept it; it may be missing.

    Example:
        >>> remove("model.checkpoint")
    """
    folder = Path(folder)
    # A run that was killed while it wrote has left its unfinished file too.
    for path in (folder / _FILE, *folder.glob(f".{_FILE}.*")):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
