"""The tagger's head and meter against seqeval, scikit-learn and numbers worked by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from sklearn import metrics

from tidegate.batch import Batch
from tidegate.data.tags.schemes import read_spans, tags_of, transitions
from tidegate.heads import TagHead

TAGS = tags_of(["LOC", "ORG", "PER"], "iobes")
K = len(TAGS)


def head(crf=True, scheme="iobes"):
    torch.manual_seed(0)
    allowed = torch.from_numpy(transitions(TAGS, scheme))
    made = TagHead(5, TAGS, spans=scheme != "none", allowed=allowed, crf=crf)
    torch.nn.init.normal_(made.chain.weight, std=0.3 if crf else 0.0)
    return made


def batches(made, rows=40, seed=1):
    """Batches of odd sizes with valid true tags, and scores that often lead to others."""
    torch.manual_seed(seed)
    for size in (rows // 3, rows - rows // 3):
        lengths = torch.randint(0, 9, (size,))
        steps = max(1, int(lengths.max()))
        targets = made.chain.decode(torch.randn(size, steps, K), lengths)
        scores = 2 * torch.nn.functional.one_hot(targets, K) + torch.randn(size, steps, K)
        yield scores.float(), Batch(torch.zeros(size, steps), lengths, targets)


def named(ids, lengths):
    return [
        [TAGS[index] for index in row[:length]]
        for row, length in zip(ids.tolist(), lengths.tolist(), strict=True)
    ]


@pytest.mark.parametrize("crf", [True, False])
def test_scores_of_spans_agree_with_seqeval(crf):
    made = head(crf)
    meter, truth, answers = made.meter(), [], []
    for scores, batch in batches(made):
        meter.update(scores, batch)
        truth += named(batch.targets, batch.lengths)
        answers += named(made.answer(scores, batch.lengths), batch.lengths)
    found = meter.result()
    assert list(found)[:2] == ["loss", "f1"]  # what progress shows
    assert 0.1 < found["f1"] < 0.9
    assert found["f1"] == pytest.approx(f1_score(truth, answers))
    assert found["precision"] == pytest.approx(precision_score(truth, answers))
    assert found["recall"] == pytest.approx(recall_score(truth, answers))
    flat = [tag for row in truth for tag in row], [tag for row in answers for tag in row]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(*flat))
    report = classification_report(truth, answers, output_dict=True)
    for label, row in meter.by_class().items():
        expected = {key.replace("-score", ""): value for key, value in report[label].items()}
        assert row == pytest.approx(expected), label


def test_answers_keep_the_rules_of_their_scheme():
    for crf in (True, False):
        made = head(crf)
        allowed = transitions(TAGS, "iobes")
        for scores, batch in batches(made):
            found = made.answer(10 * scores, batch.lengths)
            for row, length in zip(found.tolist(), batch.lengths.tolist(), strict=True):
                edged = [K, *row[:length], K] if length else []
                assert all(allowed[one, two] for one, two in pairwise(edged))


def test_tags_that_are_no_spans_are_counted_one_by_one():
    made = TagHead(2, ["ADJ", "NOUN", "VERB"], spans=False)
    meter = made.meter()
    truth, answers = [0, 1, 1, 2, 1], [0, 1, 2, 2, 1]
    scores = 9.0 * torch.eye(3)[answers][None]
    meter.update(scores, Batch(torch.zeros(1, 5), torch.tensor([5]), torch.tensor([truth])))
    assert set(meter.result()) == {"loss", "accuracy"}
    assert meter.result()["accuracy"] == pytest.approx(0.8)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, answers)
    for place, tag in enumerate(made.tags):
        row = [precision[place], recall[place], f1[place], support[place]]
        assert list(meter.by_class()[tag].values()) == pytest.approx(row)


def test_the_loss_without_a_chain_is_cross_entropy():
    made = head(crf=False)
    total, steps = 0.0, 0
    meter = made.meter()
    for scores, batch in batches(made):
        mask = batch.mask
        each = torch.nn.functional.cross_entropy(scores[mask], batch.targets[mask])
        assert made.loss(scores, batch).item() == pytest.approx(each.item(), rel=1e-5)
        total, steps = total + each.item() * batch.steps, steps + batch.steps
        meter.update(scores, batch)
    assert meter.result()["loss"] == pytest.approx(total / steps, rel=1e-5)


def test_the_loss_with_a_chain_is_the_likelihood_a_step():
    made = head()
    for scores, batch in batches(made):
        expected = -made.chain.log_likelihood(scores, batch.lengths, batch.targets).sum()
        assert made.loss(scores, batch).item() == pytest.approx(expected.item() / batch.steps)


def test_weights_count_rows():
    made = head()
    scores, batch = next(batches(made))
    weights = torch.arange(len(batch)).float()
    weighted = Batch(batch.values, batch.lengths, batch.targets, weights)
    expected = (made.losses(scores, batch) * weights).sum() / batch.steps
    assert made.loss(scores, weighted).item() == pytest.approx(expected.item())
    one, two = made.meter(), made.meter()
    one.update(scores, weighted)
    for row in range(len(batch)):
        alone = Batch(batch.values[:1], batch.lengths[row][None], batch.targets[row][None])
        for _ in range(row):
            two.update(scores[row][None], alone)
    assert one.result() == pytest.approx(two.result(), rel=1e-5)


@pytest.mark.parametrize("crf", [True, False])
def test_the_confidence_of_a_span_is_that_of_its_tags(crf):
    made = head(crf)
    scores, batch = next(batches(made))
    tags = made.answer(scores, batch.lengths)
    spans = [read_spans(row) for row in named(tags, batch.lengths)]
    found = made.confidences(scores, batch.lengths, tags, spans)
    assert len(found) == sum(map(len, spans))
    shares = made.marginals(scores, batch.lengths)
    flat = [(row, span) for row, listed in enumerate(spans) for span in listed]
    for share, (row, span) in zip(found.tolist(), flat, strict=True):
        each = [
            shares[row, step, tags[row, step]].item() for step in range(span.first, span.last + 1)
        ]
        assert sum(each) - len(each) + 1 - 1e-5 <= share <= min(each) + 1e-5  # Fréchet's bounds
    assert made.confidences(scores, batch.lengths, tags, [[] for _ in spans]).shape == (0,)


def test_only_a_chain_learns_transitions():
    assert head(crf=True).chain.weight.requires_grad
    assert not head(crf=False).chain.weight.requires_grad


def test_a_meter_goes_on_from_its_state():
    made = head()
    (one, first), (two, second) = batches(made)
    whole, left, right = made.meter(), made.meter(), made.meter()
    whole.update(one, first)
    whole.update(two, second)
    left.update(one, first)
    right.load(left.state())
    right.update(two, second)
    assert right.result() == whole.result()
    assert right.by_class() == whole.by_class()


def test_nothing_counted_is_no_score_and_no_error():
    found = head().meter().result()
    assert found == pytest.approx(dict.fromkeys(found, 0.0))
    assert not np.isnan(list(found.values())).any()
