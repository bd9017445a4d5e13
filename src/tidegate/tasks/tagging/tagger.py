"""Tagger: a tag for each word of a sentence."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tidegate.data.batching import Buckets
from tidegate.data.rows import Rows
from tidegate.data.tags.encoded import EncodedSentences
from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.schemes import Span, read_spans
from tidegate.data.tags.sentences import Sentence, read_sentence
from tidegate.data.tags.table import TAGS, TOKENS, gather_sentences, located, placed_tags
from tidegate.data.text.vectors import load_vectors
from tidegate.data.text.vocabulary import SPECIAL
from tidegate.errors import InputError, message
from tidegate.explain.doctor.case import Case
from tidegate.heads import TagHead, TagMeter
from tidegate.nn.blocks.characters import Characters
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.core.classifier import shortened
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.examples import DataWarning, Examples, warn_of_names
from tidegate.tasks.core.files.answer import Question
from tidegate.tasks.core.files.columns import check_lengths, checked_weights, listed
from tidegate.tasks.core.raw import Evaluation
from tidegate.tasks.core.settings.settings import build_layer
from tidegate.tasks.core.settings.text import read_vectors_facts
from tidegate.tasks.core.task import Task
from tidegate.tasks.tagging.answer import TaggedAnswer, tagged_answer
from tidegate.tasks.tagging.examined import told_of
from tidegate.tasks.tagging.labels import check_counts, read_labels, warn_of_numbers, written_as
from tidegate.tasks.tagging.labels import repair as repaired
from tidegate.tasks.tagging.network import TaggerNetwork
from tidegate.tasks.tagging.sentence import TaggedSentence, TaggedSpan, tell_cut, tell_empty
from tidegate.tasks.tagging.settings import EVALUATE_OPTIONS, TaggerSettings
from tidegate.training.measure import Loader, answers
from tidegate.training.memory import check_pairs
from tidegate.training.network import Meter, Metrics, Network

# Words of a padded batch, at most, unless one sentence alone has more.
_WORDS = 16_384
# Of each pair of tags: two counts of mistakes, and what the chain makes of a sentence at a step.
_TABLES = 6

# The settings that the encoder takes as they are.
_ENCODER = (
    "scheme", "learned_scheme", "lowercase", "zero_digits", "min_frequency", "max_vocabulary",
    "max_characters", "affixes",
)  # fmt: skip


class Tagger(Task):
    """Labels every word of a sentence: names of people and places, parts of speech.

    It is a scikit-learn estimator. The constructor takes every setting of `TaggerSettings` as a
    keyword argument and only stores it.

    X holds a sentence a row: a list of words, or a text, which is cut into words and punctuation
    marks. y holds the list of its tags.

    Attributes:
        encoder_: The fitted `TagEncoder`.
        embedding_size_: Numbers in the vector of a word.
        vectors_found_: Words of the vocabulary that the pretrained vectors have; None without.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> X = [["Ann", "rows"], ["Bob", "waits", "for", "Ann"]] * 8
        >>> y = [["B-PER", "O"], ["B-PER", "O", "O", "B-PER"]] * 8
        >>> model = Tagger(epochs=40, learning_rate=0.05, hidden_size=8, verbose=False)
        >>> model = model.fit(X, y, validation=None)
        >>> [span.text for span in model.predict(["Ann waits for Bob"])[0].spans]
        ['Ann', 'Bob']
    """

    settings_class = TaggerSettings
    roles: ClassVar[Mapping[str, str]] = {
        "sentence": "Column that says which sentence a word belongs to; CoNLL files need none.",
        "token": "Column of the words, a name or a number, such as form or 0.",
        "tag": "Column of their tags, such as upos, or the last one of a CoNLL file.",
    }
    input_role = "token"
    target_role = "tag"
    data_help = "Sentences to learn from: .conll, .conllu, or a table with a row a word."
    data_example = "DATA.conll"
    answers = "step"
    answer_class = TaggedAnswer
    evaluate_options = EVALUATE_OPTIONS
    optional_roles: ClassVar[tuple[str, ...]] = ("sentence",)
    whole_tables = True
    encoders: ClassVar[Encoders] = {"encoder_": TagEncoder}

    settings_: TaggerSettings
    encoder_: TagEncoder
    embedding_size_: int
    vectors_found_: int | None

    # Answers.

    def predict(self, X: object) -> list[TaggedSentence]:
        """Tag sentences.

        Args:
            X: Lists of words, or texts.

        Returns:
            Words, tags, and spans with their characters and confidence, of each.

        Raises:
            InputError: If a sentence is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        examples = self._examples(X, None, None)
        found: dict[int, TaggedSentence] = {}
        loader = self._loader(examples, training=False)
        for rows, batch, scores in answers(self.network_, loader, shown=self.settings_.verbose):
            told = self._tagged([examples.inputs[row] for row in rows], scores, batch.lengths)
            found |= zip(rows.tolist(), told, strict=True)
        return [found[row] for row in range(len(examples))]

    def evaluate(
        self,
        X: object,
        y: object = None,
        *,
        sample_weight: object = None,
        report: bool = False,
        repair: bool = False,
    ) -> Evaluation:
        """Measure the loss, and F1 of spans or the accuracy of tags; see `Task.evaluate`.

        Args:
            X: Lists of words, or texts.
            y: The tags of each.
            sample_weight: How much each sentence counts, `[rows]`; default 1.
            report: Whether to add the scores by label.
            repair: Whether to read a tag that cannot stand where it does, I-PER after O say, as
                conlleval does, as the beginning of a span; how many were is warned of.

        Returns:
            `loss` and the scores under their usual names.

        Raises:
            InputError: If the data is wrong, or has no tags.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        if y is None:
            rule, remedy = "given: a tag for each word", "A file needs a column of them: --tag NAME"
            raise InputError(message(type(self).__name__, "y", rule, "no tags", remedy))
        if repair:
            y = repaired(self._tags(y), self.encoder_, getattr(y, "places", None))
        return super().evaluate(X, y, sample_weight=sample_weight, report=report)

    def score(self, X: object, y: object = None, sample_weight: object = None) -> float:
        """Return F1 of whole spans, or the accuracy of tags that are no spans, from 0 to 1."""
        found = self.evaluate(X, y, sample_weight=sample_weight)
        return float(found["f1"] if "f1" in found else found["accuracy"])

    def answer(self, X: object) -> dict[str, Sequence[object]]:
        """Answer rows as the columns `prediction`, the tags, `tokens` and `spans`."""
        told = [sentence.to_json() for sentence in self.predict(X)]
        names = {"prediction": "tags", "tokens": "tokens", "spans": "spans"}
        return {name: [row[key] for row in told] for name, key in names.items()}

    def _tagged(
        self, sentences: Sequence[Sentence], scores: Tensor, lengths: Tensor
    ) -> Iterator[TaggedSentence]:
        """Put words, tags and spans of a batch together."""
        head: TagHead = self.network_.head  # type: ignore[assignment]
        answers = head.answer(scores, lengths)
        tags = [row[:n] for row, n in zip(answers.tolist(), lengths.tolist(), strict=True)]
        # Each word alone, and then the spans: one pass over the chain tells of all.
        found = [[*map(_alone, range(len(row))), *self._spans(row)] for row in tags]
        shares = iter(head.confidences(scores, lengths, answers, found).tolist())
        for sentence, row, spans in zip(sentences, tags, found, strict=True):
            count, places, text = len(row), sentence.places, sentence.text
            sure = tuple(itertools.islice(shares, count))
            told = []
            for first, last, label in spans[count:]:
                start, end = places[first][0], places[last][1]
                told.append(TaggedSpan(start, end, label, text[start:end], next(shares)))
            written = tuple(self.encoder_.written(row))
            yield TaggedSentence(text, sentence.words, written, sure, tuple(told))

    def _spans(self, ids: Sequence[int]) -> list[Span]:
        """The spans of a sentence; where tags are no spans each word is one."""
        tags = [self.encoder_.tags[index] for index in ids]
        if self.encoder_.scheme == "none":
            return [Span(place, place, tag) for place, tag in enumerate(tags)]
        return read_spans(tags)

    def respond(self, question: Question) -> TaggedAnswer:
        """Tag a file, or texts as they come; see `Task.respond`."""
        return tagged_answer(self, question, self.predict, self.encoder_.labels)

    # Tables.

    def located(self, error: InputError, frame: pd.DataFrame) -> str:
        """Say what an error says, and of a wrong tag the line or row of the file."""
        return located(error, frame)

    def inputs(
        self, frame: pd.DataFrame, columns: Mapping[str, str]
    ) -> tuple[list[list[str]], list[list[str]] | None]:
        """Take X and y out of a table that `check_table` made, a sentence a row."""
        return frame[TOKENS].tolist(), placed_tags(frame) if TAGS in frame else None

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read everything: a CoNLL file has columns of other names."""
        return None, ["text", *columns.values()]

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """Make a table with a sentence a row; see `data.sentence_table.gather_sentences`."""
        tagged = not hasattr(self, "network_") or self.warm_start
        return gather_sentences(
            frame,
            columns,
            drop_missing=drop_missing,
            source=source,
            tagged=tagged,
            written=written_as(getattr(self, "encoder_", None), self.scheme),
        )

    def unseen(self, y: object, others: object) -> list[int]:
        """Refuse tags that were never seen in training; the message names the first.

        Raises:
            InputError: If there is one.
        """
        going_on = self.warm_start and hasattr(self, "encoder_")
        try:
            encoder = self.encoder_ if going_on else self._tried(y)
        except InputError:
            return []  # `y` itself is wrong: `fit` says so, and blames no other rows
        encoder.tag_ids(self._tags(others))
        return []

    def _tried(self, y: object) -> TagEncoder:
        """An encoder of these tags alone."""
        tags = self._tags(y)
        return TagEncoder(scheme=self.scheme).fit(tags, tags)

    # What Task asks for.

    def _examples(self, X: object, y: object, sample_weight: object) -> Examples:
        owner = type(self).__name__
        rows = listed(X, owner, "X")
        inputs = [read_sentence(given, row, owner) for row, given in enumerate(rows)]
        warn_of_names(rows)
        weights = None if sample_weight is None else checked_weights(sample_weight, owner)
        if hasattr(self, "network_"):
            tell_cut(inputs, self.encoder_.vocabulary)
        tags = None if y is None else self._tags(y)
        check_lengths(len(inputs), owner, {"y": tags, "sample_weight": weights})
        targets = None
        if tags is not None:
            check_counts([sentence.words for sentence in inputs], tags, owner)
            targets = np.empty(len(tags), dtype=object)
            targets[:] = tags
        return Examples(inputs, targets, weights)

    def _tags(self, y: object) -> list[list[str]]:
        """Check tags: a list of texts a row, or of numbers of names."""
        owner = type(self).__name__
        known = self.settings_.tag_names if hasattr(self, "network_") else self.tag_names
        return read_labels(listed(y, owner, "y"), owner, known)

    def _learn(self, examples: Examples) -> None:
        settings = self.settings_
        if examples.targets is None:
            rule = "given: a list of tags for each sentence"
            raise InputError(message(type(self).__name__, "y", rule, None))
        if not any(sentence.words for sentence in examples.inputs):
            raise InputError(message(type(self).__name__, "X", "sentences with a word", "none"))
        warn_of_numbers(examples.targets.tolist())
        options = {name: getattr(settings, name) for name in _ENCODER}
        words, rows = _words(examples)
        self.encoder_ = TagEncoder(**options).fit(words, examples.targets.tolist(), rows)
        for doubt in self.encoder_.doubts:
            warnings.warn(DataWarning(doubt), stacklevel=4)
        check_pairs(settings.owner, "tags", len(self.encoder_.tags), _TABLES)
        self.embedding_size_, self.vectors_found_ = settings.embedding_size, None
        if settings.vectors is not None:
            found, self.vectors_found_ = load_vectors(settings.vectors, self.encoder_.vocabulary)
            self._vectors = torch.from_numpy(found)
            self.embedding_size_ = found.shape[1]

    def _loader(self, examples: Examples, *, training: bool) -> Rows[EncodedSentences]:
        words, rows = _words(examples)
        tell_empty(words)
        tags = None if examples.targets is None else examples.targets.tolist()
        encoded, settings = self.encoder_.encode(words, tags, rows), self.settings_
        order = Buckets(
            encoded.lengths, settings.batch_size, seed=settings.random_state, steps=_WORDS
        )
        return Rows(encoded, order, weights=examples.weights)

    def _build(self) -> TaggerNetwork:
        settings, encoder = self.settings_, self.encoder_
        embedding = Embedding(
            len(encoder.vocabulary),
            self.embedding_size_,
            ngrams=encoder.affix_size,
            ngram_dropout=settings.affix_dropout,
            word_dropout=settings.word_dropout,
            vectors=self.__dict__.pop("_vectors", None),  # read once, then part of the weights
            freeze=settings.freeze_vectors,
        )
        characters = None
        if settings.character_units:
            characters = Characters(
                len(encoder.characters),
                settings.character_size,
                settings.character_units,
                dropout=settings.character_dropout,
                backend=settings.backend,
            )
        size = embedding.output_size + (characters.output_size if characters else 0)
        layer = build_layer(settings, size)
        head = TagHead(
            layer.output_size,
            encoder.tags,
            spans=encoder.scheme != "none",
            allowed=torch.from_numpy(encoder.allowed),
            crf=settings.crf,
        )
        dropouts = {"dropout": settings.dropout, "rare_words": settings.rare_word_dropout}
        return TaggerNetwork(embedding, characters, layer, head, **dropouts)

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        assert isinstance(network, TaggerNetwork)
        assert isinstance(loader, Rows)
        encoded = loader.encoded
        words = encoded.spelling.words.reshape(len(encoded.spelling.words), -1)[:, 0]
        network.count(torch.from_numpy(words[encoded.forms]))

    def _rank(self, metrics: Metrics) -> tuple[float, ...]:
        return metrics.get("f1", metrics["accuracy"]), -metrics["loss"]

    def _report(self, meter: Meter) -> dict[str, object]:
        """Scores by label of the spans, or by tag where there are none."""
        assert isinstance(meter, TagMeter)
        return {"per_class": meter.by_class()}

    def _told(self, case: Case, examples: Examples | None) -> Case:
        head: TagHead = self.network_.head  # type: ignore[assignment]
        sentences = None if examples is None else examples.inputs
        return told_of(case, self.encoder_, head, sentences)

    def _step_labels(self, examples: Examples) -> list[list[str]]:
        return [list(sentence.words) for sentence in examples.inputs]

    def facts(self) -> dict[str, str]:
        """Return the tags, and the size of the vocabulary and its first words, besides."""
        encoder, words = self.encoder_, self.encoder_.vocabulary[len(SPECIAL) :]
        return super().facts() | {
            "tags": shortened(encoder.tags, 20),
            "scheme": encoder.scheme,
            "vocabulary": f"{len(words):,}: {shortened(words)}",
        }

    def beside(self) -> Evaluation:
        """Return how the tags were read, a sentence."""
        return {"verdict": self.encoder_.reading()}

    def _state(self) -> dict[str, object]:
        facts = {"embedding_size": self.embedding_size_, "vectors_found": self.vectors_found_}
        return super()._state() | facts

    def _restore(self, state: Mapping[str, object], files: Mapping[str, object]) -> None:
        super()._restore(state, files)
        self.embedding_size_, self.vectors_found_ = read_vectors_facts(state)


def _words(examples: Examples) -> tuple[list[tuple[str, ...]], list[int]]:
    """The words of each sentence, and its number among all that were given."""
    return [given.words for given in examples.inputs], [given.row for given in examples.inputs]


def _alone(place: int) -> Span:
    return Span(place, place, "")
