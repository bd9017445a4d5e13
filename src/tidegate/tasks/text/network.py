"""TextNetwork: the network of a text classifier."""

from __future__ import annotations

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.heads import ClassifyHead
from tidegate.nn import Recurrent
from tidegate.nn.blocks.adversarial import worst_change
from tidegate.nn.blocks.bag_of_ngrams import BagOfNgrams
from tidegate.nn.blocks.dropout import Dropout
from tidegate.nn.blocks.embedding import Embedding
from tidegate.nn.blocks.pooling import Pooling
from tidegate.nn.blocks.tfidf_line import TfidfLine
from tidegate.training.network import InspectableNetwork, ParameterGroups

_SHARE = 0.5  # of the network beside the line, until `settle` says otherwise


class TextNetwork(InspectableNetwork):
    """Embedding, recurrent stack, pooling, dropout, head; and perhaps a wide part beside them.

    Args:
        embedding: Ids to vectors.
        recurrent: The stack, `batch_first`.
        pooling: One of `nn.pooling.POOLINGS`.
        classes: C.
        dropout: Share of features dropped before the head in training.
        label_smoothing: That of the head.
        wide: The wide part, or None.
        wide_weight: How much its scores count beside the head's.
        wide_learning_rate: The largest step size of its weights.
        adversarial: Length of the change of the vectors that is learned from besides, as a
            multiple of their spread; see `nn.adversarial.worst_change`. 0 for none.
        line: A linear model that is solved for, or None. The scores are then a mean of its own and
            those of the rest, which learns by itself.

    Attributes:
        share: With a line, how much the rest counts in that mean, from 0 to 1.

    Example:
        >>> import torch
        >>> from tidegate.nn import recurrent_layer
        >>> layer = recurrent_layer("gru", 4, 3, batch_first=True)
        >>> network = TextNetwork(Embedding(9, 4), layer, "mean", 2)
        >>> network(Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))).shape
        torch.Size([1, 2])
    """

    head: ClassifyHead
    recurrent: Recurrent
    share: Tensor

    def __init__(
        self,
        embedding: Embedding,
        recurrent: Recurrent,
        pooling: str,
        classes: int,
        *,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        wide: BagOfNgrams | None = None,
        wide_weight: float = 1.0,
        wide_learning_rate: float = 1e-3,
        adversarial: float = 0.0,
        line: TfidfLine | None = None,
    ) -> None:
        super().__init__()
        self.embedding, self.recurrent = embedding, recurrent
        self.directions = 2 if recurrent.bidirectional else 1
        final = self.directions * recurrent.cell.output_size
        self.pooling = Pooling(pooling, recurrent.output_size, final)
        self.dropout = Dropout(dropout)
        self.head = ClassifyHead(self.pooling.output_size, classes, label_smoothing=label_smoothing)
        self.wide, self.wide_weight, self.wide_rate = wide, wide_weight, wide_learning_rate
        self.adversarial = adversarial
        self.line = line
        if line is not None:
            self.register_buffer("share", torch.tensor(_SHARE))

    def embed(self, batch: Batch) -> Tensor:
        """Return the vectors that the recurrent stack reads, `[B, T, D]`."""
        vectors: Tensor = self.embedding(batch.values)
        return vectors

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Score the classes, `[B, C]`, of rows whose words have these vectors, `[B, T, D]`."""
        scores = self._deep(vectors, batch)
        if self.wide is not None:
            scores = scores + self.wide_weight * self.wide(batch.values)
        return self._beside_line(scores, batch)

    def _beside_line(self, scores: Tensor, batch: Batch) -> Tensor:
        if self.line is None:
            return scores
        return torch.lerp(self.line(batch.values), scores, self.share)

    def direct(self, batch: Batch) -> Tensor | None:
        """Return what each word adds to the scores past the stack, `[B, T, C]`, if anything."""
        if self.wide is None:
            return None
        given: Tensor = self.wide_weight * self.wide.contributions(batch.values)
        if self.line is None:
            return given
        return torch.lerp(self.line.contributions(batch.values), given, self.share)

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return loss and scores; deep and wide part learn apart, or one would do all the work."""
        vectors = self.embed(batch)
        if self.adversarial:
            vectors.requires_grad_()  # frozen ones do not by themselves
        deep = self._deep(vectors, batch)
        loss = self.head.loss(deep, batch)
        if self.adversarial:
            change = worst_change(loss, vectors, batch.lengths, self.adversarial)
            loss = loss + self.head.loss(self._deep(vectors + change, batch), batch)
        if self.wide is None:
            return loss, deep
        wide = self.wide(batch.values)
        # A linear model needs no smoothing: it is held back by its dropout.
        loss = loss + self.head.loss(wide, batch, label_smoothing=0.0)
        return loss, self._beside_line(deep + self.wide_weight * wide, batch)

    def _deep(self, vectors: Tensor, batch: Batch) -> Tensor:
        output, state = self.recurrent(vectors, lengths=batch.lengths)
        hidden = state[0] if isinstance(state, tuple) else state
        features = self.pooling(output, batch.lengths, hidden[-self.directions :])
        scores: Tensor = self.head(self.dropout(features))
        return scores

    def groups(self, learning_rate: float, weight_decay: float) -> ParameterGroups:
        """Give the wide part its own learning rate."""
        groups = super().groups(learning_rate, weight_decay)
        if self.wide is None:
            return groups
        beside = list(self.wide.parameters())
        names = {id(parameter) for parameter in beside}
        for group in groups:
            group["params"] = [p for p in group["params"] if id(p) not in names]
        rest = {"lr": self.wide_rate, "weight_decay": 0.0, "clip": False}
        return [*groups, {"params": beside, **rest}]
