"""The doctor of a tagger counts its tags word by word, and the words that it does not know."""

from __future__ import annotations

import pytest
import torch

from tests.tasks.sentences import tagged
from tidegate import Tagger

X, Y = tagged(60)


@pytest.fixture(scope="module")
def model():
    return Tagger(hidden_size=4, epochs=1, verbose=False).fit(X, Y)


def test_one_tag_for_all_words_is_found_with_its_share(model):
    with torch.no_grad():
        model.network_.head.linear.bias[model.encoder_.tags.index("O")] += 50
    words = [tag for row in Y for tag in row]
    share = words.count("O") / len(words)
    (found,) = [f for f in model.doctor(X, Y).findings if f.name == "constant predictions"]
    assert found.severity == "serious"
    assert f"of {len(words):,} steps are answered 'O', which is right for {share:.0%}"[:-1] in (
        found.evidence
    )
    assert "class-weight" not in found.remedy


def test_unknown_words_are_counted_and_nothing_is_cut(model):
    other = [[f"{word}x" for word in row] for row in X]
    told = model.doctor(other)
    (found,) = [f for f in told.findings if f.name == "a vocabulary that misses the data"]
    assert found.evidence.startswith(f"100 % of {sum(map(len, other)):,} tokens")
    assert "padding that leaks" in told.passed
    assert told.skipped["truncation"] == "reads to the end, however long"
