"""Initial weights: distributions, bounds, and the biases that decide how long a cell remembers."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch

import tidegate.nn as tn
from tidegate.device import seeded
from tidegate.nn import init

H = 2000


def block(layer, name: str, gate: str, suffix: str = "_l0") -> torch.Tensor:
    size = layer.hidden_size
    start = layer.cell.blocks.index(gate) * size
    return getattr(layer, f"{name}{suffix}")[start : start + size].detach()


def kolmogorov(sample: torch.Tensor, low: float, high: float) -> float:
    """The largest gap between the sample's distribution and U(low, high)."""
    expected = (sample.sort().values - low) / (high - low)
    ranks = torch.arange(1, len(sample) + 1) / len(sample)
    return (ranks - expected).abs().max().item()


@pytest.mark.parametrize("max_lag", [3, 50, 784])
def test_chrono_spreads_the_memory_of_an_lstm_over_all_lags(max_lag):
    """Tallec & Ollivier 2018, equation 16: b_f = ln U(1, max_lag - 1), b_i = -b_f."""
    layer = tn.LSTM(2, H, init="chrono", max_lag=max_lag)
    forget, enter = block(layer, "bias_ih", "forget"), block(layer, "bias_ih", "input")
    assert torch.equal(enter, -forget)
    lags = forget.exp()
    assert lags.min() >= 1 - 1e-4
    assert lags.max() <= max_lag - 1 + 1e-3 * max_lag
    assert kolmogorov(lags, 1, max_lag - 1) < 1.63 / math.sqrt(H)  # one false alarm in a hundred
    for gate in ("forget", "input"):
        assert not block(layer, "bias_hh", gate).any()
    bound = 1 / math.sqrt(H)
    assert kolmogorov(block(layer, "bias_ih", "candidate"), -bound, bound) < 1.63 / math.sqrt(H)


def test_chrono_of_a_gru_and_of_coupled_gates():
    gru = tn.GRU(2, H, init="chrono", max_lag=50)
    assert kolmogorov(block(gru, "bias_ih", "update").exp(), 1, 49) < 1.63 / math.sqrt(H)
    assert not block(gru, "bias_hh", "update").any()
    assert block(gru, "bias_ih", "reset").abs().max() <= 1 / math.sqrt(H)
    coupled = tn.LSTM(2, H, init="chrono", max_lag=50, coupled=True)
    assert kolmogorov(block(coupled, "bias_ih", "forget").exp(), 1, 49) < 1.63 / math.sqrt(H)


@pytest.mark.parametrize("init", ["torch", "orthogonal"])
@pytest.mark.parametrize(("name", "gate"), [("LSTM", "forget"), ("GRU", "update")])
def test_forget_bias_is_the_total_in_effect(name, gate, init):
    layer = getattr(tn, name)(3, 5, 2, bidirectional=True, init=init, forget_bias=1.5)
    plain = getattr(tn, name)(3, 5, 2, bidirectional=True)
    for suffix in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        assert (block(layer, "bias_ih", gate, suffix) == 1.5).all()
        assert not block(layer, "bias_hh", gate, suffix).any()
        assert not (block(plain, "bias_ih", gate, suffix) == 1.5).any()


def test_forget_bias_goes_over_chrono_and_leaves_the_rest_to_torch():
    layer = tn.LSTM(3, 5, init="chrono", max_lag=9, forget_bias=2)
    assert (block(layer, "bias_ih", "forget") == 2).all()
    assert (block(layer, "bias_ih", "input") < 0).all()
    torch.manual_seed(3)
    ours = tn.LSTM(3, 5, forget_bias=1.0).state_dict()
    torch.manual_seed(3)
    theirs = torch.nn.LSTM(3, 5).state_dict()
    forget = slice(5, 10)
    for key in theirs:
        if key.startswith("bias"):
            ours[key][forget] = theirs[key][forget]
        assert torch.equal(ours[key], theirs[key])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    ("name", "options"),
    [("LSTM", {}), ("LSTM", {"proj_size": 3}), ("LSTM", {"peephole": True}), ("GRU", {})],
)
def test_orthogonal(name, options, dtype):
    layer = getattr(tn, name)(3, 5, init="orthogonal", dtype=dtype, **options)
    for part in layer.weight_hh_l0.detach().double().split(5):
        product = part.T @ part
        allowed = 1e-10 if dtype == torch.float64 else 8 * torch.finfo(dtype).eps
        assert (product - torch.eye(len(product))).abs().max() < allowed
    bound = math.sqrt(6 / (3 + len(layer.weight_ih_l0)))  # Glorot & Bengio 2010
    assert layer.weight_ih_l0.abs().max() <= bound * 1.01
    assert layer.weight_ih_l0.abs().max() > 0.5 * bound
    assert not layer.bias_ih_l0.any()
    assert not layer.bias_hh_l0.any()


