"""Adaptive softmax: rare symbols in clusters that are only looked into when they are needed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.heads.language import SymbolHead

# Where clusters end, as shares of the vocabulary; of a long tail of rare words, most is skipped.
_CUTS = (0.02, 0.2)
_SHRINK = 4.0  # each cluster sees so many times fewer features than the one before


class AdaptiveHead(SymbolHead):
    """Frequent symbols first, then clusters of rarer ones with fewer features (Grave et al. 2017).

    Axis letters: N steps, F features, V symbols.

    A step pays for the frequent symbols and for the cluster that its symbol is in, not for all V.
    Ids must be ordered by frequency, the most frequent first, as those of `LanguageEncoder` are.

    Args:
        features: F.
        size: V.
        low_precision: As of `SymbolHead`.
        characters: Likewise.

    Example:
        >>> import torch
        >>> AdaptiveHead(8, 1000).answer(torch.zeros(2, 8)).exp().sum(-1).round()
        tensor([1., 1.], grad_fn=<RoundBackward0>)
    """

    def __init__(
        self, features: int, size: int, *, low_precision: bool = False, characters: bool = False
    ) -> None:
        super().__init__(low_precision=low_precision, characters=characters)
        within = sorted({round(share * size) for share in _CUTS} & set(range(1, size - 1)))
        cuts = within or [max(1, size - 1)]
        # The last cluster must keep a feature.
        shrink = _SHRINK if features >= _SHRINK ** len(cuts) else 1.0
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(
            features, size, cuts, div_value=shrink, head_bias=True
        )

    def losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return what each symbol that came cost, in nats: `[N, F]` and `[N]` to `[N]`."""
        ends = self.softmax.cutoffs
        clusters = torch.bucketize(targets, torch.tensor(ends, device=targets.device), right=True)
        first = torch.where(clusters == 0, targets, ends[0] - 1 + clusters)
        nats = self._costs(self.softmax.head, features, first)
        for number, start in enumerate(ends[:-1]):
            (rows,) = (clusters == number + 1).nonzero(as_tuple=True)
            if len(rows):
                tail = self.softmax.tail[number]
                within = self._costs(tail, features[rows], targets[rows] - start)
                nats = nats.index_add(0, rows, within)
        return nats

    def _costs(self, layer: nn.Module, features: Tensor, targets: Tensor) -> Tensor:
        """What symbols cost by the scores of a layer; torch's own keeps bfloat16 to the end."""
        low = self.low_precision and self.training
        with torch.autocast(features.device.type, torch.bfloat16, enabled=low):
            scores = layer(features)
        return F.cross_entropy(scores.float() if low else scores, targets, reduction="none")

    def answer(self, features: Tensor) -> Tensor:
        """Return the logarithm of the probability of every symbol: `[..., F]` to `[..., V]`."""
        flat: Tensor = self.softmax.log_prob(features.flatten(0, -2))
        return flat.view(*features.shape[:-1], -1)
