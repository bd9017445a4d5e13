"""SequenceNetwork: the network of a sequence classifier or regressor."""

from __future__ import annotations

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.device import generator
from tidegate.heads import ClassifyHead, RegressHead
from tidegate.nn import Recurrent
from tidegate.nn.blocks.convolution import Convolution
from tidegate.nn.blocks.dropout import Dropout
from tidegate.nn.blocks.pooling import Pooling
from tidegate.training.network import InspectableNetwork


class SequenceNetwork(InspectableNetwork):
    """Convolutions, recurrent stack, pooling, dropout, head.

    Axis letters: B rows, T steps, D features, F features after the convolutions, C outputs.

    What the convolutions found is pooled beside what the stack made of it, as in LSTM-FCN (Karim
    et al. 2018): a shape that says it all need not be remembered.

    Args:
        front: What looks at neighbouring steps before the stack, or None.
        recurrent: The stack, `batch_first`.
        pooling: The pooling of its output and, where there is a front, of what it read.
        head: The head, for `pooling.output_size` features.
        dropout: Share of features dropped before the head in training.
        noise: Deviation of the noise added to the features in training.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> layer = recurrent_layer("gru", 2, 3, batch_first=True)
        >>> network = SequenceNetwork(None, layer, Pooling("mean", 3), RegressHead(3))
        >>> network(Batch(torch.zeros(1, 4, 2), torch.tensor([4]))).shape
        torch.Size([1, 1])
    """

    head: ClassifyHead | RegressHead
    recurrent: Recurrent

    def __init__(
        self,
        front: Convolution | None,
        recurrent: Recurrent,
        pooling: Pooling,
        head: ClassifyHead | RegressHead,
        *,
        dropout: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.front, self.recurrent, self.pooling, self.head = front, recurrent, pooling, head
        self.directions = 2 if recurrent.bidirectional else 1
        self.dropout, self.noise = Dropout(dropout), noise

    def embed(self, batch: Batch) -> Tensor:
        """Return what the recurrent stack reads, `[B, T, F]`."""
        values = batch.values
        if self.training and self.noise:
            drawn = torch.empty_like(values).normal_(generator=generator(values.device))
            values = values + self.noise * drawn * batch.mask[..., None]
        return values if self.front is None else self.front(values, batch.mask)

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the outputs `[B, C]` of rows whose steps have these vectors, `[B, T, F]`."""
        output, state = self.recurrent(vectors, lengths=batch.lengths)
        hidden = state[0] if isinstance(state, tuple) else state
        if self.front is not None:
            output = torch.cat([output, vectors], -1)
        features = self.pooling(output, batch.lengths, hidden[-self.directions :])
        outputs: Tensor = self.head(self.dropout(features))
        return outputs
