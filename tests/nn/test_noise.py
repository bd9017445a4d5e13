"""The random options: masks that hold as long as they should, expectations, seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tests.cells import oracle
from tests.helpers import VARIANTS, difference, make, states_of
from tidegate.cells import LSTM
from tidegate.cells.base import LSTM_BLOCKS
from tidegate.kernels import Noise, Request, run_sequence
from tidegate.nn.stack_pass import draw_masks

B, T, D, H = 2, 6, 3, 4


def echo(**options) -> tn.RNN:
    """A ReLU unit that hands its state on: h' = h, so that masks on the way can be read off."""
    layer = tn.RNN(1, 50, nonlinearity="relu", bias=False, batch_first=True, **options)
    with torch.no_grad():
        layer.weight_ih_l0.zero_()
        layer.weight_hh_l0.copy_(torch.eye(50))
    return layer


def run_echo(layer: tn.RNN) -> torch.Tensor:
    return layer(torch.zeros(3, T, 1), torch.ones(1, 3, 50))[0]


def lstm_request(noise: Noise) -> Request:
    cell = LSTM(hidden_size=H)
    weights = {n: torch.randn(s, dtype=torch.float64) for n, s in cell.shapes(D).items()}
    x = torch.randn(B, T, D, dtype=torch.float64)
    state = tuple(torch.randn(B, H, dtype=torch.float64) for _ in range(2))
    return Request(cell=cell, x=x, state=state, weights=weights, noise=noise)


def by_hand(request: Request, seen, after) -> np.ndarray:
    """Walk the rows with the LSTM of the papers.

    `seen(row, h)` is what the gates see of h; `after(row, t, new, old)` is what is kept of a step,
    for the tuples (h, c).
    """
    gates = oracle.by_gate(request.weights, LSTM_BLOCKS)
    outputs = np.zeros((B, T, H))
    for row in range(B):
        h, c = (part[row].numpy() for part in request.state)
        for t in range(T):
            new = oracle.lstm(request.x[row, t].numpy(), seen(row, h), c, gates)
            h, c = after(row, t, new, (h, c))
            outputs[row, t] = h
    return outputs


def test_zoneout_in_training_is_krueger_2017():
    """c_t = d_c c_{t-1} + (1 - d_c) c'; h_t likewise, from the c' that no zoneout has touched."""
    masks = tuple(torch.rand(B, T, H) < 0.4 for _ in range(2))
    request = lstm_request(Noise(zoneout=masks))

    def after(row, t, new, old):
        return tuple(
            np.where(mask[row, t].numpy(), o, n) for mask, n, o in zip(masks, new, old, strict=True)
        )

    expected = by_hand(request, lambda row, h: h, after)
    np.testing.assert_allclose(run_sequence(request).output, expected, rtol=0, atol=1e-12)


def test_zoneout_in_evaluation_is_its_expectation():
    rates = (0.3, 0.1)  # h, c
    request = lstm_request(Noise(zoneout=rates))

    def after(row, t, new, old):
        return tuple(p * o + (1 - p) * n for p, n, o in zip(rates, new, old, strict=True))

    expected = by_hand(request, lambda row, h: h, after)
    np.testing.assert_allclose(run_sequence(request).output, expected, rtol=0, atol=1e-12)


def test_recurrent_dropout_is_gal_2016():
    """One mask a sequence on h wherever the recurrent weights see it; h itself goes out whole."""
    mask = torch.tensor([[2.0, 0, 2, 0], [0, 0, 2, 2]], dtype=torch.float64)
    request = lstm_request(Noise(recurrent=mask))
    expected = by_hand(request, lambda row, h: h * mask[row].numpy(), lambda row, t, new, old: new)
    np.testing.assert_allclose(run_sequence(request).output, expected, rtol=0, atol=1e-12)


def test_a_layer_evaluates_zoneout_with_the_rates_in_the_order_of_the_paper():
    """`zoneout=(p_c, p_h)`; the mean over many draws of one step comes near the expectation."""
    layer = make("lstm", zoneout=(0.8, 0.2))
    state = tuple(torch.randn(1, 1, H, dtype=torch.float64) for _ in range(2))
    x = torch.randn(1, 1, D, dtype=torch.float64)
    plain = make("lstm")
    plain.load_state_dict(layer.state_dict())
    new, kept = states_of(plain(x, state)[1]), states_of(layer.eval()(x, state)[1])
    for rate, n, old, mean in zip((0.2, 0.8), new, state, kept, strict=True):
        assert difference(mean, rate * old + (1 - rate) * n) <= 1e-12
    rows = 20_000
    wide = tuple(part.expand(1, rows, H).contiguous() for part in state)
    drawn = layer.train()(x.expand(1, rows, D).contiguous(), wide)[1]
    for part, mean, old, n in zip(states_of(drawn), kept, state, new, strict=True):
        assert ((part == old) | ((part - n).abs() < 1e-12)).all()  # all or nothing, unit by unit
        assert difference(part.mean(1, keepdim=True), mean) < 0.02


@pytest.mark.parametrize("rates", [(0.15, 0.05), (0.5, 0.7), (0.9, 0.99)])
@pytest.mark.parametrize("width", [51, 40])
def test_masks_of_zoneout_are_true_as_often_as_they_should_be_and_independent(width, rates):
    """Within four standard deviations, also of neighbours, which come from one draw."""
    masks = draw_masks(rates, [(100, 60, 51), (100, 60, width)], torch.device("cpu"))
    for mask, rate in zip(masks, rates, strict=True):
        assert mask.dtype is torch.bool
        assert_frequency(mask, rate)
        for lane in range(4):
            assert_frequency(mask.flatten()[lane::4], rate)
        assert_frequency(mask.flatten()[0::2] & mask.flatten()[1::2], rate**2)
    assert_frequency(masks[0][..., :width] & masks[1], rates[0] * rates[1])


