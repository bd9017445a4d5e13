"""Viterbi: the likeliest path through a chain of tags."""

from __future__ import annotations

import torch
from torch import Tensor

_AT_ONCE = 2**23  # numbers


def rows_at_once(tags: int) -> int:
    """How many rows to work on together: each has a number for every pair of tags at a step.

    Args:
        tags: K.

    Example:
        >>> rows_at_once(9), rows_at_once(1000), rows_at_once(10_000)
        (103563, 8, 1)
    """
    return max(1, _AT_ONCE // tags**2)


@torch.no_grad()
def viterbi(
    emissions: Tensor, lengths: Tensor, *, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """Find the row of tags with the highest score (Viterbi 1967; Rabiner 1989, section III.B).

    A row of tags y has the score start[y_1] + sum_t e_t[y_t] + sum_t transitions[y_{t-1}, y_t] +
    end[y_T]. The best way to each tag at a step goes on from the best way to some tag at the step
    before; from the best tag at the end these origins lead back.

    Axis letters: B rows, T steps, K tags.

    Args:
        emissions: e, the score of each tag at each step, `[B, T, K]`.
        lengths: Valid steps of each row, `[B]` int64, from 0 to T; what stands past them is not
            read.
        transitions: From the tag of the row to the tag of the column, `[K, K]`; minus infinity
            where there is no way. Of the type of `emissions`, as are the next two.
        start: Of each tag at the first step, `[K]`.
        end: Of each tag at the last step, `[K]`.

    Returns:
        `[B, T]` int64; 0 past a row's end. Of equal rows of tags any may come.

    Example:
        >>> none = torch.zeros(2)
        >>> stay = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> scores = torch.tensor([[[2.0, 0.0], [0.0, 0.5], [2.0, 0.0]]])
        >>> viterbi(scores, torch.tensor([3]), transitions=stay, start=none, end=none).tolist()
        [[0, 0, 0]]
    """
    rows, steps, count = emissions.shape
    if rows > (most := rows_at_once(count)):
        scores = {"transitions": transitions, "start": start, "end": end}
        parts = zip(emissions.split(most), lengths.split(most), strict=True)
        return torch.cat([viterbi(given, ends, **scores) for given, ends in parts])
    found = torch.zeros(rows, steps, dtype=torch.int64, device=emissions.device)
    if not steps:
        return found
    towards = transitions.T.contiguous()
    valid = torch.arange(steps, device=emissions.device) < lengths.to(emissions.device)[:, None]
    going = valid.T[..., None]
    given = emissions.transpose(0, 1).contiguous()
    stay = torch.arange(count, device=emissions.device).expand(rows, count)
    score, origins = given[0] + start, [stay]
    for step in range(1, steps):
        reached, origin = (score[:, None] + towards).max(2)
        # Past its end a row stands still, so that its best tag at the end is found below.
        score = torch.where(going[step], reached + given[step], score)
        origins.append(torch.where(going[step], origin, stay))
    tag = (score + end).argmax(1, keepdim=True)
    for step in range(steps - 1, -1, -1):
        found[:, step] = tag[:, 0]
        tag = origins[step].gather(1, tag)
    return found.masked_fill(~valid, 0)
