"""Small tagged sentences: names and places, told by their words and by the words before them."""

from __future__ import annotations

import random
from typing import Any

from tidegate.tasks.tagging.tagger import Tagger

FIRST = ["Ann", "Bob", "Eve", "Ida", "Max", "Tom"]
LAST = ["Reed", "Stone", "Field", "Brook"]
TOWNS = ["Delft", "Hull", "Whitby", "Ostend"]
VERBS = ["rows", "waits", "sleeps", "reads"]


def tagged(count: int, seed: int = 0) -> tuple[list[list[str]], list[Any]]:
    """Sentences with one person of one or two words, and half of them with a town."""
    rng = random.Random(seed)
    X, y = [], []
    for _ in range(count):
        words, tags = [rng.choice(FIRST)], ["B-PER"]
        if rng.random() < 0.5:
            words, tags = [*words, rng.choice(LAST)], [*tags, "I-PER"]
        words, tags = [*words, rng.choice(VERBS)], [*tags, "O"]
        if rng.random() < 0.5:
            words, tags = [*words, "in", rng.choice(TOWNS)], [*tags, "O", "B-LOC"]
        X.append([*words, "."])
        y.append([*tags, "O"])
    return X, y


def small(**settings: Any) -> Tagger:
    """A tagger that learns such sentences in about a second."""
    defaults = {
        "hidden_size": 8, "embedding_size": 8, "character_size": 4, "character_units": 4,
        "epochs": 5, "batch_size": 8, "learning_rate": 0.06, "dropout": 0.1,
        "weight_averaging": 0.0, "verbose": False,
    }  # fmt: skip
    return Tagger(**(defaults | settings))
