"""LSTM, GRU and RNN with the signatures of torch.nn, and the way from and to it."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import nn

from tidegate import cells
from tidegate.errors import InputError, message
from tidegate.nn.stack import Recurrent

Device = torch.device | str | None
L = TypeVar("L", bound="_TorchLike")


class _TorchLike(Recurrent):
    """What the three layers that torch.nn has too share: conversion both ways."""

    torch_class: type[nn.RNNBase]

    @property
    def mode(self) -> str:
        """What torch.nn calls the equations: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU"."""
        squash = getattr(self, "nonlinearity", None)
        return self.torch_class.__name__ + (f"_{squash.upper()}" if squash else "")

    @classmethod
    def from_torch(cls: type[L], module: nn.RNNBase, **options: Any) -> L:
        """Make a layer with a copy of the weights of its namesake in torch.nn.

        Args:
            module: A torch.nn layer of the same name.
            **options: Keyword-only options of this layer, such as `backend`.

        Returns:
            A layer on the same device, of the same dtype and in the same mode.

        Raises:
            InputError: If `module` is of another class.
        """
        if not isinstance(module, cls.torch_class):
            rule = f"a torch.nn.{cls.torch_class.__name__}"
            raise InputError(message(cls.__name__, "module", rule, type(module).__name__))
        weight = next(module.parameters())
        arguments = {name: getattr(module, name) for name in _names(cls.torch_class)}
        layer = cls(**arguments, device=weight.device, dtype=weight.dtype, **options)
        layer.load_state_dict(module.state_dict())
        return layer.train(module.training)

    def to_torch(self) -> nn.RNNBase:
        """Make the namesake in torch.nn with a copy of the weights.

        Returns:
            A torch.nn layer on the same device, of the same dtype and in the same mode.

        Raises:
            InputError: If an option changes the results and torch.nn does not have it.
        """
        options = self.options
        foreign = {
            "a variant of the cell": not self.cell.is_plain,
            "merge": options.merge != "concat",
            "residual": options.residual,
            "variational_dropout": options.variational_dropout,
            "recurrent_dropout": bool(options.recurrent_dropout),
            "weight_dropout": bool(options.weight_dropout),
            "zoneout": options.zoneout is not None,
            "state_batch_first": options.state_batch_first,
        }
        for name, present in foreign.items():
            if present:
                rule = f"left out: torch.nn.{self.torch_class.__name__} has no equivalent"
                raise InputError(message(type(self).__name__, name, rule, "it set"))
        weight = next(self.parameters())
        arguments = {name: getattr(self, name) for name in _names(self.torch_class)}
        module = self.torch_class(**arguments, device=weight.device, dtype=weight.dtype)
        module.load_state_dict(self.state_dict())
        return module.train(self.training)


def _names(torch_class: type[nn.RNNBase]) -> list[str]:
    """The arguments that layers of both libraries keep as attributes of the same name."""
    names = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"]
    names += ["bidirectional"]
    own = {nn.LSTM: ["proj_size"], nn.RNN: ["nonlinearity"]}
    return names + own.get(torch_class, [])


