"""Steppers: who takes the steps of a stream, against the layer over the whole sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import tidegate.nn as tn
from tests.helpers import make, states_of
from tidegate.errors import BackendError, InputError
from tidegate.kernels import library
from tidegate.nn.streaming.stepper import make_stepper

T, B, D, H = 6, 2, 4, 4

needs_library = pytest.mark.skipif(library.LIBRARY is None, reason=library.PROBLEM)

STACKS = {
    "one": {},
    "two": {"num_layers": 2},
    "residual": {"num_layers": 3, "residual": True},
}
BACKENDS = ["reference", pytest.param("native", marks=needs_library)]


def layer_of(case="lstm", backend="reference", **options):
    return make(case, D, H, dtype=torch.float32, backend=backend, **options).eval()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("case", ["lstm", "gru", "lstm-peephole"])
def test_steps_and_parts_are_outputs_and_states_of_the_layer(case, options, backend):
    layer = layer_of(case, backend, **options)
    stepper, name, reason = make_stepper(layer._pass(), B)
    assert name == backend
    assert (reason == "native runs it.") == (backend == "native")
    x = torch.randn(T, B, D)
    outputs = np.stack([stepper.step(step) for step in x.numpy()])
    with torch.no_grad():
        expected, state = layer(x)
    assert np.abs(outputs - expected.numpy()).max() <= 1e-5
    assert len(stepper.parts) == layer.num_layers
    for number, parts in enumerate(stepper.parts):
        for part, whole in zip(parts, states_of(state), strict=True):
            assert np.abs(part - whole[number].numpy()).max() <= 1e-5


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
def test_the_parts_are_the_state_itself(options, backend):
    stepper, *_ = make_stepper(layer_of("gru", backend, **options)._pass(), B)
    x = np.ones((B, D), np.float32)
    first = stepper.step(x)
    for parts in stepper.parts:
        for part in parts:
            part[...] = 0
    assert np.array_equal(stepper.step(x), first)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
def test_a_fork_begins_at_the_same_state_and_shares_none(options, backend):
    stepper, *_ = make_stepper(layer_of(backend=backend, **options)._pass(), B)
    x = torch.randn(3, B, D).numpy()
    stepper.step(x[0])
    fork = stepper.fork()
    assert np.array_equal(fork.step(x[1]), stepper.step(x[1]))
    stepper.step(x[2])
    for mine, theirs in zip(stepper.parts, fork.parts, strict=True):
        assert all(not np.shares_memory(*pair) for pair in zip(mine, theirs, strict=True))
        assert not np.array_equal(mine[0], theirs[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_are_a_copy(backend):
    layer = layer_of(backend=backend)
    stepper, *_ = make_stepper(layer._pass(), B)
    fork, x = stepper.fork(), np.ones((B, D), np.float32)
    before = stepper.step(x)
    with torch.no_grad():
        layer.weight_ih_l0.zero_()
    assert np.array_equal(fork.step(x), before)


def test_one_row_may_come_without_its_axis():
    stepper, *_ = make_stepper(layer_of("gru")._pass(), 1)
    twin, x = stepper.fork(), np.ones(D, np.float32)
    assert np.array_equal(stepper.step(x), twin.step(x[None])[0])


def test_dropout_and_masks_are_those_of_evaluation():
    layer = layer_of(num_layers=2, dropout=0.9, weight_dropout=0.9).train()
    stepper, *_ = make_stepper(layer._pass(), B)
    twin, x = stepper.fork(), np.ones((B, D), np.float32)
    assert np.array_equal(stepper.step(x), twin.step(x))


def test_a_backend_that_cannot_is_refused_by_name():
    layer = make("lstm-norm", D, H, backend="native")  # float64
    with pytest.raises(BackendError, match=r'LSTM: `backend` must be .*use backend="auto"'):
        make_stepper(layer._pass(), B)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [2**50, 2**61, 2**63])
def test_more_rows_than_memory_are_refused(dtype, rows):
    with pytest.raises(InputError, match="a number of rows whose states fit"):
        tn.LSTM(3, 4, dtype=dtype).stream(rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["weight_ih_l0", "weight_hh_l1", "bias_hh_l0", "weight_ch_l1"])
def test_a_weight_that_somebody_replaced_is_named(dtype, name):
    layer = tn.LSTM(3, 4, 2, peephole=True, dtype=dtype)
    weight = getattr(layer, name).detach()
    for other in (weight[..., :2], weight.half(), weight.to("meta")):
        setattr(layer, name, nn.Parameter(other))
        # The type is that of weight_ih: if that is odd, all others are.
        first = name == "weight_ih_l0" and other.dtype is torch.half
        with pytest.raises(InputError, match="weight_hh_l0" if first else name):
            layer.stream()
