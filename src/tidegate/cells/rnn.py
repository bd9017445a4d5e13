"""The plain recurrent network, to compare the gated ones with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tidegate.cells.base import RNN_BLOCKS, Cell, Gates, Native, State, Weights, register
from tidegate.errors import InputError, message


@register
@dataclass(frozen=True, kw_only=True)
class RNN(Cell):
    r"""The plain recurrent unit (Elman 1990): h' = tanh(W x + b_ih + U h + b_hh).

    Attributes:
        nonlinearity: "tanh" or "relu".
        layer_norm: Normalises W x and U h before they are added (as Ba et al. 2016 do for the
            LSTM); the shifts are `bias_ih` and `bias_hh`.
    """

    nonlinearity: str = "tanh"
    layer_norm: bool = False

    name: ClassVar[str] = "rnn"
    native: ClassVar[Native | None] = {
        "relu": ("nonlinearity", "relu"),
        "layer_norm": ("layer_norm", True),
    }

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            InputError: If `nonlinearity` is neither "tanh" nor "relu".
        """
        super().__post_init__()
        if self.nonlinearity not in ("tanh", "relu"):
            raise InputError(
                message("RNN", "nonlinearity", "'tanh' or 'relu'", repr(self.nonlinearity))
            )

    @property
    def blocks(self) -> tuple[str, ...]:
        """One block of rows."""
        return RNN_BLOCKS

    @property
    def gates(self) -> tuple[str, ...]:
        """None: a plain RNN has no gate."""
        return ()

    @property
    def is_plain(self) -> bool:
        """Whether torch.nn.RNN computes the same; it knows both nonlinearities."""
        return not self.layer_norm

    def shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """torch.nn's weights, and the gains of the norms."""
        shapes = super().shapes(input_size)
        if self.layer_norm:
            shapes |= {"norm_ih": (self.hidden_size,), "norm_hh": (self.hidden_size,)}
        return shapes

    def saved_per_step(self) -> int:
        """The hidden state, from which its derivative follows, and the inputs of the norms."""
        return (3 if self.layer_norm else 1) * self.hidden_size

    def inputs(self, x: Tensor, weights: Weights) -> Tensor:
        """W x + b_ih, or LN(W x) with `bias_ih` as its shift."""
        return self._affine(x, weights, "ih")

    def step(
        self, inputs: Tensor, recurrent: Tensor, state: State, weights: Weights
    ) -> tuple[State, Gates]:
        """The equation of the class, one step."""
        squash = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        return (squash(inputs + self._affine(recurrent, weights, "hh")),), ()

    def _affine(self, x: Tensor, weights: Weights, side: str) -> Tensor:
        matrix, bias = weights[f"weight_{side}"], weights.get(f"bias_{side}")
        if not self.layer_norm:
            return F.linear(x, matrix, bias)
        product = F.linear(x, matrix)
        return F.layer_norm(product, product.shape[-1:], weights[f"norm_{side}"], bias)
