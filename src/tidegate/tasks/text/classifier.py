"""TextClassifier: one of several classes for each text."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch

from tidegate.batch import Batch
from tidegate.data.batching import Buckets
from tidegate.data.rows import Rows
from tidegate.data.splits import same_texts
from tidegate.data.text.cleaning import WITHOUT_SURROGATES, lone_surrogate
from tidegate.data.text.encoded import EncodedTexts
from tidegate.data.text.encoder import TextEncoder
from tidegate.data.text.vectors import load_vectors
from tidegate.data.text.vocabulary import SPECIAL
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case, TextSample
from tidegate.explain.report.excerpt import Excerpt, excerpt
from tidegate.nn.blocks.bag_of_ngrams import BagOfNgrams
from tidegate.nn.blocks.embedding import Embedding
from tidegate.nn.blocks.tfidf_line import TfidfLine
from tidegate.tasks.core.classifier import Classifier, shortened
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.examples import (
    Array,
    DataWarning,
    Examples,
    tell_lone_letters,
    warn_of_names,
)
from tidegate.tasks.core.inspect.inspected import Labels
from tidegate.tasks.core.raw import Evaluation
from tidegate.tasks.core.settings.settings import build_layer
from tidegate.tasks.core.settings.text import read_vectors_facts
from tidegate.tasks.text.change import put_tokens
from tidegate.tasks.text.lean import Lean, settle
from tidegate.tasks.text.memory import check_wide
from tidegate.tasks.text.network import TextNetwork
from tidegate.tasks.text.pretrained import FineTuned, adapt, read_pretrained
from tidegate.tasks.text.settings import TextClassifierSettings
from tidegate.training.loop import Training
from tidegate.training.measure import Loader, measure
from tidegate.training.network import Network

# What the doctor reads to the end: texts up to so many tokens, so many of them, some at once.
_WHOLE, _WHOLE_TEXTS, _TEXTS_AT_ONCE = 2000, 128, 16

# A line is solved for up to so many weights: the solver holds some twenty times as many numbers.
_SOLVED = 4_000_000
_LINE = "n-grams and logistic regression"

# The settings that the encoder takes as they are.
_ENCODER = (
    "level", "tokenizer", "lowercase", "clean", "stop_words", "min_frequency", "max_vocabulary",
    "max_length", "keep", "ngrams", "max_ngrams",
)  # fmt: skip


class TextClassifier(Classifier):
    """Puts texts into classes with a recurrent network: topics, stars, spam or not.

    It is a scikit-learn estimator. The constructor takes every setting of
    `TextClassifierSettings` as a keyword argument and only stores it; `pretrained`, the folder of
    a saved `LanguageModel`, lets it begin with what that one has learned.

    Attributes:
        classes_: The labels, sorted, `[C]`.
        encoder_: The fitted `TextEncoder`.
        embedding_size_: Numbers in the vector of a token.
        vectors_found_: Words of the vocabulary that the pretrained vectors have; None without.
        lined_: Whether a linear model that was solved for stands beside the network.

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
    encoders: ClassVar[Encoders] = {"encoder_": TextEncoder}
    input_role = "text"
    target_role = "label"

    settings_: TextClassifierSettings
    encoder_: TextEncoder
    embedding_size_: int
    vectors_found_: int | None
    lined_: bool
    lean_: Lean | None = None

    def _examples(self, X: object, y: object, sample_weight: object) -> Examples:
        examples = super()._examples(X, y, sample_weight)
        for row, text in enumerate(examples.inputs):
            if not isinstance(text, str):
                rule = "made of texts"
                got = f"{type(text).__name__} ({text!r:.40}) in row {row + 1}"
                remedy = "Convert it with str(), or drop the row"
                raise InputError(message(type(self).__name__, "X", rule, got, remedy))
            if found := lone_surrogate(text):
                got = f"{found} in row {row + 1}"
                rule, remedy = "valid Unicode", WITHOUT_SURROGATES
                raise InputError(message(type(self).__name__, "X", rule, got, remedy))
        warn_of_names(examples.inputs)
        return examples

    def _groups(self, inputs: Sequence[str]) -> Array:
        # A text that comes twice must not stand on both sides: its score would be too good.
        return same_texts(inputs, type(self).__name__)

    def _learn(self, examples: Examples) -> None:
        super()._learn(examples)
        pretrained = None
        if self.settings_.pretrained is not None:
            pretrained = read_pretrained(self.settings_.pretrained, self.settings_.owner)
            self.settings_ = adapt(self.settings_, pretrained)
        settings = self.settings_
        options = {name: getattr(settings, name) for name in _ENCODER}
        if not settings.wide and not settings.ngram_vectors:
            options["ngrams"] = 1  # nobody would read the longer ones
        known = None if pretrained is None else pretrained.symbols
        self.encoder_ = TextEncoder(**options).fit(examples.inputs, known=known)
        if settings.level == "word" and settings.tokenizer is None:
            tell_lone_letters(self.encoder_.vocabulary[len(SPECIAL) :])
        if settings.wide:
            sizes = self.encoder_.size, self.encoder_.ngram_size
            check_wide(settings, *sizes, len(self.classes_))
        weights = (self.encoder_.size + self.encoder_.ngram_size) * len(self.classes_)
        self.lined_ = settings.wide > 0 and pretrained is None and weights <= _SOLVED
        self.embedding_size_ = settings.embedding_size
        self.vectors_found_ = None
        if pretrained is not None:
            self._vectors, self._weights = pretrained.vectors, pretrained.weights
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
            dropout=settings.vector_dropout,
            vectors=self.__dict__.pop("_vectors", None),  # read once, then part of the weights
            freeze=settings.freeze_vectors,
        )
        wide = line = None
        if settings.wide:
            sizes = self.encoder_.size, self.encoder_.ngram_size
            wide = BagOfNgrams(*sizes, len(self.classes_), settings.wide_dropout)
            line = TfidfLine(*sizes, len(self.classes_)) if self.lined_ else None
        layer = build_layer(settings, embedding.output_size)
        if (weights := self.__dict__.pop("_weights", None)) is not None:
            layer.load_state_dict(weights)
        make = TextNetwork if settings.pretrained is None else FineTuned
        network = make(
            embedding,
            layer,
            settings.pooling,
            len(self.classes_),
            dropout=settings.dropout,
            label_smoothing=settings.label_smoothing,
            wide=wide,
            wide_weight=settings.wide,
            wide_learning_rate=settings.wide_learning_rate,
            adversarial=settings.adversarial,
            line=line,
        )
        if isinstance(network, FineTuned):
            network.factor, network.thaw = settings.layer_decay, settings.unfreeze
        return network

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        super()._begin(network, examples, loader, going_on=going_on)
        if not going_on:
            if isinstance(network, TextNetwork) and network.wide is not None:
                assert isinstance(loader, Rows)
                assert loader.targets is not None
                encoded = loader.encoded
                rows = encoded.ids, encoded.offsets, loader.targets.numpy()
                network.wide.count(*rows)
                if network.line is not None:
                    network.line.solve(*rows, self._counts(network, loader))
            return
        unknown = self.encoder_.unknown(examples.inputs)
        if unknown:
            common = ", ".join(repr(word) for word, _ in unknown.most_common(5))
            what = (
                f"{len(unknown):,} new words ({unknown.total():,} occurrences; the most frequent: "
                f"{common}) are not in the vocabulary of the fitted model and are read as <unk>."
            )
            _warn(DataWarning(what))

    @staticmethod
    def _counts(network: TextNetwork, loader: Rows[EncodedTexts]) -> Array | None:
        """How much each training row counts, by its weight and its class; None for all alike."""
        assert loader.targets is not None
        counts = None if loader.weights is None else np.asarray(loader.weights, np.float64)
        if network.head.class_weights is not None:
            by_class = network.head.class_weights[loader.targets].double().cpu().numpy()
            counts = by_class if counts is None else counts * by_class
        return counts

    def _keep(self, training: Training) -> None:
        super()._keep(training)
        self.lean_ = None
        network, held = self.network_, training.held
        if held is None or not isinstance(network, TextNetwork) or network.line is None:
            return
        self.lean_ = settle(network, held)
        self.metrics_["validation"] = measure(network, held).result()

    def beside(self) -> Evaluation:
        """Return the accuracy on the held-out texts beside that of n-grams alone."""
        lean = self.lean_
        if lean is None:
            return {}
        ours = self.metrics_["validation"]["accuracy"]
        named = {"this model": ours, _LINE: lean.line, "the commonest class": lean.commonest}
        figures = [{"": name, "accuracy": f"{value:.3f}"} for name, value in named.items()]
        told = f"On {lean.rows:,} held-out texts {ours:.1%} are right; {_LINE} {lean.line:.1%}."
        if ours < lean.line:
            told += " The linear model alone is better here: more texts or `vectors` may help it."
        return {"figures": figures, "verdict": told}

    def _loader(self, examples: Examples, *, training: bool) -> Rows[EncodedTexts]:
        encoded = self.encoder_.encode(examples.inputs)
        rows, settings = len(encoded), self.settings_
        if encoded.truncated:
            what = (
                f"texts have more than max_length={settings.max_length} tokens and were cut "
                f"(keep={settings.keep!r})."
            )
            _warn(DataWarning(what, encoded.truncated, rows))
        if empty := int((encoded.lengths == 0).sum()):
            _warn(DataWarning("texts have no token; the model answers them blindly.", empty, rows))
        strange = int((encoded.known == 0).sum()) - empty
        if strange and examples.targets is None:  # else the scores tell
            what = "texts have no known token; the model answers them blindly."
            _warn(DataWarning(what, strange, rows))
        order = Buckets(encoded.lengths, settings.batch_size, seed=settings.random_state)
        return Rows(encoded, order, self._targets(examples), examples.weights)

    def _step_labels(self, examples: Examples) -> list[list[str]]:
        return [self.encoder_.tokens(text) for text in examples.inputs]

    def _changed(
        self, batch: Batch, labels: Labels, steps: Mapping[int, object]
    ) -> tuple[Batch, Labels]:
        assert labels is not None
        return put_tokens(self.encoder_, batch, labels[0], steps)

    def _excerpt(self, examples: Examples) -> Excerpt:
        return excerpt(self.encoder_, examples.inputs[0])

    def _told(self, case: Case, examples: Examples | None) -> Case:
        size = self.encoder_.size
        case = replace(case, vocabulary=size - len(SPECIAL))
        if not self.settings_.ngram_vectors:  # each word with each n-gram would be too many
            words = Batch(torch.arange(size)[None], torch.tensor([size]))
            case = replace(case, words=words)
        return case if examples is None else replace(case, reading=self._reading(examples.inputs))

    def _reading(self, texts: Sequence[str]) -> TextSample:
        """Read texts to their end, whatever `max_length` says."""
        most = self.settings_.max_length
        whole = self.encoder_.encode(texts, max_length=sys.maxsize)
        lengths = whole.lengths
        (longer,) = np.nonzero((lengths > most) & (lengths <= max(_WHOLE, 4 * most)))
        longer = longer[:: -(-len(longer) // _WHOLE_TEXTS) or 1]
        parts = np.array_split(longer, -(-len(longer) // _TEXTS_AT_ONCE) or 1)
        return TextSample(
            lengths=torch.from_numpy(lengths),
            max_length=most,
            unknown=self.encoder_.unknown(texts),
            longer=longer.tolist(),
            whole=[whole.batch(part) for part in parts if len(part)],
        )

    def facts(self) -> dict[str, str]:
        """Return the size of the vocabulary and its first words besides."""
        facts = super().facts()
        words = self.encoder_.vocabulary[2:]
        return facts | {"vocabulary": f"{len(words):,}: {shortened(words)}"}

    def _state(self) -> dict[str, object]:
        facts = {"embedding_size": self.embedding_size_, "vectors_found": self.vectors_found_}
        # A model of before there were lines is saved as it was.
        return super()._state() | facts | ({"line": True} if self.lined_ else {})

    def _restore(self, state: Mapping[str, object], files: Mapping[str, object]) -> None:
        super()._restore(state, files)
        self.embedding_size_, self.vectors_found_ = read_vectors_facts(state)
        self.lined_ = state.get("line", False) is True


def _warn(warning: DataWarning) -> None:
    warnings.warn(warning, stacklevel=5)
