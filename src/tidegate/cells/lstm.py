"""Long short-term memory, plain and in its published variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tidegate.cells.base import (
    LSTM_BLOCKS,
    Cell,
    Gates,
    Native,
    State,
    Weights,
    check_size,
    register,
)
from tidegate.errors import InputError, message


@register
@dataclass(frozen=True, kw_only=True)
class LSTM(Cell):
    r"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

        i = σ(W_i x + U_i h + b_i)      f = σ(W_f x + U_f h + b_f)
        g = tanh(W_g x + U_g h + b_g)   o = σ(W_o x + U_o h + b_o)
        c' = f ∘ c + i ∘ g              h' = o ∘ tanh(c')

    Attributes:
        proj_size: P > 0 sends out h' = W_hr (o ∘ tanh(c')) (Sak et al. 2014); 0 for none.
        peephole: i and f also see c, o also sees c' (Gers & Schmidhuber 2000).
        coupled: i = 1 - f, no rows for the input gate (CIFG, Greff et al. 2015).
        layer_norm: LN(W x) + LN(U h), and LN(c') under the tanh (Ba et al. 2016, equations
            20-22). The shifts of the first two norms are `bias_ih` and `bias_hh`.
        cell_clip: Bound on |c'|, None for none.
    """

    proj_size: int = 0
    peephole: bool = False
    coupled: bool = False
    layer_norm: bool = False
    cell_clip: float | None = None

    name: ClassVar[str] = "lstm"
    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")
    keep_gate: ClassVar[str | None] = "forget"
    write_gate: ClassVar[str | None] = "input"
    native: ClassVar[Native | None] = {
        "peephole": ("peephole", True),
        "coupled": ("coupled", True),
        "layer_norm": ("layer_norm", True),
    }

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            InputError: If a size or `cell_clip` is out of range.
        """
        super().__post_init__()
        check_size("LSTM", "proj_size", self.proj_size, least=0)
        if self.proj_size >= self.hidden_size:
            rule = f"0, or smaller than hidden_size ({self.hidden_size})"
            raise InputError(message("LSTM", "proj_size", rule, self.proj_size))
        clip: object = self.cell_clip
        if clip is not None and not (isinstance(clip, Real) and float(clip) > 0):
            raise InputError(message("LSTM", "cell_clip", "a number > 0 or None", repr(clip)))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Input, forget, candidate, output; without the input gate if it is coupled."""
        return LSTM_BLOCKS[1:] if self.coupled else LSTM_BLOCKS

    @property
    def gates(self) -> tuple[str, ...]:
        """All four, a coupled input gate too: it is 1 - forget."""
        return LSTM_BLOCKS

    @property
    def output_size(self) -> int:
        """P: `proj_size`, or H."""
        return self.proj_size or self.hidden_size

    @property
    def is_plain(self) -> bool:
        """Whether torch.nn.LSTM computes the same; it knows projections."""
        plain = LSTM(hidden_size=self.hidden_size, bias=self.bias, proj_size=self.proj_size)
        return self == plain

    def shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """torch.nn's weights, then those of the variants under names of their own."""
        hidden = self.hidden_size
        rows = len(self.blocks) * hidden
        shapes = super().shapes(input_size)
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, hidden)
        if self.peephole:
            # One weight a unit for each sigmoid gate that has rows, in block order.
            shapes["weight_ch"] = (rows - hidden,)
        if self.layer_norm:
            shapes |= {"norm_ih": (rows,), "norm_hh": (rows,)}
            shapes |= {"norm_cell": (hidden,), "norm_cell_bias": (hidden,)}
        return shapes

    def saved_per_step(self) -> int:
        """Four gates, c, tanh(c), h; with options the inputs of the norms, of W_hr, of the clip."""
        hidden = self.hidden_size
        norms = 2 * len(self.blocks) * hidden if self.layer_norm else 0
        extra = bool(self.proj_size) + (self.cell_clip is not None)
        return (6 + extra) * hidden + self.output_size + norms

    def derived_gates(self, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The coupled input gate, 1 - forget."""
        return {"input": 1 - kept["forget"]} if self.coupled else {}

    def inputs(self, x: Tensor, weights: Weights) -> Tensor:
        """W x + b, or LN(W x) with `bias_ih` as its shift."""
        if not self.layer_norm:
            return super().inputs(x, weights)
        product = F.linear(x, weights["weight_ih"])
        return F.layer_norm(product, product.shape[-1:], weights["norm_ih"], weights.get("bias_ih"))

    def step(
        self, inputs: Tensor, recurrent: Tensor, state: State, weights: Weights
    ) -> tuple[State, Gates]:
        """The equations of the class, one step."""
        cell = state[1]
        sums = (inputs + self._recurrent_sums(recurrent, weights)).chunk(len(self.blocks), -1)
        peeps = weights["weight_ch"].split(self.hidden_size) if self.peephole else ()
        forget = torch.sigmoid(sums[-3] + peeps[-2] * cell if peeps else sums[-3])
        candidate = torch.tanh(sums[-2])
        if self.coupled:
            entry = 1 - forget
        else:
            entry = torch.sigmoid(sums[0] + peeps[0] * cell if peeps else sums[0])
        cell = forget * cell + entry * candidate
        if self.cell_clip is not None:
            cell = cell.clamp(-self.cell_clip, self.cell_clip)
        output = torch.sigmoid(sums[-1] + peeps[-1] * cell if peeps else sums[-1])
        hidden = output * torch.tanh(self._read(cell, weights))
        if self.proj_size:
            hidden = F.linear(hidden, weights["weight_hr"])
        return (hidden, cell), (entry, forget, candidate, output)

    def _recurrent_sums(self, recurrent: Tensor, weights: Weights) -> Tensor:
        bias = weights.get("bias_hh")
        if not self.layer_norm:
            return F.linear(recurrent, weights["weight_hh"], bias)
        product = F.linear(recurrent, weights["weight_hh"])
        return F.layer_norm(product, product.shape[-1:], weights["norm_hh"], bias)

    def _read(self, cell: Tensor, weights: Weights) -> Tensor:
        """The cell state as the tanh sees it: normalised, if asked for, but kept as it is."""
        if not self.layer_norm:
            return cell
        return F.layer_norm(cell, cell.shape[-1:], weights["norm_cell"], weights["norm_cell_bias"])
