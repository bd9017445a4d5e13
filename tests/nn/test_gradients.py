"""First and second derivatives of every variant, by finite differences in float64."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call

from tests.helpers import VARIANTS, as_hx, make, random_states, states_of

ROWS, STEPS = 3, 4
LENGTHS = [4, 0, 2]
RESETS = torch.tensor([[0, 0, 1, 0], [1, 0, 0, 0], [1, 1, 0, 1]], dtype=torch.bool)


def check(layer, *, second=False, **call):
    """Differentiate output and states by x, the initial states and every weight."""
    x = torch.randn(STEPS, ROWS, layer.input_size, dtype=torch.float64, requires_grad=True)
    states = random_states_of(layer)
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *rest):
        hx, weights = rest[: len(states)], rest[len(states) :]
        torch.manual_seed(5)  # the same masks at every evaluation
        output, state = functional_call(
            layer, dict(zip(names, weights, strict=True)), (x, as_hx(hx)), call
        )
        return (output, *states_of(state))

    inputs = (x, *states, *layer.parameters())
    assert gradcheck(run, inputs, fast_mode=True)
    if second:
        assert gradgradcheck(run, inputs, fast_mode=True)


def random_states_of(layer):
    """Non-zero states for any cell, sizes as the cell says."""
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(
        torch.randn(count, ROWS, size, dtype=torch.float64, requires_grad=True)
        for size in layer.cell.state_sizes
    )


@pytest.mark.parametrize("case", VARIANTS)
def test_both_directions(case):
    check(make(case, bidirectional=True))


@pytest.mark.parametrize("case", VARIANTS)
def test_lengths_with_an_empty_row_and_resets(case):
    check(make(case, bidirectional=True), lengths=LENGTHS, reset_mask=RESETS)


@pytest.mark.parametrize("case", ["lstm", "lstm-projected", "gru", "rnn"])
def test_lengths_through_the_operators_of_torch(case):
    check(make(case, bidirectional=True, backend="aten"), lengths=LENGTHS)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"zoneout": 0.3},
        {"recurrent_dropout": 0.4},
        {"weight_dropout": 0.4},
        {"zoneout": 0.3, "recurrent_dropout": 0.4, "weight_dropout": 0.4},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("case", ["lstm-all", "gru-reset-before", "rnn"])
def test_noise(case, options, training):
    layer = make(case, bidirectional=True, **options).train(training)
    check(layer, lengths=LENGTHS, reset_mask=RESETS)


@pytest.mark.parametrize("merge", ["sum", "mean"])
def test_stacks_with_everything_between_layers(merge):
    options = {"num_layers": 3, "dropout": 0.3, "variational_dropout": True, "residual": True}
    check(make("lstm-peephole", bidirectional=True, merge=merge, **options), lengths=LENGTHS)


@pytest.mark.parametrize("case", ["lstm-all", "gru", "rnn-norm"])
def test_checkpoints(case):
    layer = make(case, bidirectional=True, checkpoint_every=3, zoneout=0.2)
    check(layer, lengths=LENGTHS, reset_mask=RESETS)


@pytest.mark.parametrize("case", ["lstm", "lstm-all", "gru", "gru-reset-before-norm", "rnn"])
def test_second_derivatives(case):
    layer = make(case, 2, 3, bidirectional=True, backend="reference")
    check(layer, second=True, lengths=LENGTHS, reset_mask=RESETS)


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
def test_second_derivatives_with_the_backend_left_to_choose(case):
    check(make(case, 2, 3, bidirectional=True), second=True, lengths=LENGTHS)


@pytest.mark.parametrize("backend", ["aten", "reference"])
def test_backward_works_in_evaluation(backend):
    layer = make("lstm", num_layers=2, dropout=0.5, backend=backend).eval()
    x = torch.randn(STEPS, ROWS, 3, dtype=torch.float64, requires_grad=True)
    layer(x, as_hx(random_states(layer, ROWS, torch.float64)))[0].sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in layer.parameters())
