"""Small requests to any backend."""

from __future__ import annotations

from typing import Any

import torch

from tidegate.cells import LSTM, Cell
from tidegate.kernels import Request

B, T, D, H = 3, 5, 3, 4


def request_for(cell: Cell | None = None, **options: Any) -> Request:
    """A request of a cell, an LSTM by default, with random weights and states."""
    cell = cell or LSTM(hidden_size=H)
    weights = {name: torch.randn(shape) for name, shape in cell.shapes(D).items()}
    state = tuple(torch.randn(B, size) for size in cell.state_sizes)
    given = {"x": torch.randn(B, T, D), "state": state, "weights": weights}
    return Request(cell=cell, **(given | options))
