"""TaggerNetwork: the network of a tagger."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.tags.encoded import TagBatch
from tidegate.data.text.encoded import UNKNOWN
from tidegate.device import draw, dropout
from tidegate.heads import TagHead
from tidegate.nn import Recurrent
from tidegate.nn.blocks.characters import Characters
from tidegate.nn.blocks.embedding import Embedding
from tidegate.training.network import InspectableNetwork


class TaggerNetwork(InspectableNetwork):
    """A vector for each word and its spelling, recurrent stack, head (Lample et al. 2016).

    The vector of a word is the sum of its own, and of those of its affixes and its shape, the
    spelling features of Huang et al. 2015; beside it stands what a layer made of its characters.

    Features vanish in training from all steps of a row at once (Gal & Ghahramani 2016), before the
    stack and after it; and words become unknown, rare ones more often: one that occurs n times with
    probability a / (a + n) (Kiperwasser & Goldberg 2016, section 6.1).

    Args:
        embedding: Ids of words to vectors.
        characters: The words' spelling to vectors, or None.
        recurrent: The stack, `batch_first`.
        head: Features of each step to scores of tags.
        dropout: Probability that a feature of a row is zero at all its steps in training.
        rare_words: a, 0 for none.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> layer = recurrent_layer("gru", 4, 3, batch_first=True)
        >>> head = TagHead(3, ["O", "X"], spans=False)
        >>> network = TaggerNetwork(Embedding(9, 4), None, layer, head)
        >>> network(TagBatch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))).shape
        torch.Size([1, 3, 2])
    """

    head: TagHead
    recurrent: Recurrent
    gone: Tensor

    def __init__(
        self,
        embedding: Embedding,
        characters: Characters | None,
        recurrent: Recurrent,
        head: TagHead,
        *,
        dropout: float = 0.0,
        rare_words: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding, self.characters = embedding, characters
        self.recurrent, self.head = recurrent, head
        self.dropout, self.rare_words = dropout, rare_words
        # Not persistent: it belongs to the training data, a saved model does not need it.
        self.register_buffer("gone", torch.zeros(0), persistent=False)

    def count(self, words: Tensor) -> None:
        """Tell how often each word occurs in the training rows.

        Args:
            words: The ids of all of them, int64.
        """
        counts = torch.bincount(words, minlength=len(self.embedding.words.weight))
        self.gone = self.rare_words / (self.rare_words + counts)

    def embed(self, batch: Batch) -> Tensor:
        """Return the vectors that the recurrent stack reads, `[B, T, D]`."""
        vectors: Tensor = self.embedding(self._forget(batch.values))
        if self.characters is not None:
            batch = cast(TagBatch, batch)
            spelled = self.characters(batch.characters, batch.character_lengths)
            vectors = torch.cat([vectors, spelled[batch.spelled]], -1)
        return self._drop(vectors)

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Score the tags, `[B, T, K]`, of rows whose words have these vectors, `[B, T, D]`."""
        output, _ = self.recurrent(vectors, lengths=batch.lengths)
        scores: Tensor = self.head(self._drop(output))
        return scores

    def _forget(self, ids: Tensor) -> Tensor:
        """Make rare words unknown in training; their affixes, which many share, stay."""
        if not self.training or not self.rare_words:
            return ids
        words = ids if ids.ndim == 2 else ids[..., 0]
        gone = (draw(words) < self.gone[words]) & (words != 0)
        unknown = words.masked_fill(gone, UNKNOWN)
        return unknown if ids.ndim == 2 else torch.cat([unknown[..., None], ids[..., 1:]], -1)

    def _drop(self, features: Tensor) -> Tensor:
        if not self.training or not self.dropout:
            return features
        return features * dropout(
            features.new_ones(len(features), 1, features.shape[2]), self.dropout
        )
