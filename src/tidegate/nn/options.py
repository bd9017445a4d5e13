"""Options of a recurrent stack that are not part of its cell's equations."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from tidegate import cells
from tidegate.cells import Cell
from tidegate.cells.base import check_size
from tidegate.errors import InputError, message, suggest
from tidegate.kernels import check_backend

INITS = ("torch", "orthogonal", "chrono")
MERGES = ("concat", "sum", "mean")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What a stack of layers does around its cells.

    Attributes:
        merge: How the two directions become one output: "concat", "sum" or "mean".
        recurrent_dropout: Probability of zeroing a unit of h wherever the recurrent weights see
            it, one mask a sequence (Gal & Ghahramani 2016).
        weight_dropout: Probability of zeroing a hidden-to-hidden weight, one mask a pass
            (Merity et al. 2017).
        zoneout: Probability that a unit keeps its old value (Krueger et al. 2017): one number
            for all states, or `(p_c, p_h)` for an LSTM. In evaluation, the expectation.
        init: "torch", "orthogonal", or "chrono" (Tallec & Ollivier 2018), which needs `max_lag`.
        max_lag: The longest dependency expected, in steps; for `init="chrono"`.
        forget_bias: The bias of the gate that keeps the memory, all in `bias_ih`: forget of an
            LSTM, update of a GRU. None leaves it to `init`.
        residual: Add to each layer but the first its own input.
        variational_dropout: Draw the dropout between layers once a sequence, not once a step.
        precision: "float32", or "bfloat16" for the factors of the products, the output and the
            gates, with sums, states and the gradients of weights in float32; the input may be of
            either type, and the output is of the same.
        backend: "auto" or the name of a backend, which then raises when it cannot.
        checkpoint_every: Keep one state in so many steps and recompute the rest in backward.
        state_batch_first: Whether states are `[B, layers*directions, H]`; in torch.nn they never
            are, whatever `batch_first` says.
    """

    merge: str = "concat"
    recurrent_dropout: float = 0.0
    weight_dropout: float = 0.0
    zoneout: float | tuple[float, float] | None = None
    init: str = "torch"
    max_lag: int | None = None
    forget_bias: float | None = None
    residual: bool = False
    variational_dropout: bool = False
    precision: str = "float32"
    backend: str = "auto"
    checkpoint_every: int | None = None
    state_batch_first: bool = False

    def check(self, cell: Cell, num_layers: int, dropout: float, bidirectional: bool) -> None:
        """Raise unless every option is in range, and does something in this stack.

        Raises:
            InputError: Naming the option, the rule and the remedy.
        """
        owner = cell.title
        _check_choice(owner, "merge", self.merge, MERGES)
        _check_choice(owner, "init", self.init, INITS)
        _check_choice(owner, "precision", self.precision, PRECISIONS)
        check_backend(owner, self.backend)
        rates = {"dropout": dropout, "recurrent_dropout": self.recurrent_dropout}
        for name, rate in (rates | {"weight_dropout": self.weight_dropout}).items():
            check_rate(owner, name, rate)
        for rate in self.zoneout_rates(cell):
            check_rate(owner, "zoneout", rate)
        self._check_memory(cell)
        self._check_stack(owner, num_layers, dropout, bidirectional)

    def zoneout_rates(self, cell: Cell) -> tuple[float, ...]:
        """The rate of each of the cell's states, in the cell's order; empty without zoneout.

        Raises:
            InputError: If the number of rates is not the number of states.
        """
        if self.zoneout is None:
            return ()
        if isinstance(self.zoneout, (int, float)):
            return (self.zoneout,) * len(cell.states)
        # Users write (p_c, p_h) as in the paper; the cell's order is hidden first.
        rates = tuple(reversed(tuple(self.zoneout)))
        if len(rates) != len(cell.states):
            rule = f"one number for each of the states {', '.join(cell.states)}"
            raise InputError(message(cell.title, "zoneout", rule, self.zoneout))
        return rates

    def _check_memory(self, cell: Cell) -> None:
        if self.max_lag is not None and self.init != "chrono":
            rule = 'left out unless init="chrono"'
            raise InputError(message(cell.title, "max_lag", rule, self.max_lag))
        lag: object = self.max_lag
        if self.init == "chrono" and not (isinstance(lag, Real) and float(lag) >= 3):
            rule = 'a number of steps >= 3 with init="chrono"'
            remedy = "Pass the longest dependency you expect"
            raise InputError(message(cell.title, "max_lag", rule, repr(lag), remedy))
        for name, given in (
            ('init="chrono"', self.init == "chrono"),
            ("forget_bias", self.forget_bias is not None),
        ):
            if given and (cell.keep_gate is None or not cell.bias):
                rule = "left out for a cell without a biased gate that keeps its memory"
                remedy = "Use an LSTM or a GRU with bias=True"
                raise InputError(message(cell.title, name, rule, "it set", remedy))

    def _check_stack(
        self, owner: str, num_layers: int, dropout: float, bidirectional: bool
    ) -> None:
        if self.checkpoint_every is not None:
            check_size(owner, "checkpoint_every", self.checkpoint_every)
        if self.merge != "concat" and not bidirectional:
            rule = "'concat' for one direction"
            remedy = "Pass bidirectional=True, or leave merge out"
            raise InputError(message(owner, "merge", rule, repr(self.merge), remedy))
        if self.residual and num_layers == 1:
            rule = "False for a single layer"
            raise InputError(message(owner, "residual", rule, True, "Pass num_layers > 1"))
        if self.variational_dropout and not dropout:
            rule = "False without dropout"
            raise InputError(message(owner, "variational_dropout", rule, True, "Pass dropout > 0"))
        if dropout and num_layers == 1:
            # As torch.nn does: an error would break programs that work.
            warnings.warn(
                f"{owner}: `dropout` acts between layers; with num_layers=1 it does nothing.",
                stacklevel=5,
            )


