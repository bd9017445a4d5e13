"""What the tests of the native backend share: requests of every kind, drawn and in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.helpers import difference
from tidegate.cells import GRU, LSTM, RNN, Cell
from tidegate.kernels import Noise, Request, Result, library, native

needs_native = pytest.mark.skipif(library.LIBRARY is None, reason=library.PROBLEM)

# Every option alone, and those that meet in one equation.
CELLS: dict[str, tuple[type[Cell], dict[str, Any]]] = {
    "lstm": (LSTM, {}),
    "lstm-no-bias": (LSTM, {"bias": False}),
    "lstm-peephole": (LSTM, {"peephole": True}),
    "lstm-coupled": (LSTM, {"coupled": True}),
    "lstm-coupled-peephole": (LSTM, {"coupled": True, "peephole": True}),
    "lstm-clip": (LSTM, {"cell_clip": 0.3}),
    "lstm-projected": (LSTM, {"proj_size": 2}),
    "lstm-norm": (LSTM, {"layer_norm": True}),
    "lstm-norm-no-bias": (LSTM, {"layer_norm": True, "bias": False}),
    "lstm-all": (
        LSTM,
        {"proj_size": 2, "peephole": True, "coupled": True, "layer_norm": True, "cell_clip": 0.4},
    ),
    "gru": (GRU, {}),
    "gru-no-bias": (GRU, {"bias": False}),
    "gru-reset-before": (GRU, {"reset_after": False}),
    "gru-norm": (GRU, {"layer_norm": True}),
    "gru-reset-before-norm": (GRU, {"reset_after": False, "layer_norm": True}),
    "rnn": (RNN, {}),
    "rnn-relu": (RNN, {"nonlinearity": "relu"}),
    "rnn-norm": (RNN, {"layer_norm": True}),
}


def cell_of(case: str, hidden_size: int = 6) -> Cell:
    kind, options = CELLS[case]
    return kind(hidden_size=hidden_size, **options)


def request_for(
    cell: Cell, rows: int = 3, steps: int = 5, features: int = 4, **options: Any
) -> Request:
    """A request with weights of the size that layers draw, all of it asking for gradients."""
    weights = {}
    for name, shape in cell.shapes(features).items():
        if name.startswith("norm") and not name.endswith("bias"):
            weights[name] = 0.5 + torch.rand(shape)
        else:
            weights[name] = torch.randn(shape) * (0.5 if len(shape) == 1 else shape[1] ** -0.5)
    given = {
        "x": torch.randn(rows, steps, features),
        "state": tuple(torch.randn(rows, size) for size in cell.state_sizes),
        "weights": weights,
    }
    request = Request(cell=cell, **(given | options))
    for leaf in leaves(request).values():
        leaf.requires_grad_()
    return request


@st.composite
def requests(draw: st.DrawFn, longest: int = 12, widest: int = 40) -> Request:
    """Any request that the library can run: cells, sizes, ragged rows, resets, noise, direction."""
    supported = [case for case in CELLS if native.refuses(request_for(cell_of(case))) is None]
    kind, given = CELLS[draw(st.sampled_from(supported))]
    # A norm of one unit is a division by zero that its epsilon alone keeps finite.
    cell = kind(hidden_size=draw(st.integers(3, widest)), **given)
    rows, steps = draw(st.integers(1, 6)), draw(st.integers(1, longest))
    torch.manual_seed(draw(st.integers(0, 2**16)))
    options: dict[str, Any] = {"reverse": draw(st.booleans())}
    if draw(st.booleans()):
        options["lengths"] = torch.randint(0, steps + 1, (rows,))
    if draw(st.booleans()):
        lengths = options.get("lengths", torch.tensor(steps))
        # A request has no resets in the padding: the reference would heed them.
        valid = torch.arange(steps) < lengths[..., None]
        options["resets"] = (torch.rand(rows, steps) < 0.3) & valid
    zones = [
        draw(st.sampled_from([None, 0.25, torch.rand(rows, steps, size) < 0.3]))
        for size in cell.state_sizes
    ]
    mask = torch.rand(rows, cell.output_size) * 2 if draw(st.booleans()) else None
    options["noise"] = Noise(mask, tuple(zones) if draw(st.booleans()) else ())
    options["return_gates"] = draw(st.booleans())
    return request_for(cell, rows, steps, draw(st.integers(1, 9)), **options)


def leaves(request: Request) -> dict[str, Tensor]:
    """All that a gradient is wanted for, by name."""
    states = {f"state {index}": part for index, part in enumerate(request.state)}
    return {"x": request.x, **states, **request.weights}


def doubled(request: Request) -> Request:
    """The same request in float64, with leaves of its own."""

    def double(part: Tensor) -> Tensor:
        return part.detach().double().requires_grad_(part.requires_grad)

    mask = request.noise.recurrent
    return replace(
        request,
        x=double(request.x),
        state=tuple(double(part) for part in request.state),
        weights={name: double(part) for name, part in request.weights.items()},
        noise=replace(request.noise, recurrent=None if mask is None else mask.double()),
    )


def parts_of(result: Result) -> dict[str, Tensor]:
    """Everything that came out, by name."""
    states = {f"state {index}": part for index, part in enumerate(result.state)}
    trace = {f"trace {name}": part for name, part in (result.trace or {}).items()}
    return {"output": result.output, **states, **trace}


def loss_of(result: Result) -> Tensor:
    """A loss that treats every number that came out differently."""
    total = result.output.new_zeros(())
    for part in parts_of(result).values():
        ramp = torch.linspace(-1, 1, part.numel(), dtype=part.dtype).view(part.shape)
        total = total + (ramp * part + part**2).sum()
    return total


def gradients_of(result: Result, request: Request) -> dict[str, Tensor]:
    wanted = leaves(request)
    found = torch.autograd.grad(loss_of(result), list(wanted.values()))
    return dict(zip(wanted, found, strict=True))


def assert_within(actual: dict[str, Tensor], expected: dict[str, Tensor], bound: float) -> None:
    assert actual.keys() == expected.keys()
    far = {}
    for name, value in expected.items():
        distance = difference(actual[name], value)
        if not distance <= bound:
            far[name] = distance
    assert not far, f"too far apart: {far}"


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Bit for bit."""
    assert actual.keys() == expected.keys()
    differing = [name for name, part in expected.items() if not torch.equal(actual[name], part)]
    assert not differing
