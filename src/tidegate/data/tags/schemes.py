"""Schemes: how spans of words, names for example, are written as one tag a word, and read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from tidegate.errors import InputError, message

Scheme = Literal["iob1", "bio", "iobes", "none"]
SCHEMES: tuple[Scheme, ...] = ("iob1", "bio", "iobes", "none")
OUTSIDE = "O"

# The prefixes of each scheme, in the order in which a vocabulary lists them.
_PREFIXES = {"iob1": "BI", "bio": "BI", "iobes": "BIES"}
_RULES = {
    "iob1": "in IOB1 a B- only parts a span from one of the same label before it",
    "bio": "in BIO a span starts with B-, and an I- goes on with it",
    "iobes": "in IOBES a span is S-, or B- and any number of I- and an E-",
}
_ALIKE: tuple[Scheme, Scheme] = ("iob1", "bio")  # written with the same tags
AS_THEY_ARE = 'learn the tags as they are with scheme="none" (--scheme none)'

Array = np.ndarray[Any, np.dtype[np.bool_]]


class TagError(InputError):
    """A tag is wrong where it stands.

    Args:
        told: The whole sentence; it names the place as `where` does.
        sentence: The number of the sentence, from 0.
        word: The number of the word in it, from 0.

    Example:
        >>> TagError("Tagger: ...", 2, 5).where
        'at word 6 of sentence 3'
    """

    # Defaults, as an exception that comes from another process is made of its text alone.
    def __init__(self, told: str, sentence: int = 0, word: int = 0) -> None:
        super().__init__(told)
        self.sentence, self.word = sentence, word

    @property
    def where(self) -> str:
        """The place, in words."""
        return place(self.sentence, self.word)


def place(sentence: int, word: int) -> str:
    """Put the place of a word in words; both numbers are from 0."""
    return f"at word {word + 1} of sentence {sentence + 1}"


class Span(NamedTuple):
    """Some words of a sentence that belong together.

    Attributes:
        first: Its first word, from 0.
        last: Its last word, part of it.
        label: What it is, "PER" say.
    """

    first: int
    last: int
    label: str


def parted(tag: str) -> tuple[str, str]:
    """Part a tag into prefix and label.

    Example:
        >>> parted("B-PER"), parted("O")
        (('B', 'PER'), ('O', ''))
    """
    prefix, _, label = tag.partition("-")
    return prefix, label


def detect(sentences: Iterable[Sequence[str]]) -> Scheme:
    """Say in which scheme tags are written.

    BIO and IOB1 have the same tags, and those of IOBES are among them: it is the one whose rules
    the fewest tags break, so that the errors among them are told and not the rest. Where BIO and
    IOB1 are as likely it is IOB1, in which spans may start with I-.

    Args:
        sentences: The tags of each.

    Returns:
        "none" for tags that are no spans, such as parts of speech.

    Example:
        >>> detect([["I-PER", "O"]]), detect([["B-PER", "I-PER"]]), detect([["NOUN", "O"]])
        ('iob1', 'bio', 'none')
    """
    steps = Counter(step for tags in sentences if tags for step in pairwise((None, *tags, None)))
    prefixes = {_prefix(tag) for _, tag in steps if tag is not None}
    if "" in prefixes or prefixes <= {OUTSIDE}:
        return "none"
    likely: tuple[Scheme, ...] = ("iobes", *_ALIKE) if prefixes & {*"ES"} else _ALIKE
    return min(likely, key=lambda scheme: _faults(steps, scheme))


def _faults(steps: Counter[tuple[str | None, str | None]], scheme: Scheme) -> int:
    """Count the tags that a scheme does not have, and the steps that it does not have."""
    known = {OUTSIDE, *_PREFIXES[scheme]}
    return sum(
        count
        * ((tag is not None and _prefix(tag) not in known) or not may_follow(was, tag, scheme))
        for (was, tag), count in steps.items()
    )


def _prefix(tag: str) -> str:
    """The prefix of a tag that is part of a span, "O" outside, "" for any other tag."""
    prefix, label = parted(tag)
    return prefix if tag == OUTSIDE or (prefix in {*"BIES"} and label) else ""


def fault(tags: Sequence[str], scheme: Scheme) -> int | None:
    """Find the first tag that cannot stand where it does.

    Args:
        tags: Those of a sentence.
        scheme: How they are said to be written.

    Returns:
        Its position, the number of tags where a span lacks its end; None if all is well.

    Example:
        >>> fault(["O", "I-PER"], "bio"), fault(["O", "B-PER"], "iobes"), fault(["I-PER"], "iob1")
        (1, 2, None)
    """
    edged = (None, *tags, None) if tags else ()
    for place, (before, tag) in enumerate(pairwise(edged)):
        if not may_follow(before, tag, scheme):
            return place
    return None


def may_follow(before: str | None, tag: str | None, scheme: Scheme) -> bool:
    """Say whether a tag may stand after another one.

    Args:
        before: The earlier tag; None for the start of a sentence.
        tag: The later one; None for the end.
        scheme: How they are written.

    Example:
        >>> may_follow("B-PER", "I-PER", "bio"), may_follow("B-PER", "I-LOC", "bio")
        (True, False)
    """
    if scheme == "none":
        return True
    was, label = parted(OUTSIDE if before is None else before)
    now, same = parted(OUTSIDE if tag is None else tag)
    is_open, is_same = was in {*"BI"}, label == same
    if scheme == "iobes":
        goes_on = now in {*"IE"}
        return goes_on and is_same if is_open else not goes_on
    return now != ("I" if scheme == "bio" else "B") or (is_open and is_same)


def check(
    sentences: Sequence[Sequence[str]],
    scheme: Scheme,
    owner: str,
    rows: Sequence[int] | None = None,
    spelled: Callable[[str], str] = str,
    remedy: str = "",
) -> None:
    """Refuse tags that a scheme does not have, and those that cannot follow each other.

    Args:
        sentences: The tags of each.
        scheme: How they are said to be written.
        owner: Who complains.
        rows: What the sentences are called, numbers from 0; None for 0, 1 and so on.
        spelled: Writes a tag as the file has it.
        remedy: What helps with a tag that cannot follow another; the usual if not said.

    Raises:
        TagError: If there is one; the message names the sentence and the word.
    """
    if scheme == "none":
        return
    prefixes = {OUTSIDE, *_PREFIXES[scheme]}
    known = {tag for tags in sentences for tag in tags if _prefix(tag) in prefixes}
    for number, tags in zip(rows or range(len(sentences)), sentences, strict=True):
        strange = next((word for word, tag in enumerate(tags) if tag not in known), None)
        if strange is not None:
            *firsts, last = (f"{prefix}-" for prefix in _PREFIXES[scheme])
            rule = f"O, or {', '.join(firsts)} or {last} with a label (B-PER, say), in {scheme}"
            more = sum(tag not in known for row in sentences for tag in row) - 1
            others = f", and {more:,} more such tags" if more else ""
            got = f"{spelled(tags[strange])!r} {place(number, strange)}{others}"
            told = message(owner, "y", rule, got, f"Correct it, or {AS_THEY_ARE}")
            raise TagError(told, number, strange)
        wrong = fault(tags, scheme)
        if wrong is not None:
            raise _wrong_step([*map(spelled, tags)], wrong, number, scheme, owner, remedy)


def _wrong_step(
    tags: Sequence[str], wrong: int, number: int, scheme: Scheme, owner: str, remedy: str
) -> TagError:
    before = repr(tags[wrong - 1]) if wrong else "the start"
    after = repr(tags[wrong]) if wrong < len(tags) else "the end"
    word = min(wrong, len(tags) - 1)
    got = f"{after} after {before} {place(number, word)}"
    remedy = remedy or f"Correct it, name the right scheme, or {AS_THEY_ARE}"
    return TagError(message(owner, "y", f"valid: {_RULES[scheme]}", got, remedy), number, word)


def read_spans(tags: Sequence[str]) -> list[Span]:
    """Read the spans out of the tags of a sentence, in whatever scheme.

    Tags that break the rules of their scheme are read as conlleval does: a span starts wherever
    something else was before.

    Args:
        tags: One a word.

    Returns:
        The spans, in order.

    Example:
        >>> read_spans(["B-PER", "I-PER", "O", "S-LOC"])
        [Span(first=0, last=1, label='PER'), Span(first=3, last=3, label='LOC')]
    """
    return [Span(*found) for found in _spans([parted(tag) for tag in tags])]


def _spans(parts: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
    first, open_label, before = 0, "", OUTSIDE
    for place, (prefix, label) in enumerate(parts):
        starts = prefix in {*"BS"} or before in {*"ES"} or label != open_label
        if open_label and starts:
            yield first, place - 1, open_label
        if starts:
            first, open_label = place, label if prefix != OUTSIDE else ""
        before = prefix
    if open_label:
        yield first, len(parts) - 1, open_label


def write_spans(spans: Iterable[Span], words: int, scheme: Scheme) -> list[str]:
    """Write spans as tags.

    Args:
        spans: In order, none on top of another.
        words: Words of the sentence.
        scheme: How to write them; not "none".

    Returns:
        One tag a word.

    Example:
        >>> write_spans([Span(0, 1, "PER"), Span(2, 2, "PER")], 3, "iob1")
        ['I-PER', 'I-PER', 'B-PER']
    """
    tags = [OUTSIDE] * words
    before = Span(-1, -2, "")
    for span in spans:
        first, last, label = span
        tags[first : last + 1] = [f"I-{label}"] * (last + 1 - first)
        touches = before.last == first - 1 and before.label == label
        if scheme != "iob1" or touches:
            tags[first] = f"B-{label}"
        if scheme == "iobes":
            tags[last] = f"S-{label}" if first == last else f"E-{label}"
        before = span
    return tags


def convert(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Write the tags of a sentence in another scheme.

    Example:
        >>> convert(["I-PER", "I-PER", "O"], "iobes")
        ['B-PER', 'E-PER', 'O']
    """
    return list(tags) if scheme == "none" else write_spans(read_spans(tags), len(tags), scheme)


