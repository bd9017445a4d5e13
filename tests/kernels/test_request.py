"""A request cut into pieces is the same work."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import difference
from tidegate.cells import GRU, LSTM
from tidegate.kernels import Noise, Request, run_sequence

B, T, D, H = 3, 7, 2, 4
LENGTHS = torch.tensor([7, 0, 4])


def full() -> Request:
    """Every field that has steps is filled."""
    cell = LSTM(hidden_size=H)
    options = {"dtype": torch.float64}
    return Request(
        cell=cell,
        x=torch.randn(B, T, D, **options),
        state=tuple(torch.randn(B, H, **options) for _ in range(2)),
        weights={name: torch.randn(s, **options) for name, s in cell.shapes(D).items()},
        lengths=LENGTHS,
        resets=torch.rand(B, T) < 0.3,
        noise=Noise(torch.rand(B, H, **options), (torch.rand(B, T, H) < 0.3, 0.25)),
        return_gates=True,
    )


def test_the_mask_is_true_where_a_step_is_valid():
    request = full()
    assert request.mask.sum(1).tolist() == LENGTHS.tolist()
    assert (request.mask.int().diff(dim=1) <= 0).all()
    plain = Request(cell=request.cell, x=request.x, state=(), weights={})
    assert plain.mask is None


def test_a_piece_has_its_part_of_everything_that_has_steps():
    request = full()
    state = tuple(part + 1 for part in request.state)
    piece = request.chunk(2, 5, state)
    assert torch.equal(piece.x, request.x[:, 2:5])
    assert torch.equal(piece.resets, request.resets[:, 2:5])
    assert piece.lengths.tolist() == [3, 0, 2]
    assert piece.state is state
    assert piece.noise.recurrent is request.noise.recurrent
    assert torch.equal(piece.noise.zoneout[0], request.noise.zoneout[0][:, 2:5])
    assert piece.noise.zoneout[1] == 0.25
    assert (piece.cell, piece.weights) == (request.cell, request.weights)
    assert piece.return_gates
    plain = Request(cell=request.cell, x=request.x, state=state, weights={})
    assert plain.chunk(0, 3, state).lengths is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("every", [1, 3, 7, 10])
def test_pieces_in_the_order_of_the_walk_make_the_whole(every, reverse):
    request = full()
    request = Request(**(vars(request) | {"reverse": reverse}))
    whole = run_sequence(request)
    pieces = run_sequence(request, checkpoint_every=every)
    assert difference(pieces.output, whole.output) <= 1e-12
    for part, expected in zip(pieces.state, whole.state, strict=True):
        assert difference(part, expected) <= 1e-12
    assert whole.trace.keys() == pieces.trace.keys()
    for name, values in whole.trace.items():
        assert difference(pieces.trace[name], values) <= 1e-12


def test_requests_cannot_be_changed():
    request = Request(cell=GRU(hidden_size=H), x=torch.zeros(B, T, D), state=(), weights={})
    with pytest.raises(AttributeError):
        request.reverse = True
    assert request.noise == Noise()
