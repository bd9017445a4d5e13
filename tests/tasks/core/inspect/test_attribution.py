"""What a task answers about its answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tasks.texts import small, texts
from tidegate.errors import InputError

TEXTS, LABELS = texts(60)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return small(ngrams=2, wide=1.0, max_length=11).fit(TEXTS, LABELS, validation=None)


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


def test_pictures_name_the_class(model):
    text = "the tide was wild"
    assert "storm" in model.attribute([text], target="storm").plot().texts[0].get_text()
    figure = model.what_if(text, steps={3: "low"}).plot()
    assert sorted(label.get_text() for label in figure.axes[0].get_yticklabels()) == [
        "calm", "storm",
    ]  # fmt: skip
