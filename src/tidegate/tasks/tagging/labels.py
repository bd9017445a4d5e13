"""Labels: the tags of sentences as they are given, texts or numbers of a list of names."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.notation import Notation
from tidegate.data.tags.schemes import Scheme, place, repaired
from tidegate.data.tags.sentences import check_characters
from tidegate.errors import InputError, message, quoted
from tidegate.tasks.core.examples import DataWarning

_REMEDY = "Name them in their order: tag_names=[...] (--tag-names O,B-PER,I-PER)"


def read_labels(rows: Sequence[Any], owner: str, names: Sequence[str] = ()) -> list[list[str]]:
    """Check the tags of sentences, and put names for numbers.

    Args:
        rows: The tags of each sentence: texts, or numbers from 0, as integers or as texts.
        owner: Who complains.
        names: What the numbers mean, index = number; none where tags are texts.

    Returns:
        The tags of each sentence, texts.

    Raises:
        InputError: If a row is no list, or a tag is no text or number of a name.

    Example:
        >>> read_labels([[1, 0], ["0"]], "Tagger", ["O", "B-PER"])
        [['B-PER', 'O'], ['O']]
    """
    numbers = _numbers(names, owner)
    return [_read_row(given, row, owner, names, numbers) for row, given in enumerate(rows)]


def _numbers(names: Sequence[str], owner: str) -> dict[str, str]:
    """Names by the texts that may stand for them: their numbers and themselves."""
    repeated = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if repeated is not None:
        raise InputError(message(owner, "tag_names", "different names", f"{repeated!r} twice"))
    found = {str(number): name for number, name in enumerate(names)}
    for name in names:
        if found.setdefault(name, name) != name:
            rule, got = "names that are no numbers of others", repr(name)
            raise InputError(message(owner, "tag_names", rule, got))
    return found


def _read_row(
    given: Any, row: int, owner: str, names: Sequence[str], numbers: dict[str, str]
) -> list[str]:
    tags = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        rule, got = "a list of tags in each row", f"{given!r:.40} in row {row + 1}"
        raise InputError(message(owner, "y", rule, got))
    found = []
    for word, tag in enumerate(tags):
        text = str(tag) if _is_number(tag) else tag
        known = numbers.get(text) if isinstance(text, str) else None
        if known is None and (names or text is not tag or not isinstance(tag, str) or not tag):
            raise _wrong(tag, f"at word {word + 1} of row {row + 1}", owner, names)
        found.append(known or tag)
    check_characters("".join(found), row, owner, "y")
    return found


def _is_number(tag: object) -> bool:
    return isinstance(tag, int | np.integer) and not isinstance(tag, bool)


def _wrong(tag: Any, where: str, owner: str, names: Sequence[str]) -> InputError:
    """The error about a tag that is no text, or is none of the names."""
    got = f"{quoted(tag)} {where}"
    if names:
        rule = f"numbers from 0 to {len(names) - 1}, those of tag_names, or these names"
        return InputError(message(owner, "y", rule, got, "Correct that tag, or name it too"))
    if _is_number(tag):
        rule = "made of texts, or of numbers whose names are told"
        return InputError(message(owner, "y", rule, got, _REMEDY))
    return InputError(message(owner, "y", "made of texts", got, "Correct that tag"))


def check_counts(
    sentences: Sequence[Sequence[str]], tags: Sequence[Sequence[str]], owner: str
) -> None:
    """Refuse sentences that have more or fewer tags than words; the message names the row."""
    for row, (words, own) in enumerate(zip(sentences, tags, strict=True)):
        if len(own) != len(words):
            got = f"{len(own)} for {len(words)} words in row {row + 1}"
            raise InputError(message(owner, "y", "a tag for each word", got))


def warn_of_numbers(tags: Sequence[Sequence[str]]) -> None:
    """Say that all tags are whole numbers, as of a data set whose names stand elsewhere.

    Example:
        >>> warn_of_numbers([["B-PER", "O"]])
    """
    distinct = {tag for row in tags for tag in row}
    if distinct and all(tag.isascii() and tag.isdigit() for tag in distinct):
        what = f"all tags are numbers, {', '.join(sorted(distinct)[:3])}, and learned as such. "
        warnings.warn(DataWarning(f"{what}{_REMEDY}."), stacklevel=5)


def repair(
    tags: Sequence[Sequence[str]], encoder: TagEncoder, places: Sequence[Sequence[str]] | None
) -> list[list[str]]:
    """Begin a span at each tag that cannot stand where it does, as conlleval does, and tell it.

    Args:
        tags: The tags of each sentence, as they are written.
        encoder: Knows how they are written.
        places: The line or row of each word of a file, in words, or None.

    Returns:
        The tags, all of which can follow each other; a sentence with a tag that is of no span is
        left as it is.
    """
    if encoder.scheme == "none":
        return [list(row) for row in tags]
    notation, result = encoder.notation, []
    changed: list[tuple[int, int]] = []
    for number, row in enumerate(tags):
        plain = [notation.read(tag) for tag in row]
        pairs = [*zip(plain, repaired(plain, encoder.scheme), row, strict=True)]
        changed += [(number, word) for word, (was, now, _) in enumerate(pairs) if was != now]
        result.append([tag if was == now else notation.write(now) for was, now, tag in pairs])
    if changed:
        number, word = changed[0]
        where = place(number, word) + (f" ({places[number][word]})" if places else "")
        count = len(changed)
        plural = (
            "tags that cannot stand where they do were"
            if count > 1
            else ("tag that cannot stand where it does was")
        )
        what = f"{count:,} {plural} read as conlleval does; the first, {tags[number][word]!r}, is"
        warnings.warn(DataWarning(f"{what} {where}."), stacklevel=4)
    return result


def written_as(encoder: TagEncoder | None, scheme: str) -> tuple[Scheme, Notation]:
    """Say how spans of characters become tags: as the model's, else as the setting says, or BIO.

    Args:
        encoder: That of a fitted tagger, or None.
        scheme: The setting.

    Returns:
        The scheme, one of spans, and its notation.
    """
    if encoder is not None and encoder.scheme != "none":
        return encoder.scheme, encoder.notation
    return ("bio" if scheme in {"auto", "none"} else cast(Scheme, scheme)), Notation()
