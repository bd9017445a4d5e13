"""One epoch of IMDb through a 2-layer bidirectional LSTM of 256 units: tidegate, plain PyTorch.

Both are the same model: vectors of 100 numbers, the LSTM over ragged rows, the mean over each
review's own steps, a linear layer, Adam. PyTorch packs its rows (`pack_padded_sequence`); it is
timed on a slice of the batches and scaled by the number of tokens.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import tidegate
from benchmarks.common import RESULTS, data_file, machine, parser, write
from benchmarks.suite.target import at_least
from tidegate.bench import BOUNDS, difference
from tidegate.data import EncodedTexts, TextEncoder, read_table
from tidegate.kernels.library import LIBRARY

VECTOR, HIDDEN, LAYERS = 100, 256, 2
TARGET = 30.0


@dataclass(frozen=True)
class Reviews:
    """The training reviews as ids and labels, cut into batches of random rows."""

    encoded: EncodedTexts
    labels: Tensor
    words: int
    batches: Sequence[np.ndarray]

    def batch(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ids `[B, T]`, lengths `[B]` and labels `[B]` of one batch."""
        rows = self.batches[index]
        made = self.encoded.batch(rows)
        assert made.lengths is not None
        # A review without a word is one unknown word: PyTorch packs no empty rows.
        return made.values, made.lengths.clamp(min=1), self.labels[rows]

    def tokens(self, indices: Sequence[int]) -> int:
        """Useful steps of some batches."""
        return sum(int(self.encoded.lengths[self.batches[index]].sum()) for index in indices)


class Model(nn.Module):
    """The model, around a layer that is tidegate's or torch.nn's."""

    def __init__(self, words: int, layer: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(words, VECTOR)
        self.layer = layer
        self.out = nn.Linear(2 * HIDDEN, 1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits `[B]`."""
        output = self._features(self.embedding(ids), lengths)
        # Steps past the end are zero in both.
        return self.out(output.sum(1) / lengths[:, None]).squeeze(1)

    def _features(self, x: Tensor, lengths: Tensor) -> Tensor:
        if isinstance(self.layer, tidegate.nn.LSTM):
            return self.layer(x, lengths=lengths)[0]
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.layer(packed)[0], batch_first=True)[0]


def read(folder: str | None, rows: int, batch_size: int, max_length: int) -> Reviews:
    """Read and encode the training part."""
    table = read_table(data_file("imdb.parquet", folder), columns=["text", "label", "split"])
    table = table[table["split"] == "train"].sample(frac=1, random_state=0)
    if rows:
        table = table.head(rows)
    encoder = TextEncoder(max_length=max_length, max_vocabulary=20_000)
    texts, labels = table["text"].tolist(), table["label"].astype(str)
    encoded = encoder.fit(texts).encode(texts)
    positive = torch.from_numpy((labels == labels.max()).to_numpy(np.float32))
    starts = range(0, len(texts), batch_size)
    batches = [np.arange(len(texts))[start : start + batch_size] for start in starts]
    return Reviews(encoded, positive, encoder.size, batches)


def trainer(model: Model, reviews: Reviews) -> Callable[[int], float]:
    """A function that trains on one batch and returns its seconds."""
    optimizer = torch.optim.Adam(model.parameters())

    def train(index: int) -> float:
        start = time.perf_counter()
        ids, lengths, labels = reviews.batch(index)
        loss = nn.functional.binary_cross_entropy_with_logits(model(ids, lengths), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - start

    return train


def check(ours: Model, theirs: Model, reviews: Reviews) -> dict[str, float]:
    """Compare logits and all gradients of the first batch.

    Raises:
        AssertionError: If they are further apart than the bounds of float32.
    """
    ids, lengths, labels = reviews.batch(0)
    found = []
    for model in (ours, theirs):
        logits = model(ids, lengths)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        found.append((logits, torch.autograd.grad(loss, list(model.parameters()))))
    far = {
        "output": difference(found[0][0], found[1][0]),
        "gradient": max(difference(a, b) for a, b in zip(found[0][1], found[1][1], strict=True)),
    }
    if far["output"] > BOUNDS[0] or far["gradient"] > BOUNDS[1]:
        raise AssertionError(f"the two models differ: {far}")
    return far


def measure(reviews: Reviews, slice_of: int, backend: str) -> dict[str, Any]:
    """Train an epoch of ours; of PyTorch's, a slice spread over it, in between."""
    torch.manual_seed(0)
    layer = nn.LSTM(VECTOR, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
    theirs = Model(reviews.words, layer)
    ours = Model(reviews.words, tidegate.nn.LSTM.from_torch(layer, backend=backend))
    far = check(ours, theirs, reviews)
    print(f"the same logits and gradients: {far}", flush=True)
    train_ours, train_theirs = trainer(ours, reviews), trainer(theirs, reviews)
    count = len(reviews.batches)
    slices = [int(index) for index in np.linspace(0, count - 1, min(slice_of, count))]
    seconds, torch_seconds = [], []
    for index in range(count):
        seconds.append(train_ours(index))
        if index in slices:
            torch_seconds.append(train_theirs(index))
            told = f"batch {index + 1} of {count}: tidegate {seconds[-1]:.2f} s"
            print(f"{told}, torch packed {torch_seconds[-1]:.2f} s", flush=True)
    tokens, sliced = reviews.tokens(range(count)), reviews.tokens(slices)
    return {
        "reviews": len(reviews.labels),
        "batches": count,
        "tokens": tokens,
        "differences": far,
        "epoch_seconds": round(sum(seconds), 2),
        "median_batch_seconds": round(statistics.median(seconds), 4),
        "torch_batches": len(slices),
        "torch_tokens": sliced,
        "torch_seconds": round(sum(torch_seconds), 2),
        "torch_epoch_seconds": round(sum(torch_seconds) * tokens / sliced, 1),
    }


def main(arguments: list[str]) -> None:
    """Print both epochs and their ratio; write results/imdb_epoch.json if it is a whole epoch."""
    options = parser(__doc__)
    options.set_defaults(out=None)
    options.add_argument("--rows", type=int, default=0, help="train on so many; default: all")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--max-length", type=int, default=400, help="tokens kept of a review")
    options.add_argument("--slice", type=int, default=5, help="PyTorch's batches, at least 1")
    chosen = options.parse_args(arguments)
    print(machine())
    reviews = read(chosen.data, chosen.rows, chosen.batch_size, chosen.max_length)
    backend = "native" if LIBRARY is not None else "auto"
    result = measure(reviews, chosen.slice, backend) | {"backend": backend}
    ratio = result["torch_epoch_seconds"] / result["epoch_seconds"]
    target = at_least("an epoch of IMDb against packed PyTorch", TARGET, ratio)
    print(f"tidegate {result['epoch_seconds']:,.0f} s an epoch, ", end="")
    print(f"PyTorch {result['torch_epoch_seconds']:,.0f} s")
    print(f"{target.what}: {target.measured}, {target.rule}, {target.verdict}")
    if chosen.out or not chosen.rows:
        write(chosen.out or RESULTS, "imdb_epoch", result | {"ratio": round(ratio, 2)})
