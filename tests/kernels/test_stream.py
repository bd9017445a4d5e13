"""A stream of the library, from NumPy to NumPy: the reference step by step, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.kernels.native_cases import CELLS, cell_of, needs_native, request_for
from tidegate.cells import GRU, LSTM
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
