"""The tagging demo: parts of speech of web text, from words to coloured sentences."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from tidegate.artifact import check_replaceable
from tidegate.data import gather_sentences, write_table
from tidegate.data.tags.table import TAGS, TOKENS
from tidegate.datasets import load_ud_english_ewt
from tidegate.demo.outcome import FreshInputs, Outcome, check_folder
from tidegate.tasks.tagging.tagger import Tagger

# Written for this demo; none of them is in the data. In the first, "tide" and "tied" and two kinds
# of "rose" sound alike; in the second, most words were made up.
FRESH = (
    "The tide rose and the boats tied to the rose garden's wall rose too.",
    "The gostak distims the doshes, and no dosh was ever so brillingly distimmed.",
    "Can you email me the report asap? I can't open the can of worms again.",
)
_COLUMNS = {"sentence": "sentence", "token": "token", "tag": "upos"}


def tag_speech(out: Path, verbose: bool) -> Outcome:
    """Train, measure, save and use a tagger of parts of speech.

    Args:
        out: The folder to write to: `model/` and `words.csv`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    folder = out / "model"
    check_folder(out)
    check_replaceable(folder)
    began = time.monotonic()
    words = load_ud_english_ewt()
    parts = {name: _sentences(part) for name, part in words.groupby("split", sort=False)}
    model = Tagger(verbose=verbose)
    model.fit(*parts["train"], validation=parts["dev"])
    report = model.evaluate(*parts["test"], report=True)
    model.metrics_["test"] = {n: value for n, value in report.items() if isinstance(value, float)}
    model.columns_ = dict(_COLUMNS)
    model.save(folder)
    write_table(words, out / "words.csv")
    took = f"learned in {time.monotonic() - began:.0f} s"
    return Outcome(
        summary=f"{took} · model and learning_curve.png in {folder}/",
        report=report,
        answers=FreshInputs("Three sentences it has never seen:", model, FRESH),
        commands=(
            ("predict", f"{folder}/", "Time flies like an arrow; fruit flies like a banana."),
            ("predict", f"{folder}/", f"{out / 'words.csv'}", "--out", f"{out / 'tagged.conll'}"),
            ("fit", "tagger", f"{out / 'words.csv'}", "--tag", "xpos", "--split", "split",
             "--out", f"{out / 'xpos'}/"),
        ),
    )  # fmt: skip


def _sentences(words: pd.DataFrame) -> tuple[list[list[str]], list[list[str]]]:
    """The words and the tags of each sentence."""
    found, _ = gather_sentences(words, _COLUMNS, drop_missing=False, source="ud_english_ewt")
    return found[TOKENS].tolist(), found[TAGS].tolist()
