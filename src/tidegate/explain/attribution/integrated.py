"""Integrated gradients: the gradient along the way from a text that says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.cells.base import check_size
from tidegate.explain.attribution.attribution import Attribution, Target, at_target, read_target
from tidegate.explain.network import Inspectable, portions, silent, still, take_rows

_LEAST_CHANGE = 0.1  # below it the tolerance is absolute: a tenth of that of a change of one
_MOST = 4096  # points on the way of one row


def integrated_gradients(
    network: Inspectable,
    batch: Batch,
    target: Target = None,
    *,
    steps: int = 64,
    tolerance: float = 1e-3,
) -> Attribution:
    r"""Share the change of an output out over the steps by integrated gradients.

    score_t = ∫_0^1 ∂F(v̄ + α (v − v̄)) / ∂v_t · (v_t − v̄_t) dα (Sundararajan et al. 2017, eq. 1)

    v are the vectors that the recurrent stack reads, and v̄ those of a row of the same length that
    says nothing (`silent`). What goes past the stack is exact and added. The scores add up to
    `output - baseline`.

    The integral is a sum of trapezia. In each of them the change of F is known, so those that
    miss it most are halved until the scores add up: the kinks of max pooling get fine steps, the
    rest stays coarse.

    Args:
        network: The network; it runs in evaluation mode.
        batch: The rows.
        target: The output to explain: one index for all rows, one for each row, or None for each
            row's greatest.
        steps: Trapezia to begin with.
        tolerance: How far a row's scores may be from adding up, as a share of the change of its
            output, or of 0.1 if it changes less. `Attribution.gap` says how far they are; it is
            more than that only where 4,096 trapezia were not enough.

    Returns:
        The attribution, on the CPU.

    Raises:
        InputError: If the network is not inspectable, or there is no such output.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = recurrent_layer("gru", 4, 3, batch_first=True)
        >>> network = TextNetwork(Embedding(9, 4), layer, "max", 2)
        >>> batch = Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))
        >>> bool(integrated_gradients(network, batch).gap.abs() < 1e-3)
        True
    """
    check_size("integrated_gradients", "steps", steps)
    with still(network) as device:
        way = _Way.between(network, batch.to(device), target)
        pieces = _Pieces.even(way, steps)
        allowed = tolerance * way.change.abs().clamp(min=_LEAST_CHANGE)
        while len(wide := pieces.too_wide(allowed)):
            pieces = pieces.halved(way, wide)
        return way.attribution(pieces)


@dataclass(frozen=True)
class _Way:
    """The straight ways of rows from vectors that say nothing to their own.

    Attributes:
        network: The network, held still.
        batch: B rows.
        start: v̄, `[B, T, D]`.
        step: v − v̄, `[B, T, D]`.
        target: `[B]`.
        ends: F at both ends of the way, `[B]` each.
    """

    network: Inspectable
    batch: Batch
    start: Tensor
    step: Tensor
    target: Tensor
    ends: tuple[Tensor, Tensor]

    @classmethod
    @torch.no_grad()
    def between(cls, network: Inspectable, batch: Batch, target: Target) -> _Way:
        start, end = network.embed(silent(batch)), network.embed(batch)
        outputs = network.decide(end, batch)
        found = read_target(target, outputs)
        ends = at_target(network.decide(start, batch), found), at_target(outputs, found)
        return cls(network, batch, start, end - start, found, ends)

    @property
    def change(self) -> Tensor:
        return self.ends[1] - self.ends[0]

    def ask(self, rows: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """F `[K]` and its slope along each step `[K, T]`, at places 0 to 1 of the ways of rows."""
        values, slopes = [], []
        for part in portions(len(rows), self.step.shape[1]):
            own, place = rows[part], places[part, None, None]
            step = self.step[own]
            vectors = (self.start[own] + place * step).requires_grad_()
            with torch.enable_grad():
                outputs = self.network.decide(vectors, take_rows(self.batch, own))
                value = at_target(outputs, self.target[own])
                (gradient,) = torch.autograd.grad(value.sum(), vectors)
            values.append(value.detach())
            slopes.append((gradient * step).sum(-1))
        return torch.cat(values), torch.cat(slopes)

    @torch.no_grad()
    def attribution(self, pieces: _Pieces) -> Attribution:
        """Add up the pieces, and what goes past the stack."""
        scores = torch.zeros_like(self.step[..., 0])
        scores.index_add_(0, pieces.row, pieces.shares)
        direct, (first, last) = self.network.direct(self.batch), self.ends
        if direct is not None:
            beside = at_target(direct, self.target)
            scores, first = scores + beside, first - beside.sum(1)
        asked = torch.bincount(pieces.row, minlength=len(self.batch)) + 3
        parts = {"output": last, "baseline": first, "lengths": self.batch.lengths, "asked": asked}
        return Attribution.of("integrated gradients", scores, self.target, **parts)


@dataclass(frozen=True)
class _Pieces:
    """Pieces of the ways, K of them.

    Attributes:
        row: Whose way it is part of, `[K]`.
        place: Where it begins and ends, `[K, 2]` from 0 to 1.
        value: F there, `[K, 2]`.
        slope: Slope of F along each step there, `[K, 2, T]`.
    """

    row: Tensor
    place: Tensor
    value: Tensor
    slope: Tensor

    @classmethod
    def even(cls, way: _Way, steps: int) -> _Pieces:
        places = torch.linspace(0, 1, steps + 1, device=way.step.device, dtype=way.step.dtype)
        rows = torch.arange(len(way.batch), device=places.device).repeat_interleave(steps + 1)
        count = len(way.batch)
        value, slope = way.ask(rows, places.repeat(count))
        value, slope = value.view(count, steps + 1), slope.view(count, steps + 1, -1)
        return cls(
            rows.view(count, -1)[:, 1:].flatten(),
            _paired(places.expand(count, -1)),
            _paired(value),
            _paired(slope),
        )

    @property
    def shares(self) -> Tensor:
        """The trapezia: what each step gives in each piece, `[K, T]`."""
        return self.slope.mean(1) * (self.place[:, 1] - self.place[:, 0])[:, None]

    def too_wide(self, allowed: Tensor) -> Tensor:
        """Which pieces to halve, `[k]`, given how much the pieces of a row may miss, `[B]`.

        The misses of many kinks cancel by chance, not by right: what they would add up to with
        random signs must be small too.
        """
        miss = self.value[:, 1] - self.value[:, 0] - self.shares.sum(1)
        total, squares, sizes = (
            torch.zeros_like(allowed).index_add_(0, self.row, part)
            for part in (miss, miss**2, miss.abs())
        )
        count = torch.bincount(self.row, minlength=len(allowed))
        open_ = (torch.maximum(total.abs(), squares.sqrt()) > allowed) & (count < _MOST)
        return (open_[self.row] & (miss.abs() >= (sizes / count)[self.row])).nonzero()[:, 0]

    def halved(self, way: _Way, wide: Tensor) -> _Pieces:
        """Put two halves in the place of each piece that is too wide."""
        row, ends = self.row[wide], self.place[wide]
        middle = ends.mean(1)
        new = (middle, *way.ask(row, middle))
        kept = torch.ones(len(self.row), dtype=torch.bool, device=row.device)
        kept[wide] = False
        parts = [
            torch.cat([old[kept], *_halves(old[wide], added)])
            for old, added in zip((self.place, self.value, self.slope), new, strict=True)
        ]
        return _Pieces(torch.cat([self.row[kept], row, row]), *parts)


def _paired(nodes: Tensor) -> Tensor:
    """Neighbours of `[B, n, ...]` side by side: `[B * (n - 1), 2, ...]`."""
    return torch.stack([nodes[:, :-1], nodes[:, 1:]], 2).flatten(0, 1)


def _halves(pair: Tensor, middle: Tensor) -> tuple[Tensor, Tensor]:
    return torch.stack([pair[:, 0], middle], 1), torch.stack([middle, pair[:, 1]], 1)
