"""The wide part against counts made by plain Python loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from tidegate.nn.blocks import bag_of_ngrams
from tidegate.nn.blocks.bag_of_ngrams import BagOfNgrams

# Four rows; word ids, and the id of the 2-gram that ends there (0: none).
ROWS = [
    [(2, 0), (3, 1), (2, 2), (3, 1)],
    [(4, 0), (2, 3)],
    [(1, 0), (3, 0)],
    [],
]
TARGETS = [0, 1, 1, 0]


def fitted(classes=2, targets=TARGETS):
    wide = BagOfNgrams(5, 4, classes)
    ids = np.array([pair for row in ROWS for pair in row], np.int32)
    offsets = np.cumsum([0, *map(len, ROWS)])
    wide.count(ids, offsets, np.array(targets))
    return wide


def things(row):
    """The distinct words and n-grams of a row, as positions in one table of 5 words + 4."""
    words = {word for word, _ in row if word > 1}
    return words | {5 + gram for _, gram in row if gram}


def ratio(thing, label, targets):
    def share(inside):
        labelled = zip(ROWS, targets, strict=True)
        rows = [things(row) for row, target in labelled if (target == label) == inside]
        counts = [1 + sum(t in row for row in rows) for t in range(9)]
        return counts[thing] / sum(counts)

    return math.log(share(True)) - math.log(share(False))


@pytest.mark.parametrize(("classes", "targets"), [(2, TARGETS), (3, [2, 1, 0, 0])])
def test_the_ratios_are_those_of_plain_counting(classes, targets):
    wide = fitted(classes, targets)
    seen = set().union(*map(things, ROWS))
    for thing in range(9):
        for label in range(classes):
            expected = ratio(thing, label, targets) if thing in seen else 0.0
            assert wide.ratios[thing, label].item() == pytest.approx(expected, abs=1e-6)


def test_a_score_adds_up_the_distinct_things_of_a_row():
    wide = fitted()
    with torch.no_grad():
        wide.weights.weight.normal_()
        wide.bias.copy_(torch.tensor([0.5, -1.0]))
    padded = torch.tensor([[*row, *[(0, 0)] * (5 - len(row))] for row in ROWS])
    scores = wide(padded)
    for row, found in zip(ROWS, scores, strict=True):
        expected = wide.bias + sum(
            (wide.weights.weight[t] + 0.05) * wide.ratios[t] / 2 for t in things(row)
        )
        torch.testing.assert_close(found, expected)


def test_words_alone_work_and_padding_changes_nothing():
    wide = BagOfNgrams(5, 0, 2)
    wide.count(np.array([2, 3, 4]), np.array([0, 2, 3]), np.array([0, 1]))
    short, long = torch.tensor([[2, 3]]), torch.tensor([[2, 3, 0, 0, 0]])
    assert torch.equal(wide(short), wide(long))
    assert wide(torch.tensor([[4]])).argmax() == 1


def test_dropout_leaves_out_whole_words_and_keeps_the_mean():
    wide = BagOfNgrams(400, 0, 2, dropout=0.25)
    wide.count(np.arange(2, 400), np.array([0, 200, 398]), np.array([0, 1]))
    ids = torch.arange(2, 400)[None].expand(50, -1)
    with torch.no_grad():
        dropped, kept = wide(ids), wide.eval()(ids)
    assert dropped.std(0).min() > 0
    # Three standard errors of a mean of 50.
    assert ((dropped.mean(0) - kept[0]).abs() < 3 * dropped.std(0) / 50**0.5).all()


def test_the_learned_weights_get_the_gradient_of_finite_differences():
    wide = fitted().double()
    ids = torch.tensor([ROWS[0], [*ROWS[1], (0, 0), (0, 0)]])

    def scores(weight, bias):
        return torch.func.functional_call(wide, {"weights.weight": weight, "bias": bias}, (ids,))

    weight = torch.randn(9, 2, dtype=torch.float64)
    weight[0] = 0
    mask = torch.ones_like(weight)
    mask[0] = 0  # padding_idx gets no gradient by definition
    bias = wide.bias.detach().clone().requires_grad_()
    weight.requires_grad_()
    assert torch.autograd.gradcheck(lambda w, b: scores(w * mask, b), (weight, bias))


def test_the_contributions_of_the_words_add_up_to_the_score():
    wide = fitted(3, [2, 1, 0, 0])
    with torch.no_grad():
        wide.weights.weight.normal_()
        wide.weights.weight[0] = 0
        wide.bias.normal_()
    padded = torch.tensor([[*row, *[(0, 0)] * (5 - len(row))] for row in ROWS])
    shares = wide.eval().contributions(padded)
    torch.testing.assert_close(shares.sum(1) + wide.bias, wide(padded))
    for row, found in zip(ROWS, shares, strict=True):
        assert not found[len(row) :].any()


def test_a_contribution_is_shared_by_the_words_an_n_gram_spans_and_by_its_occurrences():
    wide = BagOfNgrams(9, 6, 2)
    with torch.no_grad():
        wide.ratios.normal_()
        wide.ratios[:2] = 0
        wide.weights.weight.normal_()
        wide.weights.weight[0] = 0
    value = ((wide.weights.weight + 0.05) * wide.ratios / 2).detach()
    # 2-grams and 3-grams that end at the word; the first 3-gram began before the row.
    ids = torch.tensor([[(4, 1, 5), (5, 2, 0), (4, 0, 5), (1, 2, 0)]])
    expected = torch.stack(
        [
            value[4] / 2 + value[9 + 1] + value[9 + 5] / 2 + value[9 + 5] / 6 + value[9 + 2] / 4,
            value[5] + value[9 + 2] / 4 + value[9 + 5] / 6,
            value[4] / 2 + value[9 + 5] / 6 + value[9 + 2] / 4,
            value[9 + 2] / 4,
        ]
    )
    torch.testing.assert_close(wide.contributions(ids)[0].detach(), expected)


def test_counting_word_by_word_gives_what_counting_all_at_once_does(monkeypatch):
    whole = fitted(3, [2, 1, 0, 0]).ratios
    for numbers in (1, 7):
        monkeypatch.setattr(bag_of_ngrams, "_AT_ONCE", numbers)
        assert torch.equal(fitted(3, [2, 1, 0, 0]).ratios, whole)


def many_classes():
    wide = BagOfNgrams(40, 30, 90)
    with torch.no_grad():
        wide.weights.weight[1:].normal_()
        wide.ratios[2:].normal_()
    return wide, torch.stack([torch.randint(0, 40, (6, 9)), torch.randint(0, 30, (6, 9))], 2)


def test_many_classes_are_scored_as_few_are(monkeypatch):
    wide, ids = many_classes()
    found, gradients = {}, {}
    for few in (64, 1000):
        monkeypatch.setattr(bag_of_ngrams, "_FEW", few)
        wide.zero_grad()
        found[few] = wide(ids)
        found[few].pow(2).sum().backward()
        gradients[few] = wide.weights.weight.grad
    torch.testing.assert_close(*found.values())
    torch.testing.assert_close(*gradients.values())
    assert wide(ids[:, :0]).equal(wide.bias.expand(6, -1))


def test_many_classes_are_not_laid_out_word_by_word_of_every_row():
    wide, ids = many_classes()
    kept = []
    with saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda t: t):
        wide(ids.repeat(20, 5, 1))
    assert max(kept) <= 20 * 5 * ids.numel()  # the ids themselves


def test_the_score_of_a_row_with_many_classes_does_not_hang_on_the_other_rows():
    wide, ids = many_classes()
    together = wide(ids)
    assert all(torch.equal(wide(ids[[row]])[0], together[row]) for row in range(len(ids)))
