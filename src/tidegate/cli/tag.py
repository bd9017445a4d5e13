"""`tidegate predict` with a tagger: CoNLL columns, JSON lines, a table, or text with spans."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from rich.text import Text

from tidegate.cli import console
from tidegate.cli.tables import fitted_columns
from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    import pandas as pd

    from tidegate.tasks.core.task import Task
    from tidegate.tasks.tagging.sentence import TaggedSentence
    from tidegate.tasks.tagging.tagger import Tagger

FORMATS = ("text", "conll", "jsonl", "csv", "tsv")
# The format of an output file by its suffix; parquet has no text to print.
_SUFFIXES = {".conll": "conll", ".txt": "text", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv"}
_SUFFIXES |= {".parquet": "parquet"}
_COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue", "bright_cyan", "bright_yellow",
            "bright_magenta", "bright_green", "bright_red", "bright_blue")  # fmt: skip
_CHUNK = 1000  # texts that are answered together


@dataclass(frozen=True)
class Tagged:
    """Some sentences, answered.

    Attributes:
        sentences: The answers.
        words: A row a word, as the file had it or with the columns "sentence" and "token".
    """

    sentences: list[TaggedSentence]
    words: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return the words with the columns `prediction` and `confidence`."""
        tags = [tag for sentence in self.sentences for tag in sentence.tags]
        shares = [round(share, 6) for sentence in self.sentences for share in sentence.confidences]
        result: pd.DataFrame = self.words.assign(prediction=tags, confidence=shares)
        return result


def tag_file(
    task: Task, path: Path, columns: Mapping[str, str | None], *, drop_missing: bool
) -> Iterator[Tagged]:
    """Tag a file.

    Args:
        task: A fitted tagger.
        path: A CoNLL file or another table with a row a word; a .txt of which no column is named
            has a text a line.
        columns: Columns by role, None where the user named none.
        drop_missing: Whether to leave out sentences with an empty cell.

    Yields:
        The answers.

    Raises:
        InputError: If something is wrong with the file.
    """
    from tidegate.data import read_table
    from tidegate.data.tags.conll import LINE
    from tidegate.data.tags.table import TOKENS, gather_sentences, words_of

    frame = read_table(path, text=["text", *filter(None, columns.values())])
    if path.name.endswith((".txt", ".txt.gz")) and not any(columns.values()):
        yield from tag_texts(task, [frame["text"].dropna().tolist()])
        return
    # Tags that stand there already are not read, and may be missing.
    named, source = fitted_columns(task, columns) | {"tag": ""}, str(path)
    frame = words_of(frame, source)
    if not columns.get("sentence") and named.get("sentence") not in frame:
        named.pop("sentence", None)  # that of the training: another file may part them otherwise
    options: dict[str, Any] = {"drop_missing": drop_missing, "source": source, "tagged": False}
    gathered, dropped = gather_sentences(frame, named, **options)
    if dropped:
        console.warning(f"{path}: {dropped:,} rows with an empty cell were left out.")
    sentences = _model(task).predict(gathered[TOKENS].tolist())
    words = frame.drop(columns=LINE, errors="ignore")
    if sum(map(len, sentences)) != len(words):  # a row a sentence, or rows that were left out
        words = _own_words(sentences, 0)
    for name in ("prediction", "confidence"):
        if name in words:
            remedy = "Rename that column of the table"
            raise InputError(message("predict", name, "free for the answers", "a column", remedy))
    yield Tagged(sentences, words)


def tag_texts(task: Task, chunks: Iterable[list[str]]) -> Iterator[Tagged]:
    """Tag texts, list by list."""
    done = 0
    for chunk in chunks:
        for start in range(0, len(chunk), _CHUNK):
            sentences = _model(task).predict(chunk[start : start + _CHUNK])
            yield Tagged(sentences, _own_words(sentences, done))
            done += len(sentences)


