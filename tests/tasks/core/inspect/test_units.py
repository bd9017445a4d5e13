"""The units of a task: which follow a pattern, and what drives one, in words."""

from __future__ import annotations

import pytest
import torch

from tests.tasks.sequences import walks
from tests.tasks.texts import small, texts
from tidegate import SequenceClassifier
from tidegate.errors import InputError

# Some of the texts are longer than the model reads.
pytestmark = pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")

TEXTS, LABELS = texts(60)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return small(ngrams=2, wide=1.0, max_length=11).fit(TEXTS, LABELS, validation=None)


def test_units_are_searched_by_pattern_function_and_marks(model):
    by_name = model.units(TEXTS, "tide|gate")
    rows = [[token in ("tide", "gate") for token in model.encoder_.tokens(t)] for t in TEXTS]
    by_marks = model.units(TEXTS, rows)
    by_function = model.units(TEXTS, lambda row: [token in ("tide", "gate") for token in row])
    assert torch.equal(by_name.p_value, by_marks.p_value)
    assert torch.equal(by_name.p_value, by_function.p_value)
    assert "tide|gate" in repr(by_name)
    assert set(by_name.to_frame()["row"]) == {"layer 0 forward", "layer 0 backward"}
    with pytest.raises(InputError, match="got never true"):
        model.units(TEXTS, "submarine")
    with pytest.raises(InputError, match="has no update gate"):
        model.units(TEXTS, "tide", signal="update")


def test_contexts_are_in_words(model):
    found = model.contexts(TEXTS, 3, row="layer 0 backward", count=2)
    at = found.highest[0]
    trace = model.trace(TEXTS)
    assert at.value == pytest.approx(trace.hidden[1, ..., 3][trace.mask].max().item())
    assert at.label == model.encoder_.tokens(TEXTS[at.row])[at.step]
    with pytest.raises(InputError, match="`unit` must be from 0 to 7; got 8"):
        model.contexts(TEXTS, 8)


def test_a_pattern_of_words_needs_steps_that_have_words():
    X, y, _ = walks(20)
    walker = SequenceClassifier(epochs=1, hidden_size=2, convolutions=0, verbose=False).fit(X, y)
    marks = [[step % 2 == 0 for step in range(len(row))] for row in X]
    assert len(walker.units(X, marks).to_frame())
    with pytest.raises(InputError, match="truth values, a sequence for each row, for a task whose"):
        walker.units(X, "tide")
