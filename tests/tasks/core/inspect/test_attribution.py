"""What a task answers about its answers, its units and changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.explain import StateChange

TEXTS, LABELS = texts(60)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return small(ngrams=2, wide=1.0, max_length=11).fit(TEXTS, LABELS, validation=None)


def tokens(text):
    return tuple(text.split())


@pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")
@pytest.mark.parametrize("method", ["integrated gradients", "occlusion", "gates"])
def test_attributions_carry_the_tokens_and_explain_what_the_model_answers(model, method):
    found = model.attribute(TEXTS, method=method)
    assert found.labels == tuple(tuple(model.encoder_.tokens(text)) for text in TEXTS)
    assert found.names == ("calm", "storm")
    answers = model.predict(TEXTS)
    assert [found.name(row) for row in range(len(TEXTS))] == answers.tolist()
    alone = model.attribute([TEXTS[7]], method=method)
    torch.testing.assert_close(alone.scores[0], found.scores[7, : len(alone.labels[0])])


def test_a_class_is_explained_by_its_name(model):
    other = model.attribute(TEXTS[:2], target="storm")
    assert other.target.tolist() == [1, 1]
    each = model.attribute(TEXTS[:2], target=["storm", "calm"])
    assert each.target.tolist() == [1, 0]
    torch.testing.assert_close(each.scores[0], other.scores[0])
    assert model.attribute(TEXTS[:2], target=np.array(["calm", "storm"])).target.tolist() == [0, 1]


@pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")
def test_the_words_of_the_classes_move_their_scores(model):
    frame = model.attribute(TEXTS, target="storm").to_frame()
    means = frame.groupby("label")["score"].mean()
    assert means["wild"] > 0 > means["gentle"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": "strom"}, "`target` must be an answer of this model; got 'strom'. Did you"),
        ({"target": 5}, "`target` must be an answer of this model; got '5'"),
        ({"target": ["calm"]}, "one answer, or one for each of 2 rows; got 1 of them"),
        ({"method": "magic"}, "`method` must be one of 'integrated gradients', 'occlusion'"),
    ],
)
def test_wrong_questions_are_refused(model, arguments, words):
    with pytest.raises(InputError, match=words):
        model.attribute(TEXTS[:2], **arguments)


def test_no_rows_are_refused(model):
    with pytest.raises(InputError, match="`X` must be at least one row"):
        model.attribute([])


@pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")
def test_units_are_searched_by_pattern_function_and_marks(model):
    by_name = model.units(TEXTS, "tide|gate")
    rows = [[token in ("tide", "gate") for token in model.encoder_.tokens(t)] for t in TEXTS]
    by_marks = model.units(TEXTS, rows)
    by_function = model.units(TEXTS, lambda row: [token in ("tide", "gate") for token in row])
    assert torch.equal(by_name.p_value, by_marks.p_value)
    assert torch.equal(by_name.p_value, by_function.p_value)
    assert "tide|gate" in repr(by_name)
    assert (
        by_name.to_frame()["row"].unique().tolist() == by_name.to_frame()["row"].unique().tolist()
    )
    assert set(by_name.to_frame()["row"]) == {"layer 0 forward", "layer 0 backward"}
    with pytest.raises(InputError, match="got never true"):
        model.units(TEXTS, "submarine")
    with pytest.raises(InputError, match="has no update gate"):
        model.units(TEXTS, "tide", signal="update")


@pytest.mark.filterwarnings("ignore::tidegate.tasks.core.examples.DataWarning")
def test_contexts_are_in_words(model):
    found = model.contexts(TEXTS, 3, row="layer 0 backward", count=2)
    at = found.highest[0]
    trace = model.trace(TEXTS)
    assert at.value == pytest.approx(trace.hidden[1, ..., 3][trace.mask].max().item())
    assert at.label == model.encoder_.tokens(TEXTS[at.row])[at.step]
    with pytest.raises(InputError, match="`unit` must be from 0 to 7; got 8"):
        model.contexts(TEXTS, 8)


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


def test_pictures_name_the_class(model):
    text = "the tide was wild"
    assert "storm" in model.attribute([text], target="storm").plot().texts[0].get_text()
    figure = model.what_if(text, steps={3: "low"}).plot()
    assert sorted(label.get_text() for label in figure.axes[0].get_yticklabels()) == [
        "calm", "storm",
    ]  # fmt: skip
