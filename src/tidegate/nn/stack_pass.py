"""One pass of a stack of layers over a batch: what `Recurrent` and accelerated modules share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from tidegate.cells import Cell
from tidegate.cells.base import State, Weights
from tidegate.device import dropout, generator, seeded
from tidegate.errors import InputError, message
from tidegate.kernels import Noise, Request, Result, forks, run_layer
from tidegate.nn.layout import (
    Layout,
    Lengths,
    check_input,
    read_lengths,
    read_resets,
    read_state,
    walk_resets,
)
from tidegate.nn.options import StackOptions
from tidegate.nn.packing import Packing, read_packing


@dataclass(frozen=True)
class StackPass:
    """One pass of a stack of layers.

    Attributes:
        cell: The equations.
        options: What the stack does around them.
        input_size: D.
        num_layers: Layers in the stack.
        bidirectional: Whether each layer also walks backwards.
        batch_first: Whether input and output are `[B, T, ...]`.
        training: Whether masks of dropout and zoneout are drawn.
        weights: The weights of a layer and direction by name.
        drop: What happens to the features `[B, T, P]` between two layers.
    """

    cell: Cell
    options: StackOptions
    input_size: int
    num_layers: int
    bidirectional: bool
    batch_first: bool
    training: bool
    weights: Callable[[int, str], dict[str, Tensor]]
    drop: Callable[[Tensor], Tensor]

    def run(
        self,
        x: Tensor | PackedSequence,
        hx: object,
        *,
        lengths: Lengths | None = None,
        reset_mask: Tensor | None = None,
        return_gates: bool = False,
    ) -> tuple[Any, ...]:
        """Run the stack: arguments, result and errors are those of `Recurrent.forward`."""
        forks.tell()
        if self.options.precision == "bfloat16" and isinstance(x, Tensor | PackedSequence):
            return self._run_low(x, hx, lengths, reset_mask, return_gates)
        weights = self._all_weights()
        if isinstance(x, PackedSequence):
            return self._run_packed(x, hx, lengths, reset_mask, return_gates, weights)
        layout = self._layout(x, self.batch_first, weights[0])
        return self._run_padded(layout, x, hx, lengths, reset_mask, return_gates, weights)

    def _run_low(self, x: Tensor | PackedSequence, hx: object, *rest: Any) -> tuple[Any, ...]:
        """Run the stack in bfloat16, from and to the type of the input."""
        lengths, reset_mask, return_gates = rest
        data = x.data if isinstance(x, PackedSequence) else x
        plain = replace(self, options=replace(self.options, precision="float32"))
        with self.autocast(data):
            output, state, *gates = plain.run(
                x, hx, lengths=lengths, reset_mask=reset_mask, return_gates=return_gates
            )
        # Native keeps states in the type of the weights; PyTorch's own operator does not.
        kind = self._all_weights()[0]["weight_ih"].dtype
        alone = isinstance(state, Tensor)
        state = state.to(kind) if alone else tuple(part.to(kind) for part in state)
        return (output.to(data.dtype), state, *gates)

    def autocast(self, x: Tensor) -> AbstractContextManager[object]:
        """What asks the backends for the precision of this stack.

        Args:
            x: The input.

        Raises:
            InputError: If the input has another type than the option `precision` allows.
        """
        if self.options.precision == "float32":
            return nullcontext()
        if x.dtype not in (torch.float32, torch.bfloat16):
            rule, remedy = 'float32 or bfloat16 with precision="bfloat16"', "Convert the layer, too"
            raise InputError(message(self.cell.title, "x", rule, x.dtype, remedy))
        return torch.autocast(x.device.type, dtype=torch.bfloat16)

    def first_request(
        self,
        x: Tensor | PackedSequence,
        *,
        lengths: Lengths | None = None,
        reset_mask: Tensor | None = None,
        return_gates: bool = False,
    ) -> Request:
        """What the first layer asks of a backend: arguments are those of `Recurrent.forward`."""
        batch_first = self.batch_first or isinstance(x, PackedSequence)
        if isinstance(x, PackedSequence):
            x, packing = self._unpack(x, lengths)
            lengths = packing.lengths
        weights = self.weights(0, "")
        layout = self._layout(x, batch_first, weights)
        entered = layout.enter(x)
        state = read_state(layout, self.cell, None, 1, entered)
        # A question must not move the random numbers of the training that goes on around it.
        with seeded(0, x.device):
            noise = self._noise(entered)
        return Request(
            cell=self.cell,
            x=entered,
            state=tuple(s[0] for s in state),
            weights=weights,
            lengths=read_lengths(self.cell.title, lengths, entered),
            resets=read_resets(self.cell.title, reset_mask, entered),
            noise=noise,
            return_gates=return_gates,
        )

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _all_weights(self) -> list[dict[str, Tensor]]:
        """The weights of every layer and direction, in torch.nn's order."""
        return [
            self.weights(layer, suffix)
            for layer in range(self.num_layers)
            for suffix in self._suffixes
        ]

    def _layout(self, x: Tensor, batch_first: bool, weights: Weights) -> Layout:
        """Check an input and say how it is laid out."""
        owner = self.cell.title
        check_input(owner, x, self.input_size, weights["weight_ih"])
        return Layout(owner, x.ndim == 3, batch_first, self.options.state_batch_first)

    def _run_padded(
        self,
        layout: Layout,
        x: Tensor,
        hx: object,
        lengths: Lengths | None,
        reset_mask: Tensor | None,
        return_gates: bool,
        weights: list[dict[str, Tensor]],
    ) -> tuple[Any, ...]:
        features = layout.enter(x)
        counts = read_lengths(layout.owner, lengths, features)
        resets = read_resets(layout.owner, reset_mask, features)
        directions = range(len(self._suffixes))
        states = self._first_states(layout, hx, len(weights), features)
        results: list[Result] = []
        for layer in range(self.num_layers):
            below, first = features, len(results)
            requests = [
                Request(
                    cell=self.cell,
                    x=below,
                    state=states[first + direction],
                    weights=self._dropped(weights[first + direction]),
                    lengths=counts,
                    resets=walk_resets(resets, counts, direction == 1),
                    reverse=direction == 1,
                    noise=self._noise(below),
                    return_gates=return_gates,
                )
                for direction in directions
            ]
            joined, made = self._run_layer(requests)
            results += made
            features = self._merged(joined, made)
            if layer > 0 and self.options.residual:
                features = features + below
            if layer < self.num_layers - 1:
                features = self.drop(features)
        return self._leave(layout, features, results)

    def _first_states(self, layout: Layout, hx: object, count: int, x: Tensor) -> Sequence[State]:
        """The initial states of every layer and direction."""
        if hx is None:  # nobody writes to them: the same zeros serve all
            rows = x.shape[0]
            zeros = [x.new_zeros(rows, size) for size in self.cell.state_sizes]
            return [tuple(zeros)] * count
        return list(zip(*read_state(layout, self.cell, hx, count, x), strict=True))

    def _run_layer(self, requests: list[Request]) -> tuple[Tensor, list[Result]]:
        """Run the directions of a layer: their outputs side by side, and the result of each."""
        options = self.options
        return run_layer(
            requests, backend=options.backend, checkpoint_every=options.checkpoint_every
        )

    def _merged(self, joined: Tensor, made: list[Result]) -> Tensor:
        if len(made) == 1 or self.options.merge == "concat":
            return joined
        total = made[0].output + made[1].output
        return total if self.options.merge == "sum" else total / 2

    def _leave(self, layout: Layout, features: Tensor, results: list[Result]) -> tuple[Any, ...]:
        columns = zip(*[result.state for result in results], strict=True)
        state = tuple([layout.leave_state(_stacked(parts)) for parts in columns])
        left = (layout.leave(features), state[0] if len(state) == 1 else state)
        traces = [result.trace for result in results if result.trace is not None]
        if not traces:
            return left
        return *left, {name: _stacked([t[name] for t in traces]) for name in traces[0]}

    def _run_packed(
        self,
        packed: PackedSequence,
        hx: object,
        lengths: Lengths | None,
        reset_mask: Tensor | None,
        return_gates: bool,
        weights: list[dict[str, Tensor]],
    ) -> tuple[Any, ...]:
        """Run on the padded form and pack the output just as the input was."""
        x, packing = self._unpack(packed, lengths)
        layout = self._layout(x, True, weights[0])
        output, *rest = self._run_padded(
            layout, x, hx, packing.lengths, reset_mask, return_gates, weights
        )
        return packed._replace(data=packing.pack(output)), *rest

    def _unpack(self, packed: PackedSequence, lengths: Lengths | None) -> tuple[Tensor, Packing]:
        if lengths is not None:
            rule = "left out with a PackedSequence"
            raise InputError(message(self.cell.title, "lengths", rule, "both"))
        packing = read_packing(packed)
        return packing.pad(packed.data), packing

    def _dropped(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        rate = self.options.weight_dropout
        if self.training and rate:
            weights["weight_hh"] = drop_weights(weights["weight_hh"], rate)
        return weights

    def _noise(self, x: Tensor) -> Noise:
        """Draw the masks of one pass over `[B, T, D]`."""
        rows, steps = x.shape[:2]
        recurrent = None
        if self.training and self.options.recurrent_dropout:
            ones = x.new_ones(rows, self.cell.output_size)
            recurrent = dropout(ones, self.options.recurrent_dropout)
        rates = self.options.zoneout_rates(self.cell)
        if not any(rates):
            return Noise(recurrent)
        if not self.training:
            return Noise(recurrent, rates)
        shapes = [(rows, steps, size) for size in self.cell.state_sizes]
        return Noise(recurrent, draw_masks(rates, shapes, x.device))


def read_weight(module: nn.Module, name: str) -> Tensor:
    """A weight by its name, as getattr finds it, but at once where it is a plain parameter.

    Args:
        module: The module that it belongs to.
        name: The name of a parameter, or of what a hook or a parametrization put in its place.
    """
    found = module._parameters.get(name)
    return getattr(module, name) if found is None else found


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    """Join the parts of layers and directions along a new first axis; one alone is not copied."""
    return torch.stack(list(parts)) if len(parts) > 1 else parts[0][None]


def draw_masks(
    rates: Sequence[float], shapes: Sequence[tuple[int, ...]], device: torch.device
) -> tuple[Tensor | None, ...]:
    """Draw masks of bool, each True with the probability of its rate; None where that is 0.

    A number of 16 bits decides, so rates count in steps of 2^-16, of which one that is not 0 has
    at least one.

    Args:
        rates: Probabilities.
        shapes: The shape of each mask.
        device: Where they are drawn.
    """
    counts = [max(round(rate * 2**16), 1) if rate else 0 for rate in rates]
    if len(counts) == 2 and all(counts) and shapes[0] == shapes[1]:
        # One number u decides over both: over the first if it is one of the lowest p, over the
        # second if it is in an interval of length q of which the part p is below p. So they are
        # independent, at half the price: to draw numbers is what takes the time.
        bits, (p, q) = _draw_bits(shapes[0], device), counts
        start = p - round(p * q / 2**16)
        shifted = bits - ((start + 2**15) % 2**16 - 2**15)  # wraps around
        return bits <= p - 2**15 - 1, shifted <= q - 2**15 - 1
    return tuple(
        _draw_bits(shape, device) <= count - 2**15 - 1 if count else None
        for count, shape in zip(counts, shapes, strict=True)
    )


def drop_weights(weights: Tensor, rate: float) -> Tensor:
    """Set a share of the weights to zero and scale the others up, as dropout does.

    Args:
        weights: Any shape.
        rate: The share; see `draw_masks`, which is faster than dropout's own numbers.
    """
    (dropped,) = draw_masks((rate,), (weights.shape,), weights.device)
    assert dropped is not None
    return weights * (~dropped).to(weights.dtype).div_(1 - rate)


def _draw_bits(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Draw an int16 of any value for each place, four of them at once."""
    count, limits = math.prod(shape), torch.iinfo(torch.int64)
    words = torch.randint(
        limits.min, limits.max, (-(-count // 4),), device=device, generator=generator(device)
    )
    return words.view(torch.int16)[:count].view(shape)
