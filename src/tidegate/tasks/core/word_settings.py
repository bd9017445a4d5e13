"""The settings of tasks whose words have vectors, learned or brought along."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.errors import InputError, message
from tidegate.tasks.core.option import setting
from tidegate.tasks.core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class WordSettings(Settings):
    """The settings of every task whose words have vectors."""

    min_frequency: int = setting(
        1,
        help="Fewest occurrences of a word that is learned.",
        minimum=1,
        structural=True,
        group="Text",
    )
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.freeze_vectors and self.vectors is None:
            remedy = "Name a file of vectors, or leave freeze_vectors out"
            rule = "False without vectors"
            raise InputError(message(self.owner, "freeze_vectors", rule, True, remedy))
