"""One step at a time through the native library, from NumPy to NumPy: no torch on the way.

A call costs about as much as a small step, so that `NativeStream.step` does next to nothing: its
arrays and their addresses are made once.
"""

from __future__ import annotations

import ctypes
import functools
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tidegate.cells import Cell
from tidegate.errors import BackendError, InputError, message
from tidegate.kernels import library
from tidegate.kernels.inputs import WEIGHTS, describe, supports

Array = npt.NDArray[Any]

_FLOAT = np.dtype(np.float32)


def refuses(
    cell: Cell, dtype: torch.dtype, backend: str = "auto", *, low_precision: bool = False
) -> str | None:
    """Say why the library does not stream this cell, or None if it does.

    Args:
        cell: The equations.
        dtype: Of the weights.
        backend: The backend asked for. The environment variable `TIDEGATE_BACKEND` takes the
            place of "auto".
        low_precision: Whether products are to be of bfloat16.
    """
    asked = os.environ.get("TIDEGATE_BACKEND", "auto") if backend == "auto" else backend
    if asked not in ("auto", "native"):
        return f"The backend '{asked}' was asked for"
    if library.LIBRARY is None:
        return library.PROBLEM
    if cell.native is None:
        return f"The native library has no code for the cell '{cell.name}'"
    if dtype != torch.float32:
        return f"The native library streams torch.float32, not {dtype}"
    kind, options, *sizes = describe(cell)[:4]
    if not supports(kind, options, *sizes):
        return f"The native library has no code for {cell}"
    if low_precision and not supports(kind, options | library.BFLOAT16, *sizes):
        return f"The native library has no bfloat16 code for {cell}"
    return None


class NativeStream:
    """A stack of one-directional layers of one cell in the native library, with its state.

    Not for two threads at a time.

    Args:
        cell: The equations; `refuses` has nothing against them.
        weights: Of each layer, by name, float32. They are copied.
        rows: B.
        rates: Expectation of zoneout on each state; empty for none.
        low_precision: Whether inputs, weights, outputs and the hidden state that the weights meet
            are rounded to bfloat16.

    Attributes:
        parts: For each layer its states, `[B, size]` each, to read and to write between steps.

    Raises:
        InputError: If a weight has another shape or type than the cell says.
        BackendError: If the library cannot make the stream.
    """

    def __init__(
        self,
        cell: Cell,
        weights: Sequence[Mapping[str, Tensor]],
        rows: int,
        rates: Sequence[float] = (),
        *,
        low_precision: bool = False,
    ) -> None:
        features = weights[0]["weight_ih"].shape[-1]
        for index, given in enumerate(weights):
            check_weights(cell, given, features if index == 0 else cell.output_size, index)
        self._sizes = (features, *cell.state_sizes)
        self._rows, self._layers = rows, len(weights)
        layers = (library.Sequence * len(weights))()
        held = [_fill(layers[i], cell, given, rows, rates) for i, given in enumerate(weights)]
        for layer in layers if low_precision else ():
            layer.options |= library.BFLOAT16
        handle = _functions().tidegate_stream_new(ctypes.addressof(layers), len(weights))
        del held  # the library has its own copy now
        self._adopt(handle)

    def fork(self) -> NativeStream:
        """Another stream that shares the weights and starts from a copy of the state."""
        twin = type(self).__new__(type(self))
        twin._sizes, twin._rows, twin._layers = self._sizes, self._rows, self._layers
        twin._adopt(_functions().tidegate_stream_fork(self._handle))
        return twin

    def step(self, x: Array) -> Array:
        """Advance one step.

        Args:
            x: float32 `[B, D]`; `[D]` if B is 1. The caller has checked it.

        Returns:
            The output of the last layer, `[B, P]`; `[P]` if B is 1.
        """
        self._x[...] = x
        code = self._call(*self._arguments)
        if code:
            library.check(code)
        return self._copy_y()

    def _adopt(self, handle: int | None) -> None:
        """Take a stream of the library, and make the arrays and addresses of its steps."""
        functions = _functions()
        if not handle:
            raise BackendError(f"The native library: {functions.tidegate_error().decode()}.")
        weakref.finalize(self, functions.tidegate_stream_free, handle)
        self._handle = handle
        batch = () if self._rows == 1 else (self._rows,)
        self._x: Array = np.zeros((*batch, self._sizes[0]), _FLOAT)
        y: Array = np.zeros((*batch, self._sizes[1]), _FLOAT)
        self._copy_y: Callable[[], Array] = y.copy
        self.parts = self._views(functions.tidegate_stream_state(handle))
        # A call with ready-made ctypes objects and without declared types is the fastest there is.
        self._call = functions["tidegate_stream_step"]
        addresses = (handle, self._x.ctypes.data, y.ctypes.data)
        self._arguments = tuple(map(ctypes.c_void_p, addresses))

    def _views(self, address: int) -> tuple[tuple[Array, ...], ...]:
        """The library's own memory of the states, cut into arrays."""
        sizes = self._sizes[1:]
        count = self._rows * sum(sizes) * self._layers
        memory = np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
        ends = np.cumsum([self._rows * size for size in sizes * self._layers])[:-1]
        arrays = [part.reshape(self._rows, -1) for part in np.split(memory, ends)]
        return tuple(
            tuple(arrays[start : start + len(sizes)]) for start in range(0, len(arrays), len(sizes))
        )


