"""TfidfLine: logistic regression on the tf-idf of words and n-grams, as a block of a network."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from torch import Tensor, nn
from torch.nn import functional as F

Array = np.ndarray[Any, np.dtype[Any]]

_UNKNOWN = 1
# The strengths that cross-validation chooses from, and the rows and folds it does it with.
_STRENGTHS, _JUDGED, _FOLDS = (1.0, 10.0, 100.0), 1_000, 3
_STRENGTH = 10.0  # where there is too little to choose by
_STEPS, _TRIED_STEPS = 200, 50  # of the solver, and where it only tries
_ABSENT = 5.0  # how far below the others a class without any row begins


class TfidfLine(nn.Module):
    """Scores classes by the words and n-grams of a row; solved for, not trained.

    Axis letters: B rows, T steps, N n-gram orders, G words and n-grams together, C classes.

    s = b + W x / |x|, x_g = (1 + ln n_g) (1 + ln((1 + R) / (1 + R_g))): g is n_g times in the row
    and in R_g of the R training rows (scikit-learn's `TfidfTransformer`, sublinear). W and b are
    those of its logistic regression. Unknown words count for nothing.

    Args:
        size: Words, padding (id 0) and unknown (id 1) included.
        ngrams: Rows of the n-gram table, "none" (id 0) included; 0 for words alone.
        classes: C.

    Attributes:
        weights: W, `[G, C]`; zero until `solve` is called.
        rarity: The second factor of x, `[G]`.
        bias: b, `[C]`.

    Example:
        >>> line = TfidfLine(5, 0, 2)
        >>> ids, offsets = np.array([2, 3, 4, 2, 4, 3]), np.array([0, 2, 3, 4, 6])
        >>> line.solve(ids, offsets, np.array([0, 1, 0, 1]))
        >>> line(torch.tensor([[2, 0]])).argmax().item()
        0
    """

    weights: Tensor
    rarity: Tensor
    bias: Tensor

    def __init__(self, size: int, ngrams: int, classes: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("weights", torch.zeros(size + ngrams, classes))
        self.register_buffer("rarity", torch.zeros(size + ngrams))
        self.register_buffer("bias", torch.zeros(classes))

    def solve(
        self, ids: Array, offsets: Array, targets: Array, counts: Array | None = None
    ) -> None:
        """Solve for the rows of a training set; how strongly it may lean is cross-validated.

        Args:
            ids: All ids, row after row, `[steps]` or `[steps, N]` integers.
            offsets: Where each row starts, and the number of steps, `[rows + 1]`.
            targets: Class of each row, `[rows]`.
            counts: How much each row counts, `[rows]`; default 1.
        """
        joined = self._joined(torch.from_numpy(ids.astype(np.int64).reshape(len(ids), -1))).numpy()
        starts = offsets * joined.shape[1]
        table = csr_array(
            (np.ones(joined.size), joined.ravel(), starts), shape=(len(targets), len(self.rarity))
        )
        table.sum_duplicates()
        table = table[:, _UNKNOWN + 1 :]
        scaler = TfidfTransformer(sublinear_tf=True).fit(table)
        found = scaler.transform(table)
        present = np.unique(targets)
        if len(present) < 2:
            return
        with warnings.catch_warnings():
            # Steps that are still small at the end change no answer.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=_strength(found, targets), max_iter=_STEPS)
            model.fit(found, targets, counts)
        weights, bias = model.coef_, model.intercept_
        if len(present) == 2:  # one column of scores says both
            weights, bias = np.vstack([-weights, weights]) / 2, np.append(-bias, bias) / 2
        at = torch.from_numpy(present.astype(np.int64))
        self.rarity[_UNKNOWN + 1 :] = torch.from_numpy(scaler.idf_).float()
        self.weights[_UNKNOWN + 1 :, at] = torch.from_numpy(weights.T).float()
        self.bias.fill_(float(bias.min()) - _ABSENT)
        self.bias[at] = torch.from_numpy(bias).float()

    def forward(self, ids: Tensor) -> Tensor:
        """Score the classes of rows.

        Args:
            ids: Word ids `[B, T]`, or `[B, T, N]` with the words in column 0, int64.

        Returns:
            Scores before the softmax, `[B, C]`.
        """
        joined = self._joined(ids if ids.ndim == 3 else ids[..., None]).flatten(1)
        if not joined.numel():
            return self.bias.expand(len(joined), -1)
        shares = self._shares(joined)
        total = F.embedding_bag(joined, self.weights, mode="sum", per_sample_weights=shares)
        return total + self.bias

    def contributions(self, ids: Tensor) -> Tensor:
        """Say what each step gives to the scores; with `bias` they add up to `forward(ids)`.

        What an n-gram gives is spread evenly over the words it spans.

        Args:
            ids: As for `forward`.

        Returns:
            `[B, T, C]`.
        """
        joined = self._joined(ids if ids.ndim == 3 else ids[..., None])
        shares = self._shares(joined.flatten(1)).view(joined.shape)
        scores = F.embedding(joined, self.weights) * shares[..., None]
        total: Tensor = scores[:, :, 0]
        steps = torch.arange(joined.shape[1], device=ids.device)
        for back in range(1, joined.shape[2]):
            share = scores[:, :, back] / (1 + steps.clamp(max=back))[:, None]
            # An n-gram stands where it ends.
            total = total + sum(F.pad(share[:, j:], (0, 0, 0, j)) for j in range(back + 1))
        return total

    def _shares(self, joined: Tensor) -> Tensor:
        """What each place of a row is of x / |x|, `[B, T N]`: words that recur share evenly."""
        number = joined.sort(1)
        same = torch.zeros_like(joined)
        same[:, 1:] = (number.values[:, 1:] != number.values[:, :-1]).cumsum(1)
        counts = torch.zeros_like(joined).scatter_add_(1, same, torch.ones_like(joined))
        counts = torch.zeros_like(joined).scatter_(1, number.indices, counts.gather(1, same))
        weight = F.embedding(joined, self.rarity[:, None])[..., 0] * (1 + counts.log())
        norm = (weight.square() / counts).sum(1, keepdim=True).sqrt()
        shares: Tensor = weight / counts / norm.clamp(min=1e-12)
        return shares

    def _joined(self, ids: Tensor) -> Tensor:
        """Put word and n-gram ids into one range; padding and "none" are both 0."""
        joined = ids + self.size
        joined[..., 0] = ids[..., 0]
        joined[..., 1:] *= ids[..., 1:] != 0
        return joined


def _strength(table: csr_array, targets: Array) -> float:
    """Choose scikit-learn's C by cross-validation on some of the rows."""
    some = np.linspace(0, len(targets) - 1, min(len(targets), _JUDGED)).astype(int)
    table, targets = table[some], targets[some]
    kept = np.isin(targets, np.flatnonzero(np.bincount(targets) >= _FOLDS))
    table, targets = table[kept], targets[kept]
    table = table[:, np.unique(table.indices)]  # what no row has only takes time
    if len(np.unique(targets)) < 2:
        return _STRENGTH
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    losses = []
    for tried in _STRENGTHS:
        model = LogisticRegression(C=tried, max_iter=_TRIED_STEPS, tol=1e-3)
        found = cross_val_score(model, table, targets, cv=folds, scoring="neg_log_loss")
        losses.append(found.mean())
    return _STRENGTHS[int(np.argmax(losses))]
