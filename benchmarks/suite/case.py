"""Case: what is computed, by name and shape; Problem: the numbers it is computed with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

import tidegate

TRAINING, INFERENCE = "training", "inference"

# What each variant says to the layer that it makes.
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "recurrent dropout": {"recurrent_dropout": 0.25},
    "zoneout": {"zoneout": (0.15, 0.05)},
    "gates returned": {},
    "resets": {},
    "layer norm": {"layer_norm": True},
    "reset before": {"reset_after": False},
}


@dataclass(frozen=True)
class Case:
    """One layer, or stack, over one batch: B rows of T steps, I inputs, H hidden units.

    Attributes:
        kind: "LSTM", "GRU" or "RNN".
        layers: Layers of the stack.
        bidirectional: Whether each also walks backwards.
        shortest: The least length of a row, whose lengths are then drawn between it and T; 0
            where every row has T steps.
        variant: A key of `VARIANTS`.
        dtype: "float32" or "bfloat16", of the weights and the input.
    """

    kind: str
    B: int
    T: int
    I: int  # noqa: E741 - an axis letter
    H: int
    layers: int = 1
    bidirectional: bool = False
    shortest: int = 0
    variant: str = "plain"
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """Such as "BiLSTM, 2 layers" or "LSTM peephole"."""
        name = "Bi" * self.bidirectional + self.kind
        name += "" if self.variant == "plain" else f" {self.variant}"
        return f"{name}, {self.layers} layers" if self.layers > 1 else name

    @property
    def shape(self) -> str:
        """Such as "64×200×128×128": B, T, I, H."""
        steps = f"{self.shortest}–{self.T}" if self.shortest else f"{self.T}"
        return f"{self.B}×{steps}×{self.I}×{self.H}"

    @property
    def directions(self) -> int:
        """1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def is_plain(self) -> bool:
        """Whether torch.nn computes the same."""
        return self.variant == "plain"

    def lengths(self) -> Tensor | None:
        """Draw the length of each row, `[B]` int64, one of them T; None where all are T."""
        if not self.shortest:
            return None
        generator = torch.Generator().manual_seed(0)
        lengths = torch.randint(self.shortest, self.T + 1, (self.B,), generator=generator)
        lengths[self.B // 2] = self.T
        return lengths

    @property
    def useful_steps(self) -> int:
        """Steps that are no padding, of all rows together."""
        lengths = self.lengths()
        return self.B * self.T if lengths is None else int(lengths.sum())

    def layer(self, **options: Any) -> Any:
        """A tidegate layer of this case, with weights drawn anew."""
        options = {"batch_first": True, "bidirectional": self.bidirectional} | options
        made = getattr(tidegate.nn, self.kind)(
            self.I, self.H, self.layers, **VARIANTS[self.variant], **options
        )
        return made.to(getattr(torch, self.dtype))

    def flops(self, phase: str) -> int:
        """Operations of the matrix products on useful steps, two for each multiply-add."""
        once: int = 2 * self.useful_steps * self.layer().summary(1).multiply_adds
        return 3 * once if phase == TRAINING else once

    def shrunk(self) -> Case:
        """The same on a toy's scale, for a quick try."""
        T = min(self.T, 12)
        return replace(
            self,
            B=min(self.B, 4),
            T=T,
            I=min(self.I, 8),
            H=min(self.H, 16),
            shortest=min(self.shortest, T // 2),
        )


class Problem:
    """The numbers of one case; every peer gets the same ones.

    Attributes:
        case: The case.
        backend: What runs tidegate's layers.
        threads: How many threads a peer may use.
        weights: The weights by torch.nn's names.
        x: The input, `[B, T, I]`.
        lengths: `[B]`, or None.
        resets: `[B, T]` bool for the variant "resets", or None.
        dy: The gradient of the output, `[B, T, directions*H]`, zero past the end of each row.
    """

    def __init__(self, case: Case, backend: str = "auto") -> None:
        self.case = case
        self.backend = backend
        self.threads = torch.get_num_threads()
        torch.manual_seed(0)
        dtype = getattr(torch, case.dtype)
        self.weights = {name: w.detach() for name, w in case.layer().named_parameters()}
        for name, weight in self.weights.items():
            if name.startswith("norm"):
                # Gains that are alike and shifts of zero would hide a norm that mixes them up; with
                # gains of one or more an untrained net is chaotic, and two correct computations in
                # float32 part within 200 steps.
                weight.mul_(0.2).add_(0.2 * torch.rand_like(weight))
        self.x = torch.randn(case.B, case.T, case.I, dtype=dtype)
        self.lengths = case.lengths()
        self.resets = torch.rand(case.B, case.T) < 0.02 if case.variant == "resets" else None
        self.dy = torch.randn(case.B, case.T, case.directions * case.H, dtype=dtype)
        if self.lengths is not None:
            self.dy *= (torch.arange(case.T) < self.lengths[:, None])[..., None]