def repaired(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Write the tags of a sentence so that all can follow each other, as conlleval reads them.

    Args:
        tags: One a word.
        scheme: How they are said to be written.

    Returns:
        The tags; as they were if there is one that the scheme does not have.

    Example:
        >>> repaired(["O", "I-PER", "I-PER"], "bio"), repaired(["B-PER", "O"], "iobes")
        (['O', 'B-PER', 'I-PER'], ['S-PER', 'O'])
    """
    prefixes = {OUTSIDE, *_PREFIXES.get(scheme, "")}
    whole = all(_prefix(tag) in prefixes for tag in tags)
    return convert(tags, scheme) if whole and fault(tags, scheme) is not None else list(tags)


def tags_of(labels: Iterable[str], scheme: Scheme) -> list[str]:
    """List the tags that a scheme has for labels.

    Example:
        >>> tags_of(["LOC", "PER"], "bio")
        ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']
    """
    if scheme == "none":
        return list(labels)
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in _PREFIXES[scheme])]


def transitions(tags: Sequence[str], scheme: Scheme) -> Array:
    """Say which tags may follow which.

    Args:
        tags: The vocabulary, K tags.
        scheme: How they are written.

    Returns:
        `[K + 1, K + 1]` bool, from the tag of the row to that of the column; row K is the start of
        a sentence, column K its end.

    Example:
        >>> transitions(["O", "B-X", "I-X"], "bio").astype(int)[[0, 3]].tolist()
        [[1, 1, 0, 1], [1, 1, 0, 1]]
    """
    edged = [*tags, None]
    return np.array([[may_follow(one, two, scheme) for two in edged] for one in edged])
