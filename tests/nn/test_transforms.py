"""torch's own transforms on the layers: per-sample gradients, compilation, mixed precision."""

from __future__ import annotations

import pytest
import torch
from torch.func import functional_call, grad, jacrev, jvp, vmap

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make, random_states, states_of
from tidegate import kernels
from tidegate.errors import InputError

B, T, D, H = 3, 4, 3, 4


def weights_of(layer: tn.Recurrent) -> dict[str, torch.Tensor]:
    return {name: weight.detach() for name, weight in layer.named_parameters()}


@pytest.mark.parametrize("case", VARIANTS)
def test_per_sample_gradients_by_vmap_equal_a_loop(case):
    layer, rows = make(case, num_layers=2, bidirectional=True), torch.randn(B, T, D).double()

    def loss(weights, row):
        return functional_call(layer, weights, (row,))[0].square().sum()

    together = vmap(grad(loss), in_dims=(None, 0))(weights_of(layer), rows)
    for index, row in enumerate(rows):
        alone = torch.autograd.grad(layer(row)[0].square().sum(), list(layer.parameters()))
        for (name, _), expected in zip(layer.named_parameters(), alone, strict=True):
            assert difference(together[name][index], expected) <= 1e-10, name


def test_vmap_takes_lengths_and_resets_along():
    layer = make("gru", bidirectional=True, batch_first=True)
    x = torch.randn(2, B, T, D, dtype=torch.float64)
    lengths, resets = [4, 0, 2], torch.eye(B, T, dtype=torch.bool)

    def run(batch):
        return layer(batch, lengths=lengths, reset_mask=resets)[0]

    assert difference(vmap(run)(x), torch.stack([run(batch) for batch in x])) <= 1e-12


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "lstm-all"])
def test_jacobians(case):
    layer = make(case)
    x = torch.randn(T, D, dtype=torch.float64)
    jacobian = jacrev(lambda row: layer(row)[0])(x)
    expected = torch.autograd.functional.jacobian(lambda row: layer(row)[0], x)
    assert difference(jacobian, expected) <= 1e-12
    causal = jacobian.abs().sum((1, 3))  # step of the output by step of the input
    assert not causal.triu(1).any()
    assert (causal.tril() > 0).sum() == T * (T + 1) / 2


# torch builds its own rules for forward mode with a function that it has deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("case", ["lstm", "gru-reset-before", "rnn-norm"])
def test_forward_mode(case):
    layer = make(case)
    x, tangent = torch.randn(2, T, D, dtype=torch.float64)
    _, slope = jvp(lambda row: layer(row)[0], (x,), (tangent,))
    step = 1e-6
    ends = [layer(x + sign * step * tangent)[0] for sign in (1, -1)]
    assert difference(slope, (ends[0] - ends[1]) / (2 * step)) <= 1e-8


def compiled(layer: tn.Recurrent, backend: str):
    torch._dynamo.reset()
    return torch.compile(layer, fullgraph=True, backend=backend)


def against_eager(layer: tn.Recurrent, backend: str) -> None:
    x = torch.randn(T, B, D, requires_grad=True)
    states = random_states(layer, B, torch.float32)
    call = {"lengths": torch.tensor([4, 0, 2])}
    if layer.options.backend != "aten":
        call["reset_mask"] = torch.eye(B, T, dtype=torch.bool)
    found = []
    for run in (compiled(layer, backend), layer):
        output, state = run(x, as_hx(states), **call)
        wanted = [x, *states, *layer.parameters()]
        found.append((output, *states_of(state), *torch.autograd.grad(output.sum(), wanted)))
    for actual, expected in zip(*found, strict=True):
        assert difference(actual, expected) <= 1e-5


@pytest.mark.parametrize(("name", "backend"), [("LSTM", "aten"), ("GRU", "reference")])
def test_a_layer_compiles_as_one_graph(name, backend):
    against_eager(getattr(tn, name)(D, H, bidirectional=True, backend=backend), "aot_eager")


def test_a_variant_compiles_as_one_graph():
    options = {"peephole": True, "coupled": True, "layer_norm": True, "cell_clip": 1.0}
    against_eager(tn.LSTM(D, H, proj_size=2, **options), "aot_eager")


# inductor builds its own rules with functions that torch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize(("name", "backend"), [("LSTM", "aten"), ("GRU", "reference")])
def test_a_layer_compiles_to_machine_code(name, backend):
    against_eager(getattr(tn, name)(D, H, 2, bidirectional=True, backend=backend), "inductor")


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_autocast_computes_in_the_lower_type_within_its_rounding(name, backend, monkeypatch):
    """bfloat16 holds 8 bits: within 2^-5 of float32 over chunks whose states are handed on.

    Without the native library "auto" is PyTorch's operators, where the processor has them.
    """
    left = {name: module for name, module in kernels.BACKENDS.items() if name != "native"}
    monkeypatch.setattr(kernels, "BACKENDS", left)
    layer = getattr(tn, name)(D, H, 2, bidirectional=True, backend=backend)
    state = expected_state = None
    for lengths in ([4, 0, 2], None):
        x = torch.randn(T, B, D, requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16):
            output, state = layer(x, state, lengths=lengths)
            ran = layer.explain_backend(x).split()[0]
        expected, expected_state = layer(x, expected_state, lengths=lengths)
        assert difference(output, expected) < 2**-5
        if ran == "aten":
            assert len({part.dtype for part in (output, *states_of(state))}) == 1
        for part, other in zip(states_of(state), states_of(expected_state), strict=True):
            assert difference(part, other) < 2**-5
        output.float().sum().backward()
        assert all(weight.grad.isfinite().all() for weight in layer.parameters())
        assert layer.weight_hh_l0.grad.dtype == torch.float32
        state = as_hx(tuple(part.detach() for part in states_of(state)))


def test_autocast_of_a_relu_with_rows_that_end():
    """What holds the padding of a ReLU at zero must not overflow the lower type."""
    layer = tn.RNN(D, H, nonlinearity="relu", backend="aten")
    x = torch.rand(T, B, D)
    expected, _ = layer(x, lengths=[4, 0, 2])
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype):
            output, _ = layer(x, lengths=[4, 0, 2])
        assert difference(output, expected) < 2**-5


@pytest.mark.parametrize("layer", [tn.LSTM(3, 4, bidirectional=True), tn.GRU(3, 4, num_layers=2)])
def test_vmap_goes_over_lengths_too_and_checks_them(layer):
    layer = layer.double()
    x = torch.randn(3, 6, 2, 3, dtype=torch.float64)
    lengths = torch.tensor([[6, 2], [0, 1], [5, 5]])

    def run(rows, counts):
        return layer(rows, lengths=counts)[0]

    expected = torch.stack([run(*pair) for pair in zip(x, lengths, strict=True)])
    assert difference(vmap(run)(x, lengths), expected) <= 1e-12
    nested = vmap(vmap(run, (None, 0)), (0, None))(x, lengths)
    assert difference(nested[1, 2], run(x[1], lengths[2])) <= 1e-12
    for wrong in (7, -1):
        with pytest.raises(InputError, match="between 0 and T = 6"):
            vmap(run)(x, lengths.index_fill(0, torch.tensor(1), wrong))
