"""Small text networks to explain, and ragged batches for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.bag_of_ngrams import BagOfNgrams
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.text.network import TextNetwork

WORDS, GRAMS, CLASSES = 20, 9, 3


def text_net(
    cell: str = "lstm", pooling: str = "mean+max", *, wide: bool = False, **options: Any
) -> TextNetwork:
    """A network in float64 with weights large enough for its gates to move."""
    options = {"batch_first": True, "bidirectional": True} | options
    layer = recurrent_layer(cell, 5, 4, options.pop("num_layers", 1), **options)
    beside = BagOfNgrams(WORDS, GRAMS, CLASSES) if wide else None
    network = TextNetwork(
        Embedding(WORDS, 5, ngrams=GRAMS), layer, pooling, CLASSES, wide=beside, wide_weight=2.0
    )
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.7)
        network.embedding.words.weight[0] = 0
        if beside is not None:
            beside.ratios.normal_()
            beside.ratios[:2] = 0
    return network.double()


def ragged(lengths: tuple[int, ...] = (7, 3, 0, 1), seed: int = 0) -> Batch:
    """Random words with ids of 2- and 3-grams, some of them none."""
    generator = torch.Generator().manual_seed(seed)
    counts = torch.tensor(lengths)
    steps = max(1, int(counts.max()))
    ids = torch.randint(1, GRAMS, (len(lengths), steps, 3), generator=generator)
    ids[..., 0] = torch.randint(1, WORDS, ids.shape[:2], generator=generator)
    ids[..., 1:] *= torch.randint(0, 2, ids[..., 1:].shape, generator=generator)
    ids[torch.arange(steps) >= counts[:, None]] = 0
    return Batch(ids, counts)


class Polynomial(nn.Module):
    """F_c = sum_t a_tc v_t^2 + b_tc v_t over one feature: integrated by hand in a line."""

    def __init__(self, steps: int, outputs: int = 2) -> None:
        super().__init__()
        self.recurrent = recurrent_layer("gru", 1, 1, batch_first=True)  # it has to have one
        self.squares = nn.Parameter(torch.randn(steps, outputs, dtype=torch.float64))
        self.slopes = nn.Parameter(torch.randn(steps, outputs, dtype=torch.float64))

    def forward(self, batch: Batch) -> Tensor:
        return self.decide(self.embed(batch), batch)

    def embed(self, batch: Batch) -> Tensor:
        return batch.values

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        terms = vectors**2 * self.squares + vectors * self.slopes
        return (terms * batch.mask[..., None]).sum(1)

    def direct(self, batch: Batch) -> None:
        return None
