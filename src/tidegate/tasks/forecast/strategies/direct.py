"""Direct: writes all steps from the last state of the net that reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent
from tidegate.tasks.forecast.strategies.base import StaticEmbedding, Strategy, WindowInputs, beside


class Direct(Strategy):
    """Writes all steps from the last state of a net that reads step by step.

    With known features, each step is written from the state, its position and its features:
    y_f = head(relu(A h + p_f + B k_f)).

    Args:
        recurrent: The stack.
        head: Over the stack's final states; it answers all steps, or one with known features.
        context: Joined to the inputs of each step.
        horizon: Steps to forecast.
        known: K.
    """

    horizon: int

    def __init__(
        self,
        recurrent: Recurrent,
        head: ForecastHead,
        context: StaticEmbedding,
        *,
        horizon: int,
        known: int,
    ) -> None:
        super().__init__()
        self.recurrent, self.head, self.context = recurrent, head, context
        self.horizon = horizon
        final = recurrent.cell.output_size * (2 if recurrent.bidirectional else 1)
        self.state = nn.Linear(final, final) if known else None
        self.position = nn.Embedding(horizon, final) if known else None
        self.known = nn.Linear(known, final) if known else None

    def read(self, windows: WindowInputs) -> Tensor:
        """Return the values of each step and the context, `[R, T, D]`."""
        return beside(windows.values, self.context(windows))

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the lengths."""
        return lengths

    def write(self, vectors: Tensor, windows: WindowInputs) -> Tensor:
        """Write from the final states, of both directions if there are two."""
        _, state = self.recurrent(vectors, lengths=windows.lengths)
        hidden = state[0] if isinstance(state, tuple) else state
        final = torch.cat(list(hidden[-2:] if self.recurrent.bidirectional else hidden[-1:]), -1)
        if self.state is None or self.position is None or self.known is None:
            parameters: Tensor = self.head(final)
            return parameters[:, : windows.future]
        places = self.position.weight[: windows.future] + self.known(windows.known)
        features = (self.state(final)[:, None] + places).relu()
        each: Tensor = self.head(features)
        return each.flatten(1, 2)
