"""LSTM, GRU and RNN against torch.nn, over the whole grid of options that both have."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import tidegate.nn as tn
from tests.helpers import (
    BOUNDS,
    PLAIN,
    as_hx,
    assert_close,
    difference,
    inputs_of,
    random_states,
    results,
    row_by_row,
    states_of,
)
from tests.kernels.native_cases import needs_native

ROWS, STEPS, RAGGED = 4, 5, [3, 0, 5, 1]

NATIVE = pytest.param("native", marks=needs_native)

# oneDNN runs float32 alone, so that each backend meets the whole grid in the type in which it has
# most to prove; the other type, and bfloat16, go through it once.
STACKS = [
    {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
    for layers, bidirectional, bias in itertools.product((1, 2, 3), (False, True), (True, False))
]
GRID = [
    *itertools.product(PLAIN, STACKS, ["aten"], [torch.float32]),
    *itertools.product(PLAIN, STACKS, ["reference"], [torch.float64]),
    *itertools.product(PLAIN, STACKS[6:7], ["aten"], [torch.float64]),
    *itertools.product(PLAIN, STACKS[6:7], ["reference"], [torch.float32]),
    *(
        pytest.param(*given, "native", torch.float32, marks=needs_native)
        for given in itertools.product(PLAIN, STACKS)
    ),
]


def pair(case, dtype, backend="auto", **options):
    """A layer of torch.nn and ours with the same weights."""
    name, own = PLAIN[case]
    theirs = getattr(nn, name)(3, 4, dtype=dtype, **own, **options)
    ours = getattr(tn, name)(3, 4, dtype=dtype, backend=backend, **own, **options)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


@pytest.mark.parametrize(("case", "options", "backend", "dtype"), GRID)
def test_outputs_states_and_all_gradients(case, options, backend, dtype):
    for given, ragged in itertools.product((False, True), (False, True)):
        batch_first = given != ragged  # every two of the three meet in every way
        theirs, ours = pair(case, dtype, backend, batch_first=batch_first, **options)
        x = torch.randn(ROWS, STEPS, 3, dtype=dtype)
        x = (x if batch_first else x.transpose(0, 1)).requires_grad_()
        states = random_states(theirs, ROWS, dtype) if given else ()
        hx = as_hx(states) if given else None
        if ragged:
            expected = row_by_row(theirs, x, states, RAGGED)
            actual = ours(x, hx, lengths=RAGGED)
        else:
            expected, actual = theirs(x, hx), ours(x, hx)
        assert_close(
            results(*actual, inputs_of(ours, x, states)),
            results(*expected, inputs_of(theirs, x, states)),
            *BOUNDS[dtype],
        )


@pytest.mark.parametrize("backend", ["aten", "reference"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("case", PLAIN)
def test_unbatched(case, layers, bidirectional, backend):
    options = {"num_layers": layers, "bidirectional": bidirectional}
    for given, batch_first in itertools.product((False, True), (False, True)):
        theirs, ours = pair(case, torch.float64, backend, batch_first=batch_first, **options)
        x = torch.randn(STEPS, 3, dtype=torch.float64, requires_grad=True)
        states = random_states(theirs, None, torch.float64) if given else ()
        hx = as_hx(states) if given else None
        assert_close(
            results(*ours(x, hx), inputs_of(ours, x, states)),
            results(*theirs(x, hx), inputs_of(theirs, x, states)),
            *BOUNDS[torch.float64],
        )


@pytest.mark.parametrize("backend", ["aten", "reference", NATIVE])
@pytest.mark.parametrize("lengths", [[5, 3, 2, 1], [2, 5, 1, 3]], ids=["sorted", "unsorted"])
@pytest.mark.parametrize("case", PLAIN)
def test_packed_sequences(case, lengths, backend):
    dtype = torch.float32 if backend == "native" else torch.float64
    theirs, ours = pair(case, dtype, backend, num_layers=2, bidirectional=True)
    for given in (False, True):
        x = torch.randn(STEPS, ROWS, 3, dtype=dtype, requires_grad=True)
        states = random_states(theirs, ROWS, dtype) if given else ()
        hx = as_hx(states) if given else None
        ordered = lengths == sorted(lengths, reverse=True)
        packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=ordered)
        (expected, end), (actual, our_end) = theirs(packed, hx), ours(packed, hx)
        assert isinstance(actual, PackedSequence)
        for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
            ours_has, theirs_has = getattr(actual, name), getattr(expected, name)
            assert (ours_has is None) == (theirs_has is None)
            assert ours_has is None or torch.equal(ours_has, theirs_has)
        assert_close(
            results(actual.data, our_end, inputs_of(ours, x, states)),
            results(expected.data, end, inputs_of(theirs, x, states)),
            *BOUNDS[dtype],
        )


@pytest.mark.parametrize("backend", ["aten", "reference"])
@pytest.mark.parametrize("case", PLAIN)
def test_half_precision_keeps_to_its_rounding(case, backend):
    """bfloat16 holds 8 bits: results within 2^-6 of float32 ones, gradients within 2^-4."""
    for dtype, output, gradient in ((torch.bfloat16, 2**-6, 2**-4), (torch.float16, 2**-9, 2**-7)):
        _, ours = pair(case, dtype, backend, num_layers=2, bidirectional=True)
        theirs, _ = pair(case, torch.float32, num_layers=2, bidirectional=True)
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(STEPS, ROWS, 3, dtype=dtype, requires_grad=True)
        wide = x.detach().float().requires_grad_()
        actual = ours(x, lengths=RAGGED)
        assert {part.dtype for part in (actual[0], *states_of(actual[1]))} == {dtype}
        assert_close(
            results(*actual, inputs_of(ours, x, ())),
            results(*row_by_row(theirs, wide, None, RAGGED), inputs_of(theirs, wide, ())),
            output,
            # Rounding turns some units of a ReLU on or off, and their gradients with them.
            gradient if case != "rnn-relu" else 2.0,
        )


@pytest.mark.parametrize("backend", ["aten", "reference", NATIVE])
def test_relu_rows_that_would_explode_in_the_padding(backend):
    """A step of zeros may still grow h: the padding must not run into infinity times zero."""
    theirs, ours = pair("rnn-relu", torch.float32, backend, batch_first=True)
    with torch.no_grad():
        for layer in (theirs, ours):
            layer.weight_hh_l0.copy_(3 * torch.eye(4))
            layer.bias_ih_l0.fill_(1)  # no unit is dead
    x = torch.rand(2, 200, 3, requires_grad=True)
    assert_close(
        results(*ours(x, lengths=[2, 3]), inputs_of(ours, x, ())),
        results(*row_by_row(theirs, x, None, [2, 3]), inputs_of(theirs, x, ())),
        *BOUNDS[torch.float32],
    )


@pytest.mark.parametrize("case", PLAIN)
def test_dropout_of_zero_and_evaluation_are_the_same_as_in_torch(case):
    theirs, ours = pair(case, torch.float64, num_layers=2, dropout=0.5)
    x = torch.randn(STEPS, ROWS, 3, dtype=torch.float64)
    assert difference(ours.eval()(x)[0], theirs.eval()(x)[0]) <= 1e-10
    theirs, ours = pair(case, torch.float64, num_layers=2, dropout=0.0)
    assert difference(ours.train()(x)[0], theirs.train()(x)[0]) <= 1e-10


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("case", PLAIN)
def test_the_same_seed_draws_the_same_weights_under_the_same_keys(case, bidirectional, bias):
    name, own = PLAIN[case]
    options = {"num_layers": 2, "bidirectional": bidirectional, "bias": bias, **own}
    torch.manual_seed(7)
    theirs = getattr(nn, name)(3, 4, **options).state_dict()
    torch.manual_seed(7)
    ours = getattr(tn, name)(3, 4, **options).state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_positional_arguments_are_those_of_torch(name):
    given = (3, 4, 2, "relu") if name == "RNN" else (3, 4, 2)
    given = (*given, False, True, 0.25, True)
    theirs, ours = getattr(nn, name)(*given), getattr(tn, name)(*given)
    for attribute in ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.bidirectional
    assert ours.proj_size == theirs.proj_size
    if name == "RNN":
        assert ours.nonlinearity == theirs.nonlinearity
