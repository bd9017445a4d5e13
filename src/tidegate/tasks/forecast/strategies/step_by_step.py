"""StepByStep: writes one step after the other, each from the one before."""

from __future__ import annotations

import torch
from torch import Tensor

from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent
from tidegate.tasks.forecast.strategies.base import StaticEmbedding, Strategy, WindowInputs, beside


class StepByStep(Strategy):
    """Writes one step after the other, each from the mean of the one before.

    Training runs as forecasting does, on the net's own answers, so that what it says of a step
    far ahead, its spread included, has learned from errors made that far ahead.

    "recursive" has one net: at each step it reads a value, and what is known of the step after it,
    and writes that step. "encoder-decoder" has a second one that starts from the first one's
    states (Sutskever et al. 2014; Cho et al. 2014).

    Args:
        recurrent: The stack that reads.
        decoder: The stack that writes; None for the same one.
        head: Over the writing stack's output; it answers one step.
        context: Joined to the inputs of each step.
        known: K.
    """

    horizon = None

    def __init__(
        self,
        recurrent: Recurrent,
        decoder: Recurrent | None,
        head: ForecastHead,
        context: StaticEmbedding,
        *,
        known: int,
    ) -> None:
        super().__init__()
        self.recurrent, self.decoder, self.head = recurrent, decoder, head
        self.context, self.width, self.known = context, head.width, known

    def read(self, windows: WindowInputs) -> Tensor:
        """Return the values of each step and the context, `[R, T, D]`.

        Where the same net writes, the known features come a step early: what it will know then.
        """
        values = windows.values
        if self.decoder is None and self.known:
            until = self.width + self.known
            following = torch.roll(values[..., self.width : until], -1, 1)
            values = torch.cat([values[..., : self.width], following, values[..., until:]], -1)
        return beside(values, self.context(windows))

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the lengths; where the same net writes, the last step is its first to write."""
        return lengths if self.decoder is not None else (lengths - 1).clamp(min=0)

    def write(self, vectors: Tensor, windows: WindowInputs) -> Tensor:
        """Write from the state after the window, step by step."""
        _, state = self.recurrent(vectors, lengths=self.steps(windows.lengths))
        writer = self.recurrent if self.decoder is None else self.decoder
        context = self.context(windows)
        last = windows.at(windows.lengths - 1)
        value, rest = last[:, : self.width], last[:, self.width + self.known :]
        written = []
        for step in range(windows.future):
            parts = [value, windows.known[:, step]]
            parts += [rest, context] if self.decoder is None else [context]
            output, state = writer(torch.cat(parts, -1)[:, None], state)
            parameters = self.head(output[:, 0])
            written.append(parameters)
            value = self.head.distribution.mean(parameters)[:, 0]
            rest = torch.zeros_like(rest)  # nobody knows it of the future
        return torch.cat(written, 1)
