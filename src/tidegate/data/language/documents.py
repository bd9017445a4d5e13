"""Documents: texts in memory or in files, read in blocks, so that any size will do."""

from __future__ import annotations

import codecs
import gzip
import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tidegate.data.tables.formats import check_file, explained
from tidegate.data.text.cleaning import text_chunks
from tidegate.errors import InputError, message
from tidegate.files import names_file

BLOCK = 1 << 20  # characters, or bytes of a file
_LONGEST_NAME = 4096


@dataclass(frozen=True)
class Document:
    """A text, or a part of one.

    Attributes:
        source: The text itself, or the UTF-8 file that holds it, perhaps packed (.gz).
        first: Its first character.
        last: The character after its last; None for the end of the source.

    Example:
        >>> "".join(Document("to be or not", first=3, last=5).blocks())
        'be'
    """

    source: str | Path
    first: int = 0
    last: int | None = None

    @property
    def name(self) -> str:
        """The file, or "X" for a text in memory, for messages."""
        return str(self.source) if isinstance(self.source, Path) else "X"

    def blocks(self) -> Iterator[str]:
        """Yield the text in blocks of bounded size.

        Raises:
            InputError: If the file is missing, empty, damaged or not UTF-8.
        """
        done = 0
        for block in self._whole():
            begin = max(self.first - done, 0)
            end = len(block) if self.last is None else max(self.last - done, 0)
            done += len(block)
            if found := block[begin:end]:
                yield found
            if self.last is not None and done >= self.last:
                return

    def words(self) -> Iterator[str]:
        """Yield the text in blocks that begin at white space, so that no word is cut in two.

        Raises:
            InputError: As `blocks`.
        """
        rest = ""
        for block in self.blocks():
            text = rest + block
            cut = max(text.rfind("\n"), text.rfind(" "), 0)
            rest = text[cut:]
            if cut:
                yield text[:cut]
        if rest:
            yield rest

    def length(self) -> int:
        """Count the characters.

        Raises:
            InputError: As `blocks`.
        """
        return sum(map(len, self.blocks()))

    def _whole(self) -> Iterator[str]:
        """The source, every line end of whatever system a line feed."""
        ends = io.IncrementalNewlineDecoder(None, translate=True)
        for block in self._parts():
            yield ends.decode(block)
        yield ends.decode("", final=True)

    def _parts(self) -> Iterator[str]:
        if isinstance(self.source, Path):
            yield from _read(self.source)
            return
        for start in range(0, len(self.source), BLOCK):
            yield self.source[start : start + BLOCK]


def as_documents(X: object, owner: str, *, names: bool = False) -> tuple[list[Document], bool]:
    """Read what a user gave as text.

    Args:
        X: A file (a `Path`), several of them, one text, or a list of texts.
        owner: Who complains.
        names: Whether names of files are taken as texts.

    Returns:
        The documents, and whether there may be several: False for one file or one text.

    Raises:
        InputError: If it is something else, or nothing but names of files.

    Example:
        >>> as_documents("to be", "LanguageModel")
        ([Document(source='to be', first=0, last=None)], False)
    """
    if isinstance(X, Path):
        check_file(X, "a text")
        return [Document(X)], False
    if isinstance(X, str):
        texts, _ = as_documents([X], owner, names=names)
        return texts, False
    given = list(X) if isinstance(X, Iterable) and getattr(X, "ndim", 1) == 1 else None
    if given and all(isinstance(item, Path) for item in given):
        for path in given:
            check_file(path, "a text")
        return [Document(path) for path in given], True
    if given is None or not all(isinstance(item, str) for item in given):
        odd = next(item for item in given or [X] if not isinstance(item, str))
        rule, got = "a text, a Path, or a list of texts or of Paths", type(odd).__name__
        raise InputError(message(owner, "X", rule, got))
    if not names:
        _refuse_names(given, owner)
    return [Document(text) for chunk in text_chunks(given, owner) for text in chunk], True


def split_documents(
    documents: list[Document], share: float, *, whole: bool
) -> tuple[list[Document], list[Document]]:
    """Divide documents: the last ones, or the last part of the only one, are held out.

    Args:
        documents: The documents.
        share: The share of all characters to hold out.
        whole: Whether to keep documents whole; the last ones that reach the share are held out.

    Returns:
        What comes before, and what is held out; either may be empty.

    Example:
        >>> first, last = split_documents([Document("abcdefghij")], 0.2, whole=False)
        >>> first[0].last, last[0].first
        (8, 8)
    """
    lengths = [document.length() for document in documents]
    total = sum(lengths)
    if whole:
        count, held = len(documents), 0
        while count and held < share * total:
            count -= 1
            held += lengths[count]
        return documents[:count], documents[count:]
    cut = int(total * (1 - share))
    before: list[Document] = []
    after: list[Document] = []
    for document, length in zip(documents, lengths, strict=True):
        place = min(max(cut, 0), length)
        cut -= length
        middle = document.first + place
        if place:
            before.append(replace(document, last=middle))
        if place < length:
            after.append(replace(document, first=middle))
    return before, after


def _refuse_names(texts: Sequence[str], owner: str) -> None:
    """Refuse names of files: a model of their few letters would train without any error."""
    names = [text for text in texts if names_file(text) or _exists(text)]
    if names and len(names) < len(texts):  # a text can look like that, too: "/s", say
        told = f"{len(names):,} of {len(texts):,} texts look like names of files and are read as "
        warnings.warn(f"{owner}: {told}texts: {names[0]!r}, for example.", stacklevel=4)
    elif names:
        got = f"{names[0]!r}, the name of a file"
        remedy = f"Pass pathlib.Path({names[0]!r}) to read it; with a line end it is a text"
        raise InputError(message(owner, "X", "the text itself, or a Path", got, remedy))


def _exists(name: str) -> bool:
    try:
        return 0 < len(name) < _LONGEST_NAME and Path(name).exists()
    except (OSError, ValueError):  # too long, or with a NUL
        return False


def _read(path: Path) -> Iterator[str]:
    with explained(path), _opened(path) as handle:
        decoder = codecs.getincrementaldecoder("utf-8")()
        done = lines = 0
        while True:
            chunk = handle.read(BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _undecodable(path, error, done - pending, lines) from error
            if not done:
                text = text.removeprefix("\ufeff")  # a mark that some editors put in front
            done, lines = done + len(chunk), lines + chunk.count(b"\n")
            if text:
                yield text
            if not chunk:
                return


def _opened(path: Path) -> BinaryIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]  # a reader of bytes all the same
    return path.open("rb")


def _undecodable(path: Path, error: UnicodeDecodeError, before: int, lines: int) -> InputError:
    """Say which byte is wrong, counted from 0, and in which line, from 1."""
    line = lines + error.object[: error.start].count(b"\n") + 1
    place = f"at position {before + error.start:,} (line {line:,})"
    got = f"byte {error.object[error.start]:#04x} {place}"
    remedy = "Convert it first, for example with iconv -f latin1 -t utf-8"
    return InputError(message(str(path), "text", "UTF-8", got, remedy))
