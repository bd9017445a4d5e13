"""A text classifier that begins as a language model."""

from __future__ import annotations

import pytest
import torch

import tidegate
from tidegate.errors import InputError
from tidegate.tasks.text.pretrained import FineTuned

PLACES = ("today", "here", "now", "there", "again", "at noon")
TEXTS = [
    f"{how} {what} {place}"
    for place in PLACES
    for how in ("good", "bad")
    for what in ("tide", "gate")
]
LABELS = ["yes", "yes", "no", "no"] * len(PLACES)
HELD = (TEXTS[:8], LABELS[:8])
LANGUAGE = {"hidden_size": 6, "epochs": 1, "batch_size": 2, "bptt": 8, "verbose": False}


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """Save a language model, by its settings; a folder each."""
    made = {}

    def make(**settings):
        name = repr(settings)
        if name not in made:
            made[name] = tmp_path_factory.mktemp("language") / "model"
            tidegate.LanguageModel(**LANGUAGE, **settings).fit(TEXTS * 4).save(made[name])
        return str(made[name])

    return make


def classifier(path, **settings):
    return tidegate.TextClassifier(pretrained=path, epochs=1, verbose=False, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"level": "word", "num_layers": 1},
        {"level": "word", "cell": "gru", "num_layers": 2, "lowercase": True},
        {"level": "char", "num_layers": 2},
        {"level": "bpe", "num_layers": 1, "max_vocabulary": 300},
        {
            "level": "word",
            "num_layers": 1,
            "softmax": "adaptive",
            "layer_options": {"peephole": True},
        },
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_it_starts_with_the_weights_and_the_symbols(language, settings):
    path = language(**settings)
    base = tidegate.load(path)
    # In the first epoch the head alone learns, so what came from the language model is still there.
    model = classifier(path).fit(TEXTS, LABELS, validation=None)
    stack = base.network_.stacks[0].state_dict()
    for name, weight in model.network_.recurrent.state_dict().items():
        torch.testing.assert_close(weight, stack[name], rtol=0, atol=0)
    vectors = model.network_.embedding.words.weight
    torch.testing.assert_close(vectors[1:], base.network_.embedding.weight[1:], rtol=0, atol=0)
    assert not vectors[0].any()
    assert model.encoder_.vocabulary[2:] == base.encoder_.vocabulary[2:]
    words = TEXTS[0]
    assert list(model.encoder_.encode([words]).ids[:, 0]) == base.encoder_.ids(words)


def test_layers_thaw_from_the_top_down_and_learn_more_slowly(language):
    path = language(level="word", num_layers=2)
    model = classifier(path, layer_decay=2.0, unfreeze=1)
    model.set_params(epochs=2).fit(TEXTS, LABELS, validation=None)
    base = tidegate.load(path).network_
    assert isinstance(model.network_, FineTuned)
    now, then = model.network_.recurrent.state_dict(), base.stacks[0].state_dict()
    changed = {name for name in then if not torch.equal(now[name], then[name])}
    assert changed == {name for name in then if name.endswith("_l1")}
    rates = {
        name: group["lr"]
        for group in model.network_.groups(0.8, 0.0)
        for name, part in model.network_.named_parameters()
        if any(part is other for other in group["params"])
    }
    assert rates["head.linear.weight"] == 0.8
    assert rates["recurrent.weight_hh_l1"] == pytest.approx(0.4)
    assert rates["recurrent.weight_hh_l0"] == pytest.approx(0.2)
    assert rates["embedding.words.weight"] == pytest.approx(0.1)


def test_all_layers_learn_from_the_start_if_so_asked(language):
    path = language(level="word", num_layers=1)
    model = classifier(path, unfreeze=0).fit(TEXTS, LABELS, validation=None)
    then = tidegate.load(path).network_.stacks[0].state_dict()
    now = model.network_.recurrent.state_dict()
    assert not any(torch.equal(now[name], then[name]) for name in then)


def test_a_resumed_fit_thaws_where_the_whole_one_does(language, tmp_path):
    path = language(level="word", num_layers=1)
    whole = classifier(path).set_params(epochs=3).fit(TEXTS, LABELS, validation=HELD)
    stopped = classifier(path).set_params(epochs=3)
    stopped.fit(
        TEXTS, LABELS, validation=HELD, checkpoint=tmp_path, callbacks=[lambda e: e.epoch == 1]
    )
    resumed = classifier(path).set_params(epochs=3)
    resumed.fit(TEXTS, LABELS, validation=HELD, checkpoint=tmp_path, resume=True)
    for name, weight in whole.network_.state_dict().items():
        torch.testing.assert_close(resumed.network_.state_dict()[name], weight, rtol=0, atol=0)


def test_it_is_saved_whole_and_needs_the_language_model_no_more(language, tmp_path):
    model = classifier(language(level="word", num_layers=1)).fit(TEXTS, LABELS, validation=None)
    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model").set_params(pretrained=None)
    assert (again.predict_proba(TEXTS) == model.predict_proba(TEXTS)).all()


@pytest.mark.parametrize(
    ("language_settings", "settings", "told"),
    [
        ({"level": "space", "num_layers": 1}, {}, "must be a language model of words"),
        (
            {"level": "word", "num_layers": 2, "embedding_size": 4},
            {},
            "must be a language model whose layers are of one size",
        ),
        ({"level": "word", "num_layers": 1}, {"hidden_size": 7}, "`hidden_size` must be left out"),
        ({"level": "word", "num_layers": 1}, {"vectors": "v.txt"}, "`vectors` must be left out"),
    ],
)
def test_what_does_not_fit_is_refused(language, language_settings, settings, told):
    with pytest.raises(InputError, match=told):
        classifier(language(**language_settings), **settings).fit(TEXTS, LABELS, validation=None)


def test_another_kind_of_model_is_refused(tmp_path):
    other = tidegate.TextClassifier(epochs=1, hidden_size=3, verbose=False).fit(
        TEXTS, LABELS, validation=None
    )
    other.save(tmp_path / "model")
    with pytest.raises(InputError, match="must be the folder of a saved language model"):
        classifier(str(tmp_path / "model")).fit(TEXTS, LABELS, validation=None)
