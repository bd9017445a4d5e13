"""TaggedAnswer: sentences with their tags: CoNLL columns, JSON lines, a table, coloured text."""

from __future__ import annotations

import gzip
import io
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pandas as pd
from rich.console import Console
from rich.text import Text

from tidegate.data.tables.formats import table_suffix
from tidegate.data.tables.reader import read_table
from tidegate.data.tables.writer import table_text, write_table
from tidegate.data.tags.conll import (
    CONLLU,
    LINE,
    SENTENCE,
    is_conllu,
    looks_like_conll,
    write_conll,
)
from tidegate.data.tags.conllu import USUAL, filled, made, tag_column
from tidegate.data.tags.table import PLACES, TOKENS, gather_sentences, words_of
from tidegate.errors import InputError, message
from tidegate.files import json_text, replacing
from tidegate.tasks.core.examples import names_are_texts
from tidegate.tasks.core.files.answer import Answer, Question, beside
from tidegate.tasks.core.files.reading import Reads, fitted_columns, warn_of_dropped
from tidegate.tasks.core.raw import Raw
from tidegate.tasks.tagging.sentence import TaggedSentence
from tidegate.terminal import Screen, one_line

# The format of an output file by its suffix; parquet has no text to print.
_SUFFIXES = {
    ".conll": "conll",
    ".conllu": "conllu",
    ".txt": "text",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}
_SUFFIXES |= {".parquet": "parquet"}
_COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue", "bright_cyan", "bright_yellow",
            "bright_magenta", "bright_green", "bright_red", "bright_blue")  # fmt: skip
_CHUNK = 1000  # texts that are answered together

Tag = Callable[[list[Raw]], list[TaggedSentence]]


@dataclass(frozen=True)
class Tagged:
    """Some sentences, answered.

    Attributes:
        sentences: The answers.
        words: A row a word, as the file had it or with the columns "sentence" and "token".
        source: The file of CoNLL-U that they are from, or None.
        lines: The line of each word of each sentence in that file, from 1.
    """

    sentences: list[TaggedSentence]
    words: pd.DataFrame
    source: Path | None = None
    lines: Sequence[Sequence[int]] = ()

    def table(self) -> pd.DataFrame:
        """Return the words with the columns `prediction` and `confidence`."""
        tags = [tag for sentence in self.sentences for tag in sentence.tags]
        shares = [round(share, 6) for sentence in self.sentences for share in sentence.confidences]
        result: pd.DataFrame = self.words.assign(prediction=tags, confidence=shares)
        return result


class TaggedAnswer(Answer):
    """Sentences with their tags.

    Args:
        found: The sentences, some at a time.
        labels: All that spans can be; each has a colour.
        form: See `Answer`.
        column: The column of CoNLL-U into which tags are written.
    """

    formats = ("text", "conll", "conllu", "jsonl", "csv", "tsv")
    suffixes = tuple(_SUFFIXES)

    def __init__(
        self, found: Iterator[Tagged], labels: Sequence[str], form: str, column: str = USUAL
    ) -> None:
        super().__init__(form)
        self._found, self._labels, self._column = found, labels, column

    def show(self, form: str, to: Console) -> None:
        """Print sentences as they are tagged."""
        for number, tagged in enumerate(self._counted()):
            if form == "text":
                for sentence in tagged.sentences:
                    to.print(coloured(sentence, self._labels), soft_wrap=True)
            else:
                screen = cast(IO[str], Screen(to.file))
                _write(tagged, form, screen, header=number == 0, column=self._column)
            to.file.flush()

    def save(self, path: Path) -> None:
        """Write a .conll, .conllu, .txt, .jsonl, .csv or .tsv, perhaps .gz, or a .parquet."""
        form = _SUFFIXES[table_suffix(path, self.suffixes)]
        if form in {"csv", "tsv", "parquet"}:
            write_table((tagged.table() for tagged in self._counted()), path)
            return
        text = io.StringIO()
        for tagged in self._counted():
            _write(tagged, form, text, header=False, column=self._column)
        data = text.getvalue().encode("utf-8")
        try:
            with replacing(path) as temporary:
                packed = path.name.lower().endswith(".gz")
                temporary.write_bytes(gzip.compress(data, mtime=0) if packed else data)
        except (OSError, zlib.error) as error:
            raise InputError(message(str(path), "path", "writable", error)) from error

    def _counted(self) -> Iterator[Tagged]:
        for tagged in self._found:
            self.rows += len(tagged.sentences)
            yield tagged


def tagged_answer(task: Reads, question: Question, tag: Tag, labels: Sequence[str]) -> TaggedAnswer:
    """Answer a file, or texts as they come.

    Args:
        task: The tagger.
        question: What is asked; of a file that is a .txt of which no column is named, each line
            is a text.
        tag: Tags sentences.
        labels: All that spans can be.

    Returns:
        The answer, which is made while it is shown or saved.

    Raises:
        InputError: If something is wrong with the file, or there is nothing to tag.
    """
    column = tag_column(task.columns_.get("tag"))
    if question.path is not None:
        files = (_tag_file(task, path, question, tag) for path in question.paths)
        return TaggedAnswer(itertools.chain.from_iterable(files), labels, "conll", column)
    if question.texts is None:
        raise question.refused("a CoNLL file, a table, texts or -")
    form = "conll" if question.live else "text"
    return TaggedAnswer(_tag_texts(tag, question.texts), labels, form, column)


