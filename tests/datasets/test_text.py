"""The texts that ship: what is published about them, and that they are as they were packed."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources

import pytest

from tidegate.datasets import load_tiny_shakespeare, load_ud_english_ewt

FOLDER = resources.files("tidegate.datasets") / "data"
# Nivre et al. 2016: the universal parts of speech.
UPOS = set("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split())


def test_shakespeare_has_the_characters_that_everybody_counts():
    text = load_tiny_shakespeare()
    assert (len(text), len(set(text))) == (1_115_394, 65)
    assert text.isascii()
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:")
    assert hashlib.sha256(text.encode()).hexdigest() == DIGESTS["tiny_shakespeare.txt.gz"]


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_the_sentences_are_unchanged_since_they_were_packed(split):
    name = f"ud_english_ewt.{split}.conllu.gz"
    data = gzip.decompress((FOLDER / name).read_bytes())
    assert hashlib.sha256(data).hexdigest() == DIGESTS[name]


def test_words_have_one_of_the_17_tags_and_a_sentence_one_split():
    words = load_ud_english_ewt()
    assert list(words) == ["sentence", "token", "upos", "xpos", "split"]
    assert set(words["upos"]) == UPOS
    counts = words.groupby("split")["sentence"].nunique().to_dict()
    assert counts == {"train": 2000, "dev": 500, "test": 500}
    assert (words.groupby("sentence")["split"].nunique() == 1).all()
    assert words["sentence"].unique().tolist() == list(range(3000))
    assert (words["token"].str.len() > 0).all()
    assert words["token"].map(lambda token: isinstance(token, str)).all()


def test_words_spell_the_text_of_their_sentence():
    words = load_ud_english_ewt()
    spelled = words.groupby("sentence")["token"].agg("".join)
    texts = [
        line.removeprefix("# text = ")
        for split in ("train", "dev", "test")
        for line in gzip.decompress((FOLDER / f"ud_english_ewt.{split}.conllu.gz").read_bytes())
        .decode()
        .splitlines()
        if line.startswith("# text = ")
    ]
    assert ["".join(text.split()) for text in texts] == ["".join(s.split()) for s in spelled]


def test_licences_name_authors_source_and_terms():
    licence = (FOLDER / "ud_english_ewt.LICENSE.txt").read_text(encoding="utf-8")
    assert all(word in licence for word in ("Silveira", "CC BY-SA 4.0", "changed", "github.com"))
    assert "public domain" in (FOLDER / "tiny_shakespeare.LICENSE.txt").read_text(encoding="utf-8")


DIGESTS = {
    "tiny_shakespeare.txt.gz": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    "ud_english_ewt.train.conllu.gz": (
        "7c4866148f772ea980e833e46ba08905a3e9bb0352737ce9d246dfcb6c59c5c8"
    ),
    "ud_english_ewt.dev.conllu.gz": (
        "f2a1ca3da1f0c21b85adbfc207e12da7984583c149aad3691154cca6884d4ff1"
    ),
    "ud_english_ewt.test.conllu.gz": (
        "436ceaf953e5086362805ebbea0f5dccd6fd1352a79e2b3ee21055ee2f492c81"
    ),
}
