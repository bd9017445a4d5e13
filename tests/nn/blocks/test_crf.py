"""LinearChainCRF against the sum over every row of tags, written out."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.autograd import gradcheck

from tidegate.decode import viterbi
from tidegate.errors import InputError
from tidegate.nn import LinearChainCRF

K = 3
LENGTHS = torch.tensor([4, 0, 1, 3, 2])
SHAPE = (len(LENGTHS), 4, K)


def chain(seed=0, dtype=torch.float64, allowed=None):
    torch.manual_seed(seed)
    crf = LinearChainCRF(K, allowed=allowed).to(dtype)
    torch.nn.init.normal_(crf.weight, std=1.5)
    return crf, 2 * torch.randn(SHAPE, dtype=dtype)


def forbidding():
    """Tag 2 only after tag 1, never first; a row does not end with tag 1."""
    allowed = torch.ones(K + 1, K + 1, dtype=torch.bool)
    allowed[[0, 2, K], 2] = False
    allowed[1, K] = False
    return allowed


def path_score(crf, emissions, path):
    """The definition in the docstring, word by word."""
    edge, weight = crf.tags, crf.scores
    edged = [edge, *path, edge]
    moves = sum(weight[one, two] for one, two in itertools.pairwise(edged)) if path else 0.0
    return moves + sum(emissions[step, tag] for step, tag in enumerate(path))


def paths(crf, emissions, length):
    """Every row of tags with its score."""
    every = list(itertools.product(range(crf.tags), repeat=length))
    scores = [torch.as_tensor(path_score(crf, emissions, path)).double() for path in every]
    return every, torch.stack(scores)


both = pytest.mark.parametrize("allowed", [None, forbidding()], ids=["free", "constrained"])


@both
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_the_partition_is_the_sum_over_all_rows_of_tags(allowed, dtype, close):
    crf, emissions = chain(dtype=dtype, allowed=allowed)
    found = crf.log_partition(emissions, LENGTHS)
    assert found.dtype == dtype
    for row, length in enumerate(LENGTHS.tolist()):
        _, scores = paths(crf, emissions[row], length)
        expected = torch.logsumexp(scores, 0).item() if length else 0.0
        assert found[row].item() == pytest.approx(expected, rel=close)


@both
def test_the_likelihood_of_each_row_of_tags(allowed):
    crf, emissions = chain(1, allowed=allowed)
    every, scores = paths(crf, emissions[0], 4)
    expected = torch.log_softmax(scores, 0)
    for path, log_probability in zip(every, expected.tolist(), strict=True):
        found = crf.log_likelihood(emissions[:1], LENGTHS[:1], torch.tensor([path])).item()
        assert found == pytest.approx(log_probability, rel=1e-10)
    assert expected.exp().sum().item() == pytest.approx(1.0)


@both
def test_decode_finds_the_best_row_of_tags(allowed):
    for seed in range(20):
        crf, emissions = chain(seed, allowed=allowed)
        found = crf.decode(emissions, LENGTHS)
        for row, length in enumerate(LENGTHS.tolist()):
            every, scores = paths(crf, emissions[row], length)
            assert tuple(found[row, :length].tolist()) == every[scores.argmax()]
            assert not found[row, length:].any()


@both
def test_marginals_add_up_the_rows_that_have_a_tag(allowed):
    crf, emissions = chain(2, allowed=allowed)
    found = crf.marginals(emissions, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        every, scores = paths(crf, emissions[row], length)
        shares = torch.softmax(scores, 0)
        expected = torch.zeros(4, K, dtype=torch.float64)
        for path, share in zip(every, shares, strict=True):
            for step, tag in enumerate(path):
                expected[step, tag] += share
        torch.testing.assert_close(found[row], expected, rtol=1e-10, atol=1e-14)


@both
def test_a_span_is_as_probable_as_the_rows_that_have_it(allowed):
    crf, emissions = chain(3, allowed=allowed)
    tags = crf.decode(emissions, LENGTHS)
    places = [(0, 1, 3), (0, 0, 0), (0, 0, 3), (2, 0, 0), (3, 1, 2), (4, 1, 1)]
    spans = tuple(torch.tensor(places).T)
    found = crf.span_log_probabilities(emissions, LENGTHS, tags, spans).exp()
    for place, (row, first, last) in enumerate(places):
        every, scores = paths(crf, emissions[row], int(LENGTHS[row]))
        shares = torch.softmax(scores, 0)
        wanted = tuple(tags[row, first : last + 1].tolist())
        held = [path[first : last + 1] == wanted for path in every]
        assert found[place].item() == pytest.approx(shares[torch.tensor(held)].sum().item())
    marginal = crf.marginals(emissions, LENGTHS)[4, 1, tags[4, 1]]
    assert found[5].item() == pytest.approx(marginal.item())


@both
def test_derivatives_are_those_of_finite_differences(allowed):
    crf, emissions = chain(4, allowed=allowed)
    tags = crf.decode(torch.randn(SHAPE).double(), LENGTHS)
    spread = torch.tensor([1.0, 2.0, 0.5, -1.0, 3.0], dtype=torch.float64)

    def total(emissions, weight):
        found = torch.func.functional_call(crf, {"weight": weight}, (emissions, tags))
        return found * spread

    crf.forward = lambda emissions, tags: crf.log_likelihood(emissions, LENGTHS, tags)
    assert gradcheck(total, (emissions.requires_grad_(), crf.weight))


def test_derivatives_are_those_of_autograd_through_the_sum():
    crf, emissions = chain(5)
    emissions.requires_grad_()
    own = torch.autograd.grad(crf.log_partition(emissions, LENGTHS).sum(), [emissions, crf.weight])
    every = [paths(crf, emissions[row], n)[1] for row, n in enumerate(LENGTHS.tolist()) if n]
    total = sum(torch.logsumexp(scores, 0) for scores in every)
    for mine, theirs in zip(own, torch.autograd.grad(total, [emissions, crf.weight]), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_what_is_forbidden_has_no_probability_and_gets_no_derivative():
    allowed = forbidding()
    crf, emissions = chain(6, dtype=torch.float32, allowed=allowed)
    wrong = torch.tensor([[0, 2, 0, 0]])
    assert crf.log_likelihood(emissions[:1], LENGTHS[:1], wrong).item() == -torch.inf
    assert (crf.marginals(emissions, LENGTHS)[:, 0, 2] == 0).all()
    crf.log_partition(emissions, LENGTHS).sum().backward()
    assert (crf.weight.grad[~allowed] == 0).all()
    assert crf.weight.grad.isfinite().all()
    for row, length in zip(crf.decode(100 * emissions, LENGTHS).tolist(), LENGTHS, strict=True):
        edged = [K, *row[:length], K] if length else []
        assert all(allowed[one, two] for one, two in itertools.pairwise(edged))


def test_rows_do_not_see_each_other_nor_what_stands_past_their_end():
    crf, emissions = chain(7)
    steps = torch.arange(4) < LENGTHS[:, None]
    poisoned = emissions.masked_fill(~steps[..., None], torch.nan).requires_grad_()
    tags = crf.decode(emissions, LENGTHS)
    assert torch.equal(crf.decode(poisoned.detach(), LENGTHS), tags)
    found = crf.log_likelihood(poisoned, LENGTHS, tags)
    found.sum().backward()
    assert torch.equal(poisoned.grad[~steps], torch.zeros_like(poisoned.grad[~steps]))
    assert poisoned.grad.isfinite().all()
    assert crf.weight.grad.isfinite().all()
    for row in range(len(LENGTHS)):
        cut = emissions[row : row + 1, : LENGTHS[row]]
        alone = crf.log_likelihood(cut, LENGTHS[row : row + 1], tags[row : row + 1, : LENGTHS[row]])
        torch.testing.assert_close(alone[0], found[row])


def test_spans_are_judged_by_their_own_transitions_alone():
    crf, emissions = chain(9, allowed=forbidding())
    wrong = torch.tensor([[0, 2, 0, 0]])  # 2 after 0 is forbidden
    spans = tuple(torch.tensor([[0, 0, 1], [0, 2, 3], [0, 0, 0]]).T)
    found = crf.span_log_probabilities(emissions[:1], LENGTHS[:1], wrong, spans).exp()
    assert found[0].item() == 0.0
    every, scores = paths(crf, emissions[0], 4)
    shares = torch.softmax(scores, 0)
    for place, (first, last) in ((1, (2, 3)), (2, (0, 0))):
        held = [path[first : last + 1] == (0,) * (last + 1 - first) for path in every]
        assert found[place].item() == pytest.approx(shares[torch.tensor(held)].sum().item())


def test_large_scores_do_not_overflow():
    crf, emissions = chain(8, dtype=torch.float32)
    large = 500 * emissions
    with torch.no_grad():
        likely = crf.log_likelihood(large, LENGTHS, crf.decode(large, LENGTHS))
    assert likely.isfinite().all()
    assert crf.marginals(large, LENGTHS).sum(2)[0].tolist() == pytest.approx([1] * 4)


def test_a_sentence_of_ten_thousand_words():
    torch.manual_seed(0)
    crf = LinearChainCRF(17)
    torch.nn.init.normal_(crf.weight)
    emissions = torch.randn(1, 10_000, 17, requires_grad=True)
    length = torch.tensor([10_000])
    tags = crf.decode(emissions.detach(), length)
    crf.log_likelihood(emissions, length, tags).sum().backward()
    # The expected tags of a step add up to one, and so do those that are given.
    assert emissions.grad.sum(2).abs().max() < 1e-6


def test_a_batch_of_nothing():
    crf, _ = chain()
    for shape in ((0, 3, K), (2, 0, K)):
        lengths = torch.zeros(shape[0], dtype=torch.int64)
        empty = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        crf.log_partition(empty, lengths).sum().backward()
        assert crf.decode(empty, lengths).shape == shape[:2]
        assert crf.marginals(empty, lengths).shape == shape


def test_transitions_of_another_size_are_refused():
    with pytest.raises(InputError, match=r"`allowed` must be of shape \[tags \+ 1, tags \+ 1\]"):
        LinearChainCRF(3, allowed=torch.ones(3, 3, dtype=torch.bool))


def test_many_tags_are_worked_on_by_rows_with_the_same_answers(monkeypatch):
    torch.manual_seed(0)
    lengths = torch.tensor([5, 0, 3, 5, 1])
    emissions = torch.randn(5, 5, 3, dtype=torch.float64)
    tags = torch.randint(0, 3, (5, 5))
    found = []
    for numbers in (2**23, 20, 1):  # all rows together, two, each by itself
        monkeypatch.setattr(viterbi, "_AT_ONCE", numbers)
        crf = LinearChainCRF(3).double()
        torch.nn.init.normal_(crf.weight, generator=torch.Generator().manual_seed(1))
        given = emissions.clone().requires_grad_()
        score = crf.log_likelihood(given, lengths, tags)
        score.sum().backward()
        answers = crf.marginals(given, lengths), crf.decode(given, lengths)
        found.append((score, given.grad, *answers, crf.weight.grad))
    for others in found[1:]:
        for first, other in zip(found[0][:-1], others[:-1], strict=True):
            assert torch.equal(first, other)
        torch.testing.assert_close(found[0][-1], others[-1])  # sums of rows in another order


def test_rows_of_many_tags_are_few():
    assert [viterbi.rows_at_once(tags) for tags in (1, 2**10, 2**20)] == [2**23, 8, 1]
