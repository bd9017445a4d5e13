"""Segment: reads and writes runs of steps instead of steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent
from tidegate.tasks.forecast.strategies.base import StaticEmbedding, Strategy, WindowInputs


class Segment(Strategy):
    """Reads and writes segments instead of steps (Lin et al. 2023, SegRNN).

    A window is cut into segments of w steps, each of which becomes one input,
    x_i = relu(W s_i + b). From the state after the last one, all future segments are written at
    once: the same stack takes one step with the segment's position as input, to which the target's
    own vector and the known features of the segment are added.

    Args:
        recurrent: The stack; its input size is that of a segment's vector.
        head: Over the stack's output; it answers w steps.
        context: As large as the stack's inputs.
        size: W + K + E.
        segment: w.
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
        size: int,
        segment: int,
        horizon: int,
        known: int,
    ) -> None:
        super().__init__()
        hidden = recurrent.input_size
        self.recurrent, self.head, self.context = recurrent, head, context
        self.segment, self.horizon = segment, horizon
        self.embedding = nn.Linear(segment * size, hidden)
        self.position = nn.Embedding(-(-horizon // segment), hidden)
        self.known = nn.Linear(segment * known, hidden) if known else None

    def read(self, windows: WindowInputs) -> Tensor:
        """Return one vector a segment, `[R, N, D]`; the first may begin before the window."""
        segments = self._cut(windows.values, windows.lengths)
        # In place, and on no view: the product is not needed again, and fresh memory is slow.
        vectors: Tensor = self.embedding(segments.flatten(0, 1)).relu_()
        return vectors.view(*segments.shape[:2], -1)

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the number of segments that a window touches."""
        return (lengths + self.segment - 1) // self.segment

    def write(self, vectors: Tensor, windows: WindowInputs) -> Tensor:
        """Take one step from the last state for each future segment."""
        _, state = self.recurrent(vectors, lengths=self.steps(windows.lengths))
        output = self._step(self._places(windows).expand(len(windows.values), -1, -1), state)
        parameters: Tensor = self.head(output)
        return parameters.flatten(1, 2)[:, : windows.future]

    def _step(self, places: Tensor, state: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Take a step from each row's state with each of its inputs `[R, M, D]`: `[R, M, P]`."""
        rows, count = places.shape[:2]
        parts = state if isinstance(state, tuple) else (state,)
        repeated = tuple(part.repeat_interleave(count, 1) for part in parts)
        start = repeated if isinstance(state, tuple) else repeated[0]
        output: Tensor = self.recurrent(places.flatten(0, 1)[:, None], start)[0]
        return output.view(rows, count, -1)

    def _cut(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Cut `[R, T, D]` into `[R, N, w * D]` such that the last segment ends with the window."""
        if values.shape[1] % self.segment == 0 and bool((lengths == values.shape[1]).all()):
            return values.reshape(len(values), -1, self.segment * values.shape[2])
        total = -(-values.shape[1] // self.segment) * self.segment
        steps = torch.arange(total, device=values.device) - ((-lengths) % self.segment)[:, None]
        inside = (steps >= 0) & (steps < lengths[:, None])
        index = steps.clamp(0, values.shape[1] - 1)[..., None].expand(-1, -1, values.shape[2])
        pieces = values.gather(1, index) * inside[..., None]
        return pieces.view(len(values), -1, self.segment * values.shape[2])

    def _places(self, windows: WindowInputs) -> Tensor:
        """Return what the stack sees of each future segment, `[R or 1, M, D]`."""
        count = -(-windows.future // self.segment)
        places: Tensor = self.position.weight[None, :count]
        if self.context.size:
            places = places + self.context(windows)[:, None]
        if self.known is not None:
            missing = count * self.segment - windows.future
            known = nn.functional.pad(windows.known, (0, 0, 0, missing))
            places = places + self.known(known.unflatten(1, (count, -1)).flatten(2))
        return places
