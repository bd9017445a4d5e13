"""TextClassifier: one of several classes for each text."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.data.splits import split_without_overlap
from tidegate.data.text import TextEncoder
from tidegate.data.text_files import MERGES_FILE, NGRAMS_FILE, OPTIONS_FILE, VOCABULARY_FILE
from tidegate.data.vectors import load_vectors
from tidegate.errors import InputError, message
from tidegate.heads import ClassifyHead, ClassifyMeter
from tidegate.measure import Network
from tidegate.nn.embedding import Embedding
from tidegate.nn.pooling import POOLINGS, Pooling
from tidegate.nn.wide import Wide
from tidegate.tasks.classifier import Classifier, ClassifierSettings, shortened
from tidegate.tasks.option import changed, setting
from tidegate.tasks.rows import Array, DataWarning, Examples, Rows
from tidegate.tasks.settings import build_layer

# The settings that the encoder takes as they are.
_ENCODER = (
    "level", "tokenizer", "lowercase", "clean", "stop_words", "min_frequency", "max_vocabulary",
    "max_length", "keep", "ngrams", "max_ngrams",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TextClassifierSettings(ClassifierSettings):
    """The settings of a TextClassifier."""

    bidirectional: bool = changed(ClassifierSettings, "bidirectional", True)
    hidden_size: int = changed(ClassifierSettings, "hidden_size", 64)
    dropout: float = changed(ClassifierSettings, "dropout", 0.5)
    epochs: int = changed(ClassifierSettings, "epochs", 6)
    learning_rate: float = changed(ClassifierSettings, "learning_rate", 2e-3)
    label_smoothing: float = changed(ClassifierSettings, "label_smoothing", 0.1)
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
    lowercase: bool = setting(
        True, help="Read capitals as small letters.", structural=True, group="Text"
    )
    clean: tuple[str, ...] = setting(
        ("html", "urls"),
        help="What to clean out of the texts, by name.",
        structural=True,
        group="Text",
    )
    stop_words: tuple[str, ...] = setting(
        (), help="Words to leave out.", structural=True, group="Text"
    )
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
        1,
        help="Longest run of words that has a vector of its own, added to that of its last word.",
        minimum=1,
        maximum=16,
        structural=True,
        group="Text",
    )
    max_ngrams: int = setting(
        100_000, help="Most such runs, the most frequent.", minimum=1, structural=True, group="Text"
    )
    ngram_vectors: bool = setting(
        True,
        help="Give n-grams vectors; off leaves them to the wide part.",
        structural=True,
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
    ngram_dropout: float = setting(
        0.0, help="Share of n-grams left out in training.", minimum=0, maximum=0.95
    )
    embedding_dropout: float = setting(
        0.5,
        help="Share of vector features zeroed, for a whole text at once, in training.",
        minimum=0,
        maximum=0.95,
    )
    pooling: str = setting(
        "mean+max",
        help="How the steps become one vector.",
        choices=POOLINGS,
        structural=True,
    )
    wide: float = setting(
        0.0,
        help="Weight of a linear model of the words and n-grams that a text has, trained beside "
        "the network and added to its scores; 0 is none.",
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


class TextNetwork(Network):
    """Embedding, recurrent stack, pooling, dropout, head; and perhaps a wide part beside them.

    Args:
        embedding: Ids to vectors.
        classes: C.
        settings: Cell, sizes, dropout, pooling, layer options and weight of the wide part.
        wide: The wide part, or None.

    Example:
        >>> network = TextNetwork(Embedding(9, 4), 2, TextClassifierSettings(hidden_size=3))
        >>> network(Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))).shape
        torch.Size([1, 2])
    """

    def __init__(
        self,
        embedding: Embedding,
        classes: int,
        settings: TextClassifierSettings,
        wide: Wide | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.recurrent = build_layer(settings, embedding.output_size)
        self.directions = 2 if settings.bidirectional else 1
        final = self.directions * self.recurrent.cell.output_size
        self.pooling = Pooling(settings.pooling, self.recurrent.output_size, final)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = ClassifyHead(
            self.pooling.output_size, classes, label_smoothing=settings.label_smoothing
        )
        self.wide, self.wide_weight = wide, settings.wide
        self.wide_rate = settings.wide_learning_rate

    def forward(self, batch: Batch) -> Tensor:
        """Score the classes: `[B, C]`, before the softmax."""
        scores = self._deep(batch)
        return scores if self.wide is None else scores + self.wide_weight * self.wide(batch.values)

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return loss and scores; deep and wide part learn apart, or one would do all the work."""
        if self.wide is None:
            return super().learn(batch)
        deep, wide = self._deep(batch), self.wide(batch.values)
        loss = self.head.loss(deep, batch) + self.head.loss(wide, batch)
        return loss, deep + self.wide_weight * wide

    def _deep(self, batch: Batch) -> Tensor:
        vectors = self.embedding(batch.values)
        output, state = self.recurrent(vectors, lengths=batch.lengths)
        hidden = state[0] if isinstance(state, tuple) else state
        features = self.pooling(output, batch.lengths, hidden[-self.directions :])
        scores: Tensor = self.head(self.dropout(features))
        return scores

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the head's loss."""
        return self.head.loss(outputs, batch)

    def meter(self) -> ClassifyMeter:
        """Return the head's meter."""
        return self.head.meter()

    def groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Give the wide part its own learning rate."""
        groups = super().groups(learning_rate, weight_decay)
        if self.wide is None:
            return groups
        beside = list(self.wide.parameters())
        names = {id(parameter) for parameter in beside}
        for group in groups:
            group["params"] = [p for p in group["params"] if id(p) not in names]
        rest = {"lr": self.wide_rate, "weight_decay": 0.0, "clip": False}
        return [*groups, {"params": beside, **rest}]


class TextClassifier(Classifier):
    """Classifies texts with a recurrent network, as a scikit-learn estimator.

    The constructor takes every setting of `TextClassifierSettings` as a keyword argument and only
    stores it.

    Attributes:
        classes_: The labels, sorted, `[C]`.
        encoder_: The fitted `TextEncoder`.
        embedding_size_: Numbers in the vector of a token.
        vectors_found_: Words of the vocabulary that the pretrained vectors have; None without.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> texts = ["good tide", "bad gate", "good gate", "bad tide"] * 4
        >>> model = TextClassifier(epochs=2, hidden_size=4, verbose=False)
        >>> model.fit(texts, ["yes", "no"] * 8, validation=None).predict(["good"]).shape
        (1,)
    """

    settings_class = TextClassifierSettings
    roles: ClassVar[Mapping[str, str]] = {
        "text": "Column of the texts.",
        "label": "Column of their classes.",
    }
    encoder_files = (OPTIONS_FILE, VOCABULARY_FILE, MERGES_FILE, NGRAMS_FILE)
    input_role = "text"
    target_role = "label"

    settings_: TextClassifierSettings
    encoder_: TextEncoder
    embedding_size_: int
    vectors_found_: int | None

    def _examples(self, X: Any, y: Any, sample_weight: Any) -> Examples:
        examples = super()._examples(X, y, sample_weight)
        for row, text in enumerate(examples.inputs):
            if not isinstance(text, str):
                rule = "made of texts"
                got = f"{type(text).__name__} ({text!r:.40}) in row {row}"
                remedy = "Convert it with str(), or drop the row"
                raise InputError(message(type(self).__name__, "X", rule, got, remedy))
        return examples

    def _held(self, inputs: Sequence[Any], labels: Array, share: float, seed: int) -> Array:
        # A text that comes twice must not stand on both sides: its score would be too good.
        return split_without_overlap(inputs, labels.tolist(), test_size=share, seed=seed)[1]

    def _learn(self, examples: Examples) -> None:
        super()._learn(examples)
        settings = self.settings_
        options = {name: getattr(settings, name) for name in _ENCODER}
        self.encoder_ = TextEncoder(**options).fit(examples.inputs)
        self.embedding_size_ = settings.embedding_size
        self.vectors_found_ = None
        if settings.vectors is not None:
            found, self.vectors_found_ = load_vectors(settings.vectors, self.encoder_.vocabulary)
            self._vectors = torch.from_numpy(found)
            self.embedding_size_ = found.shape[1]

    def _build(self) -> TextNetwork:
        settings = self.settings_
        embedding = Embedding(
            self.encoder_.size,
            self.embedding_size_,
            ngrams=self.encoder_.ngram_size if settings.ngram_vectors else 0,
            word_dropout=settings.word_dropout,
            ngram_dropout=settings.ngram_dropout,
            dropout=settings.embedding_dropout,
            vectors=self.__dict__.pop("_vectors", None),  # read once, then part of the weights
            freeze=settings.freeze_vectors and settings.vectors is not None,
        )
        wide = None
        if settings.wide:
            sizes = self.encoder_.size, self.encoder_.ngram_size
            wide = Wide(*sizes, len(self.classes_), settings.wide_dropout)
        return TextNetwork(embedding, len(self.classes_), settings, wide)

    def _begin(self, network: Network, examples: Examples, loader: Any, *, going_on: bool) -> None:
        super()._begin(network, examples, loader, going_on=going_on)
        if not going_on:
            if isinstance(network, TextNetwork) and network.wide is not None:
                encoded = loader.encoded
                network.wide.count(encoded.ids, encoded.offsets, loader.targets.numpy())
            return
        unknown = self.encoder_.unknown(examples.inputs)
        if unknown:
            common = ", ".join(repr(word) for word, _ in unknown.most_common(5))
            _warn(
                f"{len(unknown):,} new words ({unknown.total():,} occurrences; the most frequent: "
                f"{common}) are not in the vocabulary of the fitted model and are read as <unk>."
            )

    def _loader(self, examples: Examples, *, training: bool) -> Rows:
        encoded = self.encoder_.encode(examples.inputs)
        rows, settings = len(encoded), self.settings_
        if encoded.truncated:
            _warn(
                f"{encoded.truncated:,} of {rows:,} texts have more than max_length="
                f"{settings.max_length} tokens and were cut (keep={settings.keep!r})."
            )
        if empty := int((encoded.lengths == 0).sum()):
            _warn(f"{empty:,} of {rows:,} texts have no token; the model answers them blindly.")
        return Rows(
            encoded,
            self._targets(examples),
            examples.weights,
            batch_size=settings.batch_size,
            seed=settings.random_state,
        )

    def facts(self) -> dict[str, str]:
        """Return the size of the vocabulary and its first words besides."""
        words = self.encoder_.vocabulary[2:]
        return super().facts() | {"vocabulary": f"{len(words):,}: {shortened(words)}"}

    def _state(self) -> dict[str, Any]:
        facts = {"embedding_size": self.embedding_size_, "vectors_found": self.vectors_found_}
        return super()._state() | facts

    def _files(self) -> dict[str, Any]:
        return self.encoder_.to_files()

    def _restore(self, state: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        super()._restore(state, files)
        self.encoder_ = TextEncoder.from_files(files)
        self.embedding_size_ = state["embedding_size"]
        self.vectors_found_ = state["vectors_found"]


def _warn(sentence: str) -> None:
    warnings.warn(sentence, DataWarning, stacklevel=5)
