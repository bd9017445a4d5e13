"""Notation: the many ways in which people write the tags of one scheme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tidegate.data.tags.schemes import OUTSIDE

# What the beginning, the inside, the end and the only word of a span are called: BIOES and IOB say
# B, I, E, S; BILOU has L and U, BMEWO M and W, BMES M.
_LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_PLAIN = "BIES"
_SEPARATORS = "-_:/|"
_LABEL = "span"  # of tags that have none, B, I and O alone
_MOST_WRONG = 0.1  # of the tags, to take the others for a scheme and these for mistakes


@dataclass(frozen=True)
class Notation:
    """How the tags of spans are spelled; by default as here: O, B-PER, I-PER, E-PER, S-PER.

    Attributes:
        letters: Those of the beginning, the inside, the end and the only word of a span.
        separator: What stands between the letter and the label; nothing where there is no label.
        last: Whether the letter stands last, as in PER-B.
        outside: How O is written.

    Example:
        >>> bilou = Notation(letters="BILU")
        >>> bilou.read("U-LOC"), bilou.write("S-LOC"), bilou.read("misc")
        ('S-LOC', 'U-LOC', 'misc')
    """

    letters: str = _PLAIN
    separator: str = "-"
    last: bool = False
    outside: str = OUTSIDE

    def has(self, tag: str) -> bool:
        """Say whether a tag is of this notation."""
        letter, label = self.parted(tag)
        return tag.upper() == OUTSIDE or (
            len(letter) == 1 and letter in self.letters and label != ""
        )

    def read(self, tag: str) -> str:
        """Write a tag as it is written here; one that is not of this notation is left alone."""
        if tag.upper() == OUTSIDE:
            return OUTSIDE
        letter, label = self.parted(tag)
        return f"{_PLAIN[self.letters.index(letter)]}-{label}" if self.has(tag) else tag

    def write(self, tag: str) -> str:
        """Spell a tag that is written as here."""
        if tag == OUTSIDE:
            return self.outside
        prefix, _, label = tag.partition("-")
        if len(prefix) != 1 or prefix not in _PLAIN or not label:
            return tag
        letter = self.letters[_PLAIN.index(prefix)]
        if not self.separator:
            return letter
        parts = (label, letter) if self.last else (letter, label)
        return self.separator.join(parts)

    def parted(self, tag: str) -> tuple[str, str]:
        """Part a tag into letter and label, both as they are."""
        if not self.separator:
            return tag, _LABEL
        if self.last:
            label, _, letter = tag.rpartition(self.separator)
        else:
            letter, _, label = tag.partition(self.separator)
        return letter, label


def find_notation(sentences: Iterable[Sequence[str]]) -> Notation | None:
    """Say in which notation the tags of spans are.

    A few tags that fit no notation are mistakes, where most fit one.

    Args:
        sentences: The tags of each.

    Returns:
        The notation, None for tags that are no spans, such as parts of speech.

    Example:
        >>> find_notation([["B_PER", "L_PER", "o"]])
        Notation(letters='BILS', separator='_', last=False, outside='o')
        >>> find_notation([["NOUN", "VERB"]])
    """
    counts = Counter(tag for tags in sentences for tag in tags)
    spans = Counter({tag: n for tag, n in counts.items() if tag.upper() != OUTSIDE})
    if not spans:
        return None
    others = counts - spans
    outside = others.most_common(1)[0][0] if others else OUTSIDE
    found = max(_candidates(spans, outside), key=lambda one: _fitting(one, spans))
    fitting = _fitting(found, spans)
    wrong = spans.total() - fitting
    return found if wrong < fitting and wrong <= _MOST_WRONG * counts.total() else None


def _fitting(notation: Notation, spans: Counter[str]) -> int:
    return sum(count for tag, count in spans.items() if notation.has(tag))


def _candidates(spans: Counter[str], outside: str) -> Iterator[Notation]:
    for separator in _SEPARATORS:
        for last in (False, True):
            yield _with_letters(spans, Notation("", separator, last, outside))
    if all(len(tag) == 1 for tag in spans) and {tag.upper() for tag in spans} >= {"B", "I"}:
        yield _with_letters(spans, Notation("", "", False, outside))


def _with_letters(spans: Counter[str], notation: Notation) -> Notation:
    """Choose the most frequent letter for each place in a span; where there is none, the usual."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in _PLAIN}
    for tag, count in spans.items():
        letter, label = notation.parted(tag)
        kind = _LETTERS.get(letter.upper())
        if kind is not None and label:
            counts[kind][letter] += count
    used = [found.most_common(1)[0][0] if found else "" for found in counts.values()]
    small = "".join(used).islower()
    usual = _PLAIN.lower() if small else _PLAIN
    return replace(
        notation, letters="".join(own or plain for own, plain in zip(used, usual, strict=True))
    )
