"""Recurrent: a stack of layers of any cell, over padded, ragged or packed sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from tidegate.cells import Cell
from tidegate.cells.base import check_size
from tidegate.device import dropout
from tidegate.errors import InputError, message
from tidegate.kernels import explain
from tidegate.nn.init import initialise
from tidegate.nn.layout import Lengths
from tidegate.nn.options import StackOptions, show, split_options
from tidegate.nn.stack_pass import StackPass, read_weight
from tidegate.nn.streaming.stream import Stream
from tidegate.nn.summary import Summary, layer_cost
from tidegate.nn.trace.recording import Wanted, trace_pass
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace

# Those that stand in neither the cell nor the options.
_DEFAULTS = {"num_layers": 1, "batch_first": False, "dropout": 0.0, "bidirectional": False}


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
        self._names = tuple(cell.shapes(input_size))
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
    def _all_weights(self) -> list[list[str]]:
        """Names of the weights of each layer and direction, where programs for torch.nn look."""
        return [
            [f"{name}_l{layer}{suffix}" for name in self._names]
            for layer in range(self.num_layers)
            for suffix in self._suffixes
        ]

    @property
    def _flat_weights_names(self) -> list[str]:
        """The same in one list."""
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        """The weights themselves, read anew at every call."""
        return [read_weight(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights of each layer and direction, as those of torch.nn layers."""
        return [[read_weight(self, name) for name in names] for names in self._all_weights]

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
        return {name: read_weight(self, f"{name}_l{layer}{suffix}") for name in self._names}

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
        return self._pass().run(
            x, hx, lengths=lengths, reset_mask=reset_mask, return_gates=return_gates
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
        made = self._pass()
        with made.autocast(x.data if isinstance(x, PackedSequence) else x):
            request = made.first_request(
                x, lengths=lengths, reset_mask=reset_mask, return_gates=return_gates
            )
            return explain(request, self.options.backend)

    def trace(
        self,
        x: Tensor | PackedSequence,
        hx: Tensor | tuple[Tensor, ...] | None = None,
        *,
        lengths: Lengths | None = None,
        reset_mask: Tensor | None = None,
        layers: Numbers = None,
        units: Numbers = None,
        gates: Names = None,
    ) -> Trace:
        """Run the stack as in evaluation, without gradients, and keep every gate and state.

        Args:
            x: As for `forward`.
            hx: As for `forward`.
            lengths: As for `forward`.
            reset_mask: As for `forward`.
            layers: Numbers of the layers to keep, from 0; None for all. What is not asked for
                takes no memory once its layer is done.
            units: Numbers of the units to keep, from 0; None for all. Of a projection, all
                features are kept.
            gates: Names of the gates to keep; None for all. The states are kept in any case.

        Returns:
            The trace.

        Raises:
            InputError: If a shape, dtype, device or length is wrong, or there is no such layer,
                unit or gate.
            BackendError: If the backend asked for cannot run this.

        Example:
            >>> from tidegate.cells import LSTM
            >>> layer = Recurrent(LSTM(hidden_size=8), input_size=3, num_layers=2)
            >>> layer.trace(torch.zeros(5, 2, 3), layers=1, units=[0, 7], gates="forget")
            Trace(lstm, N 1, B 2, T 5, H 2: forget, hidden, cell)
        """
        self._compute_weights()
        stack = self._pass()
        wanted = Wanted.of(stack, layers=layers, units=units, gates=gates)
        return trace_pass(stack, x, hx, lengths=lengths, reset_mask=reset_mask, wanted=wanted)

    def stream(self, batch_size: int = 1) -> Stream:
        """Make a stream that takes one step at a time, from NumPy to NumPy.

        Args:
            batch_size: B.

        Returns:
            A stream with a copy of the weights as they are now, in evaluation mode, at zero.

        Raises:
            InputError: If the layer is bidirectional, or of a type that NumPy does not have.
            BackendError: If the backend asked for cannot run this.

        Example:
            >>> import numpy
            >>> from tidegate.cells import GRU
            >>> stream = Recurrent(GRU(hidden_size=4), input_size=3).stream()
            >>> stream.step(numpy.zeros(3, numpy.float32)).shape, stream.state.shape
            ((4,), (1, 1, 4))
        """
        self._compute_weights()
        return Stream(self._pass(), batch_size)

    def _compute_weights(self) -> None:
        """Let hooks that make weights from others, weight_norm's say, do so before they are read.

        They run at each forward pass, and a step of an optimizer since the last one would be lost.
        """
        weights = [w for layer in range(self.num_layers) for w in self.weights(layer).values()]
        if not self._forward_pre_hooks or all(isinstance(w, nn.Parameter) for w in weights):
            return
        training = self.training
        with torch.no_grad():
            self.eval()(weights[0].new_zeros(1, 1, self.input_size))
        self.train(training)

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

    def _pass(self) -> StackPass:
        return StackPass(
            cell=self.cell,
            options=self.options,
            input_size=self.input_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            batch_first=self.batch_first,
            training=self.training,
            weights=self.weights,
            drop=self._drop,
        )

    def _drop(self, features: Tensor) -> Tensor:
        """Dropout between layers; the variational kind draws one mask for all steps of a row."""
        if not self.options.variational_dropout:
            return dropout(features, self.dropout, self.training)
        ones = features.new_ones(features.shape[0], 1, features.shape[2])
        return features * dropout(ones, self.dropout, self.training)

    def extra_repr(self) -> str:
        """What a layer shows of itself when it is printed: sizes, and what is not the default."""
        held = {name: getattr(self, name) for name in _DEFAULTS}
        given = {name: value for name, value in held.items() if value != _DEFAULTS[name]}
        return show(self, self.input_size, self.cell, self.options, given)
