"""bfloat16 in the native library: its rounding and no more, the same bits however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor, nn
from torch.func import vmap
from torch.library import opcheck
from torch.nn.utils.rnn import pack_padded_sequence

import tidegate
import tidegate.nn as tn
from tests.helpers import BOUNDS, as_hx, difference, states_of
from tests.kernels.native_cases import (
    CELLS,
    assert_same,
    assert_within,
    cell_of,
    doubled,
    gradients_of,
    leaves,
    loss_of,
    needs_native,
    parts_of,
    request_for,
    requests,
)
from tidegate.cells import GRU, LSTM, RNN
from tidegate.errors import BackendError, InputError
from tidegate.kernels import Request, Result, explain, library, native, reference, run_sequence

pytestmark = [needs_native, pytest.mark.usefixtures("threads_and_scratch")]

B, T, D, H = 3, 5, 4, 6
LENGTHS = torch.tensor([5, 0, 3])
LOW = torch.bfloat16

# A number of 8 bits is off by up to 2^-9 of itself. Outputs go through two such roundings: h before
# each product, which every step adds to and every gate damps, and what comes out at the end.
# Gradients go through those of the gates and of y that were kept, and of the gates' gradients
# before each product, on top; and they add up over steps and rows. Hence 2^-7 and 2^-5.
OUTPUT, GRADIENT = 2**-7, 2**-5

# In these the library computes in bfloat16, in all other cells in float32 between roundings.
FEW_BITS = [
    case
    for case in CELLS
    if not any(word in case for word in ("norm", "projected", "all", "reset-before"))
]


def run(request: Request, **options: Any) -> Result:
    """Run under autocast."""
    with torch.autocast("cpu", LOW):
        assert native.refuses(request) is None
        return run_sequence(request, backend="native", **options)


def rounded(request: Request) -> Request:
    """The same request with x, and the matrices, that bfloat16 can hold."""

    def fit(part: Tensor) -> Tensor:
        return part.detach().to(LOW).float().requires_grad_(part.requires_grad)

    weights = {name: fit(w) if w.ndim == 2 else w for name, w in request.weights.items()}
    return replace(request, x=fit(request.x), weights=weights)


def smooth(request: Request) -> Request:
    """Without a ReLU at its kink, where rounding turns units and their gradients on and off."""
    cell = request.cell
    if not (isinstance(cell, RNN) and cell.nonlinearity == "relu"):
        return request
    shrink = {"weight_hh": 0.3}
    weights = {
        name: (weight.detach().abs() * shrink.get(name, 1) + 0.01).requires_grad_()
        for name, weight in request.weights.items()
    }
    state = tuple(part.detach().abs().requires_grad_() for part in request.state)
    return replace(
        request, x=request.x.detach().abs().requires_grad_(), state=state, weights=weights
    )


def slopes_of(result: Result, request: Request) -> dict[str, Tensor]:
    """Gradients of the loss, in float32, of what came out."""
    trace = result.trace and {name: part.float() for name, part in result.trace.items()}
    state = tuple(part.float() for part in result.state)
    return gradients_of(Result(result.output.float(), state, trace), request)


def check(request: Request) -> None:
    """Compare values and gradients with the reference in float64, on the same rounded numbers."""
    request = rounded(smooth(request))
    actual, twin = run(request), doubled(request)
    expected = reference.run(twin)
    assert_within(parts_of(actual), parts_of(expected), OUTPUT)
    assert_within(slopes_of(actual, request), gradients_of(expected, twin), GRADIENT)


# ------------------------------------------------------------------ values and gradients


@pytest.mark.parametrize("return_gates", [False, True])
@pytest.mark.parametrize("case", FEW_BITS)
def test_every_cell_keeps_to_its_rounding(case, return_gates):
    lengths = torch.tensor([9, 0, 4, 9, 1, 8, 2])
    check(request_for(cell_of(case, 33), 7, 9, 5, lengths=lengths, return_gates=return_gates))


@pytest.mark.parametrize("hidden_size", [1, 2, 16, 17, 31, 64, 100])
@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
def test_sizes_around_those_of_a_vector(case, hidden_size):
    check(request_for(cell_of(case, hidden_size), 7, 7, 3, return_gates=True))


@settings(max_examples=100)
@given(requests())
def test_everything_at_once_keeps_to_its_rounding(request):
    """Ragged rows, resets, masks, zoneout, both directions."""
    assume(native._has_low(request.cell))
    check(request)


def rounding_loop(request: Request) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The cell's step in float64, with h rounded where the library rounds it."""
    weights = {name: weight.detach().double() for name, weight in request.weights.items()}
    state = tuple(part.detach().double() for part in request.state)
    inputs = request.cell.inputs(request.x.detach().double(), weights)
    outputs = []
    for step in inputs.unbind(1):
        seen = state[0].to(LOW).double()
        state, _ = request.cell.step(step, seen, state, weights)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state