class LSTM(_TorchLike):
    """Long short-term memory, a drop-in for torch.nn.LSTM.

    Equations and papers: `tidegate.cells.LSTM`. The positional arguments, shapes, initial values,
    state-dict keys and results are those of torch.nn.LSTM.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: Layers in the stack.
        bias: Whether the cells have biases.
        batch_first: Whether input and output are `[B, T, ...]`.
        dropout: Probability of zeroing a feature between two layers.
        bidirectional: Whether each layer also walks backwards.
        proj_size: Size of a projection of h, 0 for none.
        device: Where the weights live.
        dtype: Their type.
        peephole: The gates see the cell state.
        coupled: The input gate is 1 - forget gate.
        layer_norm: Normalise the gates' sums and the cell state.
        cell_clip: Bound on the cell state.
        **options: See `tidegate.nn.StackOptions`.

    Raises:
        InputError: If an option is unknown, out of range, or does nothing in this stack.

    Example:
        >>> layer = LSTM(3, 4, batch_first=True, bidirectional=True, peephole=True)
        >>> output, (h_n, c_n) = layer(torch.zeros(2, 5, 3), lengths=[5, 0])
        >>> list(output.shape), list(c_n.shape)
        ([2, 5, 8], [2, 2, 4])
    """

    torch_class = nn.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        peephole: bool = False,
        coupled: bool = False,
        layer_norm: bool = False,
        cell_clip: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            cells.LSTM(
                hidden_size=hidden_size,
                bias=bias,
                proj_size=proj_size,
                peephole=peephole,
                coupled=coupled,
                layer_norm=layer_norm,
                cell_clip=cell_clip,
            ),
            input_size,
            num_layers,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            device=device,
            dtype=dtype,
            **options,
        )


class GRU(_TorchLike):
    """The gated recurrent unit, a drop-in for torch.nn.GRU.

    Equations and papers: `tidegate.cells.GRU`. The positional arguments, shapes, initial values,
    state-dict keys and results are those of torch.nn.GRU.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: Layers in the stack.
        bias: Whether the cells have biases.
        batch_first: Whether input and output are `[B, T, ...]`.
        dropout: Probability of zeroing a feature between two layers.
        bidirectional: Whether each layer also walks backwards.
        device: Where the weights live.
        dtype: Their type.
        reset_after: Whether the reset gate acts after the recurrent product, as in torch.nn and
            cuDNN, or before it, as in Cho et al. 2014.
        layer_norm: Normalise the gates' sums.
        **options: See `tidegate.nn.StackOptions`.

    Raises:
        InputError: If an option is unknown, out of range, or does nothing in this stack.

    Example:
        >>> output, h_n = GRU(3, 4, reset_after=False)(torch.zeros(5, 2, 3))
        >>> list(output.shape), list(h_n.shape)
        ([5, 2, 4], [1, 2, 4])
    """

    torch_class = nn.GRU

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        reset_after: bool = True,
        layer_norm: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            cells.GRU(
                hidden_size=hidden_size,
                bias=bias,
                reset_after=reset_after,
                layer_norm=layer_norm,
            ),
            input_size,
            num_layers,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            device=device,
            dtype=dtype,
            **options,
        )


class RNN(_TorchLike):
    """The plain recurrent network, a drop-in for torch.nn.RNN.

    Equations and papers: `tidegate.cells.RNN`. The positional arguments, shapes, initial values,
    state-dict keys and results are those of torch.nn.RNN.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: Layers in the stack.
        nonlinearity: "tanh" or "relu".
        bias: Whether the cells have biases.
        batch_first: Whether input and output are `[B, T, ...]`.
        dropout: Probability of zeroing a feature between two layers.
        bidirectional: Whether each layer also walks backwards.
        device: Where the weights live.
        dtype: Their type.
        layer_norm: Normalise the sums.
        **options: See `tidegate.nn.StackOptions`.

    Raises:
        InputError: If an option is unknown, out of range, or does nothing in this stack.

    Example:
        >>> output, h_n = RNN(3, 4, nonlinearity="relu")(torch.zeros(5, 3))
        >>> list(output.shape), list(h_n.shape)
        ([5, 4], [1, 4])
    """

    torch_class = nn.RNN

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        layer_norm: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            cells.RNN(
                hidden_size=hidden_size,
                bias=bias,
                nonlinearity=nonlinearity,
                layer_norm=layer_norm,
            ),
            input_size,
            num_layers,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            device=device,
            dtype=dtype,
            **options,
        )

    @property
    def nonlinearity(self) -> str:
        """Which squashing function: "tanh" or "relu"."""
        assert isinstance(self.cell, cells.RNN)
        return self.cell.nonlinearity
