"""Adversarial: the small change of the inputs that would hurt a network most."""

from __future__ import annotations

import torch
from torch import Tensor


def worst_change(loss: Tensor, vectors: Tensor, lengths: Tensor, size: float) -> Tensor:
    """Return the change of each row's vectors, of a given length, that raises a loss fastest.

    Axis letters: B rows, T steps, D features.

    r = size * s * g / |g|, where g is the gradient of the loss by all vectors of a row and s the
    root of their mean square over the batch (Miyato, Dai & Goodfellow 2017, eq. 4; there vectors
    are normalised to s = 1).

    Args:
        loss: What depends on the vectors; its graph is kept.
        vectors: `[B, T, D]`, requiring gradients; zeros past a row's end.
        lengths: Valid steps of each row, `[B]` int64.
        size: The length of the change, as a multiple of s.

    Returns:
        `[B, T, D]`, a constant to autograd; zeros where the loss does not depend on a row.

    Example:
        >>> vectors = torch.tensor([[[1.0, 1.0]]], requires_grad=True)
        >>> worst_change((3 * vectors[..., 0]).sum(), vectors, torch.tensor([1]), 0.5)
        tensor([[[0.5000, 0.0000]]])
    """
    (gradient,) = torch.autograd.grad(loss, vectors, retain_graph=True)
    count = (lengths.sum() * vectors.shape[-1]).clamp(min=1)
    spread = vectors.detach().norm() / count.sqrt()
    norms = gradient.flatten(1).norm(dim=1)[:, None, None]
    # A row without a step, or one whose loss is flat, has no direction.
    return torch.where(norms > 0, size * spread * gradient / norms, 0.0)
