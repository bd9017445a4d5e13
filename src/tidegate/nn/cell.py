"""LSTMCell, GRUCell and RNNCell: one step at a time, drop-ins for those of torch.nn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tidegate import cells
from tidegate.cells import Cell
from tidegate.cells.base import check_size
from tidegate.errors import InputError, message
from tidegate.nn.init import initialise
from tidegate.nn.layout import Layout, check_input, read_state
from tidegate.nn.options import StackOptions, show

Device = torch.device | str | None


class StepCell(nn.Module):
    """One step of any cell, with weights of its own.

    Args:
        cell: The equations and their options.
        input_size: D.
        device: Where the weights live.
        dtype: Their type.
        init: "torch", "orthogonal" or "chrono", as in `StackOptions`.
        max_lag: For `init="chrono"`, in steps.
        forget_bias: As in `StackOptions`.

    Raises:
        InputError: If an option is out of range.

    Example:
        >>> from tidegate.cells import RNN
        >>> list(StepCell(RNN(hidden_size=4), 3)(torch.zeros(2, 3)).shape)
        [2, 4]
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        init: str = "torch",
        max_lag: int | None = None,
        forget_bias: float | None = None,
    ) -> None:
        super().__init__()
        check_size(cell.title, "input_size", input_size)
        self.cell = cell
        self.input_size = input_size
        self.options = StackOptions(init=init, max_lag=max_lag, forget_bias=forget_bias)
        self.options.check(cell, num_layers=1, dropout=0.0, bidirectional=False)
        for name, shape in cell.shapes(input_size).items():
            weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, weight)
        self.reset_parameters()

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.cell.hidden_size

    @property
    def bias(self) -> bool:
        """Whether the cell has biases."""
        return self.cell.bias

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        initialise(self.cell, self.weights(), self.options)

    def weights(self) -> dict[str, Tensor]:
        """The weights by name, read anew at every call."""
        return {name: getattr(self, name) for name in self.cell.shapes(self.input_size)}

    def forward(
        self, x: Tensor, hx: Tensor | tuple[Tensor, ...] | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Advance one step.

        Args:
            x: `[B, D]` or `[D]`.
            hx: The states, `[B, size]` or `[size]`: a tensor, or a tuple `(h, c)` for an LSTM.
                None for zeros.

        Returns:
            The next states, like `hx`.

        Raises:
            InputError: If a shape, dtype or device is wrong.
        """
        weights = self.weights()
        check_input(self.cell.title, x, self.input_size, weights["weight_ih"], ndims=(1, 2))
        # One step is a sequence of T = 1 in a layer with one direction, whose states lack the
        # leading axis.
        layout = Layout(self.cell.title, x.ndim == 2, batch_first=True, state_batch_first=False)
        rows = layout.enter(x[:, None] if x.ndim == 2 else x[None])
        state = read_state(layout, self.cell, _lift(self.cell.title, hx, x.ndim), 1, rows)
        before = tuple(part[0] for part in state)
        inputs = self.cell.inputs(rows[:, 0], weights)
        after, _ = self.cell.step(inputs, before[0], before, weights)
        left = after if x.ndim == 2 else tuple(part[0] for part in after)
        return left[0] if len(left) == 1 else left

    def extra_repr(self) -> str:
        """What a cell shows of itself when it is printed."""
        return show(self, self.input_size, self.cell, self.options)


def _lift(owner: str, hx: object, ndim: int) -> object:
    """Give states the leading layer axis of a stack; anything that is no state passes."""
    parts = (hx,) if isinstance(hx, Tensor) else hx
    if not isinstance(parts, (tuple, list)):
        return hx
    for part in parts:
        if isinstance(part, Tensor) and part.ndim != ndim:
            raise InputError(message(owner, "hx", f"{ndim}-D, as the input is", list(part.shape)))
    return tuple(part[None] if isinstance(part, Tensor) else part for part in parts)


class LSTMCell(StepCell):
    """One step of an LSTM, a drop-in for torch.nn.LSTMCell.

    Args:
        input_size: D.
        hidden_size: H.
        bias: Whether the cell has biases.
        device: Where the weights live.
        dtype: Their type.
        peephole: The gates see the cell state.
        coupled: The input gate is 1 - forget gate.
        layer_norm: Normalise the gates' sums and the cell state.
        proj_size: Size of a projection of h, 0 for none.
        cell_clip: Bound on the cell state.
        **options: `init`, `max_lag`, `forget_bias`, see `StepCell`.

    Raises:
        InputError: If an option is out of range.

    Example:
        >>> h, c = LSTMCell(3, 4, peephole=True)(torch.zeros(2, 3))
        >>> list(h.shape), list(c.shape)
        ([2, 4], [2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        peephole: bool = False,
        coupled: bool = False,
        layer_norm: bool = False,
        proj_size: int = 0,
        cell_clip: float | None = None,
        **options: Any,
    ) -> None:
        cell = cells.LSTM(
            hidden_size=hidden_size,
            bias=bias,
            proj_size=proj_size,
            peephole=peephole,
            coupled=coupled,
            layer_norm=layer_norm,
            cell_clip=cell_clip,
        )
        super().__init__(cell, input_size, device, dtype, **options)


class GRUCell(StepCell):
    """One step of a GRU, a drop-in for torch.nn.GRUCell.

    Args:
        input_size: D.
        hidden_size: H.
        bias: Whether the cell has biases.
        device: Where the weights live.
        dtype: Their type.
        reset_after: Which of the two published forms.
        layer_norm: Normalise the gates' sums.
        **options: `init`, `max_lag`, `forget_bias`, see `StepCell`.

    Raises:
        InputError: If an option is out of range.

    Example:
        >>> list(GRUCell(3, 4)(torch.zeros(2, 3)).shape)
        [2, 4]
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        reset_after: bool = True,
        layer_norm: bool = False,
        **options: Any,
    ) -> None:
        cell = cells.GRU(
            hidden_size=hidden_size, bias=bias, reset_after=reset_after, layer_norm=layer_norm
        )
        super().__init__(cell, input_size, device, dtype, **options)


class RNNCell(StepCell):
    """One step of a plain recurrent network, a drop-in for torch.nn.RNNCell.

    Args:
        input_size: D.
        hidden_size: H.
        bias: Whether the cell has biases.
        nonlinearity: "tanh" or "relu".
        device: Where the weights live.
        dtype: Their type.
        layer_norm: Normalise the sums.
        **options: `init`, see `StepCell`.

    Raises:
        InputError: If an option is out of range.

    Example:
        >>> list(RNNCell(3, 4, nonlinearity="relu")(torch.zeros(3)).shape)
        [4]
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        layer_norm: bool = False,
        **options: Any,
    ) -> None:
        cell = cells.RNN(
            hidden_size=hidden_size, bias=bias, nonlinearity=nonlinearity, layer_norm=layer_norm
        )
        super().__init__(cell, input_size, device, dtype, **options)