def test_norms_start_as_the_identity():
    layer = tn.LSTM(3, 5, layer_norm=True)
    assert (layer.norm_ih_l0 == 1).all()
    assert (layer.norm_hh_l0 == 1).all()
    assert (layer.norm_cell_l0 == 1).all()
    assert not layer.norm_cell_bias_l0.any()


def test_peepholes_are_drawn_like_the_other_weights():
    weights = tn.LSTM(2, H, peephole=True).weight_ch_l0.detach()
    bound = 1 / math.sqrt(H)
    assert kolmogorov(weights, -bound, bound) < 1.63 / math.sqrt(3 * H)


@pytest.mark.parametrize("name", ["LSTMCell", "GRUCell"])
def test_single_steps_take_the_same_options(name):
    cell = getattr(tn, name)(3, 5, init="orthogonal", forget_bias=0.5)
    gate = cell.cell.keep_gate
    assert (block(cell, "bias_ih", gate, "") == 0.5).all()
    assert (cell.weight_hh[:5].T @ cell.weight_hh[:5] - torch.eye(5)).abs().max() < 1e-6
    chrono = getattr(tn, name)(3, 5, init="chrono", max_lag=20)
    assert (block(chrono, "bias_ih", gate, "") > 0).all()


def test_reset_parameters_draws_anew():
    layer = tn.LSTM(3, 5, init="chrono", max_lag=20)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.reset_parameters()
    assert not torch.equal(layer.weight_hh_l0, before["weight_hh_l0"])
    assert not torch.equal(layer.bias_ih_l0, before["bias_ih_l0"])
    assert (block(layer, "bias_ih", "forget") > 0).all()


def test_orthogonal_weights_without_memory_load_no_compiler():
    """Every model that is loaded is first built on "meta"."""
    code = (
        "import sys, torch, tidegate.nn as tn\n"
        "tn.LSTM(3, 5, init='orthogonal', device='meta')\n"
        "print('sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_weights_that_are_read_at_once_are_not_drawn():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with init.skipped():
        layer = tn.LSTM(3, 4, init="orthogonal", forget_bias=1.0)
    assert torch.equal(torch.get_rng_state(), before)
    assert tuple(next(layer.parameters()).shape) == (16, 3)
    drawn = tn.LSTM(3, 4, init="orthogonal", forget_bias=1.0)
    assert not torch.equal(torch.get_rng_state(), before)
    layer.load_state_dict(drawn.state_dict())
    x = torch.randn(5, 2, 3)
    assert torch.equal(layer(x)[0], drawn(x)[0])


@pytest.mark.parametrize("options", [{}, {"init": "orthogonal"}, {"init": "chrono", "max_lag": 9}])
def test_weights_draw_from_the_generators_of_a_block_and_on_meta_from_none(options):
    state, found = torch.get_rng_state(), []
    for _ in range(2):
        with seeded(3, torch.device("cpu")):
            layer = tn.LSTM(3, 4, 2, bidirectional=True, **options)
        found.append(torch.cat([weight.detach().flatten() for weight in layer.parameters()]))
    tn.LSTM(3, 4, device="meta", **options)
    assert torch.equal(*found)
    assert torch.equal(torch.get_rng_state(), state)
