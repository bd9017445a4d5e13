"""The recurrent part of AWD-LSTM in plain PyTorch: torch's own LSTM with dropped weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.nn import Recurrent


class PlainStack(nn.Module):
    """Layers of torch.nn.LSTM's own operation, called as a stack of tidegate is.

    Weights come from a stack; in training a share of the hidden-to-hidden weights is dropped, and
    one mask drops features between two layers at all steps, as the stack does.

    Args:
        stack: What to rebuild.
        bfloat16: Whether to run in torch's bfloat16 autocast.
    """

    def __init__(self, stack: Recurrent, *, bfloat16: bool = False) -> None:
        super().__init__()
        self.rate = stack.options.weight_dropout
        self.between = stack.dropout
        self.bfloat16 = bfloat16
        for name, weight in stack.named_parameters():
            self.register_parameter(name, nn.Parameter(weight.detach().clone()))
        self.num_layers, self.hidden_size = stack.num_layers, stack.hidden_size

    def forward(
        self,
        x: Tensor,
        hx: tuple[Tensor, Tensor] | None = None,
        *,
        lengths: Tensor | None = None,
        reset_mask: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read `[B, T, D]`; every row has T steps."""
        assert reset_mask is None
        if hx is None:
            zeros = x.new_zeros(self.num_layers, len(x), self.hidden_size)
            hx = zeros, zeros
        h, c = [], []
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            for layer in range(self.num_layers):
                if layer and self.training and self.between:
                    x = x * F.dropout(x.new_ones(len(x), 1, x.shape[2]), self.between)
                names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                weights = [getattr(self, f"{name}_l{layer}") for name in names]
                weights[1] = F.dropout(weights[1], self.rate, self.training)
                state = (hx[0][layer : layer + 1], hx[1][layer : layer + 1])
                x, after, kept = torch.lstm(  # type: ignore[call-overload]
                    x, state, weights, True, 1, 0.0, self.training, False, True
                )
                h.append(after.float())
                c.append(kept.float())
        return x.float(), (torch.cat(h), torch.cat(c))
