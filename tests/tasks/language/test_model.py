"""Language models learn, carry their state, split from the end, and refuse what makes no sense."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

import tidegate
from tidegate import LanguageModel
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning

QUICK = {"hidden_size": 8, "num_layers": 1, "dropout": 0.0, "batch_size": 4, "verbose": False}
TEXT = "the tide comes in, the tide goes out, and the gate turns with the tide. " * 8


def quick(**settings):
    return LanguageModel(**QUICK | settings)


def test_it_learns_what_a_unigram_cannot_know():
    """A text whose next letter is certain after two: far below the entropy of its letters."""
    text = "abacus " * 300
    counts = np.array(list(Counter(text).values())) / len(text)
    entropy = float(-(counts * np.log(counts)).sum())
    model = quick(epochs=12, learning_rate=0.03, bptt=20, hidden_size=16).fit(text)
    found = model.evaluate("abacus " * 20)
    assert found["loss"] < 0.1 < entropy
    assert found["perplexity"] == pytest.approx(math.exp(found["loss"]))
    assert found["bits_per_character"] == pytest.approx(found["loss"] / math.log(2))
    assert model.score("abacus " * 20) == -found["perplexity"]
    assert model.predict(["aba", "abacu", " "]).tolist() == ["c", "s", "a"]


def test_it_remembers_over_the_cuts_because_the_state_is_carried(rng):
    """Which of two letters comes is told once, many pieces earlier."""
    text = "".join(letter * 40 for letter in rng.choice(["a", "b"], 100))
    options = {"epochs": 10, "learning_rate": 0.1, "batch_size": 10}
    model = quick(bptt=5, vary_bptt=False, **options).fit(text)
    # Only at 1 of 40 places is there anything to guess; at 1 of 5 for who forgets at the cuts.
    assert model.evaluate(text)["loss"] < 0.08 < math.log(2) / 5


def test_the_validation_part_is_the_end_of_the_text():
    model = quick(epochs=1).fit("ab" * 500 + "c" * 120, validation=0.1)
    assert "c" in model.encoder_.vocabulary  # some of them are before the cut
    with pytest.warns(DataWarning, match="100 of 100 symbols are not in the vocabulary"):
        other = quick(epochs=1).fit("ab" * 450 + "c" * 100, validation=0.1)
    assert "c" not in other.encoder_.vocabulary


def test_validation_may_be_a_text_a_file_or_nothing(tmp_path):
    path = tmp_path / "valid.txt"
    path.write_text(TEXT[:200])
    given = [quick(epochs=1).fit(TEXT, validation=v) for v in (TEXT[:200], path)]
    for pair in ((TEXT[:200], None), (path, None)):
        given.append(quick(epochs=1).fit(TEXT, validation=pair))
    losses = {model.metrics_["validation"]["loss"] for model in given}
    assert len(losses) == 1
    assert set(quick(epochs=1).fit(TEXT, validation=None).metrics_) == {"train"}


def test_a_file_and_its_text_give_the_same_model(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    first, second = quick(epochs=1).fit(TEXT), quick(epochs=1).fit(path)
    for one, other in zip(first.network_.parameters(), second.network_.parameters(), strict=True):
        assert torch.equal(one, other)


def test_documents_begin_and_end():
    texts = ["ab", "ab", "ab"] * 60
    model = quick(epochs=10, learning_rate=0.05, bptt=9).fit(texts)
    assert model.documents_
    # A document is certain from its beginning to its end, which is predicted too.
    assert model.evaluate(["ab", "ab"])["loss"] < 0.05
    assert model.predict(["", "a", "ab"]).tolist() == ["a", "b", "<eos>"]
    assert not quick(epochs=1).fit("".join(texts)).documents_


@pytest.mark.parametrize("level", ["char", "word", "bpe", "space"])
@pytest.mark.parametrize("softmax", ["full", "adaptive", "mixture"])
def test_every_level_and_head_comes_back_from_disk(tmp_path, level, softmax):
    sizes = {"hidden_size": 32, "num_layers": 2, "embedding_size": 24, "max_vocabulary": 300}
    model = quick(epochs=1, level=level, softmax=softmax, **sizes).fit(TEXT)
    model.save(tmp_path / "m")
    twin = tidegate.load(tmp_path / "m")
    assert twin.evaluate(TEXT) == model.evaluate(TEXT)
    assert ("bits_per_character" in twin.metrics_["train"]) == (level == "char")
    assert twin.facts()["vocabulary"] == model.facts()["vocabulary"]


def test_texts_of_any_length_are_predicted_alike(monkeypatch):
    model = quick(epochs=1).fit(TEXT)
    texts = [TEXT[:n] for n in (1, 7, 8, 9, 15, 16, 33)]
    wanted = model.predict(texts).tolist()
    monkeypatch.setattr("tidegate.tasks.language.model._STEPS_AT_ONCE", 8)
    assert model.predict(texts).tolist() == wanted
    monkeypatch.setattr("tidegate.tasks.language.model._ROWS_AT_ONCE", 2)
    assert model.predict(texts).tolist() == wanted


def test_warm_start_goes_on_with_new_text():
    model = quick(epochs=2).fit(TEXT)
    words = model.encoder_
    model.set_params(warm_start=True).fit(TEXT[:300])
    assert model.encoder_ is words


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "`X` must be a text with at least two symbols; got none|enough text"),
        ([], "enough text for training"),
        ("aaaaaaaaaaaaaaaaaaaaaaa", "at least two different symbols; got 20 times 'a'"),
        (5, "`X` must be a text, a Path, or a list"),
        (["one document alone"], "1 document"),
    ],
)
def test_wrong_texts_are_refused(given, told):
    with pytest.raises(InputError, match=told):
        quick().fit(given)


def test_a_file_that_is_refused_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a" * 50)
    with pytest.raises(InputError, match=r"a.txt: `text` must be a text with at least two diff"):
        quick().fit(path)
    path.write_bytes(b"ab\xffab")
    with pytest.raises(InputError, match=r"byte 0xff at position 2 \(line 1\)"):
        quick().fit(path)


def test_targets_and_weights_are_refused():
    with pytest.raises(InputError, match="what comes next is in the text itself"):
        quick().fit(TEXT, [1, 2])
    with pytest.raises(InputError, match="`sample_weight` must be left out"):
        quick().fit(TEXT, sample_weight=[1.0])


def test_a_text_without_symbols_has_nothing_after_it():
    model = quick(epochs=1).fit(TEXT)
    with pytest.raises(InputError, match="texts with at least one symbol"):
        model.predict([""])
    with pytest.raises(InputError, match="at least two symbols; got only one"):
        model.evaluate("t")


def test_unknown_symbols_are_counted_and_named():
    model = quick(epochs=1).fit(TEXT)
    with pytest.warns(DataWarning, match=r"3 of 6 symbols .* <unk>; the most frequent: '§', 'ß'"):
        model.evaluate("the§§ß")
    with pytest.warns(DataWarning, match=r"1 of 2 texts .* '§'"):
        assert len(model.predict(["the", "t§"])) == 2


def test_a_run_stopped_between_two_pieces_goes_on_with_the_state(tmp_path):
    class StopError(Exception):
        pass

    def stop(event):
        if event.kind == "batch" and (event.epoch, event.step) == (2, 3):
            raise StopError

    settings = {"epochs": 2, "bptt": 10, "checkpoint_minutes": 0.0, "dropout": 0.3}
    with pytest.raises(StopError):
        quick(**settings).fit(TEXT, checkpoint=tmp_path / "c", callbacks=[stop])
    resumed = quick(**settings).fit(TEXT, checkpoint=tmp_path / "c", resume=True)
    whole = quick(**settings).fit(TEXT)
    assert resumed.network_.carried() == whole.network_.carried() == {}
    for one, other in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_recipe_of_awd_lstm_runs(tmp_path):
    recipe = {
        "level": "space", "num_layers": 3, "hidden_size": 12, "embedding_size": 8,
        "optimizer": "sgd", "learning_rate": 3.0, "schedule": "constant", "average_after": 1,
        "layer_options": {"weight_dropout": 0.5}, "dropout": 0.4, "hidden_dropout": 0.25,
        "input_dropout": 0.4, "embedding_dropout": 0.1, "activation_penalty": 2.0,
        "temporal_penalty": 1.0, "gradient_clip": 0.25, "epochs": 8, "bptt": 12,
    }  # fmt: skip
    model = quick(**recipe).fit(TEXT)
    losses = [row["validation_loss"] for row in model.history_]
    assert min(losses) < losses[0]
    first = model.network_.layers
    assert [stack.hidden_size for stack in first] == [12, 8]


def test_dynamic_evaluation_learns_from_what_it_has_read():
    model = quick(epochs=4, learning_rate=0.02, bptt=20, hidden_size=16).fit(TEXT * 3)
    other = "a gate is a gate is a gate is a gate. " * 30
    before = [parameter.clone() for parameter in model.network_.parameters()]
    plain, adapted = model.evaluate(other)["loss"], model.evaluate(other, dynamic=TEXT)["loss"]
    assert adapted < 0.9 * plain
    for parameter, old in zip(model.network_.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_the_doctor_reads_pieces_of_text_and_counts_unknown_symbols():
    model = quick(epochs=1, bptt=20).fit(TEXT)
    told = model.doctor("the quick % brown % fox " * 40)
    assert "padding that leaks" in told.passed
    assert "exploding state" in {*told.passed, *(found.name for found in told.findings)}
    assert told.skipped["constant predictions"] == "answers with no classes"
    other = model.doctor("%" * 300)
    (found,) = [f for f in other.findings if f.name == "a vocabulary that misses the data"]
    assert found.evidence.startswith("100 % of 300 tokens are not among")
    with pytest.raises(InputError, match="a text with at least two symbols"):
        model.doctor("t")
