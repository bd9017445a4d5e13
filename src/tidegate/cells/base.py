"""What a recurrent cell is: names, weights and the equations of one step.

A cell holds options, never weights: a layer owns the parameters and hands them in as a mapping.
Axis letters: B rows, T steps, D input features, H hidden units, P output features (the projected
size, or H), G row blocks of the weight matrices.
"""

from __future__ import annotations

import functools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from numbers import Integral
from typing import ClassVar, TypeVar

from torch import Tensor
from torch.nn import functional as F

from tidegate.errors import InputError, message, suggest

Weights = Mapping[str, Tensor]
State = tuple[Tensor, ...]
Gates = tuple[Tensor, ...]
Native = Mapping[str, tuple[str, object]]
"""For each option of the C library, the field that it is, and the value that asks for it."""

# The order of the row blocks in every weight matrix, as in torch.nn and cuDNN. Other frameworks
# order them differently; that is converted where models are imported and exported, nowhere else.
LSTM_BLOCKS = ("input", "forget", "candidate", "output")
GRU_BLOCKS = ("reset", "update", "new")
RNN_BLOCKS = ("hidden",)


@dataclass(frozen=True, kw_only=True)
class Cell(ABC):
    """One recurrent cell: its options, the shapes of its weights and its step.

    Attributes:
        hidden_size: H, the number of units.
        bias: Whether the cell has `bias_ih` and `bias_hh`.
    """

    hidden_size: int
    bias: bool = True

    name: ClassVar[str]
    """The name by which layers, estimators and the command line know the cell."""
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    """The names of its states; the first one is the output."""
    keep_gate: ClassVar[str | None] = None
    """The row block whose bias decides how long the cell remembers, if there is one."""
    write_gate: ClassVar[str | None] = None
    """The row block whose bias decides how much the cell takes in, if it has one of its own."""
    native: ClassVar[Native | None] = None
    """The options of native/cells/NAME.h, if the C library computes the cell; a subclass, which has
    equations of its own, says so for itself. A field has its default where an option is not set."""

    def __init_subclass__(cls) -> None:
        """See to it that nobody inherits the equations of the library."""
        super().__init_subclass__()
        if "native" not in cls.__dict__:
            cls.native = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            InputError: If `hidden_size` is not a positive integer.
        """
        check_size(self.title, "hidden_size", self.hidden_size)

    @property
    def title(self) -> str:
        """The name as people write it, for messages."""
        return self.name.upper()

    @property
    @abstractmethod
    def blocks(self) -> tuple[str, ...]:
        """Names of the G blocks of H rows in `weight_ih` and `weight_hh`, in order."""

    @property
    @abstractmethod
    def gates(self) -> tuple[str, ...]:
        """Names of the gate values that `step` returns, in order."""

    @property
    def output_size(self) -> int:
        """P, the size of the hidden state that goes out and comes back."""
        return self.hidden_size

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The size of each state, in the order of `states`."""
        return (self.output_size,) + (self.hidden_size,) * (len(self.states) - 1)

    @property
    def is_plain(self) -> bool:
        """Whether every option but sizes and bias has its default: the cell of torch.nn."""
        defaults = type(self)(hidden_size=self.hidden_size, bias=self.bias)
        return self == defaults

    def shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """Shape of every weight for inputs of `input_size` features, in torch.nn's order."""
        rows = len(self.blocks) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, self.output_size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        return shapes

    def multiply_adds(self, input_size: int) -> int:
        """Multiply-adds of the matrix products of one step of one row."""
        shapes = self.shapes(input_size).values()
        return sum(shape[0] * shape[1] for shape in shapes if len(shape) == 2)

    @abstractmethod
    def saved_per_step(self) -> int:
        """Numbers that autograd keeps for one step of one row of the reference loop."""

    def derived_gates(self, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Gates that the C library does not keep, computed from those that it keeps; often none.

        Args:
            kept: Gates by name, `[B, T, H]` each.
        """
        return {}

    def inputs(self, x: Tensor, weights: Weights) -> Tensor:
        """The part of the pre-activations that needs no state, for all steps in one product.

        Args:
            x: `[..., D]`.
            weights: The cell's weights by name.

        Returns:
            `[..., G*H]`, with `bias_ih` added.
        """
        return F.linear(x, weights["weight_ih"], weights.get("bias_ih"))

    @abstractmethod
    def step(
        self, inputs: Tensor, recurrent: Tensor, state: State, weights: Weights
    ) -> tuple[State, Gates]:
        """Advance one step.

        Args:
            inputs: What `inputs` made of x_t, `[B, G*H]`.
            recurrent: The hidden state as `weight_hh` sees it, `[B, P]`: `state[0]`, or a copy
                with recurrent dropout.
            state: The states before the step, `[B, size]` each, in the order of `states`.
            weights: The cell's weights by name.

        Returns:
            The states after the step and the values of `gates`, `[B, H]` each.
        """


def check_size(owner: str, name: str, size: object, least: int = 1) -> None:
    """Raise InputError unless `size` is an integer from `least` on."""
    if isinstance(size, bool) or not isinstance(size, Integral) or int(size) < least:
        raise InputError(message(owner, name, f"an integer >= {least}", repr(size)))


_REGISTRY: dict[str, type[Cell]] = {}
C = TypeVar("C", bound=type[Cell])


def register(cell: C) -> C:
    """Make a cell known by its name to layers, estimators and the contract tests.

    Example:
        >>> import tidegate.cells
        >>> tidegate.cells.get("gru").name
        'gru'
    """
    _REGISTRY[cell.name] = cell
    return cell


@functools.cache
def _load_plugins() -> None:
    """Import the cells that other packages announce by an entry point in `tidegate.cells`.

    One that cannot be imported is named, once, and left out: it must not stop all others.
    """
    for entry in entry_points(group="tidegate.cells"):
        try:
            entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # another package's code
            said = " ".join(f"{type(error).__name__}: {error}".split())
            plugin = f"the plug-in '{entry.name}' ({entry.value})"
            warnings.warn(f"{plugin} is left out: {said}.", UserWarning, stacklevel=2)


def names() -> list[str]:
    """Names of all registered cells, sorted."""
    _load_plugins()
    return sorted(_REGISTRY)


def get(name: str) -> type[Cell]:
    """Return the registered cell called `name`.

    Raises:
        InputError: If there is none.
    """
    if name not in names():
        raise InputError(
            message("cells", "cell", "a registered cell", repr(name), suggest(name, _REGISTRY))
        )
    return _REGISTRY[name]


def options(name: str) -> frozenset[str]:
    """Names of the options of the cell called `name`, sizes and bias left out."""
    return frozenset(field.name for field in fields(get(name))) - {"hidden_size", "bias"}
