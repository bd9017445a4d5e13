"""Settings that the tasks on texts share: which symbols are learned, and vectors of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from tidegate.data.codec import Field
from tidegate.data.text.cleaning import CLEANERS
from tidegate.errors import InputError, message
from tidegate.tasks.core.settings.option import setting
from tidegate.tasks.core.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class SymbolSettings(Settings):
    """The settings of every task that learns which symbols its texts are made of."""

    lowercase: bool = setting(
        True, help="Read capitals as small letters.", structural=True, group="Text"
    )
    min_frequency: int = setting(
        1,
        help="Fewest occurrences of a word, or other symbol, that is learned.",
        minimum=1,
        structural=True,
        group="Text",
    )


@dataclass(frozen=True, kw_only=True)
class CleanedSettings(SymbolSettings):
    """The settings of every task on running text, which may have to be cleaned."""

    clean: tuple[str, ...] = setting(
        (),
        help=f"What to clean out of the text, by name: {', '.join(CLEANERS)}.",
        structural=True,
        group="Text",
    )


@dataclass(frozen=True, kw_only=True)
class WordSettings(SymbolSettings):
    """The settings of every task whose words have vectors."""

    max_vocabulary: int = setting(
        30_000,
        help="Most words that are learned, the most frequent.",
        minimum=1,
        structural=True,
        group="Text",
    )
    embedding_size: int = setting(
        100,
        help="Numbers in the vector of a token; pretrained vectors bring their own.",
        minimum=1,
        maximum=65536,
        structural=True,
    )
    vectors: str | None = setting(
        None,
        help="File of pretrained word vectors: GloVe or word2vec text, or .npz with the arrays "
        "words and vectors.",
        structural=True,
        group="Text",
    )
    freeze_vectors: bool = setting(
        False, help="Keep the pretrained vectors as they are.", structural=True
    )

    word_dropout: float = setting(
        0.3, help="Share of words replaced by <unk> in training.", minimum=0, maximum=0.95
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.freeze_vectors and self.vectors is None:
            remedy = "Name a file of vectors, or leave freeze_vectors out"
            rule = "False without vectors"
            raise InputError(message(self.owner, "freeze_vectors", rule, True, remedy))


def read_vectors_facts(state: Mapping[str, object]) -> tuple[int, int | None]:
    """Read what a saved model knows of the vectors of its words, trusting nothing in it.

    Args:
        state: With `embedding_size`, and `vectors_found`, a number or None.

    Returns:
        The two.

    Raises:
        InputError: If they are something else.
    """
    size: int = WordSettings.options()["embedding_size"].check(state["embedding_size"], "load")
    found = Field(int, minimum=0, optional=True)
    found.check(state["vectors_found"], "load", "vectors_found")
    return size, cast("int | None", state["vectors_found"])
