"""Settings: everything a task can be told, in one frozen dataclass that checks itself.

The command line, the documentation and the saved model are all generated from these fields, so a
setting is written down once: its default, its help text and the values it may take.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, TypeVar

from tidegate.errors import InputError, message, suggest
from tidegate.tasks.core.settings.option import Kind, Option, Value, kinds, setting

if TYPE_CHECKING:
    import torch

    from tidegate.nn import Recurrent

S = TypeVar("S", bound="Settings")

# Layer options that are settings of their own here, or that only programs that call a layer need.
_NOT_OPTIONS = {"backend", "state_batch_first"}

# How a task's layers start where its layer options say neither.
LAYER_START = {"init": "orthogonal", "forget_bias": 1.0}


def _backends() -> list[str]:
    from tidegate import kernels

    return ["auto", *kernels.BACKENDS]


def _cells() -> list[str]:
    from tidegate import cells  # torch comes with it: only when a cell is asked for

    return list(cells.names())


def _optimizers() -> tuple[str, ...]:
    from tidegate.training.optimizer import OPTIMIZERS

    return OPTIMIZERS


def _poolings() -> tuple[str, ...]:
    from tidegate.nn.blocks.pooling import POOLINGS

    return POOLINGS


def layer_options(cell: str) -> list[str]:
    """List the layer options that a task with this cell can be given, in alphabetical order.

    Args:
        cell: The name of a registered cell.

    Returns:
        Names for the setting `layer_options`.

    Example:
        >>> "peephole" in layer_options("lstm")
        True
    """
    from tidegate import nn  # torch comes with it: only when needed

    return sorted(nn.layer_options(cell) - _NOT_OPTIONS)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every task can be told; a task's own settings extend it.

    Raises:
        InputError: If a value has the wrong type, is no choice or is out of range.

    Example:
        >>> Settings(hidden_size=64).hidden_size
        64
    """

    owner: ClassVar[str] = "Settings"

    cell: str = setting("lstm", help="Recurrent cell.", choices=_cells, structural=True)
    hidden_size: int = setting(
        128, help="Units of each layer and direction.", minimum=1, maximum=65536, structural=True
    )
    num_layers: int = setting(
        1, help="Recurrent layers on top of each other.", minimum=1, maximum=64, structural=True
    )
    bidirectional: bool = setting(False, help="Read the sequence from both ends.", structural=True)
    dropout: float = setting(
        0.0,
        help="Share of features dropped between layers and before the head.",
        minimum=0,
        maximum=0.95,
    )
    layer_options: Mapping[str, Value] | None = setting(
        None,
        help="Further options of the recurrent layer by name, such as peephole or layer_norm.",
        structural=True,
    )
    epochs: int = setting(
        10,
        help="Passes over the training rows, at most.",
        minimum=1,
        maximum=100_000,
        group="Training",
    )
    batch_size: int = setting(
        64, help="Sequences in one training step.", minimum=1, maximum=1_000_000, group="Training"
    )
    learning_rate: float = setting(
        1e-3, help="Largest step size.", minimum=1e-9, maximum=100, group="Training"
    )
    optimizer: str = setting(
        "adamw",
        help="What turns gradients into steps: AdamW, or plain gradient descent.",
        choices=_optimizers,
        group="Training",
    )
    schedule: str = setting(
        "one-cycle",
        help="How the learning rate moves: up and down again, only down, or not at all.",
        choices=("one-cycle", "cosine", "constant"),
        group="Training",
    )
    warmup: float = setting(
        0.25,
        help="Share of the steps in which a one-cycle schedule rises.",
        minimum=0,
        maximum=1,
        group="Training",
    )
    weight_decay: float = setting(
        0.01,
        help="Decay of the weight matrices a step, times the learning rate; embeddings, biases "
        "and norms do not decay.",
        minimum=0,
        maximum=10,
        group="Training",
    )
    gradient_clip: float | None = setting(
        1.0,
        help="Largest norm of the gradient, embeddings left out; none clips nothing.",
        minimum=1e-9,
        group="Training",
    )
    weight_averaging: float = setting(
        0.0,
        help="Decay of a running average of the weights, which is then what is evaluated and "
        "saved; 0 is off, 0.999 is usual.",
        minimum=0,
        maximum=0.999999,
        group="Training",
    )
    average_after: int | None = setting(
        None,
        help="Begin a plain average of the weights, in place of weight_averaging, once an epoch "
        "validates worse than the best of all but so many epochs before it; none never does.",
        minimum=1,
        group="Training",
    )
    patience: int | None = setting(
        3,
        help="Epochs without a better validation score before training stops, not counting those "
        "in which a one-cycle rate rises; none never stops.",
        minimum=1,
        group="Training",
    )
    random_state: int = setting(
        0, help="Seed of everything random.", minimum=0, maximum=2**32 - 1, group="Run"
    )
    device: str = setting(
        "auto",
        help="Where to run: auto, cpu, cuda, cuda:1, mps; auto takes a GPU if there is one.",
        group="Run",
    )
    backend: str = setting(
        "auto",
        help="What runs the recurrent layers; auto takes the fastest that can.",
        choices=_backends,
        group="Run",
    )
    verbose: bool = setting(True, help="Show progress.", group="Run")
    checkpoint_minutes: float | None = setting(
        10.0,
        help="Minutes between checkpoints within an epoch, where checkpoints are kept; none "
        "keeps one after each epoch only.",
        minimum=0,
        group="Run",
    )
    warm_start: bool = setting(
        False, help="Let fit go on from the weights fitted before.", cli=False, group="Run"
    )

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.owner = cls.__name__.removesuffix("Settings")

    def __post_init__(self) -> None:
        for name, option in self.options().items():
            # A frozen dataclass lets only object.__setattr__ store the canonical value.
            object.__setattr__(self, name, option.check(getattr(self, name), self.owner))
        self._check_layer_options()
        if self.weight_averaging and self.average_after is not None:
            rule, remedy = "0 with average_after", "Leave one of them out"
            got = self.weight_averaging
            raise InputError(message(self.owner, "weight_averaging", rule, got, remedy))

    def _check_layer_options(self) -> None:
        known = layer_options(self.cell) if self.layer_options else []
        for name in self.layer_options or {}:
            if name not in known:
                rule = f"made of options of the cell '{self.cell}'"
                hint = suggest(str(name), known)
                raise InputError(message(self.owner, "layer_options", rule, repr(name), hint))

    @classmethod
    def options(cls) -> dict[str, Option]:
        """List the settings by name, in the order of their definition."""
        return _options(cls)

    @classmethod
    def from_dict(cls: type[S], values: Mapping[str, Value]) -> S:
        """Build settings from names and values.

        Args:
            values: Any of the settings, by name.

        Returns:
            The checked settings; what is not named has its default.

        Raises:
            InputError: If a name is unknown or a value is wrong.
        """
        for name in values:
            cls.check_name(name)
        return cls(**values)

    @classmethod
    def check_name(cls, name: str) -> None:
        """Raise an InputError with the likely name when no setting is called `name`."""
        known = [field.name for field in fields(cls)]
        if name not in known:
            rule = "a setting of this task"
            raise InputError(message(cls.owner, str(name), rule, repr(name), suggest(name, known)))

    def to_dict(self) -> dict[str, Value]:
        """Return every setting by name, the values as they are."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_json(self) -> dict[str, Value]:
        """Return every setting by name in JSON's types; a function is named "module:function".

        Raises:
            InputError: If a function cannot be imported by its name.
        """
        from tidegate.data.text.functions import (
            import_name,  # numpy comes with it: only when needed
        )

        return {
            name: import_name(value) if callable(value) else value
            for name, value in self.to_dict().items()
        }

    @classmethod
    def from_json(cls: type[S], values: Mapping[str, Value]) -> S:
        """Build settings from what `to_json` gave, trusting nothing in it.

        Args:
            values: Every setting by name.

        Returns:
            The checked settings.

        Raises:
            InputError: If a name is unknown, a value is wrong, or a function is named that a
                saved model must not call.
        """
        from tidegate.data.text.functions import resolve

        options = cls.options()
        functions = {
            name: resolve(value)
            for name, value in values.items()
            if name in options and Callable in options[name].kinds and isinstance(value, str)
        }
        return cls.from_dict({**values, **functions})


@functools.cache  # Python evaluates every type hint anew, which is slow
def _kinds(cls: type[Settings]) -> dict[str, tuple[tuple[Kind, ...], bool]]:
    """The kinds of each setting, and whether it may be None."""
    hints = typing.get_type_hints(cls)
    return {field.name: kinds(hints[field.name]) for field in fields(cls)}


def _options(cls: type[Settings]) -> dict[str, Option]:
    found: dict[str, Option] = {}
    known = _kinds(cls)  # type: ignore[arg-type]  # mypy takes the hash of its instances for its own
    for field in fields(cls):
        accepted, optional = known[field.name]
        data = dict(field.metadata)
        choices = data["choices"]  # not cached: a cell may be registered later
        data["choices"] = tuple(choices()) if callable(choices) else choices
        found[field.name] = Option(
            name=field.name, kinds=accepted, optional=optional, default=field.default, **data
        )
    return found


@dataclass(frozen=True, kw_only=True)
class PooledSettings(Settings):
    """The settings of every task whose network makes one vector of all steps."""

    pooling: str = setting(
        "mean+max",
        help="How the steps become one vector.",
        choices=_poolings,
        structural=True,
    )


def build_layer(
    settings: Settings, input_size: int, *, device: torch.device | str | None = None
) -> Recurrent:
    """Build the recurrent stack that settings ask for, over `[B, T, input_size]`.

    Where the layer options do not say how to start, the recurrent weights start orthogonal and
    memory cells start by remembering, which suits long sequences better than torch's start.

    Args:
        settings: Cell, sizes, directions, dropout, backend and layer options.
        input_size: Features of each step.
        device: Where the weights live.

    Returns:
        The layer.

    Raises:
        InputError: If an option is out of range or does nothing in this stack.

    Example:
        >>> build_layer(Settings(hidden_size=4), 3).output_size
        4
    """
    from tidegate import cells, nn

    options = dict(settings.layer_options or {})
    if not set(LAYER_START) & set(options):
        options |= LAYER_START
        if cells.get(settings.cell).keep_gate != "forget":
            del options["forget_bias"]
    return nn.recurrent_layer(
        settings.cell,
        input_size,
        settings.hidden_size,
        settings.num_layers,
        batch_first=True,
        # torch.nn warns about dropout "between" the layers of a single one.
        dropout=settings.dropout if settings.num_layers > 1 else 0.0,
        bidirectional=settings.bidirectional,
        backend=settings.backend,
        device=device,
        **options,
    )
