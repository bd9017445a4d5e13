"""Artifact: a fitted model as a folder of safetensors and JSON, read without trusting it.

The folder holds `model.safetensors` (weights), `config.json` (format, task, version, settings,
what else was learned), the encoder's JSON files, `metrics.json`, `history.csv`, `README.md` and
`learning_curve.png`. Only these fixed names are ever opened: no path is read from a file.
"""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from tidegate.data.codec import LARGEST_WEIGHT
from tidegate.errors import ArtifactError, InputError, message
from tidegate.files import check_header, damaged, read_json, write_tensors
from tidegate.folders import recover, replacing_folder

FORMAT = 1
_TENSORS = "model.safetensors"
_CONFIG = "config.json"
_OWNER = "artifact"
_KEYS = {"format": int, "task": str, "tidegate": str, "settings": dict, "state": dict}
_KEYS |= {"files": list}  # never opened by these names: only to know the model's own from others'
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_DTYPES |= {"I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}


def version() -> str:
    """Return tidegate's version, as installed."""
    try:
        return importlib.metadata.version("tidegate")
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        return "0+source"


def save_artifact(
    path: str | Path,
    *,
    task: str,
    settings: Mapping[str, Any],
    state: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    documents: Mapping[str, Any],
    others: Mapping[str, bytes],
) -> None:
    """Write a model's folder; it appears whole or not at all.

    Args:
        path: The folder to make. A tidegate model that is there is replaced.
        task: The task's kebab-case name.
        settings: Its settings, as JSON.
        state: What else it learned, as JSON.
        tensors: The weights by name.
        documents: Further JSON files by file name.
        others: Further files by file name.

    Raises:
        InputError: If `path` is something else than a tidegate model, or cannot be written.
    """
    try:
        path = Path(path).absolute()
    except FileNotFoundError as error:
        rule, remedy = "in a folder that is there", "Go to another working folder"
        raise InputError(
            message("save", str(path), rule, "one that was removed", remedy)
        ) from error
    recover_model(path)
    check_replaceable(path)
    files = sorted({_TENSORS, _CONFIG, *documents, *others})
    values = (FORMAT, task, version(), dict(settings), dict(state), files)
    config = dict(zip(_KEYS, values, strict=True))
    try:
        with replacing_folder(path) as temporary:
            # The config comes first: it says which files are the model's, whatever happens next.
            for name, document in {_CONFIG: config, **documents}.items():
                text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
                (temporary / name).write_text(text + "\n", encoding="utf-8")
            write_tensors(temporary / _TENSORS, tensors)
            for name, content in others.items():
                (temporary / name).write_bytes(content)
    except OSError as error:
        remedy = "Choose another place or make room"
        rule = "a place that can be written to"
        raise InputError(message("save", str(path), rule, error, remedy)) from error


def check_replaceable(path: str | Path) -> None:
    """Refuse to replace anything but a tidegate model or an empty folder.

    Args:
        path: Where a model is going to be saved.

    Raises:
        InputError: If something else is there.
    """
    path = Path(path)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        kind = "a symbolic link" if path.is_symlink() else "a file"
        remedy = "Nothing was written. Choose another name"
        raise InputError(message("save", str(path), "a folder", kind, remedy))
    if path.is_dir() and any(path.iterdir()) and not is_model(path):
        rule = "a new folder or a tidegate model"
        remedy = "Nothing was written. Choose another folder"
        raise InputError(message("save", str(path), rule, "a folder of other things", remedy))


def is_model(path: str | Path) -> bool:
    """Say whether a folder holds a tidegate model and nothing else.

    Args:
        path: The folder.

    Returns:
        Whether each of its files was written by tidegate.
    """
    path = Path(path)
    try:
        config = read_json(path / _CONFIG, _OWNER)
    except ArtifactError:
        return False
    if not isinstance(config, dict) or not isinstance(config.get("files"), list):
        return False
    return all(entry.name in config["files"] and entry.is_file() for entry in path.iterdir())


def recover_model(path: str | Path) -> None:
    """Put a model back that a killed save has left beside its place, and tidy; told in a warning.

    Args:
        path: The model's folder.
    """
    path = Path(path)
    if path.name and (told := recover(path.absolute(), _ours)):
        warnings.warn(told, UserWarning, stacklevel=3)


def _ours(folder: Path) -> bool:
    """Whether a folder holds what `save_artifact` writes, or the beginning of it."""
    names = {entry.name for entry in folder.iterdir()}
    return names <= {_CONFIG} or is_model(folder)


@dataclass(frozen=True)
class Artifact:
    """A model's folder whose config has been read and checked.

    Attributes:
        path: The folder.
        task: The kebab-case name of the task.
        version: The tidegate that wrote it.
        settings: The settings by name, not checked yet.
        state: What else the task learned, not checked yet.
    """

    path: Path
    task: str
    version: str
    settings: Mapping[str, Any]
    state: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Artifact:
        """Read a folder's config.

        Args:
            path: The folder that `save_artifact` wrote.

        Returns:
            The artifact; weights and documents are read when asked for.

        Raises:
            ArtifactError: If it is no model, is damaged, or of another format.
        """
        path = Path(path)
        recover_model(path)
        if not path.is_dir() or (not (path / _CONFIG).exists() and not (path / _TENSORS).exists()):
            remedy = "Name the folder that fit or save wrote"
            got = "a file" if path.is_file() else "nothing"
            got = "a folder of other things" if path.is_dir() else got
            raise ArtifactError(message(_OWNER, str(path), "a model's folder", got, remedy))
        config = read_json(path / _CONFIG, _OWNER)
        if not isinstance(config, dict):
            raise damaged(_OWNER, path / _CONFIG, "a JSON object", type(config).__name__)
        if "format" not in config:
            remedy = "Name the folder that fit or save wrote"
            got = "a config.json of something else"
            raise ArtifactError(message(_OWNER, str(path), "a model's folder", got, remedy))
        found = config["format"]
        if found != FORMAT or found is True:  # True == 1 to Python
            rule, got = f"of format {FORMAT}", f"format {found!r}"
            remedy = f"Use the tidegate that wrote it ({config.get('tidegate')!s:.20})"
            raise ArtifactError(message(_OWNER, str(path / _CONFIG), rule, got, remedy))
        for key, kind in _KEYS.items():
            if not isinstance(config.get(key), kind):
                got = f"{type(config.get(key)).__name__} in `{key}`"
                raise damaged(_OWNER, path / _CONFIG, f"a {kind.__name__} in `{key}`", got)
        if unknown := sorted(set(config) - set(_KEYS)):
            raise damaged(_OWNER, path / _CONFIG, f"made of {sorted(_KEYS)}", unknown)
        return cls(path, config["task"], config["tidegate"], config["settings"], config["state"])

    def document(self, name: str) -> Any:
        """Read one of the folder's JSON files.

        Args:
            name: A file name that the caller's code knows, never one out of a file.

        Raises:
            ArtifactError: If it is missing or damaged.
        """
        return read_json(self.path / name, _OWNER)

    def documents(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Read those of the JSON files that are there, by name."""
        return {name: self.document(name) for name in names if (self.path / name).exists()}

    def check_tensors(self, network: nn.Module) -> None:
        """Compare names, shapes and types of the weights with those the network has.

        Args:
            network: A network of the saved settings; it may be on the "meta" device, so that a
                forged size is found before it takes memory.

        Raises:
            ArtifactError: If a tensor is missing, unknown, or of another shape or type.
        """
        path = self.path / _TENSORS
        found = self._header()
        wanted = {name: (tuple(t.shape), t.dtype) for name, t in network.state_dict().items()}
        for name in sorted(set(found) | set(wanted)):
            if _narrowed(found.get(name)) != _narrowed(wanted.get(name)):
                rule = f"the tensor {name} {_shown(wanted.get(name))}"
                raise damaged(_OWNER, path, f"a file with {rule}", _shown(found.get(name)))

    def load_into(self, network: nn.Module) -> None:
        """Copy the weights into a network, after `check_tensors`.

        Raises:
            ArtifactError: If the file does not fit the network, or holds numbers that are none.
        """
        self.check_tensors(network)
        path, trained = self.path / _TENSORS, dict(network.named_parameters())
        with torch.no_grad(), safe_open(path, framework="pt") as handle:
            for name, target in network.state_dict().items():
                tensor = handle.get_tensor(name)
                if not bool(torch.isfinite(tensor).all()):
                    raise damaged(_OWNER, path, f"finite in {name}", "NaN or infinity")
                if name in trained and bool((tensor.abs() > LARGEST_WEIGHT).any()):
                    rule = f"of numbers up to {LARGEST_WEIGHT:g} in {name}"
                    raise damaged(_OWNER, path, rule, f"{float(tensor.abs().max()):g}")
                target.copy_(tensor)

    def _header(self) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        path = self.path / _TENSORS
        check_header(path, _OWNER)
        try:
            with safe_open(path, framework="pt") as handle:
                slices = {name: handle.get_slice(name) for name in handle.keys()}  # noqa: SIM118
                return {
                    name: (tuple(part.get_shape()), _DTYPES[part.get_dtype()])
                    for name, part in slices.items()
                }
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise damaged(_OWNER, path, "a whole safetensors file", error) from error


def _narrowed(tensor: tuple[tuple[int, ...], torch.dtype] | None) -> object:
    """A float64 tensor as float32: where torch's default was float64, networks once were, too."""
    if tensor is None or tensor[1] != torch.float64:
        return tensor
    return tensor[0], torch.float32


def _shown(tensor: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    if tensor is None:
        return "absent"
    shape, dtype = tensor
    return f"{list(shape)} {str(dtype).removeprefix('torch.')}"
