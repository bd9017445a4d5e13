"""Stream: a stack of layers that takes one step at a time, from NumPy to NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch

from tidegate.cells.base import check_size
from tidegate.device import memory
from tidegate.errors import InputError, message
from tidegate.nn.stack_pass import StackPass
from tidegate.nn.streaming.snapshot import pack, unpack
from tidegate.nn.streaming.stepper import Stepper, make_stepper

Array = npt.NDArray[Any]
State = Array | tuple[Array, ...]

_DTYPES = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}

_CPU = torch.device("cpu")


class Stream:
    """A stack of layers that takes one step at a time and remembers its state.

    `layer.stream()` makes one. It is always in evaluation mode and on the CPU. It holds its own
    copy of the weights as they were then: training that goes on does not change it.

    With the native backend outputs and states are, bit for bit, those of the layer over the whole
    sequence, and a step of NumPy arrays goes past torch. What that backend cannot do runs in
    torch, more slowly: `backend` says which.

    Rows are independent. A stream is not for two threads at a time; `fork` it.

    Args:
        stack: A pass over the layers, which are one-directional.
        batch_size: B.

    Attributes:
        batch_size: B.
        input_size: D.
        output_size: P.
        backend: "native", or the backend that runs the steps in torch.

    Raises:
        InputError: If the layers are bidirectional, of a type that NumPy does not have, or
            `batch_size` is no positive integer.
        BackendError: If the backend that the layer asks for cannot run it.
    """

    batch_size: int
    input_size: int
    output_size: int
    backend: str

    def __init__(self, stack: StackPass, batch_size: int) -> None:
        cell = stack.cell
        check_size("Stream", "batch_size", batch_size)
        if stack.bidirectional:
            rule = "False for a stream"
            remedy = "The reverse direction begins at the end, which a stream does not know"
            raise InputError(message(cell.title, "bidirectional", rule, True, remedy))
        dtype = stack.weights(0, "")["weight_ih"].dtype
        if dtype not in _DTYPES:
            rule = f"one of {', '.join(str(known) for known in _DTYPES)} for a stream"
            raise InputError(message(cell.title, "dtype", rule, dtype, "Convert it with .float()"))
        self.batch_size, self.input_size = int(batch_size), int(stack.input_size)
        self.output_size = int(cell.output_size)
        self._dtype: np.dtype[Any] = np.dtype(_DTYPES[dtype])
        self._shape = (self.input_size,) if batch_size == 1 else (self.batch_size, self.input_size)
        self._batch_first = stack.options.state_batch_first
        sizes = dict(zip(cell.states, map(int, cell.state_sizes), strict=True))
        self._description = {
            "cell": cell.name,
            "layers": int(stack.num_layers),
            "batch_size": self.batch_size,
            "sizes": sizes,
            "dtype": self._dtype.name,
        }
        self._check_memory()
        steps, self.backend, self._reason = make_stepper(stack, self.batch_size)
        self._take(steps)

    def _check_memory(self) -> None:
        """Refuse a number of rows whose states alone are more than this machine's memory."""
        numbers = self._description["layers"] * sum(self._description["sizes"].values())
        needed, there = self.batch_size * numbers * self._dtype.itemsize, memory(_CPU)
        if there is not None and needed > there:
            rule = f"a number of rows whose states fit into memory, {there:,} bytes"
            got = f"{self.batch_size}, which take {needed:,}"
            raise InputError(message("Stream", "batch_size", rule, got))

    def step(self, x: Array) -> Array:
        """Advance one step.

        Args:
            x: `[B, D]`, or `[D]` if B is 1, of the layer's dtype.

        Returns:
            The output of the last layer, `[B, P]`, or `[P]` for `[D]`: an array of the caller's.

        Raises:
            InputError: If `x` is no NumPy array of this shape and dtype.
        """
        try:
            usual = x.shape == self._shape and x.dtype is self._dtype
        except AttributeError:
            usual = False
        return self._step(x) if usual else self._unusual_step(x)

    @property
    def state(self) -> State:
        """The states, `[layers, B, size]` as of the layer: an array, or for an LSTM `(h, c)`.

        They are copies. Set it to arrays or tensors of the same shapes; `[layers, size]` will do
        if B is 1.
        """
        states = tuple(np.stack(parts) for parts in zip(*self._parts, strict=True))
        if self._batch_first:
            states = tuple(np.ascontiguousarray(state.swapaxes(0, 1)) for state in states)
        return states[0] if len(states) == 1 else states

    @state.setter
    def state(self, value: Any) -> None:
        names = list(self._description["sizes"])
        given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        if len(given) != len(names):
            rule = f"{len(names)} array(s): {', '.join(names)}"
            raise InputError(message("Stream", "state", rule, f"{len(given)} of them"))
        states = [self._read(name, part) for name, part in zip(names, given, strict=True)]
        for layer, parts in enumerate(self._parts):
            for part, state in zip(parts, states, strict=True):
                part[...] = state[layer]

    def reset(self, rows: int | Sequence[int] | Array | None = None) -> None:
        """Put states back to zero.

        Args:
            rows: Which rows: a number, several, or a mask `[B]` of bool; None for all.

        Raises:
            InputError: If there is no such row.
        """
        chosen = np.arange(self.batch_size) if rows is None else np.asarray(rows)
        if not chosen.size:  # an empty list makes an array of floats
            return
        for parts in self._parts:
            for part in parts:
                try:
                    part[chosen] = 0
                except IndexError:
                    rule = f"rows from 0 to {self.batch_size - 1}, or a mask of {self.batch_size}"
                    raise InputError(message("Stream", "rows", rule, rows)) from None

    def snapshot(self) -> bytes:
        """The state as bytes that `restore` takes, in another process and on another machine too.

        They hold a version, sizes and a check sum, and no weights.
        """
        return pack(self._description, [part for parts in self._parts for part in parts])

    def restore(self, snapshot: bytes) -> None:
        """Go back to a state that `snapshot` gave.

        Args:
            snapshot: Of this stream, or one of the same cell, sizes, layers, rows and dtype.

        Raises:
            InputError: If it does not fit this stream, is damaged or of another version. The
                state stays as it was.
        """
        size = sum(part.nbytes for parts in self._parts for part in parts)
        numbers = unpack("Stream", snapshot, self._description, size)
        flat = np.frombuffer(numbers, self._dtype.newbyteorder("<"))
        start = 0
        for parts in self._parts:
            for part in parts:
                part[...] = flat[start : start + part.size].reshape(part.shape)
                start += part.size

    def fork(self) -> Stream:
        """Another stream with the same weights, in memory only once, from a copy of the state."""
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        twin._take(self._steps.fork())
        return twin

    def explain_backend(self) -> str:
        """Say in one sentence which backend runs the steps, and why the native one does not."""
        return self._reason

    def _take(self, steps: Stepper) -> None:
        self._steps, self._step, self._parts = steps, steps.step, steps.parts

    def _unusual_step(self, x: object) -> Array:
        """A step of one row as `[1, D]`, of another dtype object for the same type, or wrong."""
        if not isinstance(x, np.ndarray):
            remedy = "Convert a tensor with .numpy()" if isinstance(x, torch.Tensor) else ""
            raise InputError(message("Stream", "x", "a NumPy array", type(x).__name__, remedy))
        if x.dtype != self._dtype:
            remedy = f"Convert it with .astype('{self._dtype.name}')"
            raise InputError(message("Stream", "x", f"of {self._dtype.name}", x.dtype, remedy))
        if x.shape == self._shape:
            return self._step(x)
        if self.batch_size == 1 and x.shape == (1, self.input_size):
            return self._step(x[0])[None]
        names = "[D] or [1, D]" if self.batch_size == 1 else "[B, D]"
        rule = f"of shape {names}, with B {self.batch_size} and D {self.input_size}"
        raise InputError(message("Stream", "x", rule, list(x.shape)))

    def _read(self, name: str, value: Any) -> Array:
        """Check one state and bring it to `[layers, B, size]`."""
        array = np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
        if array.dtype != self._dtype:
            rule = f"of {self._dtype.name}"
            raise InputError(message("Stream", f"state ({name})", rule, array.dtype))
        if array.ndim == 2 and self.batch_size == 1:
            array = array[:, None]
        elif array.ndim == 3 and self._batch_first:
            array = array.swapaxes(0, 1)
        layers, size = self._description["layers"], self._description["sizes"][name]
        if array.shape != (layers, self.batch_size, size):
            rule = f"of shape [layers, B, size] = {[layers, self.batch_size, size]}"
            raise InputError(message("Stream", f"state ({name})", rule, list(array.shape)))
        return array

    def __copy__(self) -> Stream:
        return self.fork()

    def __deepcopy__(self, memo: object) -> Stream:
        return self.fork()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Stream cannot be pickled: keep the layer, and the stream's snapshot().")

    def __repr__(self) -> str:
        described = {name: value for name, value in self._description.items() if name != "sizes"}
        options = ", ".join(f"{name}={value!r}" for name, value in described.items())
        return f"Stream({options}, backend={self.backend!r})"