@pytest.mark.parametrize("case", ["lstm", "lstm-peephole", "gru", "rnn"])
def test_h_alone_is_rounded_and_sums_are_not(case):
    """Within float32 of a loop that rounds nothing but what a product sees."""
    request = rounded(request_for(cell_of(case, 40), 8, 3, 20))
    output, state = rounding_loop(request)
    actual = run(request)
    for part, expected in zip(actual.state, state, strict=True):
        assert part.dtype is torch.float32
        assert difference(part, expected) <= BOUNDS[torch.float32][0]
    assert difference(actual.output, output) <= 2**-9


# ------------------------------------------------------------------ types


@pytest.mark.parametrize("case", CELLS)
def test_types_under_autocast(case):
    request = request_for(cell_of(case), lengths=LENGTHS, return_gates=True)
    result = run(request)
    named = parts_of(result)
    for name, part in named.items():
        exact = name.startswith("state") or name == "trace cell"
        assert part.dtype is (torch.float32 if exact else LOW), name
    slopes = slopes_of(result, request)
    assert {part.dtype for part in slopes.values()} == {torch.float32}


@pytest.mark.parametrize("case", CELLS)
def test_a_layer_of_bfloat16_computes_what_autocast_does(case):
    """Its own numbers are exact in float32: only what leaves it is rounded again."""
    request = request_for(cell_of(case), return_gates=True)
    low = replace(
        request,
        x=request.x.detach().to(LOW).requires_grad_(),
        state=tuple(part.detach().to(LOW).requires_grad_() for part in request.state),
        weights={k: w.detach().to(LOW).requires_grad_() for k, w in request.weights.items()},
    )
    wide = {name: part.detach().float().requires_grad_() for name, part in leaves(low).items()}
    twin = replace(
        request,
        x=wide["x"],
        state=tuple(wide[f"state {index}"] for index in range(len(request.state))),
        weights={name: wide[name] for name in request.weights},
    )
    actual, expected = native.run(low), run(twin)
    for name, part in parts_of(expected).items():
        found = parts_of(actual)[name]
        assert found.dtype is (torch.float32 if name == "trace cell" else LOW), name
        assert torch.equal(found, part.to(found.dtype)), name
    slopes = [
        torch.autograd.grad(result.output.float().square().sum(), leaves(own).values())
        for result, own in ((actual, low), (expected, twin))
    ]
    for part, other in zip(*slopes, strict=True):
        assert part.dtype is LOW
        assert torch.equal(part, other.to(LOW))


@pytest.mark.parametrize("case", sorted(CELLS.keys() - set(FEW_BITS)))
def test_other_cells_run_in_float32_and_round_what_comes_out(case):
    request = request_for(cell_of(case), lengths=LENGTHS)
    actual, expected = run(request), native.run(request)
    assert torch.equal(actual.output, expected.output.to(LOW))
    assert all(torch.equal(a, b) for a, b in zip(actual.state, expected.state, strict=True))


def test_input_and_states_of_either_type_enter_under_autocast():
    request = rounded(request_for(LSTM(hidden_size=H)))
    state = tuple(part.detach().to(LOW) for part in request.state)
    wide = replace(request, state=tuple(part.float() for part in state))
    low = replace(request, x=request.x.detach().to(LOW), state=state)
    assert_same(parts_of(run(low)), parts_of(run(wide)))


# ------------------------------------------------------------------ what it says


