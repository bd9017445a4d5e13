"""Contributions by gates: what each step wrote into the memory, as the answer read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.cells import LSTM
from tidegate.errors import InputError, message
from tidegate.explain.attribution.attribution import Attribution, Target, at_target, read_target
from tidegate.explain.attribution.decomposition import Pass, recurrences
from tidegate.explain.network import Inspectable, still
from tidegate.nn import Recurrent

_OWNER = "gate_contributions"


def gate_contributions(network: Inspectable, batch: Batch, target: Target = None) -> Attribution:
    r"""Follow what each step wrote into the memory of the top layer to where the answer reads it.

    score_t = ∑_{τ≥t} a_τ · o_τ ∘ (tanh c_τ / c_τ) ∘ (∏_{t<s≤τ} f_s) ∘ i_t ∘ g_t

    The sum over what was kept is exact, given the gates (`decompose`). Behind it each part of c_τ
    is shown in proportion, through o_τ and the tanh; and a_τ = ∂F/∂h_τ holds pooling and head as
    they are at this input. Where those are piecewise linear (last, mean and max pooling under a
    linear head) the scores still add up to `output - baseline`, the baseline being the output for
    hidden states of zero; attention pooling is linearised, and `Attribution.gap` says what that
    leaves out. For a GRU the memory is the hidden state, which z keeps and 1 - z writes.

    Gates are taken as given: that a word opened a gate for another one is no credit to it, and
    in a stack the top layer's step t holds what the layers below brought there. Integrated
    gradients and occlusion see both.

    Args:
        network: The network; it runs in evaluation mode.
        batch: The rows.
        target: The output to explain: one index for all rows, one for each row, or None for each
            row's greatest.

    Returns:
        The attribution, on the CPU.

    Raises:
        InputError: If the cell is no LSTM or GRU, or what a step wrote cannot be followed: layer
            norm or zoneout of an LSTM, residual connections.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = recurrent_layer("lstm", 4, 3, batch_first=True)
        >>> network = TextNetwork(Embedding(9, 4), layer, "mean", 2)
        >>> batch = Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))
        >>> bool(gate_contributions(network, batch).gap.abs() < 1e-5)
        True
    """
    with still(network) as device:
        batch, layer = batch.to(device), network.recurrent
        _check(layer)
        vectors = network.embed(batch)
        probe, empty = _Probe(), _Probe(scale=0.0)
        outputs = probe.decide(network, vectors, batch)
        found = read_target(target, outputs.detach())
        output = at_target(outputs, found)
        slopes = probe.slopes(output.sum(), layer)
        nothing = at_target(empty.decide(network, vectors, batch).detach(), found)
        walked = recurrences(layer, *probe.arguments, **probe.options)
        scores = _scores(layer, walked, slopes, batch.lengths)
        direct = network.direct(batch)
        if direct is not None:
            beside = at_target(direct, found)
            scores, nothing = scores + beside, nothing - beside.sum(1)
        parts = {"output": output, "baseline": nothing, "lengths": batch.lengths}
        return Attribution.of("gates", scores, found, **parts, asked=torch.full_like(found, 3))


def _check(layer: Recurrent) -> None:
    """Refuse what cannot be followed from the memory to the answer."""
    rates = layer.options.zoneout_rates(layer.cell)
    lstm = isinstance(layer.cell, LSTM)
    unfit = {
        "layer_norm": lstm and layer.cell.layer_norm,  # type: ignore[attr-defined]
        "residual": layer.options.residual,
        "zoneout": lstm and any(rates),  # h shows c before its zoneout
    }
    for name, present in unfit.items():
        if present:
            rule = f"without `{name}`, behind which the parts of a state cannot be told apart"
            remedy = "Use integrated gradients or occlusion"
            raise InputError(message(_OWNER, "network", rule, "a layer with it", remedy))


@dataclass
class _Probe:
    """A cut between the recurrent stack and what comes after it.

    Attributes:
        scale: What the stack's output and states are multiplied by.
        arguments: What the stack was called with.
        options: What it was called with by name.
        leaves: Its output and final states, cut off.
    """

    scale: float = 1.0
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    leaves: list[Tensor] = field(default_factory=list)

    def decide(self, network: Inspectable, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the outputs, `[B, C]`, as a function of the leaves."""
        handle = network.recurrent.register_forward_hook(self._cut, with_kwargs=True)
        try:
            with torch.enable_grad():
                return network.decide(vectors, batch)
        finally:
            handle.remove()

    def _cut(self, _: Any, arguments: Any, options: Any, result: Any) -> tuple[Any, Any]:
        self.arguments, self.options = arguments, options
        output, state = result
        states = state if isinstance(state, tuple) else (state,)
        self.leaves = [(self.scale * part).detach().requires_grad_() for part in (output, *states)]
        output, *ends = self.leaves
        return output, tuple(ends) if isinstance(state, tuple) else ends[0]

    def slopes(self, value: Tensor, layer: Recurrent) -> tuple[Tensor, list[Tensor]]:
        """Slopes of a sum of outputs: `[B, T, F]` along the output, `[N, B, size]` of states."""
        found = torch.autograd.grad(value, self.leaves, allow_unused=True, materialize_grads=True)
        output, *states = found
        if not layer.batch_first:
            output = output.transpose(0, 1)
        if layer.options.state_batch_first:
            states = [state.transpose(0, 1) for state in states]
        return output, states


