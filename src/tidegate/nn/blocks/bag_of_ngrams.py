"""BagOfNgrams: a linear model on which words and n-grams a text has, to stand beside a deep one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.device import dropout

Array = np.ndarray[Any, np.dtype[Any]]

_START = 0.05  # weight of every log-count ratio before training
_UNKNOWN = 1
_FEW = 64  # classes, up to which it is quicker not to look for words that rows have in common
_AT_ONCE = 2**20  # numbers of a table that are worked on together


class BagOfNgrams(nn.Module):
    """Scores classes by the distinct words and n-grams of a row, weighted by naive Bayes.

    Axis letters: B rows, T steps, N n-gram orders, G words and n-grams together, C classes.

    s_c = b_c + (C - 1) / C * sum_{g in the row} (v_gc + 0.05) r_gc, where r_gc is the log-count
    ratio log((1 + p_gc) / |1 + p_c|) - log((1 + q_gc) / |1 + q_c|) of the training rows with g
    that are (p) and are not (q) of class c (Wang & Manning 2012, eq. 2), and v and b are learned.
    The factor makes two opposite classes differ by once, not twice, the ratio.

    Args:
        size: Words, padding (id 0) and unknown (id 1) included.
        ngrams: Rows of the n-gram table, "none" (id 0) included; 0 for words alone.
        classes: C.
        dropout: Probability that a word or n-gram of a row is left out in training.

    Attributes:
        ratios: r, `[G, C]`; zero until `count` is called.

    Example:
        >>> wide = BagOfNgrams(5, 0, 2)
        >>> wide.count(np.array([2, 3, 4]), np.array([0, 2, 3]), np.array([0, 1]))
        >>> wide(torch.tensor([[2, 0]])).argmax().item()
        0
    """

    ratios: Tensor

    def __init__(self, size: int, ngrams: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.size, self.dropout = size, dropout
        self.register_buffer("ratios", torch.zeros(size + ngrams, classes))
        self.weights = nn.Embedding(size + ngrams, classes, padding_idx=0)
        nn.init.zeros_(self.weights.weight)
        self.bias = nn.Parameter(torch.zeros(classes))

    def count(self, ids: Array, offsets: Array, targets: Array) -> None:
        """Learn the log-count ratios from the training rows.

        Args:
            ids: All ids, row after row, `[steps]` or `[steps, N]` integers.
            offsets: Where each row starts, and the number of steps, `[rows + 1]`.
            targets: Class of each row, `[rows]`.
        """
        found = self._joined(ids.astype(np.int64).reshape(len(ids), -1))
        rows = np.repeat(np.arange(len(targets)), np.diff(offsets) * found.shape[1])
        total, classes = self.ratios.shape
        present = np.unique(found.ravel() * len(targets) + rows)
        words, labels = present // len(targets), targets[present % len(targets)]
        labels, words = labels[words > _UNKNOWN], words[words > _UNKNOWN]
        inside = total + np.bincount(labels, minlength=classes)
        outside = total + len(words) - np.bincount(labels, minlength=classes)
        # Word by word all classes are counted, in float64, which all words at once would fill.
        step = max(1, _AT_ONCE // classes)
        for first in range(0, total, step):
            block = self.ratios[first : first + step]
            span = slice(*np.searchsorted(words, (first, first + len(block))))
            pairs = (words[span] - first) * classes + labels[span]
            counts = np.bincount(pairs, minlength=block.numel()).reshape(block.shape)
            everywhere = counts.sum(1, keepdims=True)
            ratios = np.log((1.0 + counts) / inside) - np.log((1.0 + everywhere - counts) / outside)
            ratios[everywhere[:, 0] == 0] = 0
            block.copy_(torch.from_numpy(ratios))

    def forward(self, ids: Tensor) -> Tensor:
        """Score the classes of rows.

        Args:
            ids: Word ids `[B, T]`, or `[B, T, N]` with the words in column 0, int64.

        Returns:
            Scores before the softmax, `[B, C]`.
        """
        joined = self._joined(ids if ids.ndim == 3 else ids[..., None])
        present = joined.flatten(1).sort(1).values
        counts = torch.ones_like(present, dtype=self.bias.dtype)
        counts[:, 1:] = (present[:, 1:] != present[:, :-1]).to(counts.dtype)
        counts = dropout(counts, self.dropout, self.training)
        classes = len(self.bias)
        add_up = self._bags if classes > _FEW and present.numel() else self._spread
        scores = add_up(present, counts)
        total: Tensor = scores * (classes - 1) / classes + self.bias
        return total

    def contributions(self, ids: Tensor) -> Tensor:
        """Say what each step gives to the scores; with `bias` they add up to `forward(ids)`.

        What occurs several times in a row counts once: its share is spread evenly over its
        occurrences, and that of an n-gram over the words it spans. A word in front of the row,
        cut off because the text was too long, takes nothing.

        Args:
            ids: As for `forward`.

        Returns:
            `[B, T, C]`, as in evaluation mode.

        Example:
            >>> wide = BagOfNgrams(5, 0, 2)
            >>> wide.count(np.array([2, 3, 4]), np.array([0, 2, 3]), np.array([0, 1]))
            >>> wide.contributions(torch.tensor([[2, 0]])).shape
            torch.Size([1, 2, 2])
        """
        joined = self._joined(ids if ids.ndim == 3 else ids[..., None])
        classes = len(self.bias)
        scores = (self.weights(joined) + _START) * F.embedding(joined, self.ratios)
        scores = scores * (classes - 1) / classes / _occurrences(joined)[..., None]
        total: Tensor = scores[:, :, 0]
        steps = torch.arange(joined.shape[1], device=ids.device)
        for back in range(1, joined.shape[2]):
            share = scores[:, :, back] / (1 + steps.clamp(max=back))[:, None]
            # An n-gram stands where it ends.
            total = total + sum(F.pad(share[:, j:], (0, 0, 0, j)) for j in range(back + 1))
        return total

    def _spread(self, present: Tensor, counts: Tensor) -> Tensor:
        """Add up the scores of what is present, `[B, C]`, each laid out by itself."""
        scores = (self.weights(present) + _START) * F.embedding(present, self.ratios)
        total: Tensor = (scores * counts[..., None]).sum(1)
        return total

    def _bags(self, present: Tensor, counts: Tensor) -> Tensor:
        """The same up to rounding, without `[B, T N, C]` numbers, which many classes make many."""
        ids, places = present.unique(return_inverse=True)
        scores = (self.weights(ids) + _START) * F.embedding(ids, self.ratios)
        return F.embedding_bag(places, scores, mode="sum", per_sample_weights=counts)

    def _joined(self, ids: Any) -> Any:
        """Put word and n-gram ids into one range; padding and "none" are both 0."""
        joined = ids + self.size
        joined[..., 0] = ids[..., 0]
        joined[..., 1:] *= ids[..., 1:] != 0
        return joined


def _occurrences(ids: Tensor) -> Tensor:
    """How often each id stands in its row; `[B, ...]` like the ids."""
    rows = torch.arange(len(ids), device=ids.device).view(-1, *[1] * (ids.ndim - 1))
    pairs = rows * (1 + ids.max()) + ids if ids.numel() else ids
    _, index, counts = pairs.unique(return_inverse=True, return_counts=True)
    found: Tensor = counts[index]
    return found