def test_it_says_in_which_type_it_runs():
    request = request_for(GRU(hidden_size=H))
    other = request_for(GRU(hidden_size=H, reset_after=False))
    assert explain(request) == "native runs it."
    with torch.autocast("cpu", LOW):
        assert explain(request) == "native runs it in bfloat16."
        assert explain(other) == ("native runs it in float32, between a bfloat16 input and output.")
    layer = tn.GRU(D, H, dtype=LOW)
    assert layer.explain_backend(torch.zeros(T, B, D, dtype=LOW)) == "native runs it in bfloat16."


def test_half_precision_of_the_other_kind_is_refused():
    layer = tn.LSTM(D, H, dtype=torch.float16, backend="native")
    with pytest.raises(BackendError, match=r"float32 and bfloat16, not in torch\.float16"):
        layer(torch.zeros(T, B, D, dtype=torch.float16))


def test_the_operator_wants_the_type_that_the_options_say():
    given = list(native._inputs(request_for(LSTM(hidden_size=H))))
    given[9] |= library.BFLOAT16
    with pytest.raises(InputError, match=r"`x` must be .* torch\.bfloat16 on cpu"):
        torch.ops.tidegate.sequence(*given, True, False)
    given = list(native._inputs(request_for(LSTM(hidden_size=H, layer_norm=True))))
    given[9] |= library.BFLOAT16
    with pytest.raises(BackendError, match="no cell of kind"):
        torch.ops.tidegate.sequence(*given, True, False)


# ------------------------------------------------------------------ one order of summation


@settings(max_examples=40)
@given(requests())
def test_a_row_is_the_same_alone_and_in_any_batch(request):
    whole = parts_of(run(request))
    for row in range(request.x.shape[0]):
        alone = parts_of(run(row_of(request, row)))
        assert_same(alone, {name: part[row : row + 1] for name, part in whole.items()})


def row_of(request: Request, row: int) -> Request:
    def cut(part: Any) -> Any:
        return part[row : row + 1] if isinstance(part, Tensor) else part

    noise = request.noise
    zones = tuple(cut(zone) for zone in noise.zoneout)
    return replace(
        request,
        x=cut(request.x),
        state=tuple(cut(part) for part in request.state),
        lengths=cut(request.lengths),
        resets=cut(request.resets),
        noise=replace(noise, recurrent=cut(noise.recurrent), zoneout=zones),
    )


@settings(max_examples=40)
@given(requests())
def test_chunks_make_the_whole(request):
    whole = parts_of(run(request))
    for every in (1, 2, 5):
        assert_same(parts_of(run(request, checkpoint_every=every)), whole)


@settings(max_examples=40)
@given(requests())
def test_threads_do_not_matter(request):
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        result = run(request)
        found.append(parts_of(result) | slopes_of(result, request))
    assert_same(found[1], found[0])
    assert_same(found[2], found[0])


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("sizes", [(37, 20, 30, 48), (1, 50, 64, 160), (2, 9, 5, 260)])
def test_threads_do_not_matter_where_there_is_work_for_them(case, sizes):
    rows, steps, features, hidden = sizes
    request = request_for(cell_of(case, hidden), rows, steps, features)
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        result = run(request)
        found.append(parts_of(result) | slopes_of(result, request))
        with torch.no_grad():
            assert_same(parts_of(run(request)), parts_of(result))
    assert_same(found[1], found[0])
    assert_same(found[2], found[0])


# ------------------------------------------------------------------ memory


LIKE_VIEWS = request_for(LSTM(hidden_size=H))  # but for x


@pytest.mark.parametrize(
    "view",
    [
        lambda: torch.randn(5, 3, 4, dtype=LOW).transpose(0, 1),
        lambda: torch.randn(3, 1, 4, dtype=LOW).expand(3, 5, 4),
        lambda: torch.randn(6, 5, 9, dtype=LOW)[::2, :, 3:7],
        lambda: torch.randn(3, 5, 8, dtype=LOW)[..., ::2],
    ],
)
def test_x_may_have_any_strides(view):
    strided, found = view(), []
    for x in (strided, strided.contiguous()):
        request = replace(LIKE_VIEWS, x=x.detach().requires_grad_())
        result = run(request)
        found.append(parts_of(result) | slopes_of(result, request))
    assert_same(*found)


