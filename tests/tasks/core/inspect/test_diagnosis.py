"""`Task.doctor` on text classifiers that were trained well, and on such as were trained badly."""

from __future__ import annotations

import copy
import random
import warnings

import pytest
import torch
from sklearn.exceptions import NotFittedError

import tidegate
from tests.plugins.adder import Adder
from tests.tasks.texts import SHARED, WORDS, small, texts
from tidegate.errors import InputError
from tidegate.explain.doctor.doctor import CHECKS
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.inspect import diagnosis as module

X, Y = texts(400)
TEST_X, TEST_Y = texts(120, seed=9)


def names(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def seen(model, name, X=TEST_X, y=TEST_Y):
    """The evidence of one finding."""
    found = {finding.name: finding for finding in model.doctor(X, y).findings}
    assert name in found, sorted(found)
    return found[name]


@pytest.fixture(scope="module")
def sound():
    return small(hidden_size=16, epochs=4).fit(X, Y)


# ------------------------------------------------------------------ a good model


def test_a_good_model_has_no_findings(sound):
    assert sound.score(TEST_X, TEST_Y) > 0.95
    assert names(sound.doctor(TEST_X, TEST_Y)) == []
    assert names(sound.doctor(TEST_X)) == []
    assert names(sound.doctor()) == []
    assert set(sound.doctor(TEST_X, TEST_Y).passed) == set(CHECKS)


def test_a_saved_model_is_examined_alike(sound, tmp_path):
    sound.save(tmp_path / "model")
    loaded = tidegate.load(tmp_path / "model")
    assert loaded.doctor(TEST_X, TEST_Y) == sound.doctor(TEST_X, TEST_Y)
    assert loaded.doctor() == sound.doctor()


def test_a_model_without_the_columns_of_clipping_is_loaded_and_examined(sound, tmp_path):
    sound.save(tmp_path / "model")
    path = tmp_path / "model" / "history.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    dropped = [lines[0].index(name) for name in ("train_gradient_norm", "train_clipped")]
    kept = [[cell for i, cell in enumerate(line) if i not in dropped] for line in lines]
    path.write_text("".join(",".join(line) + "\n" for line in kept))
    diagnosis = tidegate.load(tmp_path / "model").doctor()
    assert diagnosis.skipped["clipped gradients"] == "needs a history with gradient_clip"
    assert names(diagnosis) == []


def test_rows_are_taken_evenly_from_large_data(sound, monkeypatch):
    monkeypatch.setattr(module, "_DOCTOR_ROWS", 30)
    # The second half is empty: a sample from the front would not show it.
    (finding,) = sound.doctor([*TEST_X[:60], *[""] * 60]).findings
    assert finding.evidence.startswith("15 of 30 rows")


def test_the_doctor_warns_of_nothing_that_he_tells_himself(sound):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sound.doctor([*TEST_X, "", "tide " * 500])


def test_wrong_input_is_refused(sound):
    with pytest.raises(NotFittedError):
        small().doctor()
    with pytest.raises(InputError, match="`X` must be at least one row; got none"):
        sound.doctor([])
    with pytest.raises(InputError, match="`X` must be made of texts"):
        sound.doctor([3])
    with pytest.raises(InputError, match="labels seen in training"):
        sound.doctor(TEST_X, ["unknown"] * len(TEST_X))


def test_a_task_that_shows_nothing_of_its_inside_is_examined_by_its_history_and_answers():
    rng = random.Random(0)
    rows = [[round(rng.random(), 3) for _ in range(rng.randint(2, 6))] for _ in range(60)]
    inputs = [" ".join(f"{number}*" for number in row) for row in rows]
    model = Adder(epochs=2, verbose=False).fit(inputs, [sum(row) for row in rows])
    assert set(model.metrics_["train"]) == {"loss", "mse"}
    diagnosis = model.doctor(inputs)
    assert {"padding that leaks", "clipped gradients", "over-fitting"} <= {
        *diagnosis.passed, *names(diagnosis)
    }  # fmt: skip
    assert diagnosis.skipped["truncation"] == "reads no words"
    assert diagnosis.skipped["constant predictions"] == "answers with no classes"


# ------------------------------------------------------------------ models trained badly


def test_a_forget_bias_of_30_is_found_with_and_without_data():
    model = small(layer_options={"forget_bias": 30.0}).fit(X, Y)
    for finding in (seen(model, "saturated forget gates"), model.doctor().findings[0]):
        assert finding.severity == "serious"
        assert "8 of 8 units of layer 0 forward" in finding.evidence
        assert "--forget-bias (now 30)" in finding.remedy


def test_a_vocabulary_of_other_texts_is_found(sound):
    other = [" ".join(f"{word}s" for word in text.split()) for text in TEST_X]
    finding = seen(sound, "a vocabulary that misses the data", other)
    assert finding.severity == "serious"
    total = sum(len(text.split()) for text in other)
    assert f"100 % of {total:,} tokens" in finding.evidence


def late(count, seed):
    """Texts whose label stands at their end, after 10 to 20 words that say nothing."""
    rng = random.Random(seed)
    labels = [("calm", "storm")[row % 2] for row in range(count)]
    found = [
        " ".join([*rng.choices(SHARED, k=rng.randint(10, 20)), *rng.choices(WORDS[label], k=3)])
        for label in labels
    ]
    return found, labels


def test_a_tiny_max_length_is_found():
    """Half of the training texts are short enough to learn from, the long ones are cut."""
    inputs, labels = late(200, 1)
    with pytest.warns(DataWarning, match="were cut"):
        model = small(max_length=12, keep="head", epochs=6).fit([*X, *inputs], [*Y, *labels])
    test, truth = late(60, 2)
    finding = seen(model, "truncation that cuts the evidence", [*TEST_X, *test], [*TEST_Y, *truth])
    assert finding.severity == "warning"
    assert "have more than max_length=12 tokens" in finding.evidence
    assert "accuracy goes from" in finding.evidence
    better = small(max_length=23, keep="head", epochs=6).fit([*X, *inputs], [*Y, *labels])
    both = better.doctor([*TEST_X, *test], [*TEST_Y, *truth])
    assert "truncation" in both.passed
    with pytest.warns(DataWarning, match="were cut"):
        assert better.score(test, truth) > model.score(test, truth) + 0.2


def test_labels_beside_the_wrong_rows_are_learned_by_heart():
    rng = random.Random(0)
    noise = rng.sample(Y, len(Y))
    model = small(
        hidden_size=32, embedding_size=32, epochs=25, patience=None, dropout=0.0,
        word_dropout=0.0, embedding_dropout=0.0, schedule="constant",
    ).fit(X, noise)  # fmt: skip
    finding = seen(model, "over-fitting")
    assert "Validation loss rose from" in finding.evidence
    low = min(model.history_, key=lambda row: row["validation_loss"])
    assert f"{low['validation_loss']:.3f} in epoch {low['epoch']}" in finding.evidence
    assert "unknown words not practised" in names(model.doctor())


def test_one_epoch_of_tiny_steps_is_under_training_and_one_answer():
    rare = [(text, label) for text, label in zip(X, Y, strict=True) if label == "calm"]
    rare += [(text, label) for text, label in zip(X, Y, strict=True) if label == "storm"][:60]
    model = small(epochs=1, learning_rate=1e-6).fit(*map(list, zip(*rare, strict=True)))
    for diagnosis in (model.doctor(TEST_X, TEST_Y), model.doctor()):
        assert "under-training" in names(diagnosis)
        assert "constant predictions" in names(diagnosis)


def test_a_tight_bound_on_the_gradient_is_found():
    model = small(gradient_clip=1e-3).fit(X, Y)
    finding = seen(model, "gradient clipped most of the time")
    assert finding.evidence.startswith("100 % of the steps were cut to 0.001")


def test_units_without_weights_and_twins_are_found(sound):
    model = copy.deepcopy(sound)
    with torch.no_grad():
        for weight in model.network_.recurrent.weights(0).values():
            rows = weight.view(4, 16, -1)
            rows[:, [0, 7]] = 0
            rows[:, [2, 4]] = rows[:, [1, 3]]
    for diagnosis in (model.doctor(TEST_X, TEST_Y), model.doctor()):
        found = {finding.name: finding.evidence for finding in diagnosis.findings}
        assert found["dead units"].startswith("2 of 16 units of layer 0 forward")
        assert "unit 2 follows unit 1" in found["redundant units"]


def test_a_rare_class_is_missed_until_the_classes_are_weighted():
    rng = random.Random(3)
    inputs, labels = [], []
    for row in range(600):  # one word in three rows of ten hints at the rare class
        rare = row % 6 == 0
        words = rng.choices(SHARED, k=6)
        if rng.random() < (0.6 if rare else 0.2):
            words.append("sudden")
        inputs.append(" ".join(words))
        labels.append("storm" if rare else "calm")
    plain = small(epochs=4).fit(inputs, labels)
    assert {"class imbalance ignored", "constant predictions"} & set(
        names(plain.doctor(inputs, labels))
    )
    weighted = small(epochs=4, class_weight="balanced").fit(inputs, labels)
    assert not {"class imbalance ignored", "constant predictions"} & set(
        names(weighted.doctor(inputs, labels))
    )
