"""The linear model of words and n-grams answers as scikit-learn's own chain does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from tidegate.data.text.encoder import TextEncoder
from tidegate.nn.blocks import tfidf_line
from tidegate.nn.blocks.tfidf_line import TfidfLine

WORDS = "tide gate moon salt rope keel"


def drawn(rows: int, classes: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts of any length, none at all included, in which each class likes one word."""
    rng = np.random.default_rng(seed)
    targets = np.arange(rows) % classes
    words = np.array(WORDS.split())
    texts = [
        " ".join([*rng.choice(words, rng.integers(0, 7)), *[words[target]] * rng.integers(0, 3)])
        for target in targets
    ]
    return texts, targets


def solved(texts, targets, classes, counts=None, ngrams=2):
    encoder = TextEncoder(ngrams=ngrams).fit(texts)
    encoded = encoder.encode(texts)
    line = TfidfLine(encoder.size, encoder.ngram_size, classes)
    line.solve(encoded.ids, encoded.offsets, targets, counts)
    return line, encoded.batch(np.arange(len(texts))).values


@pytest.mark.parametrize("classes", [2, 3])
def test_it_scores_as_scikit_learn_does(monkeypatch, classes):
    monkeypatch.setattr(tfidf_line, "_STRENGTHS", (10.0,))
    texts, targets = drawn(37, classes, seed=classes)
    line, ids = solved(texts, targets, classes, ngrams=1)
    # Every word twice at least in some text, or scikit-learn's vocabulary would be another.
    table = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+").fit(texts)
    peer = LogisticRegression(C=10.0, max_iter=200).fit(table.transform(texts), targets)
    told = peer.predict_log_proba(table.transform(texts))
    found = line(ids).log_softmax(1).numpy()
    np.testing.assert_allclose(found, told, atol=2e-3)


def test_what_the_steps_give_adds_up_to_the_scores():
    texts, targets = drawn(25, 3, seed=5)
    line, ids = solved(texts, targets, 3, ngrams=3)
    total = line.contributions(ids).sum(1) + line.bias
    torch.testing.assert_close(total, line(ids))


def test_padding_changes_nothing_and_a_row_without_words_has_the_bias():
    texts, targets = drawn(25, 2, seed=6)
    line, ids = solved(texts, targets, 2)
    longer = torch.nn.functional.pad(ids, (0, 0, 0, 3))
    torch.testing.assert_close(line(longer), line(ids))
    torch.testing.assert_close(line(ids[:2] * 0), line.bias.expand(2, -1))
    assert line(ids[:3, :0]).shape == (3, 2)


def test_rows_that_do_not_count_are_not_learned_from():
    texts, targets = drawn(24, 2, seed=7)
    counts = np.ones(len(texts))
    counts[targets == 1] = 1e-9
    line, ids = solved(texts, targets, 2, counts)
    assert (line(ids).argmax(1) == 0).all()


def test_a_class_without_rows_is_not_answered_and_one_class_alone_says_nothing():
    texts, targets = drawn(24, 2, seed=8)
    line, ids = solved(texts, 2 * targets, 3)
    assert (line(ids).argmax(1) != 1).all()
    line, ids = solved(texts, 0 * targets, 2)
    assert not line(ids).any()