def assert_frequency(mask: torch.Tensor, rate: float) -> None:
    sigma = (rate * (1 - rate) / mask.numel()) ** 0.5
    assert abs(float(mask.float().mean()) - rate) < 4 * sigma


@pytest.mark.parametrize("rates", [(1.0, 1.0), (1.0, 0.3), (0.3, 1.0), (1.0, 1e-9)])
def test_masks_of_zoneout_of_which_one_is_certain(rates):
    for mask, rate in zip(
        draw_masks(rates, [(100, 60, 51)] * 2, torch.device("cpu")), rates, strict=True
    ):
        assert mask.all() if rate == 1 else abs(float(mask.float().mean()) - rate) < 0.01


def test_masks_of_zoneout_at_the_ends_of_what_a_rate_can_be():
    shape = (200, 60, 51)
    never, seldom, always = draw_masks((0.0, 1e-9, 1.0), [shape] * 3, torch.device("cpu"))
    assert never is None
    assert 0 < float(seldom.float().mean()) < 1e-4
    assert always.all()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_zoneout_at_its_ends(rate):
    """0 changes nothing; at 1 nothing ever changes."""
    layer, plain = make("gru", zoneout=rate), make("gru")
    plain.load_state_dict(layer.state_dict())
    x, h = torch.randn(T, B, D, dtype=torch.float64), torch.randn(1, B, H, dtype=torch.float64)
    for training in (True, False):
        output, state = layer.train(training)(x, h)
        expected = plain(x, h)[0] if rate == 0 else h.expand(T, B, H)
        assert difference(output, expected) <= 1e-12
        assert difference(state[0], expected[-1]) <= 1e-12


def test_the_mask_of_recurrent_dropout_holds_for_a_whole_sequence_and_differs_between_rows():
    output = run_echo(echo(recurrent_dropout=0.5))
    doubled = 2.0 ** torch.arange(1, T + 1)
    survives = output[:, 0] > 0
    assert torch.equal(output, torch.where(survives[:, None], doubled[:, None], 0))
    assert 0.2 < survives.float().mean() < 0.8
    assert not torch.equal(survives[0], survives[1])


def test_weight_dropout_draws_one_mask_a_pass_for_all_rows_and_steps():
    layer = echo(weight_dropout=0.5)
    output = run_echo(layer)
    assert torch.equal(output[0], output[1])
    doubled = 2.0 ** torch.arange(1, T + 1)
    assert torch.equal(output, torch.where(output[:, :1] > 0, doubled[:, None], 0))
    assert not torch.equal(run_echo(layer), output)
    assert torch.equal(layer.weight_hh_l0, torch.eye(50))


def test_variational_dropout_between_layers_holds_for_a_whole_sequence():
    """The second layer hands on what it sees, so that its output shows the mask."""
    masks = {}
    for variational in (True, False):
        options = {"num_layers": 2, "dropout": 0.5, "variational_dropout": variational}
        layer = echo(**options)
        with torch.no_grad():
            layer.weight_ih_l1.copy_(torch.eye(50))
            layer.weight_hh_l1.zero_()
        output = layer(torch.zeros(3, T, 1), torch.ones(2, 3, 50))[0]
        assert set(output.unique().tolist()) == {0.0, 2.0}
        masks[variational] = output
    held, fresh = masks[True], masks[False]
    assert torch.equal(held, held[:, :1].expand_as(held))
    assert not torch.equal(held[0], held[1])
    assert not torch.equal(fresh, fresh[:, :1].expand_as(fresh))


def test_dropout_leaves_the_last_layer_alone():
    layer = tn.GRU(D, 50, 2, dropout=0.99)
    output, state = layer(torch.randn(T, B, D))
    assert (output != 0).all()
    assert torch.equal(output[-1], state[-1])


NOISY = {
    "dropout": {"num_layers": 2, "dropout": 0.5},
    "variational_dropout": {"num_layers": 2, "dropout": 0.5, "variational_dropout": True},
    "recurrent_dropout": {"recurrent_dropout": 0.5},
    "weight_dropout": {"weight_dropout": 0.5},
    "zoneout": {"zoneout": 0.5},
}


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("options", NOISY.values(), ids=NOISY)
def test_a_seed_repeats_a_pass_bit_for_bit_and_evaluation_needs_none(options, backend):
    layer = tn.LSTM(D, H, bidirectional=True, backend=backend, **options)
    x = torch.randn(T, B, D)

    def passes(*seeds):
        for seed in seeds:
            torch.manual_seed(seed)
            output, _ = layer(x, lengths=[6, 3])
            yield output, *torch.autograd.grad(output.square().sum(), list(layer.parameters()))

    first, again, other = passes(1, 1, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    layer.eval()
    calm, different = passes(1, 2)
    assert all(torch.equal(a, b) for a, b in zip(calm, different, strict=True))


@pytest.mark.parametrize("case", VARIANTS)
def test_every_variant_takes_every_noise(case):
    options = NOISY["variational_dropout"] | NOISY["recurrent_dropout"]
    layer = make(case, bidirectional=True, weight_dropout=0.2, zoneout=0.2, **options)
    output, _ = layer(torch.randn(T, B, D, dtype=torch.float64), lengths=[0, 4])
    assert output.isfinite().all()
    assert (output[:, 0] == 0).all()
