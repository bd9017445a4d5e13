"""Texts that ship: Tiny Shakespeare, and sentences of UD English EWT with their parts of speech."""

from __future__ import annotations

import gzip
from importlib import resources

import pandas as pd

_SPLITS = ("train", "dev", "test")


def load_tiny_shakespeare() -> str:
    """Load Tiny Shakespeare: 1,115,394 characters of his plays, 65 different ones.

    Shakespeare, about 1590-1613, in the selection of Karpathy 2015; public domain. Usual are the
    first 90 % for training and the last 10 % for validation, and then the loss for a character.

    Returns:
        The text: speeches, each below the name of who speaks, with an empty line between them.

    Example:
        >>> load_tiny_shakespeare()[:14]
        'First Citizen:'
    """
    return _read("tiny_shakespeare.txt.gz")


def load_ud_english_ewt() -> pd.DataFrame:
    """Load a sample of UD English EWT: 3,000 sentences of web text, each word with its tags.

    Silveira et al. 2014; CC BY-SA 4.0. 2,000 sentences of its training part, 500 each of its
    development and test parts; scores on them are not those of the whole treebank.

    Returns:
        A table with a line for each word and the columns "sentence" (a number, from 0), "token",
        "upos" (its part of speech, one of 17), "xpos" (the same in the Penn Treebank's finer tags)
        and "split" ("train", "dev" or "test").

    Example:
        >>> words = load_ud_english_ewt()
        >>> words.loc[words["sentence"] == 0, ["token", "upos"]].values.tolist()[:2]
        [['[', 'PUNCT'], ['This', 'DET']]
    """
    lines = []
    sentence = -1
    for split in _SPLITS:
        for line in _read(f"ud_english_ewt.{split}.conllu.gz").splitlines():
            if line.startswith("# sent_id"):
                sentence += 1
            number, *fields = line.split("\t")
            if number.isdigit():  # "3-4" are two words written as one
                lines.append((sentence, fields[0], fields[2], fields[3], split))
    columns = ["sentence", "token", "upos", "xpos", "split"]
    words: pd.DataFrame = pd.DataFrame(lines, columns=columns)
    return words


def _read(name: str) -> str:
    file = resources.files("tidegate.datasets") / "data" / name
    return gzip.decompress(file.read_bytes()).decode("utf-8")
