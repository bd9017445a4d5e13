"""Files: atomic writing, and reading that trusts nothing it finds."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tidegate.errors import ArtifactError, message

# A JSON object as a file gives it: nobody knows the types of what is in it, and whoever reads it
# trusts nothing.
FoundJson: TypeAlias = Mapping[str, Any]

HEADER_LIMIT = 16 * 2**20  # bytes; a header names a few hundred tensors
JSON_LIMIT = 256 * 2**20  # bytes; the largest vocabularies stay far below
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


# How names of files end that hold data, whoever reads them; .gz may follow.
DATA_SUFFIXES = (
    ".arff .arrow .avro .bilou .bio .bio2 .bioes .bz2 .conll .conllu .csv .dat .doc .docx "
    ".feather .htm .html .iob .iob1 .iob2 .iobes .json .jsonl .log .md .ndjson .npy .npz .ods "
    ".orc .parquet .pdf .pkl .rtf .tar .tsv .txt .xls .xlsx .xml .xz .zip .zst"
)
_PLACES = ("/", "./", "../", "~", ".\\", "..\\")


def has_data_suffix(given: str) -> bool:
    """Say whether a word ends as names of files do that hold data.

    Args:
        given: A word, or a text, which never does.

    Example:
        >>> has_data_suffix("reviews.CSV.gz"), has_data_suffix("we all love reviews.csv")
        (True, False)
    """
    if given.split(None, 1) != [given]:
        return False
    name = given.lower()
    _, dot, suffix = name.removesuffix(".gz").rpartition(".")
    known = bool(dot) and f".{suffix}" in DATA_SUFFIXES.split()
    return known or name.endswith(".gz")


def names_file(given: str) -> bool:
    """Say whether a text can only be the name of a file, or of a folder; nothing is looked up.

    Args:
        given: The text; one with white space is never a name.

    Returns:
        Whether it has the suffix of data, begins as a path does, or ends in a separator.

    Example:
        >>> names_file("./reviews"), names_file("data/"), names_file("great!")
        (True, True, False)
    """
    if given.split(None, 1) != [given]:
        return False
    return given.startswith(_PLACES) or given.endswith(("/", "\\")) or has_data_suffix(given)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside and rename it when the block ends well, so no half file is ever seen.

    Args:
        path: The file to write or replace.

    Yields:
        The temporary path to write to.

    Example:
        >>> with replacing(Path("numbers.txt")) as temporary:  # doctest: +SKIP
        ...     temporary.write_text("1 2 3")
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())  # a rename that outlives a power cut needs its bytes on disk
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: str = "") -> None:
    """Write tensors as safetensors.

    Args:
        path: The file to make.
        tensors: Tensors by name, on any device.
        metadata: A text to keep in the header.

    Raises:
        OSError: If it cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(plain, path, metadata={"tidegate": metadata} if metadata else None)
    except SafetensorError as error:  # of a full disk, for example, and it is no OSError
        raise OSError(f"{path.name}: {error}") from error
    # safetensors makes private files; a model should be as readable as its folder.
    path.chmod(path.parent.stat().st_mode & 0o666)


def read_tensors(path: Path, owner: str) -> tuple[dict[str, Tensor], str]:
    """Read a whole safetensors file.

    Args:
        path: The file.
        owner: Who complains.

    Returns:
        The tensors by name, on the CPU, and the text that was kept in the header.

    Raises:
        ArtifactError: If the file is missing, damaged or too large in its header.
    """
    check_header(path, owner)
    try:
        with safe_open(path, framework="pt") as handle:
            metadata = (handle.metadata() or {}).get("tidegate", "")
            return {name: handle.get_tensor(name) for name in handle.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(owner, path, "a whole safetensors file", error) from error


def check_header(path: Path, owner: str) -> None:
    """Refuse a safetensors file whose header is missing, cut or larger than `HEADER_LIMIT`.

    Raises:
        ArtifactError: If it is.
    """
    check_regular(path, owner)
    size = path.stat().st_size
    with path.open("rb") as handle:
        first = handle.read(8)
    header = struct.unpack("<Q", first)[0] if len(first) == 8 else size + 1
    if header > size - 8:
        raise damaged(owner, path, "a whole safetensors file", f"{size} bytes, a file cut short")
    if header > HEADER_LIMIT:
        got = f"a header of {header} bytes"
        raise damaged(owner, path, f"a file with a header <= {HEADER_LIMIT} bytes", got)


def read_text(path: Path, owner: str) -> str:
    """Read a text file of at most `JSON_LIMIT` bytes.

    Raises:
        ArtifactError: If it is missing, a link, too large or not UTF-8.
    """
    check_regular(path, owner)
    size = path.stat().st_size
    if size > JSON_LIMIT:
        raise damaged(owner, path, f"at most {JSON_LIMIT} bytes", f"{size} bytes")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise damaged(owner, path, "UTF-8 text", error) from error


def read_json(path: Path, owner: str) -> Any:
    """Read a JSON file.

    Raises:
        ArtifactError: If it is missing, a link, too large, no JSON, or nested too deeply.
    """
    return parse_json(read_text(path, owner), path, owner)


def json_text(value: object) -> str:
    """Write a value as JSON on one line, every number to its last bit.

    Args:
        value: What JSON can say, arrays too; an infinity or NaN, which it cannot, becomes null, and
            anything else its text.

    Example:
        >>> json_text({"error": [0.1, math.inf]})
        '{"error": [0.1, null]}'
    """
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite_parts(value), ensure_ascii=False, default=str, allow_nan=False)


def _plain(value: object) -> object:
    """An array as a list, and a number of NumPy as one of Python: as text they would be none."""
    if isinstance(value, np.ndarray):
        return (value.astype(str) if value.dtype.kind in "mM" else value).tolist()
    return value.item() if isinstance(value, np.number | np.bool_) else str(value)


def _finite_parts(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        value = _plain(value)
    if isinstance(value, dict):
        return {key: _finite_parts(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite_parts(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse_json(text: str, path: Path, owner: str) -> Any:
    """Parse JSON that was found in `path`; NaN and Infinity are no JSON, nor is 1e999 a number.

    Raises:
        ArtifactError: If it is no JSON, nested too deeply, or holds numbers or characters that
            do not exist.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        found = json.loads(text, parse_constant=refuse, parse_float=_finite)
        if _SURROGATE.search(text):  # halves of a character that are whole together are fine
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError) as error:
        raise damaged(owner, path, "JSON", error) from error


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is no number of 64 bits")
    return number


def check_regular(path: Path, owner: str) -> None:
    """Refuse what is missing, a folder, or a link that could lead out of the model's folder.

    Raises:
        ArtifactError: If it is.
    """
    if path.is_symlink():
        raise damaged(owner, path, "a plain file", "a symbolic link")
    if not path.is_file():
        raise damaged(owner, path, "a file", "a folder" if path.is_dir() else "nothing")


def damaged(owner: str, path: Path, rule: str, got: object) -> ArtifactError:
    """Build the error that names a file which cannot be used."""
    remedy = "Copy the model again, or fit and save it anew"
    return ArtifactError(message(owner, str(path), rule, got, remedy))
