"""TaggedSentence: what a tagger answers: tags, spans, and how sure it is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tidegate.data.tags.sentences import Sentence, cut_finer
from tidegate.tasks.core.examples import DataWarning
from tidegate.terminal import cell

# Words of a sentence that are shown where it is printed.
_SHOWN = 12


@dataclass(frozen=True)
class TaggedSpan:
    """A span that was found in a text; for tags that are no spans each word is one.

    Attributes:
        start: Its first character in the text, from 0.
        end: The character after its last one.
        label: What it is.
        text: The text between.
        confidence: How probable it is that exactly these words are such a span, 0 to 1.
    """

    start: int
    end: int
    label: str
    text: str
    confidence: float


@dataclass(frozen=True, repr=False)
class TaggedSentence:
    """A sentence with the tags of its words.

    Attributes:
        text: The text; of an input that came as words, these with spaces between.
        words: Its words.
        tags: The tag of each, written as in training.
        confidences: How probable each tag is by itself, 0 to 1.
        spans: The spans that the tags say, or one a word where tags are no spans.

    Example:
        >>> span = TaggedSpan(0, 3, "PER", "Ann", 0.98)
        >>> words, tags = ("Ann", "rows"), ("B-PER", "O")
        >>> told = TaggedSentence("Ann rows", words, tags, (0.98, 0.99), (span,))
        >>> told.text[span.start : span.end], len(told)
        ('Ann', 2)
    """

    text: str
    words: tuple[str, ...]
    tags: tuple[str, ...]
    confidences: tuple[float, ...]
    spans: tuple[TaggedSpan, ...]

    def __len__(self) -> int:
        """Number of words."""
        return len(self.words)

    def __repr__(self) -> str:
        """Show words and tags; a long sentence is cut."""
        pairs = [cell(f"{word}/{tag}") for word, tag in zip(self.words, self.tags, strict=False)]
        more = [f"… {len(pairs) - _SHOWN} words more"] if len(pairs) > _SHOWN else []
        return f"TaggedSentence({' '.join([*pairs[:_SHOWN], *more])})"

    def to_json(self) -> dict[str, object]:
        """Return everything in JSON's types, confidences with six digits."""
        return {
            "text": self.text,
            "tokens": list(self.words),
            "tags": list(self.tags),
            "confidences": [round(share, 6) for share in self.confidences],
            "spans": [
                vars(span) | {"confidence": round(span.confidence, 6)} for span in self.spans
            ],
        }


def tell_cut(sentences: Sequence[Sentence], vocabulary: Iterable[str]) -> None:
    """Say how texts were cut whose script does not tell words apart.

    Args:
        sentences: What is to be tagged.
        vocabulary: The words that were learned.
    """
    count, word = cut_finer(sentences, vocabulary)
    if count:
        what = (
            "texts have no spaces between words: each letter is read as a word, and longer "
            f"ones were learned, such as {word!r}. Give lists of words."
        )
        warnings.warn(DataWarning(what, count, len(sentences)), stacklevel=5)


def tell_empty(sentences: Sequence[Sequence[str]]) -> None:
    """Say how many sentences have no word.

    Args:
        sentences: The words of each.
    """
    if empty := sum(not row for row in sentences):
        what = f"sentence{'s' * (len(sentences) > 1)} {'has' if empty == 1 else 'have'} no word."
        warnings.warn(DataWarning(what, empty, len(sentences)), stacklevel=5)
