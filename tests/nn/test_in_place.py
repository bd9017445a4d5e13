"""What comes out of a layer may be written to, as that of torch.nn, and still it trains."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from tests.helpers import BOUNDS, difference
from tidegate import accelerate
from tidegate.nn import GRU, LSTM, RNN, Recurrent

B, T, D, H = 4, 5, 3, 6
LENGTHS = [5, 2, 0, 3]
Write = Callable[[Tensor, tuple[Tensor, ...]], object]

WRITES: dict[str, Write] = {
    "relu_": lambda output, _: output.relu_(),
    "multiply": lambda output, _: output.mul_(torch.arange(output.shape[-1]) % 3),
    "first step": lambda output, _: output[:, 0].zero_(),
    "first row": lambda output, _: output[0].fill_(2),
    "masked_fill_": lambda output, _: output.masked_fill_(torch.eye(B, T).bool()[..., None], 0),
    "dropout": lambda output, _: nn.functional.dropout(output, 0.0, inplace=True).mul_(3),
    "h_n": lambda _, state: state[0].tanh_(),
    "last state": lambda _, state: state[-1][0].mul_(3),
    "all": lambda output, state: (output.tanh_(), state[0].add_(1), state[-1].mul_(3)),
}


def gradients(module: nn.Module, x: Tensor, write: Write, copies: bool, **options: Any) -> Any:
    """Gradients of x and of the weights where somebody writes to the outputs, or to copies."""
    module.zero_grad()
    x = x.clone().requires_grad_()
    output, state = module(x * 1, **options)
    states = state if isinstance(state, tuple) else (state,)
    if copies:
        output, states = output.clone(), tuple(part.clone() for part in states)
    write(output, states)
    loss = (output * torch.arange(output.numel()).view(output.shape).sin()).sum()
    (loss + sum((part * part + part).sum() for part in states)).backward()
    return [x.grad, *[weight.grad.clone() for weight in module.parameters()]]


def check(module: nn.Module, x: Tensor, truth: nn.Module | None = None, **options: Any) -> None:
    """Compare with what copies give: in `truth`, if there is one, else in the module itself."""
    for name, write in WRITES.items():
        found = gradients(module, x, write, False, **options)
        expected = gradients(truth or module, x, write, True, **options)
        for got, wanted in zip(found, expected, strict=True):
            assert difference(got, wanted) < BOUNDS[x.dtype][1], name


@pytest.mark.parametrize("own", [True, False], ids=["own", "accelerated"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (1, True), (2, False)])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_outputs_may_be_written_to(rng, name, layers, both, dtype, own):
    kind = getattr(nn, name)
    plain = kind(D, H, layers, batch_first=True, bidirectional=both, dtype=dtype)
    layer: nn.Module = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}[name].from_torch(plain)
    if not own:
        layer = copy.deepcopy(plain)
        accelerate(layer)
    x = torch.from_numpy(rng.standard_normal((B, T, D))).to(dtype)
    check(layer, x, plain)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize(
    "layer",
    [
        LSTM(D, H, batch_first=True, peephole=True, bidirectional=True),
        LSTM(D, H, batch_first=True, proj_size=2),
        LSTM(D, H, batch_first=True, layer_norm=True, coupled=True),
        GRU(D, H, batch_first=True, reset_after=False),
        RNN(D, H, batch_first=True, bidirectional=True, merge="sum"),
        RNN(D, H, batch_first=True, nonlinearity="relu"),
    ],
    ids=lambda layer: str(layer.cell.name),
)
def test_outputs_of_ragged_rows_and_variants_may_be_written_to(rng, layer, backend):
    layer = copy.deepcopy(layer)
    layer.options = type(layer.options)(merge=layer.options.merge, backend=backend)
    check(layer, torch.from_numpy(rng.standard_normal((B, T, D), "float32")), lengths=LENGTHS)


def test_outputs_in_bfloat16_may_be_written_to(rng):
    layer = GRU(D, H, batch_first=True, dtype=torch.bfloat16)
    x = torch.from_numpy(rng.standard_normal((B, T, D))).bfloat16()
    for write in WRITES.values():
        for got, wanted in zip(
            gradients(layer, x, write, False), gradients(layer, x, write, True), strict=True
        ):
            assert torch.equal(got, wanted)


def test_a_graph_that_is_kept_sees_a_later_change(rng):
    layer = GRU(D, H, batch_first=True)
    x = torch.from_numpy(rng.standard_normal((B, T, D), "float32"))
    output, _ = layer(x)
    loss = output.sum()
    weights = list(layer.parameters())
    first = torch.autograd.grad(loss, weights, retain_graph=True)
    with torch.no_grad():
        output.zero_()
    for got, wanted in zip(torch.autograd.grad(loss, weights), first, strict=True):
        assert torch.equal(got, wanted)


def test_memory_is_free_once_the_gradients_are_there(rng):
    layer: Recurrent = GRU(D, H)
    loss = layer(torch.from_numpy(rng.standard_normal((T, B, D), "float32")))[0].sum()
    function = loss.grad_fn.next_functions[0][0]
    while not hasattr(function, "watched"):
        function = function.next_functions[0][0]
    assert function.watched is not None
    loss.backward()
    assert function.watched is None


def test_what_hooks_keep_is_safe_too(rng):
    layer = GRU(D, H, batch_first=True)
    x = torch.from_numpy(rng.standard_normal((B, T, D), "float32"))

    def under_hooks(*given: Any) -> Any:
        with saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor):
            return layer(*given)

    class Wrapped(nn.Module):
        def __init__(self, run: Callable[..., Any]) -> None:
            super().__init__()
            self.layer, self.run = layer, run

        def forward(self, x: Tensor) -> Any:
            return self.run(x)

    check(Wrapped(under_hooks), x, layer)
    check(Wrapped(lambda x: checkpoint(layer, x, use_reentrant=False)), x, layer)


@pytest.mark.parametrize("layer", [GRU(D, H, 2, batch_first=True), LSTM(D, H, batch_first=True)])
def test_compiled_programs_may_write_too(rng, layer):
    def run(x: Tensor, copies: bool) -> Tensor:
        output, _ = layer(x)
        output = output.clone() if copies else output
        output[:, 0].zero_()
        return output.mul_(2).relu_()

    x = torch.from_numpy(rng.standard_normal((B, T, D), "float32"))
    found = []
    for program in (torch.compile(run, fullgraph=True, backend="aot_eager"), run):
        given = x.clone().requires_grad_()
        program(given, program is run).sum().backward()
        found.append(given.grad)
    assert difference(*found) < BOUNDS[torch.float32][1]
    with FlopCounterMode(display=False):
        given = x.clone().requires_grad_()
        run(given, False).sum().backward()
    assert difference(given.grad, found[1]) < BOUNDS[torch.float32][1]
