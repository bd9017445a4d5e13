"""Mixture of softmaxes: several opinions about the next symbol, weighed by the context."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.heads.language import LanguageHead


class MixtureHead(LanguageHead):
    """A mixture of softmaxes (Yang et al. 2018, section 2.3).

    Axis letters: N steps, F features, K softmaxes, E numbers in the vector of a symbol,
    V symbols.

    p = sum_k pi_k softmax(W tanh(L_k x) + b), with pi = softmax(P x). The logarithms of such
    probabilities have a rank that is not bounded by E.

    Args:
        features: F.
        size: V.
        count: K.
        width: E.
        tied: The embedding that has W; None for weights of its own.
        low_precision: As of `SymbolHead`.
        characters: Likewise.

    Example:
        >>> head = MixtureHead(4, 9, count=3, width=5)
        >>> head.answer(torch.zeros(2, 4)).shape
        torch.Size([2, 9])
    """

    def __init__(
        self,
        features: int,
        size: int,
        *,
        count: int,
        width: int,
        tied: nn.Embedding | None = None,
        low_precision: bool = False,
        characters: bool = False,
    ) -> None:
        super().__init__(width, size, tied, low_precision=low_precision, characters=characters)
        self.count, self.width = count, width
        self.prior = nn.Linear(features, count, bias=False)
        self.latent = nn.Linear(features, count * width)

    def losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return what each symbol that came cost, in nats: `[N, F]` and `[N]` to `[N]`."""
        weights, scores = self._mixture(features)
        each = F.cross_entropy(
            scores.flatten(0, 1), targets.repeat_interleave(self.count), reduction="none"
        )
        return -torch.logsumexp(weights - each.view_as(weights), -1)

    def answer(self, features: Tensor) -> Tensor:
        """Return the logarithm of the probability of every symbol: `[..., F]` to `[..., V]`."""
        weights, scores = self._mixture(features)
        return torch.logsumexp(weights[..., None] + torch.log_softmax(scores, -1), -2)

    def _mixture(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The logarithms of the weights `[..., K]`, and the scores `[..., K, V]`."""
        weights = torch.log_softmax(self.prior(features), -1)
        latent = torch.tanh(self.latent(features)).unflatten(-1, (self.count, self.width))
        return weights, self._scores(latent)
