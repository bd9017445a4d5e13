"""The forward pass of accelerated modules against their twins in torch.nn."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from tests.helpers import (
    BOUNDS,
    PLAIN,
    as_hx,
    assert_close,
    difference,
    inputs_of,
    random_states,
    results,
    states_of,
)
from tests.nn.torch_modules import STACKS, B, D, H, T, module, pair
from tidegate import accelerate
from tidegate.errors import InputError
from tidegate.kernels import library
from tidegate.nn.accelerated import stack_pass

GRID = [
    *itertools.product(PLAIN, STACKS, [torch.float32]),
    *itertools.product(PLAIN, STACKS[-1:], [torch.float64]),
]


@pytest.mark.parametrize(("case", "options", "dtype"), GRID)
def test_outputs_states_and_all_gradients(case, options, dtype):
    for rows, given in itertools.product((B, None), (False, True)):
        theirs, ours = pair(case, dtype=dtype, **options)
        shape = (T, D) if rows is None else (B, T, D) if ours.batch_first else (T, B, D)
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        states = random_states(theirs, rows, dtype) if given else ()
        hx = as_hx(states) if given else None
        assert_close(
            results(*ours(x, hx), inputs_of(ours, x, states)),
            results(*theirs(x, hx), inputs_of(theirs, x, states)),
            *BOUNDS[dtype],
        )


@pytest.mark.parametrize("lengths", [[5, 3, 2, 1], [2, 5, 1, 3]], ids=["sorted", "unsorted"])
@pytest.mark.parametrize("options", STACKS[::2])
@pytest.mark.parametrize("case", PLAIN)
def test_packed_sequences(case, options, lengths):
    theirs, ours = pair(case, **options)
    for given in (False, True):
        x = torch.randn(T, B, D, requires_grad=True)
        states = random_states(theirs, B, torch.float32) if given else ()
        hx = as_hx(states) if given else None
        ordered = lengths == sorted(lengths, reverse=True)
        packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=ordered)
        (expected, end), (actual, our_end) = theirs(packed, hx), ours(packed, hx)
        assert isinstance(actual, PackedSequence)
        for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
            assert getattr(actual, name) is getattr(packed, name)
        assert_close(
            results(actual.data, our_end, inputs_of(ours, x, states)),
            results(expected.data, end, inputs_of(theirs, x, states)),
            *BOUNDS[torch.float32],
        )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["padded", "unbatched", "packed", "unsorted"])
@pytest.mark.parametrize("options", STACKS[8:])
@pytest.mark.parametrize("case", ["lstm", "gru"])
def test_the_same_seed_drops_the_same(case, options, kind, training):
    theirs, ours = pair(case, dropout=0.5, **options)
    x: Any = torch.randn(T, B, D)
    if kind == "unbatched":
        x = x[:, 0]
    elif kind == "padded":
        x = x.transpose(0, 1) if ours.batch_first else x
    else:
        lengths = [2, 5, 1, 3] if kind == "unsorted" else [5, 3, 2, 1]
        x = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=kind == "packed")
    found = []
    for layer in (theirs.train(training), ours.train(training)):
        torch.manual_seed(3)
        output, state = layer(x)
        found.append((getattr(output, "data", output), *states_of(state), torch.rand(1)))
    for expected, actual in zip(*found, strict=True):
        assert difference(actual, expected) <= 1e-5


def test_attributes_that_change_later_count():
    theirs, ours = pair("lstm", num_layers=2)
    x = torch.randn(T, B, D)
    for layer in (theirs, ours):
        layer.dropout, layer.batch_first = 0.5, True
    torch.manual_seed(1)
    expected = theirs(x)[0]
    torch.manual_seed(1)
    assert difference(ours(x)[0], expected) <= 1e-5


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("case", PLAIN)
def test_programs_may_view_the_output(case, bidirectional):
    _, ours = pair(case, num_layers=2, bidirectional=bidirectional)
    output, state = ours(torch.randn(T, B, D))
    assert output.view(T * B, -1).shape[0] == T * B
    assert all(part.is_contiguous() for part in states_of(state))


def test_arguments_go_by_the_names_of_torch():
    theirs, ours = pair("gru")
    x, hx = torch.randn(T, B, D), torch.randn(1, B, H)
    assert difference(ours(input=x, hx=hx)[0], theirs(input=x, hx=hx)[0]) <= 1e-5


def test_other_types_and_devices():
    _, ours = pair("lstm", dtype=torch.bfloat16)
    assert ours(torch.randn(T, B, D, dtype=torch.bfloat16))[0].dtype == torch.bfloat16
    meta = nn.LSTM(D, H, 2, bidirectional=True, device="meta")
    report = accelerate(meta)
    assert "PyTorch's own code runs it on meta" in report.modules[0].note
    assert meta(torch.empty(T, B, D, device="meta"))[0].shape == (T, B, 2 * H)
    theirs, ours = pair("lstm")
    ours.double()
    x = torch.randn(T, B, D, dtype=torch.float64)
    assert difference(ours(x)[0], theirs.double()(x)[0]) <= 1e-10


@pytest.mark.parametrize("case", ["lstm", "gru"])
def test_autocast(case):
    """bfloat16 holds 8 bits."""
    theirs, ours = pair(case, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, D)
    with torch.autocast("cpu", torch.bfloat16):
        actual = ours(x)[0]
    # Under autocast torch.nn's GRU comes out in float32, and its LSTM not on every processor.
    expected = theirs(x)[0]
    assert library.LIBRARY is None or actual.dtype == torch.bfloat16
    assert difference(actual, expected) <= 2**-6


def test_a_wrong_input_gets_one_clear_sentence():
    _, ours = pair("lstm")
    for wrong in (torch.randn(T, B, D + 1), torch.randn(T, B, D).double(), [1.0]):
        with pytest.raises(InputError, match=r"^LSTM: `input` must be"):
            ours(wrong)


def test_a_pass_reads_the_weights_of_the_module_when_it_runs():
    layer = module("gru", num_layers=2)
    described, x = stack_pass(layer), torch.randn(T, B, D)
    with torch.no_grad():
        layer.weight_hh_l1.mul_(2)
    output, state = described.run(x, None)
    expected, end = layer(x)
    assert difference(output, expected) <= 1e-5
    assert difference(state, end) <= 1e-5


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("inplace", [True, False])
def test_quantization_that_passes_a_layer_by_is_told(inplace):
    model = nn.Sequential(nn.LSTM(3, 4))
    accelerate(model)
    with pytest.warns(UserWarning, match="Quantization leaves accelerated layers"):
        torch.ao.quantization.quantize_dynamic(model, {nn.LSTM}, inplace=inplace)
