"""The native backend inside PyTorch: refusals, errors, second derivatives, graphs, forks."""

from __future__ import annotations

import io
import multiprocessing
import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call, vmap
from torch.utils.data import DataLoader, Dataset

import tidegate.nn as tn
from tests.helpers import BOUNDS, difference
from tests.kernels.native_cases import (
    CELLS,
    assert_same,
    assert_within,
    cell_of,
    gradients_of,
    leaves,
    loss_of,
    needs_native,
    request_for,
)
from tidegate.cells import LSTM
from tidegate.errors import BackendError
from tidegate.kernels import Noise, choose, explain, native, reference, run_sequence

pytestmark = needs_native

B, T, D, H = 3, 5, 4, 6
OUTPUT, GRADIENT = BOUNDS[torch.float32]
LENGTHS = torch.tensor([5, 0, 3])
HALF = torch.float16


# ------------------------------------------------------------------ refusals and errors


class Foreign(LSTM):
    """Other equations under the name of the LSTM."""


class Watched(Tensor):
    """A tensor with a class of its own."""


def with_x(x: Tensor) -> Any:
    return replace(request_for(LSTM(hidden_size=H)), x=x)


def with_weight(name: str, value: Tensor) -> Any:
    request = request_for(LSTM(hidden_size=H))
    return replace(request, weights={**request.weights, name: value})