def check_rate(owner: str, name: str, rate: object) -> None:
    """Raise InputError unless `rate` is a probability in [0, 1]."""
    if isinstance(rate, bool) or not (isinstance(rate, Real) and 0 <= float(rate) <= 1):
        raise InputError(message(owner, name, "a probability between 0 and 1", repr(rate)))


def _check_choice(owner: str, name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        rule = f"one of {', '.join(known)}"
        remedy = suggest(str(value), known, listed=True)
        raise InputError(message(owner, name, rule, repr(value), remedy))


def layer_options(cell: str) -> frozenset[str]:
    """Names of the keyword-only options that a layer of this cell takes.

    Args:
        cell: The name of a registered cell.

    Returns:
        The cell's own options and those of every stack.

    Raises:
        InputError: If there is no such cell.

    Example:
        >>> "peephole" in layer_options("lstm"), "peephole" in layer_options("gru")
        (True, False)
    """
    return cells.options(cell) | {field.name for field in fields(StackOptions)}


def split_options(cell: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part options by who takes them: the cell, or the stack around it.

    Args:
        cell: The name of a registered cell.
        options: Options by name.

    Returns:
        The cell's, and the stack's.

    Raises:
        InputError: If neither knows one of the names.
    """
    known, own = layer_options(cell), cells.options(cell)
    for name in options:
        if name not in known:
            rule = "an option of this layer"
            raise InputError(message(cell.upper(), name, rule, "it set", suggest(name, known)))
    of_cell = {name: value for name, value in options.items() if name in own}
    return of_cell, {name: value for name, value in options.items() if name not in own}


def show(
    module: object,
    input_size: int,
    cell: Cell,
    options: StackOptions,
    given: Mapping[str, object] | None = None,
) -> str:
    """Say what a layer is made of, as torch.nn does: its sizes, and what is not the default.

    Args:
        module: The layer, whose class may tell which cell it is.
        input_size: D.
        cell: The equations.
        options: What stands around them.
        given: Arguments of its own that are not the default.

    Example:
        >>> show(object(), 3, cells.GRU(hidden_size=4, reset_after=False), StackOptions())
        'gru, 3, 4, reset_after=False'
    """
    named = type(module).__name__.lower().startswith(cell.name)
    parts = [] if named else [cell.name]
    shown = dict(given or {})
    for holder in (cell, options):
        for field in fields(holder):
            value = getattr(holder, field.name)
            if field.name != "hidden_size" and value != field.default:
                shown[field.name] = value
    parts += [str(input_size), str(cell.hidden_size)]
    return ", ".join(parts + [f"{name}={value!r}" for name, value in shown.items()])
