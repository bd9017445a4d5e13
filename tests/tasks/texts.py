"""Small labelled texts and a small classifier for them."""

from __future__ import annotations

import random
from typing import Any

from tidegate.tasks.text.classifier import TextClassifier

WORDS = {
    "calm": ["low", "slow", "still", "soft", "mild", "quiet", "gentle", "even"],
    "storm": ["high", "fast", "wild", "loud", "fierce", "rough", "strong", "sudden"],
    "fog": ["grey", "dim", "pale", "blind", "thick", "white", "damp", "blurred"],
}
SHARED = ["the", "tide", "and", "a", "gate", "in", "water", "comes", "it", "was", "not", "very"]


def texts(count: int, labels: tuple[str, ...] = ("calm", "storm"), seed: int = 0):
    """Texts whose label is decided by a few of their words; the longest have 12 words."""
    rng = random.Random(seed)
    found = []
    for row in range(count):
        label = labels[row % len(labels)]
        words = rng.choices(SHARED, k=rng.randint(1, 9)) + rng.choices(WORDS[label], k=3)
        rng.shuffle(words)
        found.append((" ".join(words), label))
    rng.shuffle(found)
    return [text for text, _ in found], [label for _, label in found]


def small(**settings: Any) -> TextClassifier:
    """A classifier that learns such texts in about a second."""
    defaults = {
        "hidden_size": 8, "embedding_size": 8, "epochs": 3, "batch_size": 16,
        "learning_rate": 0.02, "dropout": 0.1, "word_dropout": 0.1, "embedding_dropout": 0.1,
        "ngrams": 1, "wide": 0.0,
        "verbose": False,
    }  # fmt: skip
    return TextClassifier(**(defaults | settings))
