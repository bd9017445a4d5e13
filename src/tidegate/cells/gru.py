"""The gated recurrent unit, in both published forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tidegate.cells.base import GRU_BLOCKS, Cell, Gates, Native, State, Weights, register


@register
@dataclass(frozen=True, kw_only=True)
class GRU(Cell):
    r"""The gated recurrent unit (Cho et al. 2014).

        r = σ(W_r x + U_r h + b_r)      z = σ(W_z x + U_z h + b_z)
        n = tanh(W_n x + b_in + r ∘ (U_n h + b_hn))     reset_after (cuDNN, torch.nn)
        n = tanh(W_n x + b_in + U_n (r ∘ h) + b_hn)     otherwise (Cho et al. 2014)
        h' = (1 - z) ∘ n + z ∘ h

    A wide-open update gate z keeps the old state, as in torch.nn; some papers swap z and 1 - z.

    Attributes:
        reset_after: The form of n that resets U_n h; the other one resets h.
        layer_norm: Normalises W x and U h before they are added, over the 2H of the gates and
            the H of n apart (Ba et al. 2016); the shifts are `bias_ih` and `bias_hh`.
    """

    reset_after: bool = True
    layer_norm: bool = False

    name: ClassVar[str] = "gru"
    keep_gate: ClassVar[str | None] = "update"
    native: ClassVar[Native | None] = {
        "reset_before": ("reset_after", False),
        "layer_norm": ("layer_norm", True),
    }

    @property
    def blocks(self) -> tuple[str, ...]:
        """Reset, update, new."""
        return GRU_BLOCKS

    @property
    def gates(self) -> tuple[str, ...]:
        """Reset, update, new."""
        return GRU_BLOCKS

    def shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """torch.nn's weights, and the gains of the norms."""
        shapes = super().shapes(input_size)
        if self.layer_norm:
            rows = (3 * self.hidden_size,)
            shapes |= {"norm_ih": rows, "norm_hh": rows}
        return shapes

    def saved_per_step(self) -> int:
        """Three gates, h, what the reset gate multiplies, and the inputs of the norms."""
        reset_factor = 3 if self.reset_after and not self.layer_norm else 1
        norms = 6 if self.layer_norm else 0
        return (4 + reset_factor + norms) * self.hidden_size

    def inputs(self, x: Tensor, weights: Weights) -> Tensor:
        """W x + b_ih, or its normalised form."""
        if not self.layer_norm:
            return super().inputs(x, weights)
        product = F.linear(x, weights["weight_ih"])
        return torch.cat(
            [
                self._norm(block, weights, "ih", part)
                for part, block in enumerate(product.split(self._parts, -1))
            ],
            -1,
        )

    def step(
        self, inputs: Tensor, recurrent: Tensor, state: State, weights: Weights
    ) -> tuple[State, Gates]:
        """The equations of the class, one step."""
        gates_in, new_in = inputs.split(self._parts, -1)
        if self.reset_after:
            gates_h, new_h = self._products(recurrent, weights)
            reset, update = torch.sigmoid(gates_in + gates_h).chunk(2, -1)
            new = torch.tanh(new_in + reset * new_h)
        else:
            gates_h = self._product(recurrent, weights, 0)
            reset, update = torch.sigmoid(gates_in + gates_h).chunk(2, -1)
            new = torch.tanh(new_in + self._product(reset * recurrent, weights, 1))
        # Under autocast the gates are of a lower type than the state.
        old = state[0]
        hidden = torch.lerp(new.to(old.dtype), old, update.to(old.dtype))
        return (hidden,), (reset, update, new)

    @property
    def _parts(self) -> tuple[int, int]:
        """Sizes of the two parts of the rows: both gates, and n."""
        return 2 * self.hidden_size, self.hidden_size

    def _products(self, recurrent: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        if self.layer_norm:
            return self._product(recurrent, weights, 0), self._product(recurrent, weights, 1)
        # One product for all three blocks: a third of the calls.
        product = F.linear(recurrent, weights["weight_hh"], weights.get("bias_hh"))
        gates, new = product.split(self._parts, -1)
        return gates, new

    def _product(self, recurrent: Tensor, weights: Weights, part: int) -> Tensor:
        matrix = weights["weight_hh"].split(self._parts)[part]
        if self.layer_norm:
            return self._norm(F.linear(recurrent, matrix), weights, "hh", part)
        bias = weights["bias_hh"].split(self._parts)[part] if self.bias else None
        return F.linear(recurrent, matrix, bias)

    def _norm(self, product: Tensor, weights: Weights, side: str, part: int) -> Tensor:
        gain = weights[f"norm_{side}"].split(self._parts)[part]
        shift = weights[f"bias_{side}"].split(self._parts)[part] if self.bias else None
        return F.layer_norm(product, product.shape[-1:], gain, shift)