REFUSED = {
    "cell": (
        lambda: request_for(Foreign(hidden_size=H)),
        "The native library has no cell 'lstm'",
    ),
    "dtype": (
        lambda: with_x(torch.randn(B, T, D, dtype=torch.float64)),
        "The native library computes in float32 and bfloat16, not in torch.float64",
    ),
    "weights": (
        lambda: with_weight("bias_hh", torch.randn(4 * H).bfloat16()),
        "The native library mixes float32 and bfloat16 only under autocast",
    ),
    "device": (
        lambda: with_x(torch.empty(B, T, D, device="meta")),
        "The native library runs on a CPU, not on meta",
    ),
    "class": (
        lambda: with_x(torch.randn(B, T, D).as_subclass(Watched)),
        "The native library knows plain tensors, not Watched",
    ),
    "sparse": (
        lambda: with_weight("weight_ih", torch.randn(4 * H, D).to_sparse()),
        "The native library knows dense tensors, not torch.sparse_coo",
    ),
    "no steps": (
        lambda: with_x(torch.zeros(B, 0, D)),
        "The native library refuses empty sequences and batches",
    ),
    "mask": (
        lambda: replace(
            request_for(LSTM(hidden_size=H)), noise=Noise(torch.ones(B, H, requires_grad=True))
        ),
        "The native library gives no gradient of a mask",
    ),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_says_what_it_cannot_do(make, reason):
    request = make()
    assert native.refuses(request) == reason
    assert f"native does not: {reason}" in explain(request)
    with pytest.raises(BackendError, match='use backend="auto"'):
        run_sequence(request, backend="native")


def test_it_says_what_it_cannot_do_under_transforms():
    layer, x = tn.GRU(D, H, batch_first=True).requires_grad_(False), torch.randn(B, T, D)
    seen: list[str] = []

    def look(x: Tensor) -> Tensor:
        seen.append(layer.explain_backend(x))
        return layer(x)[0]

    vmap(look)(x[None])
    with forward_ad.dual_level():
        look(x)
    with torch.autocast("cpu", HALF):
        look(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and looks at every branch
        torch.jit.trace(look, (x,), check_trace=False)
    for text, reason in zip(
        seen,
        [
            "The native library has no rule for torch.func transforms such as vmap",
            "The native library has no derivatives in forward mode",
            f"The native library computes in float32 and bfloat16, and autocast asks for {HALF}",
            "The native library leaves no trace for torch.jit",
        ],
        strict=True,
    ):
        assert f"native does not: {reason}" in text


def test_vmap_and_derivatives_of_torch_func_go_by_the_reference():
    layer, x = tn.GRU(D, H, batch_first=True), torch.randn(2, B, T, D)
    assert (
        difference(vmap(lambda part: layer(part)[0])(x), torch.stack([layer(p)[0] for p in x]))
        <= OUTPUT
    )
    weights = {name: part.detach() for name, part in layer.named_parameters()}

    def loss(weights: dict[str, Tensor]) -> Tensor:
        return functional_call(layer, weights, (x[0],))[0].square().sum()

    actual = torch.func.grad(loss)(weights)
    expected = torch.autograd.grad(layer(x[0])[0].square().sum(), list(layer.parameters()))
    for part, other in zip(actual.values(), expected, strict=True):
        assert difference(part, other) <= GRADIENT


@pytest.mark.parametrize("return_gates", [False, True])
@pytest.mark.parametrize("case", CELLS)
def test_second_derivatives_are_those_of_the_reference(case, return_gates):
    zones = (torch.rand(B, T, cell_of(case).output_size) < 0.3, 0.2)
    request = request_for(
        cell_of(case),
        B,
        T,
        D,
        lengths=LENGTHS,
        resets=torch.eye(B, T, dtype=torch.bool),
        noise=Noise(torch.rand(B, cell_of(case).output_size), zones[: len(cell_of(case).states)]),
        return_gates=return_gates,
    )
    if native.refuses(request) is not None:
        pytest.skip("the library has no such cell")
    found = []
    for module in (native, reference):
        wanted = leaves(request)
        loss = loss_of(module.run(request))
        slopes = torch.autograd.grad(loss, wanted.values(), create_graph=True)
        penalty = sum(slope.square().sum() for slope in slopes)
        second = torch.autograd.grad(penalty, wanted.values())
        found.append(dict(zip(wanted, slopes, strict=True)))
        found.append(dict(zip(wanted, second, strict=True)))
    assert_within(found[0], found[2], GRADIENT)
    assert_within(found[1], found[3], GRADIENT)


def test_an_input_that_another_is_computed_from_gets_its_own_part_alone():
    """x is made of the weights here: a graph from x to them must not be walked twice."""
    found = []
    for backend in ("native", "reference"):
        torch.manual_seed(1)
        layer = tn.LSTM(D, H, backend=backend)
        x = layer.weight_ih_l0[:T, None] * torch.randn(T, B, 1)
        loss = layer(x)[0].square().sum()
        (slope,) = torch.autograd.grad(loss, layer.weight_ih_l0, create_graph=True)
        (second,) = torch.autograd.grad(slope.square().sum(), layer.weight_ih_l0)
        found.append((slope, second))
    assert difference(found[0][0], found[1][0]) <= GRADIENT
    assert difference(found[0][1], found[1][1]) <= GRADIENT


def compare_compiled(layer: tn.Recurrent, backend: str, **call: Any) -> None:
    """A graph computes what eager calls do, with gradients, and bit for bit without."""
    torch._dynamo.reset()
    graph = torch.compile(layer, fullgraph=True, backend=backend)
    for steps in (T, T + 2):  # the second draws a graph for any number of steps
        x = torch.randn(steps, B, D, requires_grad=True)
        found = []
        for run in (graph, layer):
            output, _, *trace = run(x, **call)
            parts = [output, *(trace[0].values() if trace else ())]
            loss = sum(part.square().sum() for part in parts)
            found.append([*parts, *torch.autograd.grad(loss, [x, *layer.parameters()])])
        for actual, expected in zip(*found, strict=True):
            assert difference(actual, expected) <= 1e-6
    with torch.no_grad():
        assert torch.equal(graph(x, **call)[0], layer(x, **call)[0])


@pytest.mark.parametrize(
    ("name", "options", "call"),
    [
        ("LSTM", {"bidirectional": True}, {"lengths": LENGTHS}),
        ("LSTM", {"peephole": True, "coupled": True}, {"return_gates": True}),
        ("GRU", {"backend": "auto"}, {"return_gates": True, "lengths": LENGTHS}),
        ("RNN", {"zoneout": 0.2}, {}),
    ],
)
def test_a_layer_compiles_as_one_graph(name, options, call):
    layer = getattr(tn, name)(D, H, **({"backend": "native"} | options)).eval()
    compare_compiled(layer, "aot_eager", **call)


# inductor builds its own rules with functions that torch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
def test_a_layer_compiles_to_machine_code():
    layer = tn.LSTM(D, H, 2, bidirectional=True, backend="native")
    compare_compiled(layer, "inductor", lengths=LENGTHS)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = tn.GRU(D, H, batch_first=True, bidirectional=True, backend="native")

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return self.layer(x, lengths=lengths)[0]


@pytest.mark.parametrize("strict", [False, True])
def test_a_layer_is_exported_with_any_sizes(strict):
    network, rows, steps = Tagger(), torch.export.Dim("rows"), torch.export.Dim("steps")
    shapes = {"x": {0: rows, 1: steps}, "lengths": {0: rows}}
    example = (torch.randn(B, T, D), LENGTHS)
    with torch.no_grad():
        program = torch.export.export(network, example, dynamic_shapes=shapes, strict=strict)
    called = [str(node.target) for node in program.graph.nodes]
    assert called.count("tidegate.sequence.default") == 2
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    x, lengths = torch.randn(7, 9, D), torch.randint(0, 10, (7,))
    with torch.no_grad():
        assert torch.equal(loaded(x, lengths), network(x, lengths))


def test_an_export_to_onnx_goes_by_the_operators_of_torch(monkeypatch):
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    layer = tn.GRU(D, H, batch_first=True)
    program = torch.export.export(layer, (torch.randn(B, T, D),))
    called = [str(node.target) for node in program.graph.nodes]
    assert not any(target.startswith("tidegate") for target in called)


def test_an_exported_layer_can_be_trained():
    network, example = Tagger(), (torch.randn(B, T, D), LENGTHS)
    program = torch.export.export(network, example)
    copy = program.module()
    copy(*example).square().sum().backward()
    network(*example).square().sum().backward()
    for name, weight in network.named_parameters():
        assert torch.equal(copy.get_parameter(name).grad, weight.grad)


# ------------------------------------------------------------------ other processes


def result_of(seed: int) -> list[Tensor]:
    """Values and gradients of a request that a seed makes, on two threads."""
    torch.manual_seed(seed)
    # torch's own threads hang in a forked child; nothing here is so large that it wakes them, but
    # for filling memory with NaN.
    torch.use_deterministic_algorithms(False)
    request = request_for(LSTM(hidden_size=40), 64, 10, 8)
    torch.set_num_threads(2)
    try:
        output = native.run(request).output
        slopes = torch.autograd.grad(output, list(leaves(request).values()), output.detach())
        return [output.detach(), *slopes]
    finally:
        torch.set_num_threads(1)


def answer(pipe: Any) -> None:
    pipe.send([part.numpy() for part in result_of(5)])


# Python warns of any fork beside other threads.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes_the_same():
    expected = result_of(5)  # the parent's threads are awake when it forks
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=answer, args=(sender,))
    child.start()
    try:
        assert receiver.poll(60), "the child hangs"
        found = receiver.recv()
    finally:
        child.kill()
        child.join()
    assert all(torch.equal(torch.from_numpy(a), b) for a, b in zip(found, expected, strict=True))
    again = result_of(5)
    assert all(torch.equal(a, b) for a, b in zip(again, expected, strict=True))


class Outputs(Dataset[Tensor]):
    """What the backend computes in a worker."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Tensor:
        return result_of(index)[0]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_of_a_data_loader_compute_the_same():
    expected = [result_of(index)[0] for index in range(4)]
    loader = DataLoader(Outputs(), batch_size=None, num_workers=1, multiprocessing_context="fork")
    assert all(torch.equal(a, b) for a, b in zip(loader, expected, strict=True))


def test_it_is_the_first_choice():
    request = request_for(LSTM(hidden_size=H))
    assert choose(request) == "native"
    assert explain(request) == "native runs it."


def test_parameters_are_read_at_every_call():
    layer, x = tn.LSTM(D, H), torch.randn(T, B, D)
    before = layer(x)[0]
    layer.weight_hh_l0.data.mul_(2)
    after = layer(x)[0]
    assert difference(before, after) > 0.01
    assert difference(after, tn.LSTM.forward(layer, x)[0]) == 0
    layer.options = replace(layer.options, backend="reference")
    assert difference(after, layer(x)[0]) <= OUTPUT


def test_hooks_that_move_saved_tensors_change_nothing():
    request = request_for(LSTM(hidden_size=H), B, T, D)
    expected = gradients_of(native.run(request), request)

    def pack(part: Tensor) -> Tensor:
        return part.detach().double()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda part: part.float()):
        result = native.run(request)
    assert_same(gradients_of(result, request), expected)