def check_weights(
    cell: Cell,
    weights: Mapping[str, Tensor],
    features: int,
    layer: int,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Check the weights of a layer, which a stream reads without a look at their sizes.

    Args:
        cell: The equations.
        weights: By name.
        features: What the layer reads.
        layer: Its number, for messages.
        dtype: The type that all of them must have.

    Raises:
        InputError: Naming the weight that is of another shape, type or kind of memory.
    """
    shapes = cell.shapes(features)
    if weights.keys() != shapes.keys():
        given = ", ".join(weights)
        raise InputError(message("Stream", "weights", f"those of the {cell.title}", given))
    for name, shape in shapes.items():
        weight = weights[name]
        fits = weight.shape == shape and weight.dtype is dtype
        if not fits or weight.is_meta or weight.layout is not torch.strided:
            rule = f"{list(shape)} {dtype}, dense and with a memory"
            got = f"{list(weight.shape)} {weight.dtype} {weight.layout} on {weight.device}"
            raise InputError(message("Stream", f"{name}_l{layer}", rule, got))


def _fill(
    layer: Any, cell: Cell, weights: Mapping[str, Tensor], rows: int, rates: Sequence[float]
) -> list[Tensor]:
    """Describe a layer to the library; what is returned must live until it has been read."""
    layer.kind, layer.options, layer.H, layer.P, _, layer.cell_clip = describe(cell)
    layer.threads, layer.B, layer.T, layer.I = 1, rows, 1, weights["weight_ih"].shape[1]
    for name, rate in zip(("zone_hidden_rate", "zone_cell_rate"), rates, strict=False):
        setattr(layer, name, rate)
    held = []
    for name, weight in weights.items():
        held.append(weight.detach().to("cpu", torch.float32).contiguous())
        setattr(layer, WEIGHTS[name], held[-1].data_ptr())
    return held


@functools.cache
def _functions() -> ctypes.CDLL:
    """The library, with the types of the functions for streams declared."""
    functions, handle = library.opened(), ctypes.c_void_p
    functions.tidegate_stream_new.argtypes = (handle, ctypes.c_int32)
    functions.tidegate_stream_new.restype = handle
    functions.tidegate_stream_fork.argtypes = (handle,)
    functions.tidegate_stream_fork.restype = handle
    functions.tidegate_stream_free.argtypes = (handle,)
    functions.tidegate_stream_free.restype = None
    functions.tidegate_stream_state.argtypes = (handle,)
    functions.tidegate_stream_state.restype = handle
    return functions
