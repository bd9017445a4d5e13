"""Strategies: how a recurrent net gets from a window to the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent


@dataclass(frozen=True)
class Windows:
    """What a strategy reads, in the normal units of each window.

    Axis letters: R rows (windows, or windows times targets), T steps of the past, F steps of the
    future, W targets of a row, K features known beforehand, E other features.

    Attributes:
        values: `[R, T, W + K + E]`, in this order, padded at the end.
        lengths: Valid steps, `[R]` int64.
        future: F.
        known: The known features in the future, `[R, F, K]`; K may be 0.
        context: What is the same in all steps, `[R, S]`; S may be 0.
        channel: The number of each row's target, `[R]` int64; None if rows hold all targets.
    """

    values: Tensor
    lengths: Tensor
    future: int
    known: Tensor
    context: Tensor
    channel: Tensor | None

    def at(self, steps: Tensor) -> Tensor:
        """Return the values of one step of each row, `[R, W + K + E]`."""
        index = steps.clamp(min=0)[:, None, None].expand(-1, 1, self.values.shape[2])
        return self.values.gather(1, index)[:, 0]


class Context(nn.Module):
    """One vector for what is the same in all steps: which series, and which target of it.

    Args:
        channels: Targets that share the net; 1 for rows that hold all targets.
        static: S.
        size: Numbers in the vector.
    """

    def __init__(self, channels: int, static: int, size: int) -> None:
        super().__init__()
        self.size = size if channels > 1 or static else 0
        self.channel = nn.Embedding(channels, size) if channels > 1 else None
        self.static = nn.Linear(static, size) if static else None

    def forward(self, windows: Windows) -> Tensor:
        """Return `[R, size]`; size 0 where there is nothing to tell."""
        vector = windows.values.new_zeros(len(windows.values), self.size)
        if self.channel is not None:
            vector = vector + self.channel(windows.channel)
        if self.static is not None:
            vector = vector + self.static(windows.context)
        return vector


class Strategy(nn.Module):
    """A way to forecast: `read` what the recurrent stack sees, then `write` the steps that follow.

    Attributes:
        recurrent: The stack that reads the window.
        head: What turns its features into forecasts.
        horizon: The most steps it can forecast, or None for any number.
    """

    recurrent: Recurrent
    head: ForecastHead
    horizon: int | None

    def read(self, windows: Windows) -> Tensor:
        """Return what the stack reads, `[R, N, D]`."""
        raise NotImplementedError

    def steps(self, lengths: Tensor) -> Tensor:
        """Return how many of the N steps are valid, `[R]`, in windows of these lengths."""
        raise NotImplementedError

    def write(self, vectors: Tensor, windows: Windows) -> Tensor:
        """Return the parameters of the steps that follow, `[R, F, W, P]`, for `read`'s vectors."""
        raise NotImplementedError


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
        context: Context,
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

    def read(self, windows: Windows) -> Tensor:
        """Return one vector a segment, `[R, N, D]`; the first may begin before the window."""
        segments = self._cut(windows.values, windows.lengths)
        # In place, and on no view: the product is not needed again, and fresh memory is slow.
        vectors: Tensor = self.embedding(segments.flatten(0, 1)).relu_()
        return vectors.view(*segments.shape[:2], -1)

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the number of segments that a window touches."""
        return (lengths + self.segment - 1) // self.segment

    def write(self, vectors: Tensor, windows: Windows) -> Tensor:
        """Take one step from the last state for each future segment."""
        _, state = self.recurrent(vectors, lengths=self.steps(windows.lengths))
        output = self._step(self._places(windows).expand(len(windows.values), -1, -1), state)
        parameters: Tensor = self.head(output)
        return parameters.flatten(1, 2)[:, : windows.future]

    def _step(self, places: Tensor, state: Any) -> Tensor:
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

    def _places(self, windows: Windows) -> Tensor:
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
        context: Context,
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

    def read(self, windows: Windows) -> Tensor:
        """Return the values of each step and the context, `[R, T, D]`."""
        return _beside(windows.values, self.context(windows))

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the lengths."""
        return lengths

    def write(self, vectors: Tensor, windows: Windows) -> Tensor:
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
        context: Context,
        *,
        known: int,
    ) -> None:
        super().__init__()
        self.recurrent, self.decoder, self.head = recurrent, decoder, head
        self.context, self.width, self.known = context, head.width, known

    def read(self, windows: Windows) -> Tensor:
        """Return the values of each step and the context, `[R, T, D]`.

        Where the same net writes, the known features come a step early: what it will know then.
        """
        values = windows.values
        if self.decoder is None and self.known:
            until = self.width + self.known
            following = torch.roll(values[..., self.width : until], -1, 1)
            values = torch.cat([values[..., : self.width], following, values[..., until:]], -1)
        return _beside(values, self.context(windows))

    def steps(self, lengths: Tensor) -> Tensor:
        """Return the lengths; where the same net writes, the last step is its first to write."""
        return lengths if self.decoder is not None else (lengths - 1).clamp(min=0)

    def write(self, vectors: Tensor, windows: Windows) -> Tensor:
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


def _beside(values: Tensor, context: Tensor) -> Tensor:
    """Join what is the same in all steps, `[R, S]`, to `[R, T, D]`."""
    if not context.shape[1]:
        return values
    return torch.cat([values, context[:, None].expand(-1, values.shape[1], -1)], -1)
