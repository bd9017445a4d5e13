"""A stream of the library, from NumPy to NumPy: the reference step by step, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.kernels.native_cases import CELLS, cell_of, needs_native, request_for
from tidegate.cells import GRU, LSTM
from tidegate.errors import BackendError, InputError
from tidegate.kernels import reference
from tidegate.kernels.stream import NativeStream, refuses

ROWS, STEPS, D = 3, 5, 4


class Foreign(LSTM):
    """A cell that the library has never heard of."""

    native = None


def stream_of(request, **options) -> NativeStream:
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    stream = NativeStream(request.cell, [weights], ROWS, **options)
    for mine, given in zip(stream.parts[0], request.state, strict=True):
        mine[:] = given.detach().numpy()
    return stream


@needs_native
@pytest.mark.parametrize("case", CELLS)
def test_steps_are_those_of_the_reference(case):
    request = request_for(cell_of(case), ROWS, STEPS, D)
    stream, expected = stream_of(request), reference.run(request)
    for step in range(STEPS):
        found = stream.step(request.x[:, step].detach().numpy().copy())
        np.testing.assert_allclose(found, expected.output[:, step].detach(), rtol=1e-5, atol=1e-5)
    for mine, end in zip(stream.parts[0], expected.state, strict=True):
        np.testing.assert_allclose(mine, end.detach(), rtol=1e-5, atol=1e-5)


@needs_native
def test_a_fork_goes_its_own_way_from_the_same_state():
    request = request_for(GRU(hidden_size=6), ROWS, STEPS, D)
    x = request.x.detach().numpy().copy()
    first = stream_of(request)
    first.step(x[:, 0])
    second = first.fork()
    answers = [part.step(x[:, 1]).copy() for part in (first, second)]
    np.testing.assert_array_equal(*answers)
    second.step(x[:, 2])
    assert not np.array_equal(first.parts[0][0], second.parts[0][0])


@needs_native
def test_weights_are_copied():
    request = request_for(GRU(hidden_size=6), ROWS, STEPS, D)
    x = request.x[:, 0].detach().numpy().copy()
    stream, twin = stream_of(request), stream_of(request)
    with torch.no_grad():
        for weight in request.weights.values():
            weight.zero_()
    np.testing.assert_array_equal(stream.step(x), twin.step(x))
    assert stream.step(x).any()


@needs_native
@pytest.mark.parametrize(
    ("cell", "dtype", "backend", "reason"),
    [
        (LSTM(hidden_size=4), torch.float64, "auto", "streams torch.float32, not torch.float64"),
        (LSTM(hidden_size=4), torch.float32, "aten", "The backend 'aten' was asked for"),
        (Foreign(hidden_size=4), torch.float32, "auto", "has no code for the cell 'lstm'"),
        (LSTM(hidden_size=4), torch.float32, "native", None),
    ],
)
def test_why_it_does_not_stream(cell, dtype, backend, reason):
    told = refuses(cell, dtype, backend)
    assert told is None if reason is None else reason in told


@needs_native
def test_the_environment_takes_the_place_of_auto_alone(monkeypatch):
    monkeypatch.setenv("TIDEGATE_BACKEND", "reference")
    cell = LSTM(hidden_size=4)
    assert refuses(cell, torch.float32) == "The backend 'reference' was asked for"
    assert refuses(cell, torch.float32, "native") is None


@pytest.mark.usefixtures("without_library")
def test_without_the_library_it_says_why():
    assert refuses(LSTM(hidden_size=4), torch.float32) == "not built"


@pytest.fixture
def without_library(monkeypatch):
    monkeypatch.setattr("tidegate.kernels.library.LIBRARY", None)
    monkeypatch.setattr("tidegate.kernels.library.PROBLEM", "not built")


@needs_native
@pytest.mark.parametrize(
    "spoil",
    [
        lambda weight: weight[:-1],
        lambda weight: weight[..., :1],
        lambda weight: torch.cat([weight, weight]),
        lambda weight: weight.double(),
        lambda weight: weight.bfloat16(),
        lambda weight: weight.to("meta"),
        lambda weight: weight.to_sparse(),
        lambda weight: weight[0],
    ],
    ids=["fewer", "narrow", "more", "float64", "bfloat16", "meta", "sparse", "an axis less"],
)
@pytest.mark.parametrize("case", CELLS)
def test_weights_that_do_not_fit_are_refused(case, spoil):
    request = request_for(cell_of(case), ROWS, STEPS, D)
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    for name, weight in weights.items():
        spoiled = weights | {name: spoil(weight)}
        if name == "weight_ih" and spoiled[name].shape == (len(weight), 1):
            continue  # it says what D is
        with pytest.raises(InputError, match="_l0"):
            NativeStream(request.cell, [spoiled], ROWS)


@needs_native
def test_weights_of_another_cell_are_refused():
    request = request_for(LSTM(hidden_size=6), ROWS, STEPS, D)
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    del weights["bias_hh"]
    with pytest.raises(InputError, match="those of the LSTM"):
        NativeStream(request.cell, [weights], ROWS)


@needs_native
@pytest.mark.parametrize("rows", [2**40, 2**50, 2**61, 2**62, 2**63 - 1])
def test_more_rows_than_memory_are_refused_by_the_library(rows):
    request = request_for(LSTM(hidden_size=6), ROWS, STEPS, D)
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    with pytest.raises(BackendError, match="memory"):
        NativeStream(request.cell, [weights], rows)