def _scores(
    layer: Recurrent, walked: Pass, slopes: tuple[Tensor, list[Tensor]], lengths: Tensor
) -> Tensor:
    """Add up what the steps of all layers and directions wrote that is read, `[B, T]`."""
    output, (hidden, *cell) = slopes
    ways = 2 if layer.bidirectional else 1
    top = len(walked.recurrences) - ways
    scores = torch.zeros_like(output[..., 0])
    for n, recurrence in enumerate(walked.recurrences):
        end = torch.zeros_like(lengths) if recurrence.backward else (lengths - 1).clamp(min=0)
        weight = torch.zeros_like(walked.parts["hidden"][n])
        if n >= top:
            weight = weight + _of_direction(layer, output, n - top)
        weight = _units(layer, n, weight + _at(end, lengths, hidden[n], weight))
        weight = weight * _shown({name: part[n] for name, part in walked.parts.items()})
        if cell:
            weight = weight + _at(end, lengths, cell[0][n], weight)
        if weight.any():
            scores = scores + recurrence.read(weight)
    return scores


def _of_direction(layer: Recurrent, output: Tensor, direction: int) -> Tensor:
    """The part of a slope along the merged output that is one direction's, `[B, T, P]`."""
    if not layer.bidirectional or layer.options.merge == "sum":
        return output
    if layer.options.merge == "mean":
        return output / 2
    return output.chunk(2, -1)[direction]


def _at(end: Tensor, lengths: Tensor, slope: Tensor, like: Tensor) -> Tensor:
    """A slope along the final states, `[B, size]`, put where each row's walk ends."""
    placed = torch.zeros_like(like)
    placed[torch.arange(len(end), device=end.device), end] = slope * (lengths > 0)[:, None]
    return placed


def _units(layer: Recurrent, n: int, slope: Tensor) -> Tensor:
    """A slope along the features of a direction as one along its units, `[B, T, H]`."""
    if not layer.proj_size:
        return slope
    number, way = divmod(n, 2 if layer.bidirectional else 1)
    return slope @ layer.weights(number, "_reverse" if way else "")["weight_hr"]


def _shown(parts: Mapping[str, Tensor]) -> Tensor | float:
    """How much of the memory a unit shows: o tanh(c) / c for an LSTM, all for a GRU."""
    if "cell" not in parts:
        return 1.0
    cell = parts["cell"]
    return parts["output"] * torch.where(cell == 0, 1.0, torch.tanh(cell) / cell)
