"""LanguageModel: what comes next in a text."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from tidegate.data.batching import Buckets, in_order
from tidegate.data.language.corpus import Corpus
from tidegate.data.language.documents import as_documents, split_documents
from tidegate.data.language.encoder import END, LanguageEncoder
from tidegate.data.language.pieces import TextPieces
from tidegate.data.language.streams import StreamPieces, Streams
from tidegate.data.rows import Rows
from tidegate.data.text.vocabulary import SPECIAL
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case, TextSample
from tidegate.tasks.core.classifier import shortened
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.examples import (
    Array,
    DataWarning,
    Examples,
    tell_lone_letters,
    warn_of_names,
)
from tidegate.tasks.core.fitting import checked_share
from tidegate.tasks.core.pretrained import Pretrained
from tidegate.tasks.core.settings.settings import Settings
from tidegate.tasks.core.task import Task
from tidegate.tasks.language.memory import check_memory
from tidegate.tasks.language.network import LanguageNetwork, State, build_language_network
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.tasks.language.writing import Writing
from tidegate.training.measure import Loader, measure
from tidegate.training.network import Network

# Streams in which the validation part is read after each epoch: each but the first begins at
# zero, which costs a thousandth; `evaluate` reads it in one.
_STREAMS = 8
_STEPS_AT_ONCE = 1024
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Texts(Examples):
    """Documents to learn from or to measure on.

    Attributes:
        separate: Whether each begins anew; otherwise they are one text that goes on.
        corpus: Their ids, once they are encoded for the doctor; else None.
    """

    separate: bool = False
    corpus: Corpus | None = None

    def take(self, rows: Array) -> Texts:
        """Return the documents of these indices, in their order."""
        return replace(self, inputs=[self.inputs[row] for row in rows])

    def normalised(self) -> Texts:
        """Return the documents as they are: there are no weights."""
        return self


class LanguageModel(Writing, Task):
    """Predicts the next symbol of a text, and writes: characters, words or pieces of words.

    It is a scikit-learn estimator. The constructor takes every setting of
    `LanguageModelSettings` as a keyword argument and only stores it.

    X is a file (a `pathlib.Path`), one text, or a list of either. A list holds documents: each
    begins and ends with "<eos>" and is read from a state of zero. One file or text goes on
    throughout. Files are read in blocks, whatever their size. `fit` holds out the last share of
    the text for validation, unless `validation` is text of its own, in any of these forms.

    Attributes:
        encoder_: The fitted `LanguageEncoder`.
        documents_: Whether it learned from a list of documents.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> model = LanguageModel(hidden_size=8, epochs=1, batch_size=2, verbose=False)
        >>> model.fit("to be or not to be, that is the question").predict(["to b"]).shape
        (1,)
    """

    settings_class = LanguageModelSettings
    roles: ClassVar[Mapping[str, str]] = {"text": "Column of the texts."}
    encoders: ClassVar[Encoders] = {"encoder_": LanguageEncoder}
    input_role = "text"
    answers = "step"
    commands = ("generate",)
    use = "generate {model}"
    data_help = "Text to learn from (.txt, .gz), or a table with a column of texts."
    data_example = "DATA.txt"

    settings_: LanguageModelSettings
    network_: LanguageNetwork
    encoder_: LanguageEncoder
    documents_: bool

    def read_file(self, path: Path, columns: Mapping[str, str]) -> tuple[Path, None] | None:
        """Take a plain text (.txt, or any suffix that no table has) as it is, block by block."""
        suffix = Path(path.name.lower().removesuffix(".gz")).suffix
        if suffix in (".csv", ".tsv", ".jsonl", ".parquet"):
            return None
        if (column := columns["text"]) not in ("text", self.columns_.get("text")):
            rule = "left out for a plain text, which has no columns"
            raise InputError(message(str(path), "--text", rule, column))
        (document,), _ = as_documents(path, type(self).__name__)
        document.length()  # what is wrong with a file is found before any training
        return path, None

    def pretrained(self) -> Pretrained:
        """Return what a `TextClassifier` begins with: vectors of symbols, and the layers.

        Raises:
            InputError: If the layers differ in size, or the symbols are those that no text
                classifier reads.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        network, encoder = self.network_, self.encoder_
        if len(network.stacks) > 1:
            rule = "a language model whose layers are of one size"
            remedy = "Fit one with embedding_size equal to hidden_size, or with tied=False"
            got = f"layers of {self.settings_.hidden_size} and {network.stacks[-1].hidden_size}"
            raise InputError(message("TextClassifier", "pretrained", rule, got, remedy))
        if encoder.level == "space":
            rule, remedy = (
                "a language model of words, sub-words or characters",
                "Fit one with level='word'",
            )
            raise InputError(message("TextClassifier", "pretrained", rule, "level='space'", remedy))
        vectors = network.embedding.weight.detach().clone()
        vectors[0] = 0  # what ends a document there is padding for others
        symbols = encoder.subwords or encoder.vocabulary[len(SPECIAL) :]
        weights = {name: part.clone() for name, part in network.stacks[0].state_dict().items()}
        return Pretrained(self.settings_, symbols, vectors, weights)

    def evaluate(
        self,
        X: object,
        y: object = None,
        *,
        sample_weight: object = None,
        report: bool = False,
        dynamic: object = None,
    ) -> dict[str, float]:
        """Measure how well text is predicted, read once from its beginning to its end.

        Args:
            X: A file, a text, or a list of documents. Every symbol but the first is predicted.
            y: Left out.
            sample_weight: Left out.
            report: Whether to add details; there are none.
            dynamic: Text that the model was trained on, to let a copy of the model go on learning
                from what it has just read (dynamic evaluation, see the page on language models);
                None measures the model as it is. Report the two apart: the copy has learned from
                the test data, if only after predicting it.

        Returns:
            `loss` in nats a symbol, `perplexity`, and for characters `bits_per_character`.

        Raises:
            InputError: If the text is too short, or a file cannot be read.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        streams = self._streams(self._examples(X, y, sample_weight), 1)
        shown = self.settings_.verbose
        if dynamic is not None:
            from tidegate.tasks.language.dynamic import adapted

            past = self._streams(self._examples(dynamic, None, None), self.settings_.batch_size)
            return adapted(self.network_, streams.encoded, past.encoded, shown=shown).result()
        return measure(self.network_, streams, shown=shown).result()

    def score(self, X: object, y: object = None, sample_weight: object = None) -> float:
        """Return minus the perplexity."""
        return -float(self.evaluate(X, y, sample_weight=sample_weight)["perplexity"])

    def predict(self, X: object) -> Array:
        """Say which symbol probably comes next after each text.

        Args:
            X: A list of texts.

        Returns:
            The most probable symbols, strings, `[rows]`.

        Raises:
            InputError: If a text has no symbol that could be gone on from.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        documents, _ = as_documents(X, type(self).__name__, names=True)
        warn_of_names([document.source for document in documents])
        texts = ["".join(document.blocks()) for document in documents]
        rows = [self._prompt(text) for text in texts]
        counts = map(self.encoder_.unknown, texts)
        if unknown := [symbols for symbols in counts if symbols]:
            what = f"texts have symbols that are read as <unk>{_most_common(unknown)}."
            warnings.warn(DataWarning(what, len(unknown), len(texts)), stacklevel=2)
        found = np.empty(len(rows), dtype=object)
        for chosen in in_order([len(row) for row in rows], _ROWS_AT_ONCE):
            scores = self._last_scores([rows[row] for row in chosen])
            best = scores.argmax(-1).tolist()
            found[chosen] = [self.encoder_.vocabulary[index] for index in best]
        return found

    def facts(self) -> dict[str, str]:
        """Return the size of the vocabulary and its first symbols besides."""
        words = self.encoder_.vocabulary[2:]
        # A space keeps its quotes, or there would be nothing to see.
        shown = shortened(repr(word) if word == " " else repr(word)[1:-1] for word in words)
        return super().facts() | {"vocabulary": f"{len(words):,}: {shown}"}

    # What a task writes.

    def _examples(self, X: object, y: object, sample_weight: object) -> Texts:
        owner = type(self).__name__
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                rule = "left out: what comes next is in the text itself"
                raise InputError(message(owner, name, rule, type(given).__name__))
        documents, several = as_documents(X, owner)
        return Texts(documents, separate=several)

    def _split(
        self, examples: Examples, validation: object, settings: Settings
    ) -> tuple[Examples, Examples | None]:
        """Hold out the last documents, or the last part of the only one."""
        if validation is None:
            return examples, None
        if isinstance(validation, tuple) and len(validation) == 2 and validation[1] is None:
            validation = validation[0]
        if not isinstance(validation, int | float):
            return examples, self._examples(validation, None, None)
        assert isinstance(examples, Texts)
        share = checked_share(validation, settings.owner)
        whole = examples.separate
        before, after = split_documents(list(examples.inputs), share, whole=whole)
        if not before or not after:
            rule = "enough text for training and for validation"
            got = f"{len(examples)} document(s) and validation={share:g}"
            remedy = "Give more text, or hold none out (validation: none)"
            raise InputError(message(settings.owner, "X", rule, got, remedy))
        return replace(examples, inputs=before), replace(examples, inputs=after)

    def _learn(self, examples: Examples) -> None:
        assert isinstance(examples, Texts)
        settings = self.settings_
        self.documents_ = examples.separate
        self.encoder_ = LanguageEncoder(
            level=settings.level,  # type: ignore[arg-type]  # the option's choices
            lowercase=settings.lowercase,
            clean=settings.clean,
            min_frequency=settings.min_frequency,
            max_vocabulary=settings.max_vocabulary,
        ).fit(examples.inputs)
        if settings.level == "word":
            tell_lone_letters(self.encoder_.vocabulary[len(SPECIAL) :])

    def _loader(self, examples: Examples, *, training: bool) -> Rows[Streams]:
        streams = self._streams(examples, self.settings_.batch_size if training else _STREAMS)
        ids = streams.encoded.corpus.ids
        if training and ids.min() == ids.max():
            symbol = self.encoder_.vocabulary[int(ids[0])]
            rule = "a text with at least two different symbols"
            raise _refuse(examples, rule, f"{len(ids):,} times {symbol!r}")
        return streams

    def _examined(self, examples: Examples, most: int) -> tuple[Examples, Rows[TextPieces]]:
        """Cut pieces evenly out of the text."""
        assert isinstance(examples, Texts)
        corpus = self._corpus(examples)
        pieces = TextPieces(corpus, steps=self.settings_.bptt, most=most)
        order = Buckets(pieces.lengths, _ROWS_AT_ONCE, seed=0)
        return replace(examples, corpus=corpus), Rows(pieces, order)

    def _told(self, case: Case, examples: Examples | None) -> Case:
        case = replace(case, vocabulary=self.encoder_.size - len(SPECIAL))
        corpus = examples.corpus if isinstance(examples, Texts) else None
        if corpus is None:
            return case
        lengths = torch.tensor([len(corpus)])
        sample = TextSample(lengths=lengths, max_length=None, unknown=corpus.unknown)
        # The network says what each symbol cost, not what it would have answered at each step.
        return replace(case, reading=sample, stepwise=False)

    def _build(self) -> LanguageNetwork:
        return build_language_network(self.settings_, self.encoder_.size)

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        assert isinstance(network, LanguageNetwork)
        assert isinstance(loader, Rows)
        check_memory(network, loader.encoded, self.settings_)

    def _state(self) -> dict[str, object]:
        return super()._state() | {"documents": self.documents_}

    def _restore(self, state: Mapping[str, object], files: Mapping[str, object]) -> None:
        super()._restore(state, files)
        self.documents_ = state["documents"] is True

    # How text is read.

    def _corpus(self, examples: Examples) -> Corpus:
        corpus = self.encoder_.encode(examples.inputs, separate=self.documents_)
        if len(corpus) < 2:
            got = "none" if len(corpus) == 0 else "only one"
            raise _refuse(examples, "a text with at least two symbols", got)
        return corpus

    def _streams(self, examples: Examples, count: int) -> Rows[Streams]:
        corpus = self._corpus(examples)
        _warn_of_unknown(corpus.unknown, len(corpus))
        settings = self.settings_
        streams = Streams(corpus, count=count, steps=settings.bptt)
        pieces = StreamPieces(streams, vary=settings.vary_bptt, seed=settings.random_state)
        return Rows(streams, pieces)

    def _prompt(self, text: str) -> list[int]:
        """The ids of a text that something comes after."""
        ids = ([END] if self.documents_ else []) + self.encoder_.ids(text)
        if not ids:
            rule = "texts with at least one symbol"
            raise InputError(message(type(self).__name__, "X", rule, repr(text)))
        return ids

    @torch.no_grad()
    def _last_scores(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """The logarithms of the probabilities of what comes after each row, `[rows, V]`."""
        network, device = self.network_, next(self.network_.parameters()).device
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
        state: State | None = None
        last: list[tuple[int, Tensor]] = []
        for first in range(0, ids.shape[1], _STEPS_AT_ONCE):
            piece = ids[:, first : first + _STEPS_AT_ONCE].to(device)
            steps = (lengths - first).clamp(0, piece.shape[1])
            features, state = network.read(piece, state, lengths=steps.to(device))
            ends = (lengths > first) & (lengths <= first + piece.shape[1])
            for row in ends.nonzero().flatten().tolist():
                last.append((row, features[row, int(steps[row]) - 1]))
        features = torch.stack([vector for _, vector in sorted(last, key=lambda item: item[0])])
        return network.head.answer(features)


def _warn_of_unknown(unknown: Counter[str], total: int) -> None:
    if not unknown:
        return
    what = f"symbols are not in the vocabulary and are read as <unk>{_most_common([unknown])}."
    warnings.warn(DataWarning(what, unknown.total(), total), stacklevel=5)


def _most_common(unknown: Sequence[Counter[str]]) -> str:
    """Name the symbols that occur most often."""
    counts = sum(unknown, Counter[str]())
    return "; the most frequent: " + ", ".join(repr(symbol) for symbol, _ in counts.most_common(5))


def _refuse(examples: Examples, rule: str, got: str) -> InputError:
    """Complain about a text, naming its file if it is in one."""
    names = {document.name for document in examples.inputs} or {"X"}
    (name,) = names if len(names) == 1 else (f"{len(names)} files",)
    if any(document.first or document.last is not None for document in examples.inputs):
        got += ", once a part of the text is held out for validation"
    owner, argument = ("LanguageModel", "X") if name == "X" else (name, "text")
    return InputError(message(owner, argument, rule, got))
