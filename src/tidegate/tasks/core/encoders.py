"""The encoders that a task owns, into a saved model and back, each under its own prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from tidegate.errors import ArtifactError


class SavedEncoder(Protocol):
    """An encoder, as far as saving goes: see `tidegate.data.encoder.Encoder`."""

    files: ClassVar[tuple[str, ...]]

    def to_files(self) -> dict[str, object]:
        """What `from_files` needs, by file name."""

    @classmethod
    def from_files(cls, files: Mapping[str, object], /) -> SavedEncoder:
        """Take back what `to_files` gave, trusting nothing in it."""


Encoders = Mapping[str, type[SavedEncoder]]


def file_names(encoders: Encoders) -> tuple[str, ...]:
    """List the files that encoders may keep in a saved model.

    Args:
        encoders: The class of each by the task's attribute that holds it.

    Returns:
        Names: those of `encoder_` as they are, those of `source_encoder_` with "source_" before.
    """
    return tuple(
        _prefix(attribute) + name for attribute, kind in encoders.items() for name in kind.files
    )


def to_files(task: object, encoders: Encoders) -> dict[str, object]:
    """Collect what the encoders of a task keep in a saved model, by file name."""
    return {
        _prefix(attribute) + name: content
        for attribute in encoders
        for name, content in getattr(task, attribute).to_files().items()
    }


def restore(task: object, encoders: Encoders, files: Mapping[str, object]) -> None:
    """Give a task its encoders back.

    Args:
        task: The task.
        encoders: The class of each by the task's attribute.
        files: Parsed JSON by file name.

    Raises:
        ArtifactError: If a file is damaged.
    """
    for attribute, kind in encoders.items():
        prefix = _prefix(attribute)
        own = {name: files[prefix + name] for name in kind.files if prefix + name in files}
        try:
            setattr(task, attribute, kind.from_files(own))
        except ArtifactError as error:  # which of several encoders it is, only the prefix tells
            named = str(error).startswith(tuple(kind.files))
            raise ArtifactError(f"{prefix}{error}" if named else str(error)) from error


def _prefix(attribute: str) -> str:
    return attribute.removesuffix("encoder_")
