"""The classes that `accelerate` gives to recurrent modules of torch.nn: their forward pass alone.

A module that changes its class keeps its parameters, buffers, hooks, names and identity, so
optimizers, state dicts and references held elsewhere go on working, and going back is exact.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence

from tidegate import cells
from tidegate.cells import Cell
from tidegate.device import dropout
from tidegate.errors import BackendError, message
from tidegate.nn.options import StackOptions
from tidegate.nn.packing import read_packing
from tidegate.nn.stack_pass import StackPass, read_weight

TORCH_CLASSES: tuple[type[nn.RNNBase], ...] = (nn.LSTM, nn.GRU, nn.RNN)

_OPTIONS = StackOptions()
_QUANTIZED = (
    "Quantization leaves accelerated layers as they are. To have them quantized, call "
    "tidegate.restore(model) first."
)

Function = TypeVar("Function", bound=Callable[..., Any])


def _outside_graphs(function: Function) -> Function:
    """Let torch.compile end its graph before this call, as before torch's own recurrent modules."""
    disabled: Function = torch.compiler.disable(function)
    return disabled


class Accelerated(nn.RNNBase):
    """The forward pass of a recurrent module of torch.nn over tidegate's backends.

    It adds no attribute to the module, so that changing the class back leaves nothing behind.
    """

    _torch_class: type[nn.RNNBase]

    @_outside_graphs
    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | tuple[Tensor, ...] | None = None
    ) -> tuple[Any, ...]:
        """Run the layers: arguments, shapes and results are those of torch.nn.

        Args:
            input: `[T, B, D]`, `[B, T, D]` with `batch_first`, `[T, D]`, or a PackedSequence.
            hx: Initial states as in torch.nn, None for zeros.

        Returns:
            The output, laid out like the input, and the last states.

        Raises:
            InputError: If a shape, dtype or device is wrong.
        """
        packed = input if isinstance(input, PackedSequence) else None
        data = input if packed is None else packed.data
        if isinstance(data, Tensor) and data.device.type != "cpu":
            own: tuple[Any, ...] = super().forward(input, hx)
            return own
        return stack_pass(self, packed).run(input, hx)

    def __setattr__(self, name: str, value: Any) -> None:
        # That is how quantization marks every module, those too which it has no other class for.
        if name == "qconfig":
            warnings.warn(_QUANTIZED, UserWarning, stacklevel=2)
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        state = super().__reduce_ex__(protocol)[2]
        return blank, (self._torch_class,), state

    def __prepare_scriptable__(self) -> NoReturn:
        rule = "a module of torch.nn for TorchScript"
        remedy = "Call tidegate.restore(model), compile it, and accelerate it again"
        raise BackendError(message("torch.jit.script", "model", rule, type(self).__name__, remedy))


def stack_pass(module: nn.RNNBase, packed: PackedSequence | None = None) -> StackPass:
    """Describe a pass over a module's own weights, which are read when it runs.

    Args:
        module: A torch.nn LSTM, GRU or RNN.
        packed: The input, if it is packed: dropout between layers then draws as torch.nn does
            for packed data.
    """
    cell, names = _cell(module)

    def weights(layer: int, suffix: str) -> dict[str, Tensor]:
        return {name: read_weight(module, f"{name}_l{layer}{suffix}") for name in names}

    return StackPass(
        cell=cell,
        options=_OPTIONS,
        input_size=module.input_size,
        num_layers=module.num_layers,
        bidirectional=module.bidirectional,
        batch_first=module.batch_first,
        training=module.training,
        weights=weights,
        drop=functools.partial(_drop, module, packed),
    )


def _drop(module: nn.RNNBase, packed: PackedSequence | None, features: Tensor) -> Tensor:
    """Dropout on `[B, T, P]`, drawn in torch.nn's order: the same seed drops the same.

    torch.nn lays steps before rows, and drops packed data as they are.
    """
    if not module.training or not module.dropout:
        return features
    rows, steps, size = features.shape
    if packed is None:
        mask = dropout(features.new_ones(steps, rows, size), module.dropout).transpose(0, 1)
    else:
        data = dropout(features.new_ones(len(packed.data), size), module.dropout)
        mask = read_packing(packed).pad(data)
    return features * mask


_CELLS: dict[tuple[str, int, bool, int], tuple[Cell, tuple[str, ...]]] = {}


def _cell(module: nn.RNNBase) -> tuple[Cell, tuple[str, ...]]:
    """The equations of a module, and the names of their weights."""
    key = (module.mode, module.hidden_size, bool(module.bias), getattr(module, "proj_size", 0))
    # A plain dict: torch.compile warns of functools.cache.
    if key not in _CELLS:
        cell = _make_cell(*key)
        _CELLS[key] = cell, tuple(cell.shapes(1))
    return _CELLS[key]


def _make_cell(mode: str, hidden_size: int, bias: bool, proj_size: int) -> Cell:
    if mode == "LSTM":
        return cells.LSTM(hidden_size=hidden_size, bias=bias, proj_size=proj_size)
    if mode == "GRU":
        return cells.GRU(hidden_size=hidden_size, bias=bias)
    squash = "relu" if mode == "RNN_RELU" else "tanh"
    return cells.RNN(hidden_size=hidden_size, bias=bias, nonlinearity=squash)


def change(module: nn.RNNBase) -> None:
    """Give a module of torch.nn the class that runs it over tidegate's backends."""
    module.__class__ = _rebased(module, _accelerated)


def change_back(module: nn.RNNBase) -> None:
    """Give an accelerated module the class that it had."""
    module.__class__ = _rebased(module, _plain)


def blank(torch_class: type[nn.RNNBase]) -> nn.RNNBase:
    """An accelerated module without contents, for pickle and copy to fill."""
    cls: Any = _accelerated(torch_class)
    module: nn.RNNBase = cls.__new__(cls)
    return module


_CLASSES: dict[type[nn.RNNBase], type[nn.RNNBase]] = {}


def _accelerated(cls: type[nn.RNNBase]) -> type[nn.RNNBase]:
    if cls not in _CLASSES:
        members = {"_torch_class": cls, "__module__": __name__, "__doc__": cls.__doc__}
        _CLASSES[cls] = type(f"Accelerated{cls.__name__}", (Accelerated, cls), members)
    return _CLASSES[cls]


def _plain(cls: type[nn.RNNBase]) -> type[nn.RNNBase]:
    plain: type[nn.RNNBase] = getattr(cls, "_torch_class", cls)
    return plain


def _rebased(
    module: nn.RNNBase, convert: Callable[[type[nn.RNNBase]], type[nn.RNNBase]]
) -> type[nn.RNNBase]:
    """Convert the class of a module, below the one that torch's parametrizations slip over it.

    That one is the module's own, with a property for each weight; torch looks for them there.
    """
    cls = type(module)
    if not parametrize.is_parametrized(module):
        return convert(cls)
    base = convert(cls.__bases__[0])
    members = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
    return type(f"Parametrized{base.__name__}", (base,), members)
