"""What if: other inputs, single steps and states, and the answers to them."""

from __future__ import annotations

import pytest
import torch

from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.explain import StateChange

# Some of the texts are longer than the model reads.
pytestmark = pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")

TEXTS, LABELS = texts(60)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return small(ngrams=2, wide=1.0, max_length=11).fit(TEXTS, LABELS, validation=None)


def tokens(text):
    return tuple(text.split())


def test_another_text_and_another_token_are_answered_as_predicted(model):
    text, other = "the tide was low and still", "the tide was wild and still"
    expected = model.predict_proba([text, other])
    for found in (model.what_if(text, other), model.what_if(text, steps={3: "wild"})):
        assert found.answers.numpy() == pytest.approx(expected, abs=1e-6)
        assert found.names == ("calm", "storm")
        assert found.after.labels == (tokens(other),)
        moved = found.difference("forget").abs()
        assert moved[0, :3].max() < 1e-6 < moved[0, 3].max()  # forward, before the word
        assert moved[1, 4:].max() < 1e-6 < moved[1, :4].max()  # backward, after it
    assert "'low' (step 3) becomes 'wild'" in repr(model.what_if(text, steps={3: "wild"}))


def test_a_state_in_the_middle(model):
    text = "the tide was low and still"
    change = StateChange(2, state="cell", value=5.0)
    found = model.what_if(text, state=change)
    assert found.before.labels == found.after.labels == (tokens(text),)
    assert found.answers[0].numpy() == pytest.approx(model.predict_proba([text])[0], abs=1e-6)
    assert not torch.equal(found.answers[0], found.answers[1])
    both = model.what_if(text, steps={3: "wild"}, state=change)
    assert both.change == f"'low' (step 3) becomes 'wild'; {change}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "`changed` must be given, or `state`"),
        ({"steps": {6: "wild"}}, "`steps` must be from 0 to 5; got 6"),
        ({"steps": {0: "wild sea"}}, "one token each; got 'wild sea', 2 tokens"),
        ({"other": "a", "steps": {0: "b"}}, "`steps` must be left out with `other`"),
        ({"state": StateChange(9)}, "`step` must be from 0 to 5; got 9"),
        ({"other": 3}, "`X` must be made of texts"),
    ],
)
def test_wrong_changes_are_refused(model, arguments, words):
    with pytest.raises(InputError, match=words):
        model.what_if("the tide was low and still", **arguments)
