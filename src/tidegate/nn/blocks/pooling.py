"""Pooling: one vector from the output of a recurrent layer, padding left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tidegate.errors import InputError, message, suggest

POOLINGS = ("last", "mean", "max", "mean+max", "attention")


class Pooling(nn.Module):
    """Turns the features of all steps into one vector a row.

    Axis letters: B rows, T steps, F features of the layer's output.

    - "last": the final hidden states of the top layer, both directions side by side.
    - "mean": sum_t x_t / length.
    - "max": max_t x_t, feature by feature (Collobert & Weston 2008).
    - "mean+max": both, side by side.
    - "attention": sum_t a_t x_t, a = softmax_t(v . tanh(W x_t + b)) (Yang et al. 2016, eq. 5-7).

    A row of length 0 gives zeros, and for "last" its initial state, which is zero too.

    Args:
        mode: One of the names above.
        features: F.
        final_features: Size of the final hidden states of the top layer, directions added up;
            only "last" reads it.

    Raises:
        InputError: If the mode is unknown.

    Example:
        >>> pool = Pooling("mean", 2)
        >>> output = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]])
        >>> pool(output, torch.tensor([2])).tolist()
        [[2.0, 3.0]]
    """

    def __init__(self, mode: str, features: int, final_features: int | None = None) -> None:
        super().__init__()
        if mode not in POOLINGS:
            rule = "one of " + ", ".join(repr(name) for name in POOLINGS)
            raise InputError(
                message("Pooling", "mode", rule, repr(mode), suggest(mode, POOLINGS, listed=True))
            )
        self.mode = mode
        self.final_features = final_features or features
        sizes = {"last": self.final_features, "mean+max": 2 * features}
        self.output_size = sizes.get(mode, features)
        if mode == "attention":
            self.project = nn.Linear(features, features)
            self.query = nn.Linear(features, 1, bias=False)

    def forward(self, output: Tensor, lengths: Tensor, final: Tensor | None = None) -> Tensor:
        """Pool the output of a layer.

        Args:
            output: `[B, T, F]`; what stands past a row's end is not read.
            lengths: Valid steps of each row, `[B]` int64, from 0 to T.
            final: The final hidden states of the top layer, `[directions, B, P]`; only "last"
                reads it.

        Returns:
            `[B, output_size]`.

        Raises:
            InputError: If "last" is not given the final states.
        """
        if self.mode == "last":
            return self._last(final)
        mask = (torch.arange(output.shape[1], device=output.device) < lengths[:, None])[..., None]
        if self.mode == "attention":
            return self._attention(output, mask)
        parts = {"mean": _mean, "max": _max}
        return torch.cat([parts[name](output, mask) for name in self.mode.split("+")], -1)

    def _last(self, final: Tensor | None) -> Tensor:
        if final is None:
            rule = "the final states of the top layer for the mode 'last'"
            raise InputError(
                message("Pooling", "final", rule, None, "Pass what the layer returned")
            )
        return final.transpose(0, 1).flatten(1)

    def _attention(self, output: Tensor, mask: Tensor) -> Tensor:
        output = output.masked_fill(~mask, 0.0)
        scores = self.query(torch.tanh(self.project(output)))
        # A row of length 0 has no step to attend to: softmax over -inf alone would be NaN.
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return (torch.softmax(scores, 1) * output).sum(1)

    def extra_repr(self) -> str:
        """The mode and the size that comes out, for `print`."""
        return f"{self.mode!r}, output_size={self.output_size}"


def _mean(output: Tensor, mask: Tensor) -> Tensor:
    return output.masked_fill(~mask, 0.0).sum(1) / mask.sum(1).clamp(min=1)


def _max(output: Tensor, mask: Tensor) -> Tensor:
    highest = output.masked_fill(~mask, -torch.inf).amax(1)
    return highest.masked_fill(~mask.any(1), 0.0)