def test_training_keeps_half_of_what_float32_keeps():
    kept = {}
    for dtype in (torch.float32, LOW):
        total = 0

        def weigh(part: Tensor) -> Tensor:
            nonlocal total
            total += part.untyped_storage().nbytes()
            return part

        layer = tn.GRU(64, 64, dtype=dtype, backend="native")
        x = torch.randn(50, 8, 64, dtype=dtype)
        weights = sum(4 * w.numel() for w in layer.parameters())  # float32 within the call
        with torch.autograd.graph.saved_tensors_hooks(weigh, lambda part: part):
            layer(x)
        kept[dtype] = total - weights - 4 * 8 * 64
    assert kept[LOW] == kept[torch.float32] / 2


# ------------------------------------------------------------------ inside PyTorch


@pytest.mark.parametrize("return_gates", [False, True])
@pytest.mark.parametrize("case", ["lstm-coupled-peephole", "gru", "gru-norm", "rnn"])
def test_second_derivatives_are_those_of_the_reference_in_float32(case, return_gates):
    request = rounded(
        request_for(cell_of(case), B, T, D, lengths=LENGTHS, return_gates=return_gates)
    )
    wanted = leaves(request)
    found = []
    for module in (run, reference.run):
        loss = loss_of(Result(*_float32(module(request))))
        slopes = torch.autograd.grad(loss, wanted.values(), create_graph=True)
        penalty = sum((slope.square()).sum() for slope in slopes)
        found.append(dict(zip(wanted, torch.autograd.grad(penalty, wanted.values()), strict=True)))
    assert_within(found[0], found[1], GRADIENT)


def _float32(result: Result) -> tuple[Any, ...]:
    trace = result.trace and {name: part.float() for name, part in result.trace.items()}
    return result.output.float(), result.state, trace


def test_vmap_goes_by_the_reference():
    layer, x = tn.GRU(D, H, batch_first=True), torch.randn(2, B, T, D)
    with torch.autocast("cpu", LOW):
        together = vmap(lambda part: layer(part)[0])(x)
        apart = torch.stack([layer(part)[0] for part in x])
    assert difference(together, apart) <= OUTPUT


OPCHECKED = {
    "lstm": (LSTM(hidden_size=64), {}),
    "lstm-peephole": (LSTM(hidden_size=64, peephole=True, coupled=True), {"lengths": LENGTHS}),
    "gru": (GRU(hidden_size=64, bias=False), {"reverse": True}),
    "rnn": (RNN(hidden_size=64, nonlinearity="relu"), {}),
}


@pytest.mark.parametrize(("cell", "options"), OPCHECKED.values(), ids=OPCHECKED)
def test_opcheck(cell, options):
    request = request_for(cell, B, T, D, **options)
    inputs = native._inputs(replace(request, x=request.x.detach().to(LOW).requires_grad_()))
    opcheck(torch.ops.tidegate.sequence.default, (*inputs, True, True))
    detached = [
        [part.detach() for part in given] if isinstance(given, list) else given for given in inputs
    ]
    detached[0] = inputs.x.detach()
    with torch.no_grad():
        outputs = torch.ops.tidegate.sequence(*detached, True, True)
    kept = [outputs[0], outputs[3], outputs[4]]
    slopes = [torch.randn_like(part) if part.numel() else None for part in outputs]
    backward = torch.ops.tidegate.sequence_backward.default
    opcheck(backward, (*detached, kept, slopes, True, True))


