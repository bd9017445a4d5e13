"""The minimal gated unit: a published cell that the package does not have.

Written by the steps of CONTRIBUTING.md, "Add a cell", and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from tidegate.cells import Cell, register


@register
@dataclass(frozen=True, kw_only=True)
class MGU(Cell):
    """The minimal gated unit (Zhou et al. 2016): one gate both forgets and resets.

    f = σ(W_f x + U_f h + b_f)      n = tanh(W_n x + U_n (f ∘ h) + b_n)
    h' = (1 - f) ∘ h + f ∘ n
    """

    name: ClassVar[str] = "mgu"

    @property
    def blocks(self):
        """Forget, new."""
        return ("forget", "new")

    @property
    def gates(self):
        """Forget, new."""
        return ("forget", "new")

    def saved_per_step(self):
        """Both gates, h, f ∘ h, and the factors of the two products that make h'."""
        return 6 * self.hidden_size

    def step(self, inputs, recurrent, state, weights):
        """The equations of the class, one step."""
        forget_in, new_in = inputs.chunk(2, -1)
        forget_hh, new_hh = weights["weight_hh"].chunk(2)
        forget_b, new_b = weights["bias_hh"].chunk(2) if self.bias else (None, None)
        forget = torch.sigmoid(forget_in + F.linear(recurrent, forget_hh, forget_b))
        new = torch.tanh(new_in + F.linear(forget * recurrent, new_hh, new_b))
        return ((1 - forget) * state[0] + forget * new,), (forget, new)
