"""Notation: the many ways in which people write the tags of one scheme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from tidegate.data.tags.schemes import OUTSIDE, Scheme, detect

# What the beginning, the inside, the end and the only word of a span are called: BIOES and IOB say
# B, I, E, S; BILOU has L and U, BMEWO M and W, BMES M.
_LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_PLAIN = "BIES"
_SEPARATORS = "-_:/|.+=~#"
_NOTHING = {"0", "_", "-", "*", "NONE", "NULL", "NIL", "OTHER", "OUT", "OUTSIDE"}
_LABEL = "span"  # of tags that have none, B, I and O alone


@dataclass(frozen=True)
class Notation:
    """How the tags of spans are spelled; by default as here: O, B-PER, I-PER, E-PER, S-PER.

    Attributes:
        letters: Those of the beginning, the inside, the end and the only word of a span.
        separator: What stands between the letter and the label; nothing where there is no label.
        last: Whether the letter stands last, as in PER-B.
        outside: How O is written, "0" or "OTHER" say.

    Example:
        >>> bilou = Notation(letters="BILU")
        >>> bilou.read("U-LOC"), bilou.write("S-LOC"), bilou.read("misc")
        ('S-LOC', 'U-LOC', 'misc')
    """

    letters: str = _PLAIN
    separator: str = "-"
    last: bool = False
    outside: str = OUTSIDE

    def is_outside(self, tag: str) -> bool:
        """Say whether a tag stands for O."""
        return tag == self.outside or tag.upper() == OUTSIDE

    def has(self, tag: str) -> bool:
        """Say whether a tag is of this notation."""
        letter, label = self.parted(tag)
        return self.is_outside(tag) or (len(letter) == 1 and letter in self.letters and label != "")

    def read(self, tag: str) -> str:
        """Write a tag as it is written here; one that is not of this notation is left alone."""
        if self.is_outside(tag):
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


def read_scheme(sentences: Sequence[Sequence[str]], given: str) -> tuple[Scheme, Notation]:
    """Find out in which scheme and notation tags are.

    Args:
        sentences: The tags of each.
        given: The scheme, or "auto".

    Returns:
        Both; a few tags may be of neither.

    Example:
        >>> read_scheme([["B_PER", "I_PER", "O"]], "auto")[0]
        'bio'
    """
    found = None if given == "none" else find_notation(sentences)
    if given != "auto":
        return cast(Scheme, given), found or Notation()
    if found is None:
        return "none", Notation()
    return detect([found.read(tag) for tag in row if found.has(tag)] for row in sentences), found


def find_notation(sentences: Iterable[Sequence[str]]) -> Notation | None:
    """Say in which notation the tags of spans are.

    Tags that fit no notation are mistakes where most fit one, or would in one of another spelling;
    but where there is no O, the one other tag stands for it.

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
    if not others and len(spans) == 1:
        return None
    found = max(_candidates(spans, outside), key=lambda one: _fitting(one, spans))
    wrong = Counter({tag: count for tag, count in spans.items() if not found.has(tag)})
    if len(wrong) == len(spans):
        return None
    nothing = [tag for tag, _ in wrong.most_common() if len(wrong) == 1 or tag.upper() in _NOTHING]
    if nothing and not others:
        found = replace(found, outside=nothing[0])
    strange = sum(n for tag, n in wrong.items() if not found.has(tag) and not _is_known(tag))
    return found if 2 * strange <= spans.total() - strange else None


def _fitting(notation: Notation, spans: Counter[str]) -> int:
    return sum(count for tag, count in spans.items() if notation.has(tag))


def _is_known(tag: str) -> bool:
    """Say whether a tag is one of spans in any notation, or another sign for O."""
    if tag.upper() in _NOTHING:
        return True
    shapes = (Notation("", separator, last) for separator in _SEPARATORS for last in (False, True))
    parts = (shape.parted(tag) for shape in shapes)
    return any(letter.upper() in _LETTERS and label for letter, label in parts)


def _candidates(spans: Counter[str], outside: str) -> Iterator[Notation]:
    for separator in _SEPARATORS:
        for last in (False, True):
            yield _with_letters(spans, Notation("", separator, last, outside))
    single = {tag.upper() for tag in spans if len(tag) == 1}
    if ("B" in single and single & {*"IMEL"}) or (len(spans) == 1 and single & {*"BI"}):
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