def _tag_file(task: Reads, path: Path, question: Question, tag: Tag) -> Iterator[Tagged]:
    columns = question.columns
    frame = read_table(path, text=["text", *filter(None, columns.values())])
    plain = path.name.lower().endswith((".txt", ".txt.gz")) and not any(columns.values())
    if plain and not looks_like_conll(frame["text"].fillna("").tolist()):
        yield from _tag_texts(tag, [frame["text"].dropna().tolist()])
        return
    # Tags that stand there already are not read, and may be missing.
    named, source = fitted_columns(task, columns) | {"tag": ""}, str(path)
    frame = words_of(frame, source)
    if not columns.get("sentence") and named.get("sentence") not in frame:
        named.pop("sentence", None)  # that of the training: another file may part them otherwise
    drop = question.drop_missing
    gathered, dropped = gather_sentences(
        frame, named, drop_missing=drop, source=source, tagged=False
    )
    warn_of_dropped(path, dropped, "cell")
    sentences = tag(gathered[TOKENS].tolist())
    words = frame.drop(columns=LINE, errors="ignore")
    if sum(map(len, sentences)) != len(words):  # a row a sentence, or rows that were left out
        words = _own_words(sentences, 0)
    beside(words, {name: [None] * len(words) for name in ("prediction", "confidence")})
    if is_conllu(path):
        yield Tagged(sentences, words, path, gathered[PLACES].tolist())
    else:
        yield Tagged(sentences, words)


def _tag_texts(tag: Tag, chunks: Iterable[list[str]]) -> Iterator[Tagged]:
    """Tag texts, list by list."""
    done = 0
    for chunk in chunks:
        for start in range(0, len(chunk), _CHUNK):
            with names_are_texts():
                sentences = tag(chunk[start : start + _CHUNK])
            yield Tagged(sentences, _own_words(sentences, done))
            done += len(sentences)


def _own_words(sentences: list[TaggedSentence], done: int) -> pd.DataFrame:
    """A row a word, where there is no such table."""
    rows = [(done + n, word) for n, told in enumerate(sentences, 1) for word in told.words]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["sentence", "token"])
    return frame


def _write(tagged: Tagged, form: str, handle: IO[str], *, header: bool, column: str) -> None:
    if form == "text":
        for sentence in tagged.sentences:
            labels = [span.label for span in sentence.spans]  # a file keeps no colours
            handle.write(f"{one_line(coloured(sentence, labels).plain)}\n")
    elif form == "jsonl":
        for sentence in tagged.sentences:
            handle.write(json_text(sentence.to_json()) + "\n")
    elif form == "conll":
        _write_conll(tagged, handle)
    elif form == "conllu":
        handle.writelines(_conllu_lines(tagged, column))
    else:
        handle.write(table_text(tagged.table(), f".{form}", header=header))


def _write_conll(tagged: Tagged, handle: IO[str]) -> None:
    """A word a line, with the columns it had, and the tag as its last one."""
    kept = tagged.words.drop(columns=SENTENCE, errors="ignore").fillna("").astype(str)
    words = [word for sentence in tagged.sentences for word in sentence.words]
    for name in kept:
        if kept[name].tolist() != words:  # what it holds besides is no answer: spaces do
            kept[name] = kept[name].str.replace(r"[\t\r\n]+", " ", regex=True)
    rows = iter(kept.itertuples(index=False, name=None))
    told = ([(*next(rows), tag) for tag in sentence.tags] for sentence in tagged.sentences)
    write_conll(told, handle, tabs=tuple(kept) == CONLLU)


def _conllu_lines(tagged: Tagged, column: str) -> list[str]:
    """The lines of the file with its tags, or of a new one."""
    if tagged.source is None:
        return [*made(((told.words, told.tags) for told in tagged.sentences), column)]
    pairs = zip(tagged.lines, tagged.sentences, strict=True)
    tags = {line: tag for lines, told in pairs for line, tag in zip(lines, told.tags, strict=True)}
    return [*filled(tagged.source, tags, column)]


def coloured(sentence: TaggedSentence, labels: Sequence[str]) -> Text:
    """Write a sentence with each span in the colour of its label, which follows it.

    Args:
        sentence: The answer.
        labels: All that spans can be.

    Returns:
        The text as the terminal shows it; without colours the labels still tell.

    Example:
        >>> from tidegate.tasks.tagging.sentence import TaggedSentence, TaggedSpan
        >>> span = TaggedSpan(0, 3, "PER", "Ann", 0.98)
        >>> coloured(TaggedSentence("Ann rows", ("Ann", "rows"), (), (), (span,)), ["PER"]).plain
        'Ann[PER] rows'
    """
    text, done = Text(), 0
    for span in sentence.spans:
        text.append(sentence.text[done : span.start])
        colour = _COLOURS[labels.index(span.label) % len(_COLOURS)]
        text.append(span.text, style=f"bold {colour}")
        text.append(f"[{span.label}]", style=f"dim {colour}")
        done = span.end
    return text.append(sentence.text[done:])