def is_tagger(task: Task) -> bool:
    """Say whether this is how a task answers."""
    from tidegate.tasks.tagging.tagger import Tagger

    return isinstance(task, Tagger)


def _model(task: Task) -> Tagger:
    return cast("Tagger", task)


def _own_words(sentences: list[TaggedSentence], done: int) -> pd.DataFrame:
    """A row a word, where there is no such table."""
    import pandas as pd

    rows = [(done + n, word) for n, told in enumerate(sentences, 1) for word in told.words]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["sentence", "token"])
    return frame


def show(task: Task, found: Iterable[Tagged], form: str) -> None:
    """Print answers as they come.

    Args:
        task: The tagger; each of its labels has a colour.
        found: The answers.
        form: One of `FORMATS`.

    Raises:
        InputError: If there is no such format.
    """
    if form not in FORMATS:
        rule = f"one of {', '.join(FORMATS)} for a tagger"
        raise InputError(message("predict", "--format", rule, form, suggest(form, FORMATS)))
    labels = _model(task).encoder_.labels
    for number, tagged in enumerate(found):
        if form == "text":
            for sentence in tagged.sentences:
                console.out().print(coloured(sentence, labels), soft_wrap=True)
        else:
            _write(tagged, form, sys.stdout, header=number == 0)
        sys.stdout.flush()


def save(found: Iterable[Tagged], out: Path) -> None:
    """Write answers to a file, as its suffix says; a crash leaves an old one whole.

    Args:
        found: The answers.
        out: A .conll, .txt, .jsonl, .csv or .tsv, perhaps .gz, or a .parquet.

    Raises:
        InputError: If it cannot be written.
    """
    from tidegate.data import write_table
    from tidegate.files import replacing

    form = form_of(out)
    if form in {"csv", "tsv", "parquet"}:
        write_table((tagged.table() for tagged in found), out)
        return
    text = io.StringIO()
    for tagged in found:
        _write(tagged, form, text, header=False)
    data = text.getvalue().encode("utf-8")
    try:
        with replacing(out) as temporary:
            packed = out.name.lower().endswith(".gz")
            temporary.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    except (OSError, zlib.error) as error:
        raise InputError(message(str(out), "path", "writable", error)) from error


def form_of(out: Path) -> str:
    """Say in which format a file is written.

    Raises:
        InputError: If its suffix is unknown.

    Example:
        >>> form_of(Path("answers.conll.gz"))
        'conll'
    """
    from tidegate.data.tables.formats import table_suffix

    return _SUFFIXES[table_suffix(out, tuple(_SUFFIXES))]


def _write(tagged: Tagged, form: str, handle: TextIO, *, header: bool) -> None:
    if form == "text":
        for sentence in tagged.sentences:
            labels = [span.label for span in sentence.spans]  # a file keeps no colours
            handle.write(f"{coloured(sentence, labels).plain}\n")
    elif form == "jsonl":
        for sentence in tagged.sentences:
            handle.write(json.dumps(sentence.to_json(), ensure_ascii=False) + "\n")
    elif form == "conll":
        _write_conll(tagged, handle)
    else:
        mark = "\t" if form == "tsv" else ","
        tagged.table().to_csv(handle, sep=mark, index=False, header=header, lineterminator="\n")


def _write_conll(tagged: Tagged, handle: TextIO) -> None:
    """A word a line, with the columns it had, and the tag as its last one."""
    from tidegate.data.tags.conll import CONLLU, SENTENCE, write_conll

    kept = tagged.words.drop(columns=SENTENCE, errors="ignore").astype(str)
    rows = iter(kept.itertuples(index=False, name=None))
    told = ([(*next(rows), tag) for tag in sentence.tags] for sentence in tagged.sentences)
    write_conll(told, handle, tabs=tuple(kept) == CONLLU)


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


def show_texts(task: Task, texts: Sequence[str]) -> None:
    """Tag texts and print them, coloured."""
    show(task, tag_texts(task, [list(texts)]), "text")
