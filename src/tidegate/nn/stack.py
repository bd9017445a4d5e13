"""Recurrent: a stack of layers of any cell, over padded, ragged or packed sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from tidegate import cells
from tidegate.cells import Cell
from tidegate.cells.base import check_size
from tidegate.errors import InputError, message
from tidegate.kernels import Noise, Request, Result, explain, run_sequence
from tidegate.nn.init import initialise
from tidegate.nn.layout import (
    Layout,
    Lengths,
    check_input,
    read_lengths,
    read_resets,
    read_state,
    walk_resets,
)
from tidegate.nn.options import StackOptions, split_options
from tidegate.nn.summary import Summary, layer_cost


class Recurrent(nn.Module):
    """A stack of recurrent layers of any cell.

    Axis letters: B rows, T steps, D input features, H hidden units, P features of one direction
    (H, or the projected size).

    Args:
        cell: The equations and their options.
        input_size: D.
        num_layers: Layers in the stack.
        batch_first: Whether input and output are `[B, T, ...]` instead of `[T, B, ...]`.
        dropout: Probability of zeroing a feature between two layers.
        bidirectional: Whether each layer also walks backwards.
        device: Where the weights live.
        dtype: Their type.
        **options: See `StackOptions`.

    Raises:
        InputError: If an option is unknown, out of range, or does nothing in this stack.

    Example:
        >>> from tidegate.cells import GRU
        >>> layer = Recurrent(GRU(hidden_size=4, reset_after=False), input_size=3)
        >>> output, state = layer(torch.zeros(7, 2, 3))
        >>> list(output.shape), list(state.shape)
        ([7, 2, 4], [1, 2, 4])
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        num_layers: int = 1,
        *,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        misplaced, options = split_options(cell.name, options)
        for name in misplaced:
            rule = "given to the cell"
            raise InputError(message("Recurrent", name, rule, "it beside the cell"))
        self.cell = cell
        self.input_size = input_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.options = StackOptions(**options)
        for name, size in (("input_size", input_size), ("num_layers", num_layers)):
            check_size(cell.title, name, size)
        self.options.check(cell, num_layers, dropout, bidirectional)
        self.dropout = float(dropout)
        for layer in range(num_layers):
            for suffix in self._suffixes:
                for name, shape in cell.shapes(self._size_below(layer)).items():
                    weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(f"{name}_l{layer}{suffix}", weight)
        self.reset_parameters()

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.cell.hidden_size

    @property
    def bias(self) -> bool:
        """Whether the cells have biases."""
        return self.cell.bias

    @property
    def proj_size(self) -> int:
        """The projected size, 0 without a projection."""
        return 0 if self.cell.output_size == self.hidden_size else self.cell.output_size

    @property
    def output_size(self) -> int:
        """Features of the output's last axis: P, or 2P if two directions are concatenated."""
        both = self.bidirectional and self.options.merge == "concat"
        return self.cell.output_size * (2 if both else 1)

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _size_below(self, layer: int) -> int:
        return self.input_size if layer == 0 else self.output_size

    def reset_parameters(self) -> None:
        """Draw all weights anew, as `init`, `max_lag` and `forget_bias` say."""
        for layer in range(self.num_layers):
            for suffix in self._suffixes:
                initialise(self.cell, self.weights(layer, suffix), self.options)

    def weights(self, layer: int, suffix: str = "") -> dict[str, Tensor]:
        """The weights of one layer and direction by name, read anew at every call.

        Args:
            layer: Counted from 0.
            suffix: "" for the forward direction, "_reverse" for the other.
        """
        names = self.cell.shapes(self._size_below(layer))
        return {name: getattr(self, f"{name}_l{layer}{suffix}") for name in names}

    def flatten_parameters(self) -> None:
        """Do nothing, for programs that call it on torch.nn layers: no copy is ever kept."""

    def forward(
        self,
        x: Tensor | PackedSequence,
        hx: Tensor | tuple[Tensor, ...] | None = None,
        *,
        lengths: Lengths | None = None,
        reset_mask: Tensor | None = None,
        return_gates: bool = False,
    ) -> tuple[Any, ...]:
        """Run the stack over padded sequences.

        Args:
            x: `[T, B, D]`, `[B, T, D]` with `batch_first`, `[T, D]`, or a PackedSequence.
            hx: Initial states `[layers*directions, B, size]` (`[layers*directions, size]` for
                unbatched input): a tensor, or a tuple `(h_0, c_0)` for an LSTM. None for zeros.
            lengths: Valid steps of each row, `[B]` integers in any order and on any device;
                zeros are allowed. None if every row has T.
            reset_mask: `[B, T]` bool whatever `batch_first` says, True at the first step of a new
                segment: the forward direction starts from zero before it, the reverse direction
                after it.
            return_gates: Whether to return all gates and states of every step as well.

        Returns:
            The output, `[T, B, P]` (`2P` for two concatenated directions; laid out like the
            input, zero past each row's end); the states after each row's last valid step, like
            `hx`; and with `return_gates` a dict of `[layers*directions, B, T, H]` by the name of
            the gate or state.

        Raises:
            InputError: If a shape, dtype, device or length is wrong.
            BackendError: If the backend asked for cannot run this.
        """
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, hx, lengths, reset_mask, return_gates)
        check_input(self.cell.title, x, self.input_size, self.weights(0)["weight_ih"])
        layout = self._layout(x, self.batch_first)
        return self._forward_padded(
            layout, x, hx=hx, lengths=lengths, reset_mask=reset_mask, return_gates=return_gates
        )

    def explain_backend(
        self,
        x: Tensor | PackedSequence,
        *,
        lengths: Lengths | None = None,
        reset_mask: Tensor | None = None,
        return_gates: bool = False,
    ) -> str:
        """Say in one sentence which backend runs this layer on `x`, and why others do not.

        Args:
            x: An input as for `forward`.
            lengths: As for `forward`.
            reset_mask: As for `forward`.
            return_gates: As for `forward`.
        """
        batch_first = self.batch_first or isinstance(x, PackedSequence)
        if isinstance(x, PackedSequence):
            x, lengths = self._unpack(x, lengths)
        check_input(self.cell.title, x, self.input_size, self.weights(0)["weight_ih"])
        layout = self._layout(x, batch_first)
        entered = layout.enter(x)
        state = read_state(layout, self.cell, None, 1, entered)
        # A question must not move the random numbers of the training that goes on around it.
        with torch.random.fork_rng([x.device] if x.is_cuda else []):
            noise = self._noise(entered)
        request = Request(
            cell=self.cell,
            x=entered,
            state=tuple(s[0] for s in state),
            weights=self.weights(0),
            lengths=read_lengths(self.cell.title, lengths, entered),
            resets=read_resets(self.cell.title, reset_mask, entered),
            noise=noise,
            return_gates=return_gates,
        )
        return explain(request, self.options.backend)

    def summary(self, steps: int, rows: int = 1) -> Summary:
        """Count parameters, multiply-adds and the memory of training; print it for a table.

        Args:
            steps: T.
            rows: B, default 1.
        """
        number = next(self.parameters()).element_size()
        directions = len(self._suffixes)
        return Summary(
            tuple(
                layer_cost(
                    f"layer {layer}",
                    self.cell,
                    self._size_below(layer),
                    directions=directions,
                    cells=steps * rows,
                    number=number,
                )
                for layer in range(self.num_layers)
            )
        )

    def _layout(self, x: Tensor, batch_first: bool) -> Layout:
        return Layout(self.cell.title, x.ndim == 3, batch_first, self.options.state_batch_first)

    def _forward_padded(
        self,
        layout: Layout,
        x: Tensor,
        *,
        hx: object,
        lengths: Lengths | None,
        reset_mask: Tensor | None,
        return_gates: bool,
    ) -> tuple[Any, ...]:
        features = layout.enter(x)
        counts = read_lengths(self.cell.title, lengths, features)
        resets = read_resets(self.cell.title, reset_mask, features)
        count = self.num_layers * len(self._suffixes)
        states = read_state(layout, self.cell, hx, count, features)
        results: list[Result] = []
        for layer in range(self.num_layers):
            below, first = features, len(results)
            for direction, suffix in enumerate(self._suffixes):
                request = Request(
                    cell=self.cell,
                    x=below,
                    state=tuple(state[first + direction] for state in states),
                    weights=self._dropped(self.weights(layer, suffix)),
                    lengths=counts,
                    resets=walk_resets(resets, counts, direction == 1),
                    reverse=direction == 1,
                    noise=self._noise(below),
                    return_gates=return_gates,
                )
                results.append(self._run(request))
            features = self._merge([result.output for result in results[first:]])
            if layer > 0 and self.options.residual:
                features = features + below
            if layer < self.num_layers - 1:
                features = self._drop(features)
        return self._leave(layout, features, results)

    def _run(self, request: Request) -> Result:
        options = self.options
        return run_sequence(
            request, backend=options.backend, checkpoint_every=options.checkpoint_every
        )

    def _leave(self, layout: Layout, features: Tensor, results: list[Result]) -> tuple[Any, ...]:
        state = tuple(
            layout.leave_state(torch.stack(parts))
            for parts in zip(*(result.state for result in results), strict=True)
        )
        left = (layout.leave(features), state[0] if len(state) == 1 else state)
        traces = [result.trace for result in results if result.trace is not None]
        if not traces:
            return left
        return *left, {name: torch.stack([t[name] for t in traces]) for name in traces[0]}

    def _forward_packed(
        self,
        packed: PackedSequence,
        hx: object,
        lengths: Lengths | None,
        reset_mask: Tensor | None,
        return_gates: bool,
    ) -> tuple[Any, ...]:
        """Run on the padded form and pack the output just as the input was."""
        x, counts = self._unpack(packed, lengths)
        check_input(self.cell.title, x, self.input_size, self.weights(0)["weight_ih"])
        layout = self._layout(x, batch_first=True)
        output, *rest = self._forward_padded(
            layout, x, hx=hx, lengths=counts, reset_mask=reset_mask, return_gates=return_gates
        )
        if packed.sorted_indices is not None:
            output = output.index_select(0, packed.sorted_indices)
            counts = counts[packed.sorted_indices.cpu()]
        data = pack_padded_sequence(output, counts, batch_first=True).data
        return packed._replace(data=data), *rest

    def _unpack(self, packed: PackedSequence, lengths: Lengths | None) -> tuple[Tensor, Tensor]:
        if lengths is not None:
            rule = "left out with a PackedSequence"
            raise InputError(message(self.cell.title, "lengths", rule, "both"))
        return pad_packed_sequence(packed, batch_first=True)

    def _dropped(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        rate = self.options.weight_dropout
        if self.training and rate:
            weights["weight_hh"] = F.dropout(weights["weight_hh"], rate)
        return weights

    def _noise(self, x: Tensor) -> Noise:
        """Draw the masks of one pass over `[B, T, D]`."""
        rows, steps = x.shape[:2]
        recurrent = None
        if self.training and self.options.recurrent_dropout:
            ones = x.new_ones(rows, self.cell.output_size)
            recurrent = F.dropout(ones, self.options.recurrent_dropout)
        rates = self.options.zoneout_rates(self.cell)
        if not any(rates):
            return Noise(recurrent)
        if not self.training:
            return Noise(recurrent, rates)
        masks = tuple(
            torch.rand(rows, steps, size, device=x.device) < rate
            for rate, size in zip(rates, self.cell.state_sizes, strict=True)
        )
        return Noise(recurrent, masks)

    def _merge(self, outputs: list[Tensor]) -> Tensor:
        if len(outputs) == 1:
            return outputs[0]
        if self.options.merge == "concat":
            return torch.cat(outputs, -1)
        total = outputs[0] + outputs[1]
        return total if self.options.merge == "sum" else total / 2

    def _drop(self, features: Tensor) -> Tensor:
        """Dropout between layers; the variational kind draws one mask for all steps of a row."""
        if not self.options.variational_dropout:
            return F.dropout(features, self.dropout, self.training)
        ones = features.new_ones(features.shape[0], 1, features.shape[2])
        return features * F.dropout(ones, self.dropout, self.training)

    def extra_repr(self) -> str:
        """What a layer shows of itself when it is printed."""
        parts = [f"{self.cell}", f"input_size={self.input_size}", f"num_layers={self.num_layers}"]
        if self.options != StackOptions():
            parts.append(str(self.options))
        return ", ".join(parts)


def recurrent_layer(
    cell: str, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any
) -> Recurrent:
    """Build a layer by the name of its cell.

    Args:
        cell: A registered name: "lstm", "gru", "rnn", or one's own.
        input_size: D.
        hidden_size: H.
        num_layers: Layers in the stack.
        **options: Arguments of `Recurrent`, `bias`, and any of `layer_options(cell)`.

    Raises:
        InputError: If the cell or an option is unknown.

    Example:
        >>> recurrent_layer("lstm", 3, 4, peephole=True).cell.peephole
        True
    """
    names = ("batch_first", "dropout", "bidirectional", "device", "dtype")
    stack: dict[str, Any] = {name: options.pop(name) for name in names if name in options}
    bias = options.pop("bias", True)
    of_cell, of_stack = split_options(cell, options)
    equations = cells.get(cell)(hidden_size=hidden_size, bias=bias, **of_cell)
    return Recurrent(equations, input_size, num_layers, **stack, **of_stack)
