"""The classifier's head against numbers worked by hand and scikit-learn's metrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics

from tidegate.batch import Batch
from tidegate.heads import ClassifyHead, ClassifyMeter

SCORES = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]])


def batch(targets, weights=None):
    count = len(targets)
    return Batch(
        torch.zeros(count, 1),
        torch.ones(count, dtype=torch.int64),
        torch.tensor(targets),
        None if weights is None else torch.tensor(weights),
    )


def log_softmax(scores):
    total = math.log(sum(map(math.exp, scores)))
    return [score - total for score in scores]


def test_loss_is_the_mean_cross_entropy():
    expected = -(log_softmax([2.0, 0.0, -1.0])[0] + log_softmax([0.5, 1.5, 0.0])[2]) / 2
    assert ClassifyHead(4, 3).loss(SCORES, batch([0, 2])).item() == pytest.approx(expected)


def test_label_smoothing_spreads_its_share_over_all_classes():
    first = log_softmax([2.0, 0.0, -1.0])
    truth = [0.7 + 0.1, 0.1, 0.1]
    expected = -sum(q * p for q, p in zip(truth, first, strict=True))
    head = ClassifyHead(4, 3, label_smoothing=0.3)
    assert head.loss(SCORES[:1], batch([0])).item() == pytest.approx(expected)
    plain = head.loss(SCORES[:1], batch([0]), label_smoothing=0.0).item()
    assert plain == pytest.approx(-first[0])


def test_class_and_sample_weights_multiply_and_rows_divide():
    one, two = -log_softmax([2.0, 0.0, -1.0])[0], -log_softmax([0.5, 1.5, 0.0])[2]
    head = ClassifyHead(4, 3)
    head.class_weights = torch.tensor([2.0, 1.0, 0.5])
    found = head.loss(SCORES, batch([0, 2], [3.0, 0.25])).item()
    assert found == pytest.approx((2 * 3 * one + 0.5 * 0.25 * two) / 2)


def test_class_weights_are_no_part_of_a_saved_model():
    head = ClassifyHead(4, 3)
    head.class_weights = torch.ones(3)
    assert set(head.state_dict()) == {"linear.weight", "linear.bias"}


def test_answers_are_probabilities():
    answer = ClassifyHead(4, 3).answer(SCORES)
    assert answer.sum(1).tolist() == pytest.approx([1, 1])
    assert answer[0, 0].item() == pytest.approx(math.exp(log_softmax([2.0, 0.0, -1.0])[0]))


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_agree_with_scikit_learn(weighted):
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(53, 4)).astype(np.float32)
    truth = rng.integers(0, 4, 53)
    weights = rng.uniform(0, 3, 53) if weighted else None
    meter = ClassifyMeter(4)
    for part in np.array_split(np.arange(53), 5):  # odd batches
        chosen = None if weights is None else weights[part]
        meter.update(torch.from_numpy(scores[part]), batch(truth[part].tolist(), chosen))
    answers = scores.argmax(1)
    probabilities = torch.softmax(torch.from_numpy(scores).double(), 1).numpy()
    assert meter.result() == pytest.approx(
        {
            "loss": metrics.log_loss(truth, probabilities, sample_weight=weights),
            "accuracy": metrics.accuracy_score(truth, answers, sample_weight=weights),
            "macro_f1": metrics.f1_score(truth, answers, average="macro", sample_weight=weights),
        },
        rel=1e-6,
    )
    matrix = metrics.confusion_matrix(truth, answers, sample_weight=weights)
    np.testing.assert_allclose(meter.confusion, matrix)


def test_macro_f1_leaves_out_classes_that_are_nowhere():
    meter = ClassifyMeter(4)
    truth, answers = [0, 0, 1, 2], [0, 1, 1, 1]
    meter.update(torch.eye(4)[answers], batch(truth))
    expected = metrics.f1_score(truth, answers, average="macro", zero_division=0)
    assert meter.result()["macro_f1"] == pytest.approx(expected)
    precision, recall, f1, present = meter.by_class()
    assert present.tolist() == [True, True, True, False]
    assert precision.tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert recall.tolist() == pytest.approx([0.5, 1, 0, 0])
    assert f1.tolist() == pytest.approx([2 / 3, 0.5, 0, 0])


def test_a_meter_goes_on_from_its_state():
    whole, first, second = ClassifyMeter(3), ClassifyMeter(3), ClassifyMeter(3)
    whole.update(SCORES, batch([0, 2]))
    first.update(SCORES[:1], batch([0]))
    second.load(first.state())
    second.update(SCORES[1:], batch([2]))
    assert second.result() == whole.result()
