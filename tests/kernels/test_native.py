"""The native backend: the reference's numbers, and the same bits however the work is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings

from tests.helpers import BOUNDS, difference
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
from tidegate.cells import LSTM
from tidegate.kernels import Noise, Request, native, passes, reference, run_sequence

pytestmark = [needs_native, pytest.mark.usefixtures("threads_and_scratch")]

OUTPUT, GRADIENT = BOUNDS[torch.float32]


def check(request: Request) -> None:
    """Compare values and gradients with the reference in float64."""
    assert native.refuses(request) is None
    actual, twin = native.run(request), doubled(request)
    expected = reference.run(twin)
    assert_within(parts_of(actual), parts_of(expected), OUTPUT)
    assert_within(gradients_of(actual, request), gradients_of(expected, twin), GRADIENT)


@pytest.mark.parametrize("case", CELLS)
def test_the_library_knows_every_variant(case):
    assert native.refuses(request_for(cell_of(case))) is None


@settings(max_examples=150)
@given(requests())
def test_values_and_gradients_are_those_of_the_reference(request):
    check(request)


@pytest.mark.parametrize("hidden_size", [1, 2, 16, 17, 64, 100])
@pytest.mark.parametrize("case", ["lstm", "lstm-peephole", "gru", "rnn"])
def test_sizes_around_those_of_a_vector(case, hidden_size):
    lengths = torch.tensor([3, 0, 7, 7, 1, 5, 2])
    check(request_for(cell_of(case, hidden_size), 7, 7, 3, lengths=lengths, return_gates=True))


# ------------------------------------------------------------------ one order of summation


def cut(request: Request, row: int) -> Request:
    """One row of a request."""
    rows = slice(row, row + 1)
    noise = request.noise
    zones = tuple(z[rows] if isinstance(z, torch.Tensor) else z for z in noise.zoneout)
    mask = None if noise.recurrent is None else noise.recurrent[rows]
    return replace(
        request,
        x=request.x.detach()[rows].requires_grad_(),
        state=tuple(part.detach()[rows].requires_grad_() for part in request.state),
        lengths=None if request.lengths is None else request.lengths[rows],
        resets=None if request.resets is None else request.resets[rows],
        noise=Noise(mask, zones),
    )


def grow(request: Request, result: object) -> dict[str, torch.Tensor]:
    """Gradients of a loss in which every number of a row has the same weight in any batch."""
    parts = parts_of(result).values()
    wanted = leaves(request)
    found = torch.autograd.grad(sum((part**3).sum() for part in parts), list(wanted.values()))
    return dict(zip(wanted, found, strict=True))


@settings(max_examples=60)
@given(requests())
def test_a_row_is_the_same_alone_and_in_any_batch(request):
    result = native.run(request)
    whole, slopes = parts_of(result), grow(request, result)
    for row in range(request.x.shape[0]):
        piece = cut(request, row)
        alone = native.run(piece)
        assert_same(parts_of(alone), {k: part[row : row + 1] for k, part in whole.items()})
        own = grow(piece, alone)
        for name in ("x", *(name for name in own if name.startswith("state"))):
            assert torch.equal(own[name][0], slopes[name][row]), name


@settings(max_examples=60)
@given(requests())
def test_chunks_make_the_whole(request):
    whole = parts_of(native.run(request))
    for every in (1, 2, 5):
        pieces = run_sequence(request, backend="native", checkpoint_every=every)
        assert_same(parts_of(pieces), whole)


@settings(max_examples=60)
@given(requests())
def test_threads_do_not_matter(request):
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        result = native.run(request)
        found.append(parts_of(result) | gradients_of(result, request))
    assert_same(found[1], found[0])
    assert_same(found[2], found[0])


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize(
    "sizes", [(37, 20, 30, 48), (1, 50, 64, 160), (2, 9, 5, 260)], ids=["batch", "stream", "wide"]
)
def test_threads_do_not_matter_where_there_is_work_for_them(case, sizes):
    rows, steps, features, hidden = sizes
    lengths = torch.randint(0, steps + 1, (rows,)) if rows > 2 else None
    request = request_for(cell_of(case, hidden), rows, steps, features, lengths=lengths)
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        result = native.run(request)
        found.append(parts_of(result) | gradients_of(result, request))
        with torch.no_grad():
            assert_same(parts_of(native.run(request)), parts_of(result))
    assert_same(found[1], found[0])
    assert_same(found[2], found[0])


@settings(max_examples=30)
@given(requests(longest=8, widest=20))
def test_recomputing_gives_the_same_gradients_within_the_bounds(request):
    """Weight gradients are summed chunk by chunk, so that they round differently."""
    result = run_sequence(request, backend="native", checkpoint_every=3)
    expected = gradients_of(native.run(request), request)
    assert_within(gradients_of(result, request), expected, GRADIENT)


# ------------------------------------------------------------------ memory


def test_a_view_that_is_laid_out_by_time_is_read_and_answered_as_it_stands(monkeypatch):
    seen = []
    monkeypatch.setattr(
        torch.Tensor, "contiguous", lambda self, **_: seen.append(self) or self.clone()
    )
    request = request_for(LSTM(hidden_size=6))
    values = torch.randn(5, 3, 4)  # [T, B, D]
    request = replace(request, x=values.transpose(0, 1).requires_grad_())
    result = native.run(request)
    assert result.output.stride() == (6, 3 * 6, 1)
    (dx,) = torch.autograd.grad(result.output, [request.x], torch.ones(3, 5, 6))
    assert dx.stride() == (4, 3 * 4, 1)
    assert not seen
    monkeypatch.undo()
    check(request)


@pytest.mark.parametrize(
    "view",
    [
        lambda: torch.randn(3, 5, 4).expand(3, 5, 4),
        lambda: torch.randn(5, 4).expand(3, 5, 4),
        lambda: torch.randn(3, 1, 4).expand(3, 5, 4),
        lambda: torch.randn(3, 5, 1).expand(3, 5, 4),
        lambda: torch.randn(3, 10, 4)[:, ::2],
        lambda: torch.randn(6, 5, 9)[::2, :, 3:7],
        lambda: torch.randn(3, 5, 8)[..., ::2],
        lambda: torch.randn(4, 5, 3).transpose(0, 2),
        lambda: torch.randn(3, 5, 4, dtype=torch.complex64).conj().imag,
    ],
)
def test_x_may_have_any_strides(view):
    check(replace(request_for(LSTM(hidden_size=6)), x=view().requires_grad_()))


def test_weights_and_states_may_be_views():
    request = request_for(LSTM(hidden_size=6))
    weights = {
        name: part.detach().mT.contiguous().mT.requires_grad_() if part.ndim == 2 else part
        for name, part in request.weights.items()
    }
    state = tuple(torch.randn(6, 3).T.requires_grad_() for _ in range(2))
    check(replace(request, weights=weights, state=state))


@pytest.mark.parametrize(
    "slope",
    [
        lambda: torch.ones(()).expand(3, 5, 6),
        lambda: torch.randn(6).expand(3, 5, 6),
        lambda: torch.randn(3, 1, 6).expand(3, 5, 6),
        lambda: torch.randn(3, 5, 1).expand(3, 5, 6),
        lambda: torch.randn(5, 3, 6).transpose(0, 1),
        lambda: torch.randn(3, 5, 12)[..., ::2],
    ],
)
def test_gradients_of_any_strides_come_in(slope):
    request, dy = request_for(LSTM(hidden_size=6)), slope()
    twin = doubled(request)
    actual = torch.autograd.grad(native.run(request).output, leaves(request).values(), dy)
    expected = torch.autograd.grad(reference.run(twin).output, leaves(twin).values(), dy.double())
    for part, other in zip(actual, expected, strict=True):
        assert difference(part, other) <= GRADIENT


@pytest.mark.parametrize("steps", [5, 2500])
def test_the_defaults_of_torch_do_not_matter(steps):
    request = request_for(LSTM(hidden_size=6), 3, steps, lengths=torch.tensor([steps, 0, 3]))
    expected = native.run(request)
    slopes = gradients_of(expected, request)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            actual = native.run(replace(request, return_gates=True))
            torch.autograd.grad(actual.output.sum(), request.x)
        found = gradients_of(native.run(request), request)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(actual.output, expected.output)
    assert_same(found, slopes)


def test_nothing_is_kept_without_a_gradient(monkeypatch):
    request, kept = request_for(LSTM(hidden_size=6)), []
    allocate = passes.allocate

    def watch(layer, keep):
        kept.append(keep)
        return allocate(layer, keep)

    monkeypatch.setattr(passes, "allocate", watch)
    native.run(request)
    with torch.no_grad():
        native.run(request)
    with torch.inference_mode():
        native.run(request)
    for leaf in leaves(request).values():
        leaf.requires_grad_(False)
    native.run(request)
    assert kept == [True, False, False, False]


def test_what_stands_in_the_padding_matters_to_nobody():
    lengths = torch.tensor([5, 0, 2])
    request = request_for(LSTM(hidden_size=6), lengths=lengths, return_gates=True)
    ended = ~request.mask[..., None]
    poisoned = request.x.detach().masked_fill(ended, torch.nan).requires_grad_()
    dirty = replace(request, x=poisoned)
    actual, expected = native.run(dirty), native.run(request)
    assert_same(parts_of(actual), parts_of(expected))
    assert_same(gradients_of(actual, dirty), gradients_of(expected, request))


def test_only_the_gradients_that_are_asked_for(monkeypatch):
    asked = []
    backward = passes.backward

    def watch(inputs, kept, given, want_x, want_weights):
        asked.append((want_x, want_weights))
        return backward(inputs, kept, given, want_x, want_weights)

    monkeypatch.setattr(passes, "backward", watch)
    for frozen in ((), ("x",), ("weight_ih", "weight_hh", "bias_ih", "bias_hh"), ("weight_ih",)):
        request = request_for(LSTM(hidden_size=6))
        expected = gradients_of(native.run(request), request)
        for name in frozen:
            leaves(request)[name].requires_grad_(False)
        loss_of(native.run(request)).backward()
        found = {name: leaf.grad for name, leaf in leaves(request).items()}
        assert {name for name, part in found.items() if part is None} == set(frozen)
        assert all(torch.equal(found[name], expected[name]) for name in expected.keys() - frozen)
    assert asked[1::2] == [(True, True), (False, True), (True, False), (True, True)]


@pytest.mark.parametrize("name", ["lengths", "resets", "weight_hh"])
def test_changing_what_backward_needs_is_an_error_of_autograd(name):
    resets = torch.zeros(3, 5, dtype=torch.bool)
    request = request_for(LSTM(hidden_size=6), lengths=torch.tensor([5, 3, 2]), resets=resets)
    loss = loss_of(native.run(request))
    with torch.no_grad():
        named = {"lengths": request.lengths, "resets": resets, **request.weights}
        named[name].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
