"""The settings of a TextClassifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.errors import InputError, message
from tidegate.tasks.core.classifier import ClassifierSettings
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import PooledSettings
from tidegate.tasks.core.settings.text import CleanedSettings, WordSettings


@dataclass(frozen=True, kw_only=True)
class TextClassifierSettings(ClassifierSettings, CleanedSettings, WordSettings, PooledSettings):
    """The settings of a TextClassifier."""

    bidirectional: bool = changed(ClassifierSettings, "bidirectional", True)
    hidden_size: int = changed(ClassifierSettings, "hidden_size", 64)
    dropout: float = changed(ClassifierSettings, "dropout", 0.5)
    epochs: int = changed(ClassifierSettings, "epochs", 6)
    learning_rate: float = changed(ClassifierSettings, "learning_rate", 2e-3)
    label_smoothing: float = changed(ClassifierSettings, "label_smoothing", 0.1)
    clean: tuple[str, ...] = changed(CleanedSettings, "clean", ("html", "urls"))
    level: str = setting(
        "word",
        help="What a token is: a word, a character or a piece of a word.",
        choices=("word", "char", "bpe"),
        structural=True,
        group="Text",
    )
    tokenizer: Callable[[str], Any] | None = setting(  # noqa: RUF009
        None,
        help="A function from a text to its tokens, instead of `level`.",
        structural=True,
        cli=False,
        group="Text",
    )
    stop_words: tuple[str, ...] = setting(
        (), help="Words to leave out.", structural=True, group="Text"
    )
    max_length: int = setting(
        400, help="Most tokens of a text that are read.", minimum=1, structural=True, group="Text"
    )
    keep: str = setting(
        "both",
        help="Which tokens of a longer text are read: its head, its tail, or half from both ends.",
        choices=("head", "tail", "both"),
        structural=True,
        group="Text",
    )
    ngrams: int = setting(
        3,
        help="Longest run of words that the wide part reads, and the network with ngram_vectors.",
        minimum=1,
        maximum=16,
        structural=True,
        group="Text",
    )
    max_ngrams: int = setting(
        100_000, help="Most such runs, the most frequent.", minimum=1, structural=True, group="Text"
    )
    ngram_vectors: bool = setting(
        False,
        help="Give n-grams vectors too, added to that of their last word; otherwise they are for "
        "the wide part alone.",
        structural=True,
    )
    pretrained: str | None = setting(
        None,
        help="Folder of a saved language model to begin from: its symbols, vectors and recurrent "
        "layers; cell, sizes and level are then its own.",
        structural=True,
        group="Text",
    )
    unfreeze: int = setting(
        1,
        help="With pretrained: epochs from one layer's first step to that of the one below, the "
        "head first; 0 trains all layers from the start.",
        minimum=0,
        group="Training",
    )
    layer_decay: float = setting(
        2.6,
        help="With pretrained: what the learning rate is divided by from each layer to the one "
        "below.",
        minimum=1,
        group="Training",
    )
    ngram_dropout: float = setting(
        0.0, help="Share of n-grams left out in training.", minimum=0, maximum=0.95
    )
    embedding_dropout: float | None = setting(
        None,
        help="Share of vector features zeroed, for a whole text at once, in training; none takes "
        "0.5, with pretrained 0.1.",
        minimum=0,
        maximum=0.95,
    )
    adversarial: float = setting(
        0.0,
        help="Train on a second reading of each text too, whose vectors are changed for the worse "
        "by this multiple of their spread, such as 2 (Miyato et al. 2017); an epoch then takes "
        "two to three times as long.",
        minimum=0,
        group="Training",
    )
    wide: float = setting(
        1.0,
        help="Weight of a linear model of the words and n-grams that a text has, trained beside "
        "the network and added to its scores; 0 is none, nor the one that is solved for.",
        minimum=0,
        maximum=100,
        structural=True,
    )
    wide_dropout: float = setting(
        0.5,
        help="Share of words and n-grams the wide part misses in training.",
        minimum=0,
        maximum=0.95,
    )
    wide_learning_rate: float = setting(
        1e-3,
        help="Largest step size of the wide part.",
        minimum=1e-9,
        maximum=100,
        group="Training",
    )

    @property
    def vector_dropout(self) -> float:
        """Share of vector features zeroed; layers that are pretrained know all of them."""
        if self.embedding_dropout is not None:
            return self.embedding_dropout
        return 0.5 if self.pretrained is None else 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pretrained is not None and self.vectors is not None:
            rule, remedy = "left out with pretrained", "A language model brings its own vectors"
            raise InputError(message(self.owner, "vectors", rule, self.vectors, remedy))