@pytest.mark.parametrize("dtype", [torch.float32, LOW])
@pytest.mark.parametrize(
    ("name", "options", "call"),
    [
        ("LSTM", {"bidirectional": True}, {"lengths": LENGTHS}),
        ("LSTM", {"layer_norm": True}, {"return_gates": True}),
        ("GRU", {"num_layers": 2}, {"return_gates": True, "lengths": LENGTHS}),
    ],
)
def test_a_layer_compiles_as_one_graph(name, options, call, dtype):
    torch._dynamo.reset()
    layer = getattr(tn, name)(D, H, backend="native", dtype=dtype, **options)

    def train(x: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", LOW, enabled=dtype is torch.float32):
            output, state, *trace = layer(x, **call)
        return output, *states_of(state), *(trace[0].values() if trace else ())

    x = torch.randn(T, B, D, dtype=dtype, requires_grad=True)
    found = []
    for function in (torch.compile(train, fullgraph=True, backend="aot_eager"), train):
        parts = function(x)
        loss = sum(part.float().square().sum() for part in parts)
        found.append([*parts, *torch.autograd.grad(loss, [x, *layer.parameters()])])
    for actual, expected in zip(*found, strict=True):
        assert actual.dtype is expected.dtype
        assert difference(actual, expected) <= (1e-6 if actual.dtype is not LOW else 2**-8)


def test_a_layer_of_bfloat16_is_exported():
    layer = tn.GRU(D, H, dtype=LOW, backend="native").eval()
    x = torch.randn(T, B, D, dtype=LOW)
    with torch.no_grad():
        program = torch.export.export(layer, (x,))
        assert torch.equal(program.module()(x)[0], layer(x)[0])
    assert any("tidegate" in str(node.target) for node in program.graph.nodes)


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
def test_accelerate_under_autocast(make):
    model = make(D, H, 2, bidirectional=True)
    x = torch.randn(T, B, D)
    packed = pack_padded_sequence(x, torch.tensor([5, 2, 3]), enforce_sorted=False)
    expected, exact = model(x), model(packed)
    tidegate.accelerate(model)
    with torch.autocast("cpu", LOW):
        actual, short = model(x), model(packed)
        again = model(x, actual[1])
    assert actual[0].dtype is short[0].data.dtype is again[0].dtype is LOW
    assert difference(actual[0], expected[0]) <= OUTPUT
    assert difference(short[0].data, exact[0].data) <= OUTPUT
    for part, other in zip(states_of(actual[1]), states_of(expected[1]), strict=True):
        assert part.dtype is torch.float32
        assert difference(part, other) <= OUTPUT
    actual[0].float().sum().backward()
    assert {weight.grad.dtype for weight in model.parameters()} == {torch.float32}


def test_states_go_from_call_to_call():
    """Two halves are the whole under autocast, bit for bit, through all layers."""
    layer = tn.LSTM(D, H, 2, batch_first=True, backend="native")
    x = torch.randn(B, 2 * T, D)
    with torch.no_grad(), torch.autocast("cpu", LOW):
        whole, end = layer(x)
        first, state = layer(x[:, :T])
        second, last = layer(x[:, T:], as_hx(states_of(state)))
    assert torch.equal(torch.cat([first, second], 1), whole)
    assert all(torch.equal(a, b) for a, b in zip(last, end, strict=True))


# ------------------------------------------------------------------ learning


def learn(step: Callable[[tn.LSTM, nn.Linear, Tensor], Tensor], dtype: torch.dtype) -> float:
    """Learn to name the first of six symbols, and return the last loss."""
    torch.manual_seed(3)
    layer = tn.LSTM(8, 32, batch_first=True, forget_bias=1.0, backend="native").to(dtype)
    head = nn.Linear(32, 4).to(dtype)
    parameters = [*layer.parameters(), *head.parameters()]
    master = [part.detach().float().requires_grad_() for part in parameters]
    optimizer = torch.optim.Adam(master, 0.02)
    loss = torch.zeros(())
    for _ in range(150):
        symbols = torch.randint(0, 4, (64, 6))
        x = nn.functional.one_hot(symbols, 8).to(dtype)
        loss = nn.functional.cross_entropy(step(layer, head, x).float(), symbols[:, 0])
        slopes = torch.autograd.grad(loss, parameters)
        for part, slope in zip(master, slopes, strict=True):
            part.grad = slope.float()
        optimizer.step()
        with torch.no_grad():
            for part, exact in zip(parameters, master, strict=True):
                part.copy_(exact)
    return loss.item()


def plainly(layer: tn.LSTM, head: nn.Linear, x: Tensor) -> Tensor:
    return head(layer(x)[0][:, -1])


def under_autocast(layer: tn.LSTM, head: nn.Linear, x: Tensor) -> Tensor:
    with torch.autocast("cpu", LOW):
        return plainly(layer, head, x)


def test_a_task_is_learned_as_well_as_in_float32():
    exact = learn(plainly, torch.float32)
    assert exact < 1e-3
    assert learn(under_autocast, torch.float32) < 1.1 * exact
    assert learn(plainly, LOW) < 1.1 * exact
