"""Dynamic evaluation: a model that goes on learning from the text it is measured on."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tidegate.data.language.streams import StreamPieces, Streams
from tidegate.heads import LanguageMeter
from tidegate.tasks.language.network import LanguageNetwork
from tidegate.waiting import waiting

# Those of the authors' program, https://github.com/benkrause/dynamic-evaluation.
_STEPS = 5  # symbols between two updates
_ROWS = 100  # streams of training text that the size of the gradients is taken from
_PIECES = 2000  # at most, of so many symbols in each stream
_RATE = 5e-5  # eta, the size of the updates
_PULL = 2e-3  # lambda, how strongly weights go back to where training left them
_PRECISION = 2e-5  # epsilon


def adapted(
    network: LanguageNetwork, text: Streams, past: Streams, *, shown: bool = False
) -> LanguageMeter:
    """Measure a text with a copy of a network that learns from each piece after predicting it.

    After each piece, with g its gradient and w_0 the trained weights (Krause et al. 2018, updates
    by RMS with a decay of the same kind): w -= eta g / (r + eps) + lambda' (w - w_0), where r is
    the root of the mean square of the gradients over pieces of the training text, and lambda' is
    lambda times r over its mean, at most 1. The loss of a piece is taken before its update, so
    nothing is predicted from itself; but the result is that of another model than the trained one.

    Args:
        network: The trained network, which stays as it is.
        text: The text to measure, as one stream.
        past: The training text.
        shown: Whether bars may appear when it takes long.

    Returns:
        The filled meter.
    """
    twin = copy.deepcopy(network).eval()
    weights = [weight for weight in twin.parameters() if weight.requires_grad]
    trained = [weight.detach().clone() for weight in weights]
    roots = [square.sqrt() for square in _squares(twin, weights, past, shown)]
    mean = torch.cat([root.flatten() for root in roots]).mean()
    rates = [_RATE / (root + _PRECISION) for root in roots]
    pulls = [(_PULL * root / mean).clamp(max=1.0) for root in roots]
    meter = twin.head.meter()
    twin.begin_pass()
    for rows in waiting(_pieces(text), "reading and adapting", shown=shown):
        batch = text.batch(rows).to(weights[0].device)
        nats = twin(batch)
        meter.update(nats.detach(), batch)
        gradients = torch.autograd.grad(nats.mean(), weights)
        with torch.no_grad():
            for weight, old, gradient, rate, pull in zip(
                weights, trained, gradients, rates, pulls, strict=True
            ):
                weight.lerp_(old, pull).addcmul_(rate, gradient, value=-1)
    return meter


def _squares(
    network: LanguageNetwork, weights: Sequence[Tensor], past: Streams, shown: bool
) -> list[Tensor]:
    """The mean square of the gradient over pieces of the training text."""
    squares = [torch.zeros_like(weight) for weight in weights]
    streams = Streams(past.corpus, count=_ROWS, steps=_STEPS)
    pieces = StreamPieces(streams, vary=False).epoch(0)[:_PIECES]
    network.begin_pass()
    for rows in waiting(pieces, "gradients of the training text", shown=shown):
        batch = streams.batch(rows).to(weights[0].device)
        gradients = torch.autograd.grad(network(batch).mean(), weights)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 / len(pieces))
    return squares


def _pieces(text: Streams) -> Sequence[np.ndarray]:
    """Where the short pieces of a text begin, and how long they are."""
    firsts = np.arange(0, text.length, _STEPS)
    return list(np.stack([firsts, np.minimum(text.length - firsts, _STEPS)], axis=1))
