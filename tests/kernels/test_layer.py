"""Both directions of a layer in one call: the same, bit for bit, as one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tidegate.nn as tn
from tests.helpers import difference
from tests.kernels.native_cases import (
    CELLS,
    cell_of,
    leaves,
    loss_of,
    needs_native,
    parts_of,
    request_for,
    requests,
)
from tidegate.errors import InputError
from tidegate.kernels import Request, Result, native, run_layer, run_sequence

pytestmark = [needs_native, pytest.mark.usefixtures("threads_and_scratch")]


def other_way(request: Request) -> Request:
    """The other direction over the same x, with weights and states of its own."""
    twin = replace(
        request,
        state=tuple(part.detach().flip(0).requires_grad_() for part in request.state),
        weights={name: -part.detach() for name, part in request.weights.items()},
        reverse=not request.reverse,
    )
    for leaf in leaves(twin).values():
        leaf.requires_grad_()
    return twin


def slopes_of(layer: list[Request], results: list[Result]) -> list[Tensor]:
    """Gradients of everything that came out; those of x are sums over the directions."""
    wanted = [leaf for request in layer for leaf in leaves(request).values()]
    return list(torch.autograd.grad(sum(loss_of(result) for result in results), wanted))


def check(layer: list[Request]) -> None:
    """Compare outputs, states, gates and gradients with those of single runs."""
    joined, made = run_layer(layer, backend="native")
    singles = [run_sequence(request, backend="native") for request in layer]
    assert torch.equal(joined, torch.cat([single.output for single in singles], -1))
    for result, single in zip(made, singles, strict=True):
        expected = parts_of(single)
        for name, part in parts_of(result).items():
            assert torch.equal(part, expected[name]), name
    for slope, expected_slope in zip(
        slopes_of(layer, made), slopes_of(layer, singles), strict=True
    ):
        assert torch.equal(slope, expected_slope)
    with torch.no_grad():
        assert torch.equal(run_layer(layer, backend="native")[0], joined)


@settings(max_examples=60)
@given(requests(), st.integers(1, 4))
def test_it_is_what_single_runs_give_bit_for_bit(request, threads):
    torch.set_num_threads(threads)
    check([request, other_way(request)])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    "sizes", [(37, 20, 30, 48), (1, 50, 64, 160), (2, 9, 5, 260), (6, 40, 300, 260)]
)
def test_sizes_at_which_threads_share_the_work_in_other_ways(sizes, threads):
    torch.set_num_threads(threads)
    rows, steps, features, hidden = sizes
    lengths = torch.randint(0, steps + 1, (rows,)) if rows > 2 else None
    request = request_for(cell_of("lstm", hidden), rows, steps, features, lengths=lengths)
    check([request, other_way(request)])


@pytest.mark.parametrize("case", CELLS)
def test_every_variant_in_a_layer_is_that_of_the_reference(case):
    torch.set_num_threads(2)
    kind, options = CELLS[case]
    names = {"lstm": tn.LSTM, "gru": tn.GRU, "rnn": tn.RNN}
    torch.manual_seed(0)
    given = {name: value for name, value in options.items() if value is not None}
    layer = names[kind.name](5, 6, bidirectional=True, num_layers=2, backend="native", **given)
    twin = names[kind.name](5, 6, bidirectional=True, num_layers=2, backend="reference", **given)
    twin.load_state_dict(layer.state_dict())
    twin.double()
    x, lengths = torch.randn(7, 4, 5), [7, 0, 3, 5]
    slopes = []
    for each in (layer, twin):
        own = x.detach().to(next(each.parameters()).dtype, copy=True).requires_grad_()
        output, _ = each(own, lengths=lengths)
        output.square().sum().backward()
        slopes.append((output, own.grad, *[part.grad for part in each.parameters()]))
    for ours, expected in zip(*slopes, strict=True):
        assert difference(ours, expected) < 1e-4


def test_the_halves_of_the_output_stand_in_one_piece_of_memory():
    request = request_for(cell_of("gru"), rows=3, steps=5)
    joined, (first, second) = run_layer([request, other_way(request)])
    for part, start in ((first.output, 0), (second.output, 6)):
        assert part.data_ptr() == joined.data_ptr() + 4 * start
    steps_first = replace(
        request, x=request.x.detach().transpose(0, 1).contiguous().transpose(0, 1)
    )
    joined, _ = run_layer([steps_first, other_way(steps_first)])
    assert joined.transpose(0, 1).is_contiguous()


def test_it_can_be_differentiated_twice():
    layer = tn.LSTM(3, 4, bidirectional=True, backend="native")
    twin = tn.LSTM(3, 4, bidirectional=True, backend="reference")
    twin.load_state_dict(layer.state_dict())
    x, found = torch.randn(5, 2, 3, requires_grad=True), []
    for each in (layer, twin):
        output, _ = each(x)
        (slope,) = torch.autograd.grad(output.pow(3).sum(), x, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), [x, each.weight_hh_l0])[0])
    assert difference(found[0], found[1]) < 1e-5


def test_a_direction_that_nobody_used_gets_no_gradient_or_zeros():
    layer = tn.GRU(3, 4, bidirectional=True, backend="native")
    x = torch.randn(5, 2, 3, requires_grad=True)
    _, state = layer(x)
    state[0].sum().backward()
    assert layer.weight_hh_l0.grad is not None
    unused = layer.weight_hh_l0_reverse.grad
    assert unused is None or not unused.any()
    _, state = layer(x)
    (slope,) = torch.autograd.grad(state[0].pow(2).sum(), x, create_graph=True)
    slope.sum().backward()  # twice differentiated, with one direction alone


def test_what_is_wrong_with_one_direction_is_told():
    request = request_for(cell_of("lstm"))
    twin = other_way(request)
    bad = replace(twin, lengths=torch.tensor([1, 2, 99]))
    with pytest.raises(InputError, match="a length is out of range"):
        native.run_layer([request, bad])


def test_a_compiled_layer_runs_its_directions_one_by_one():
    layer = tn.LSTM(3, 4, bidirectional=True, backend="native")
    x = torch.randn(5, 2, 3)
    exported = torch.export.export(layer, (x,))
    assert torch.equal(exported.module()(x)[0], layer(x)[0])
