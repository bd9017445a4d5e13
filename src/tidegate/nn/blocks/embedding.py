"""Embedding: token ids to vectors, words plus the n-grams that end at them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.device import draw, dropout
from tidegate.errors import InputError, message

_UNKNOWN = 1
_SPREAD = 0.1  # standard deviation of new vectors: small beside the layer's gates at the start


class Embedding(nn.Module):
    """Looks up the vector of each word and adds those of the n-grams that end there.

    Axis letters: B rows, T steps, N n-gram orders, E features.

    e_t = w[x_t1] + sum_{n=2..N} g[x_tn], with two dropouts in training: whole tokens become
    unknown (or lose their n-grams), and features vanish from all steps of a row at once
    (Gal & Ghahramani 2016, section 4.2).

    Args:
        size: Words, padding (id 0) and unknown (id 1) included.
        features: E.
        ngrams: Rows of the n-gram table, "none" (id 0) included; 0 for words alone.
        word_dropout: Probability that a word becomes unknown in training.
        ngram_dropout: Probability that an n-gram is left out in training.
        dropout: Probability that a feature of a row is zero at all its steps in training.
        vectors: Pretrained word vectors `[size, E]` float, zeros where there is none, or None.
            Words without one start like those of a new table unless `freeze` is set.
        freeze: Whether the word vectors stay as they are.

    Raises:
        InputError: If `vectors` has another shape, or `freeze` is asked without them.

    Example:
        >>> layer = Embedding(5, 3, ngrams=4)
        >>> layer(torch.tensor([[[2, 0], [4, 3]]])).shape
        torch.Size([1, 2, 3])
    """

    def __init__(
        self,
        size: int,
        features: int,
        *,
        ngrams: int = 0,
        word_dropout: float = 0.0,
        ngram_dropout: float = 0.0,
        dropout: float = 0.0,
        vectors: Tensor | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__()
        if vectors is not None and tuple(vectors.shape) != (size, features):
            rule = f"of shape [size={size}, features={features}]"
            raise InputError(message("Embedding", "vectors", rule, list(vectors.shape)))
        self.word_dropout, self.ngram_dropout, self.dropout = word_dropout, ngram_dropout, dropout
        self.words = _table(size, features)
        self.ngrams = _table(ngrams, features) if ngrams else None
        with torch.no_grad():
            if vectors is not None:
                known = torch.ones(size, dtype=torch.bool) if freeze else vectors.any(1)
                self.words.weight[known] = vectors[known].to(self.words.weight)
                self.words.weight[0] = 0
        self.words.weight.requires_grad_(not freeze)

    @property
    def output_size(self) -> int:
        """E."""
        return self.words.embedding_dim

    def forward(self, ids: Tensor) -> Tensor:
        """Look up vectors.

        Args:
            ids: Word ids `[B, T]`, or `[B, T, N]` with the words in column 0, int64; padding is 0.

        Returns:
            `[B, T, E]`; zeros at padding.
        """
        words, grams = (ids, None) if ids.ndim == 2 else (ids[..., 0], ids[..., 1:])
        if self.training and self.word_dropout:
            gone = draw(words) < self.word_dropout
            words = words.masked_fill(gone & (words != 0), _UNKNOWN)
        vectors: Tensor = self.words(words)
        if self.ngrams is not None and grams is not None:
            vectors = vectors + self._sum(self.ngrams.weight, grams)
        if self.training and self.dropout:
            ones = vectors.new_ones(len(vectors), 1, vectors.shape[-1])
            vectors = vectors * dropout(ones, self.dropout)
        return vectors

    def _sum(self, table: Tensor, grams: Tensor) -> Tensor:
        """Add up the vectors of the n-grams at each step, without keeping them apart in memory."""
        if self.training and self.ngram_dropout:
            gone = draw(grams) < self.ngram_dropout
            grams = grams.masked_fill(gone, 0)
        flat = F.embedding_bag(grams.flatten(0, 1), table, mode="sum", padding_idx=0)
        return flat.view(*grams.shape[:2], -1)


def _table(size: int, features: int) -> nn.Embedding:
    table = nn.Embedding(size, features, padding_idx=0)
    with torch.no_grad():
        table.weight.normal_(0, _SPREAD)
        table.weight[0] = 0
    return table
