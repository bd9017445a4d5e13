"""Language: which symbol comes next."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch

_SPREAD = 0.1  # new weights are drawn from -0.1 to 0.1, as those of Merity et al. 2017


class SymbolHead(nn.Module):
    """What the heads of language models share: they say what each symbol that came cost.

    Their outputs are these costs and not the scores of all symbols, which would not fit into
    memory for every step of a text.

    Axis letters: N steps, F features, V symbols.

    Args:
        low_precision: Whether the factors of products that score symbols are rounded to bfloat16
            in training, which is faster on processors that have such arithmetic; evaluation is not
            rounded.
        characters: Whether symbols are characters, so that bits per character are of use.
    """

    def __init__(self, *, low_precision: bool = False, characters: bool = False) -> None:
        super().__init__()
        self.low_precision, self.characters = low_precision, characters

    def losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return what each symbol that came cost, in nats.

        Args:
            features: `[N, F]`.
            targets: Ids `[N]` int64.

        Returns:
            `[N]`.
        """
        raise NotImplementedError

    def answer(self, features: Tensor) -> Tensor:
        """Return the logarithm of the probability of every symbol.

        Args:
            features: `[..., F]`.

        Returns:
            `[..., V]`; the exponentials add up to 1.
        """
        raise NotImplementedError

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean cost.

        Args:
            outputs: What `losses` returned, `[N]`.
            batch: Not used: every cost counts alike.
        """
        return outputs.mean()

    def meter(self) -> LanguageMeter:
        """Return a new meter."""
        return LanguageMeter(characters=self.characters)


class LanguageHead(SymbolHead):
    """A softmax over all symbols, whose weights may be those of the embedding.

    Axis letters: N steps, F features, V symbols.

    p = softmax(W x + b); the loss of a step is -log p of the symbol that came. With tied weights
    (Inan et al. 2017; Press & Wolf 2017) W is the embedding's table, and F its size.

    Args:
        features: F.
        size: V.
        tied: The embedding that has the weights; None for weights of its own.
        low_precision: As of `SymbolHead`.
        characters: Likewise.

    Example:
        >>> head = LanguageHead(4, 9)
        >>> head.losses(torch.zeros(2, 4), torch.tensor([3, 8])).shape
        torch.Size([2])
    """

    def __init__(
        self,
        features: int,
        size: int,
        tied: nn.Embedding | None = None,
        *,
        low_precision: bool = False,
        characters: bool = False,
    ) -> None:
        super().__init__(low_precision=low_precision, characters=characters)
        # In a tuple it is no submodule: the shared weights belong to the embedding alone.
        self._tied = (tied,)
        if tied is None:
            self.weight = nn.Parameter(torch.empty(size, features).uniform_(-_SPREAD, _SPREAD))
        self.bias = nn.Parameter(torch.zeros(size))

    @property
    def table(self) -> Tensor:
        """W, `[V, F]`."""
        (tied,) = self._tied
        return self.weight if tied is None else tied.weight

    def losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return what each symbol that came cost, in nats: `[N, F]` and `[N]` to `[N]`."""
        return F.cross_entropy(self._scores(features), targets, reduction="none")

    def answer(self, features: Tensor) -> Tensor:
        """Return the logarithm of the probability of every symbol: `[..., F]` to `[..., V]`."""
        return torch.log_softmax(self._scores(features), -1)

    def _scores(self, features: Tensor) -> Tensor:
        low = self.low_precision and self.training
        with torch.autocast(features.device.type, torch.bfloat16, enabled=low):
            scores = F.linear(features, self.table, self.bias)
        return scores.float() if low else scores


class LanguageMeter:
    """Adds up what symbols cost over batches.

    Args:
        characters: Whether symbols are characters, so that bits per character are of use.

    Example:
        >>> meter = LanguageMeter(characters=True)
        >>> meter.update(torch.tensor([0.0, math.log(4)]), Batch(torch.zeros(1), torch.ones(1)))
        >>> {name: round(value, 6) for name, value in meter.result().items()}
        {'loss': 0.693147, 'perplexity': 2.0, 'bits_per_character': 1.0}
    """

    def __init__(self, *, characters: bool) -> None:
        self.characters = characters
        self.sums = torch.zeros(2, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch.

        Args:
            outputs: The cost of each symbol in nats, `[N]`.
            batch: Not used: every cost counts alike.
        """
        total = outputs.sum(dtype=torch.float64)
        self.sums += torch.stack([total.cpu(), torch.tensor(len(outputs), dtype=torch.float64)])

    def result(self) -> dict[str, float]:
        """Return `loss` in nats a symbol, `perplexity`, and perhaps `bits_per_character`."""
        loss = float(self.sums[0] / self.sums[1])
        found = {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}  # more would overflow
        return found | ({"bits_per_character": loss / math.log(2)} if self.characters else {})

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        return {"sums": self.sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums that `state` returned."""
        self.sums = state["sums"].cpu()
