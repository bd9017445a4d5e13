"""Give tidegate's speed to a PyTorch model that somebody already has, and take it away again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import parametrize

from tidegate.errors import InputError, message
from tidegate.kernels import explain
from tidegate.nn.accelerated import (
    TORCH_CLASSES,
    Accelerated,
    change,
    change_back,
    stack_pass,
)

# Methods of torch.nn that the accelerated forward pass does not call.
_BYPASSED = (
    "forward",
    "check_input",
    "check_forward_args",
    "check_hidden_size",
    "get_expected_hidden_size",
    "permute_hidden",
)


@dataclass(frozen=True)
class Swap:
    """What happened to one module.

    Attributes:
        name: Its path in the model, "" for the model itself.
        kind: The name of its class before.
        changed: Whether its class was changed.
        note: Which backend runs it now, or why it was left as it is.
    """

    name: str
    kind: str
    changed: bool
    note: str


@dataclass(frozen=True)
class SwapReport:
    """What `accelerate` or `restore` did to a model; print it for a table.

    Attributes:
        title: "accelerated" or "restored".
        modules: One entry for each recurrent module, in the model's order.
    """

    title: str
    modules: tuple[Swap, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """Paths of the modules that were changed."""
        return tuple(module.name for module in self.modules if module.changed)

    @property
    def left(self) -> dict[str, str]:
        """Why the others were left, by path."""
        return {module.name: module.note for module in self.modules if not module.changed}

    def __str__(self) -> str:
        """A line a module, and one that counts them."""
        count = f"{len(self.changed)} of {len(self.modules)} recurrent modules {self.title}"
        rows = [
            (m.name or "(the model)", m.kind, self.title if m.changed else "left", m.note)
            for m in self.modules
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = [
            "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]])
            for row in rows
        ]
        return "\n".join([*lines, count])


def accelerate(model: nn.Module) -> SwapReport:
    """Run every torch.nn.LSTM, GRU and RNN in a model on tidegate's backends, in place.

    The modules stay the same objects with the same parameters: optimizers, hooks, state dicts
    and references held elsewhere go on working, and results are those of torch.nn within
    rounding (outputs 1e-5, gradients 1e-4), dropout drawn by the same seed included. Inputs may
    be padded, unbatched or a PackedSequence. Weights are read at every call. On a device other
    than the CPU a module runs PyTorch's own code.

    Args:
        model: Any module, or a recurrent module itself.

    Returns:
        What was changed, and why the rest was left.

    Raises:
        InputError: If `model` is not a torch.nn.Module.

    Example:
        >>> model = nn.Sequential(nn.LSTM(3, 4, batch_first=True))
        >>> accelerate(model).changed
        ('0',)
        >>> isinstance(model[0], nn.LSTM)
        True
        >>> restore(model).changed
        ('0',)
        >>> type(model[0]) is nn.LSTM
        True
    """

    def swap(name: str, module: nn.Module) -> Swap | None:
        reason = _refusal(module)
        if reason is None and isinstance(module, nn.RNNBase):
            kind = _class_of(module).__name__
            change(module)
            return Swap(name, kind, True, _backend(module))
        return Swap(name, type(module).__name__, False, reason) if reason else None

    return _walk("accelerate", "accelerated", model, swap)


def restore(model: nn.Module) -> SwapReport:
    """Undo `accelerate`: every module gets back the class that it had.

    Args:
        model: Any module that was, in part or as a whole, accelerated.

    Returns:
        What was changed back.

    Raises:
        InputError: If `model` is not a torch.nn.Module.
    """

    def swap(name: str, module: nn.Module) -> Swap | None:
        if not isinstance(module, Accelerated):
            return None
        change_back(module)
        return Swap(name, _class_of(module).__name__, True, "PyTorch's own code runs it")

    return _walk("restore", "restored", model, swap)


def _walk(
    owner: str, title: str, model: nn.Module, swap: Callable[[str, nn.Module], Swap | None]
) -> SwapReport:
    given: object = model
    if not isinstance(given, nn.Module):
        rule = "a torch.nn.Module"
        raise InputError(message(owner, "model", rule, type(given).__name__))
    swaps = [swap(name, module) for name, module in list(model.named_modules())]
    return SwapReport(title, tuple(done for done in swaps if done is not None))


def _class_of(module: nn.Module) -> type:
    """The class of a module, below the one that torch's parametrizations slip over it."""
    return parametrize.type_before_parametrizations(module)


def _refusal(module: nn.Module) -> str | None:
    """Why a module is left; None for one to change, "" for one that is not recurrent."""
    if isinstance(module, Accelerated):
        return "it is accelerated already"
    if isinstance(module, TORCH_CLASSES):
        return _refusal_of_class(module)
    if isinstance(module, nn.RNNCellBase):
        return "it takes one step a call, and leaves no sequence to run faster"
    name = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        name = module.original_name
        reason = "it is compiled by TorchScript; accelerate the model it was made from"
    elif "quantized" in type(module).__module__:
        reason = "it is quantized; accelerate the model it was made from"
    else:
        return ""
    return reason if name in {cls.__name__ for cls in TORCH_CLASSES} else ""


def _refusal_of_class(module: nn.RNNBase) -> str | None:
    if "forward" in vars(module):
        return "its forward was replaced on the module itself"
    cls = _class_of(module)
    if cls in TORCH_CLASSES:
        return None
    (known,) = (base for base in TORCH_CLASSES if issubclass(cls, base))
    for name in _BYPASSED:
        if getattr(cls, name) is not getattr(known, name):
            return f"{cls.__name__} has a method `{name}` of its own, which would not be called"
    return None


def _backend(module: nn.RNNBase) -> str:
    """Which backend runs the module on a CPU, or that none does."""
    weight = next(module.parameters())
    if weight.device.type != "cpu":
        return f"PyTorch's own code runs it on {weight.device.type}; tidegate does on a CPU"
    with torch.no_grad():
        request = stack_pass(module).first_request(weight.new_zeros(1, 1, module.input_size))
    return explain(request)
