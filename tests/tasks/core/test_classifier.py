"""What every classifier shares, shown on the text classifier: labels, weights, splits, scores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.tasks.core.classifier import shortened
from tidegate.tasks.core.examples import DataWarning, Examples

THREE = ("calm", "storm", "fog")
X, Y = texts(90, THREE)
TEST_X, TEST_Y = texts(35, THREE, seed=9)


@pytest.fixture(scope="module")
def fitted():
    return small(epochs=6, label_smoothing=0.0).fit(X, Y)


# ------------------------------------------------------------------ answers and scores


def test_three_classes_are_learned_and_sorted(fitted):
    assert fitted.classes_.tolist() == ["calm", "fog", "storm"]
    assert fitted.score(TEST_X, TEST_Y) > 0.8


def test_probabilities_add_up_and_decide_the_answer(fitted):
    probabilities = fitted.predict_proba(TEST_X)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    answers = fitted.predict(TEST_X)
    assert answers.tolist() == fitted.classes_[probabilities.argmax(1)].tolist()
    columns = fitted.answer(TEST_X)
    assert list(columns) == ["prediction", *(f"probability_{label}" for label in sorted(THREE))]
    assert columns["prediction"] == answers.tolist()
    assert columns["probability_fog"] == pytest.approx(probabilities[:, 1].tolist())


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluation_agrees_with_scikit_learn(fitted, weighted):
    weight = np.linspace(0, 3, 35) if weighted else None
    found = fitted.evaluate(TEST_X, TEST_Y, sample_weight=weight, report=True)
    answers, probabilities = fitted.predict(TEST_X), fitted.predict_proba(TEST_X).astype(float)
    probabilities /= probabilities.sum(1, keepdims=True)
    options = {"sample_weight": weight}
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(TEST_Y, answers, **options))
    f1 = metrics.f1_score(TEST_Y, answers, average="macro", **options)
    assert found["macro_f1"] == pytest.approx(f1)
    assert found["loss"] == pytest.approx(metrics.log_loss(TEST_Y, probabilities, **options))
    matrix = metrics.confusion_matrix(TEST_Y, answers, labels=found["classes"], **options)
    np.testing.assert_allclose(found["confusion_matrix"], matrix)
    report = metrics.classification_report(TEST_Y, answers, output_dict=True, **options)
    for label, scores in found["per_class"].items():
        theirs = report[label]
        assert scores["f1"] == pytest.approx(theirs["f1-score"])
        for name in ("precision", "recall", "support"):
            assert scores[name] == pytest.approx(theirs[name])
    score = fitted.score(TEST_X, TEST_Y, sample_weight=weight)
    assert score == pytest.approx(found["accuracy"])


def test_a_row_is_answered_alike_in_any_batch(fitted):
    together = fitted.predict_proba(TEST_X)
    for row in (0, 7, 34):
        np.testing.assert_allclose(fitted.predict_proba([TEST_X[row]])[0], together[row], atol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba(TEST_X[::-1])[::-1], together, atol=1e-6)


def test_no_rows_get_no_answers(fitted):
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 3)
    assert fitted.answer([])["prediction"] == []


# ------------------------------------------------------------------ labels


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([3, -1], [-1, 3]),
        ([True, False], [False, True]),
        (["b", "a"], ["a", "b"]),
        ([1.0, 0.0], [0, 1]),
        ([np.int64(2), np.int64(1)], [1, 2]),
    ],
)
def test_labels_of_every_kind_come_back_in_their_own_type(labels, classes, tmp_path):
    model = small(epochs=1).fit(*_labelled(labels))
    assert model.classes_.tolist() == classes
    model.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model")
    assert found.classes_.tolist() == classes
    assert {type(label) for label in found.classes_.tolist()} == {type(classes[0])}
    assert set(found.predict(TEST_X).tolist()) <= set(classes)


def _labelled(labels):
    inputs, names = texts(24)
    return inputs, [labels[0] if name == "calm" else labels[1] for name in names]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda y: None, "`y` must be given: one label a row"),
        (lambda y: ["calm"] * len(y), "labels of at least two classes; got only 'calm'"),
        (lambda y: [*y[:-1], None], "got None in row 24"),
        (lambda y: [*y[:3], float("nan"), *y[4:]], "got nan in row 4"),
        (lambda y: [0.5, *y[1:]], "got 0.5 in row 1"),
        (lambda y: [*y[:-1], 7], "got 7 in row 24"),
        (lambda y: y[:-1], "`y` must be of the length of X, 24; got length 23"),
        (lambda y: "calm", "`y` must be a list"),
        (lambda y: [[label] for label in y], r"got \['.*'\] in row 1"),
        (lambda y: np.array([y]), "`y` must be one column"),
    ],
)
def test_bad_labels_are_refused_and_the_row_is_named(change, named):
    inputs, labels = texts(24)
    with pytest.raises(InputError, match=named):
        small().fit(inputs, change(labels))


def test_labels_never_seen_in_training_are_named(fitted):
    with pytest.raises(
        InputError,
        match=r"`y` must be made of the labels seen .* got 'sun' in row 1 and 1 more labels",
    ):
        fitted.evaluate(["sun and mist"] * 3, ["sun", "mist", "calm"])
    with pytest.raises(InputError, match="got 'mist'"):
        small().fit(X, Y, validation=(["a", "b"], ["calm", "mist"]))
    assert fitted.unseen(Y, ["calm", "mist", "fog", "sun"]) == [1, 3]


@pytest.mark.parametrize("data", [(X, None), ([], []), ([], None)])
def test_evaluation_needs_labelled_rows(fitted, data):
    with pytest.raises(InputError, match="`y` must be given: one target a row"):
        fitted.evaluate(*data)


# ------------------------------------------------------------------ validation rows


def held_out(model, inputs, labels, share=0.25, seed=0):
    chosen = model._hold_out(Examples(inputs, np.array(labels)), share, seed)
    return [inputs[row] for row in np.flatnonzero(chosen)], chosen


def test_validation_rows_keep_the_proportions_of_the_classes():
    inputs, labels = texts(200, ("calm", "calm", "calm", "storm"))
    inputs = [f"{text} {row}" for row, text in enumerate(inputs)]
    _, chosen = held_out(small(), inputs, labels, 0.2)
    assert Counter(np.array(labels)[chosen].tolist()) == {"calm": 30, "storm": 10}
    again = held_out(small(), inputs, labels, 0.2)[1]
    other = held_out(small(), inputs, labels, 0.2, seed=1)[1]
    assert np.array_equal(chosen, again)
    assert not np.array_equal(chosen, other)


def test_a_text_never_stands_on_both_sides():
    inputs, labels = texts(40)
    inputs, labels = inputs * 3, labels * 3
    held, chosen = held_out(small(), inputs, labels)
    assert not {*held} & {inputs[row] for row in np.flatnonzero(~chosen)}


def test_a_class_of_one_row_is_learned_from_and_named():
    inputs, labels = texts(24)
    with pytest.warns(DataWarning, match=r"1 of 3 classes .* validate on: 'rare' \(1 row\)"):
        model = small(epochs=1).fit([*inputs, "only this"], [*labels, "rare"])
    assert "rare" in model.classes_
    assert "validation" in model.metrics_


def test_where_nothing_can_be_held_out_all_is_learned_from():
    with pytest.warns(
        DataWarning, match=r"4 of 4 classes have no row to validate on: 'a' \(1 row\)"
    ):
        model = small(epochs=1).fit([f"text number {row}" for row in range(4)], list("abcd"))
    assert "validation" not in model.metrics_


def test_a_share_too_small_for_the_classes_is_raised_and_said():
    inputs = [f"text number {row}" for row in range(20)]
    with pytest.warns(DataWarning, match="10 of 20 rows are held out for validation, so that each"):
        model = small(epochs=1).fit(inputs, list("abcdefghij") * 2)
    assert len(model.classes_) == 10


# ------------------------------------------------------------------ weights


def head_weights(model):
    return model.network_.head.class_weights.tolist()


def test_balanced_class_weights_are_those_of_scikit_learn():
    inputs, labels = texts(80, ("calm", "calm", "calm", "storm"))
    model = small(epochs=1, class_weight="balanced").fit(inputs, labels, validation=None)
    expected = compute_class_weight("balanced", classes=np.array(["calm", "storm"]), y=labels)
    assert head_weights(model) == pytest.approx(expected.tolist())


def test_given_class_weights_keep_their_ratio_and_a_mean_of_one():
    inputs, labels = texts(80, ("calm", "calm", "calm", "storm"))
    model = small(epochs=1, class_weight={"storm": 6}).fit(inputs, labels, validation=None)
    calm, storm = head_weights(model)
    assert storm / calm == pytest.approx(6)
    assert (60 * calm + 20 * storm) / 80 == pytest.approx(1)


@pytest.mark.parametrize(
    "weight",
    [{"mist": 2}, {"calm": 0}, {"calm": "much"}, {"calm": True}, {"Calm": 2}, "even", 3],
)
def test_bad_class_weights_are_refused(weight):
    with pytest.raises(InputError, match="`class_weight` must be"):
        small(class_weight=weight).fit(X, Y)


@pytest.mark.parametrize(
    ("labels", "weight"),
    [
        (("false", "true"), {"True": 6}),
        (("false", "true"), {True: 6}),
        ((False, True), {"true": 6}),
        ((0, 1), {"1": 6}),
        ((0, 1), {1.0: 6}),
        (("0", "1"), {1: 6}),
    ],
)
def test_class_weights_name_labels_as_evaluation_does(labels, weight):
    inputs, given = X[:40], [labels[label == "storm"] for label in Y[:40]]
    model = small(epochs=1, class_weight=weight).fit(inputs, given, validation=None)
    first, second = head_weights(model)
    assert second / first == pytest.approx(6)
    target = next(iter(weight))
    assert model.attribute(inputs[:1], target=target).target.tolist() == [1]


def test_a_class_is_weighted_once():
    with pytest.raises(InputError, match=r"to numbers > 0, each label once; got \{'1': 2\}"):
        small(class_weight={"1": 2, 1: 3}).fit(X[:2], [0, 1], validation=None)


def test_class_weights_shift_the_answers():
    inputs, labels = texts(60)
    inputs = [text.replace("slow", "x").replace("low", "x") for text in inputs]
    shares = []
    for weight in ({"storm": 50.0}, {"calm": 50.0}):
        model = small(epochs=2, class_weight=weight).fit(inputs, labels)
        shares.append((model.predict(["the tide and", "a gate in", "was not"]) == "storm").mean())
    assert shares == [1.0, 0.0]


def test_a_row_of_weight_zero_does_not_count():
    inputs, labels = texts(40)
    wrong = [*labels[:20], *("calm" if label == "storm" else "storm" for label in labels[20:])]
    model = small(epochs=8).fit(
        inputs * 2, [*labels, *wrong], sample_weight=[1] * 40 + [0] * 40, validation=None
    )
    assert model.score(inputs, labels) > 0.9


def test_the_size_of_sample_weights_does_not_matter_only_their_ratio():
    ratio = np.linspace(0.5, 1.5, len(X))
    models = [small(epochs=1).fit(X, Y, sample_weight=ratio * size) for size in (1, 1024)]
    answers = [model.predict_proba(TEST_X) for model in models]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)


@pytest.mark.parametrize(
    ("weight", "named"),
    [
        ([1.0] * 5, "of the length of X"),
        ([-1.0] + [1.0] * 89, "a finite number >= 0"),
        ([float("nan")] + [1.0] * 89, "a finite number >= 0"),
        (["heavy"] * 90, "a number >= 0 for each row"),
        ([0.0] * 90, "greater than 0 somewhere; got only zeros"),
        (np.ones((90, 2)), "a finite number >= 0 for each row"),
    ],
)
def test_bad_sample_weights_are_refused(weight, named):
    with pytest.raises(InputError, match=f"`sample_weight` must be {named}"):
        small().fit(X, Y, sample_weight=weight)


def test_facts_tell_classes_words_and_parameters(fitted):
    facts = fitted.facts()
    assert facts["classes"] == "calm, fog, storm"
    assert facts["parameters"] == f"{fitted.number_of_parameters:,}"
    assert facts["vocabulary"].startswith(f"{len(fitted.encoder_.vocabulary) - 2}: ")
    assert shortened(map(str, range(30)), most=3) == "0, 1, 2, ..."
