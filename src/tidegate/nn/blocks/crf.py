"""LinearChainCRF: the probability of whole rows of tags, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from tidegate.decode.viterbi import rows_at_once, viterbi
from tidegate.errors import InputError, message

# Forward scores, log Z, and a weight for each row.
_Counted: TypeAlias = tuple[Tensor, Tensor, Tensor]


class LinearChainCRF(nn.Module):
    """A linear-chain conditional random field over rows of any lengths.

    Axis letters: B rows, T steps, K tags. The index K stands for the edge of a row.

    A row of tags has the score s(y) = sum_t e_t[y_t] + sum_t w[y_{t-1}, y_t], where y_0 and y_{T+1}
    are the edge, and the probability exp(s(y) - log Z), log Z = log sum_y exp s(y) over all rows of
    tags (Lafferty et al. 2001; Lample et al. 2016, section 2.2). The forward algorithm computes
    log Z, the forward-backward algorithm its derivatives, the Viterbi algorithm the best row
    (Rabiner 1989, section III), all in logarithms.

    A transition that is not allowed has probability 0. An empty row has one row of tags, of
    probability 1.

    Args:
        tags: K.
        allowed: Which transitions there may be, `[K + 1, K + 1]` bool: from the tag of the row to
            the tag of the column, row K from the start, column K to the end; None for all.

    Raises:
        InputError: If `allowed` has another shape.

    Attributes:
        weight: w, `[K + 1, K + 1]`; zeros at first.

    Example:
        >>> crf = LinearChainCRF(2)
        >>> lengths = torch.tensor([3, 0])
        >>> crf.log_partition(torch.zeros(2, 3, 2), lengths).exp().tolist()
        [8.0, 1.0]
        >>> crf.decode(torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]), torch.tensor([2]))
        tensor([[0, 1]])
    """

    allowed: Tensor | None

    def __init__(self, tags: int, *, allowed: Tensor | None = None) -> None:
        super().__init__()
        if allowed is not None and tuple(allowed.shape) != (tags + 1, tags + 1):
            rule = f"of shape [tags + 1, tags + 1], {[tags + 1] * 2}"
            raise InputError(message("LinearChainCRF", "allowed", rule, list(allowed.shape)))
        self.tags = tags
        self.weight = nn.Parameter(torch.zeros(tags + 1, tags + 1))
        # Not persistent: it follows from what the tags mean.
        self.register_buffer("allowed", allowed, persistent=False)

    @property
    def scores(self) -> Tensor:
        """W with minus infinity where no transition is allowed, `[K + 1, K + 1]`."""
        if self.allowed is None:
            return self.weight
        return self.weight.masked_fill(~self.allowed, -torch.inf)

    def log_likelihood(self, emissions: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """Return the logarithm of the probability of rows of tags.

        Args:
            emissions: e, `[B, T, K]` float32 or float64.
            lengths: Valid steps of each row, `[B]` int64, from 0 to T.
            tags: `[B, T]` int64; what stands past a row's end is not read.

        Returns:
            `[B]`; minus infinity where a transition is not allowed.
        """
        double, weight = self._as_double(emissions, lengths)
        score = _path_score(double, weight, lengths, tags)
        return (score - _log_partition(double, weight, lengths)).to(emissions)

    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return log Z of each row, `[B]`; arguments as for `log_likelihood`."""
        return _log_partition(*self._as_double(emissions, lengths), lengths).to(emissions)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the probability of each tag at each step.

        Args:
            emissions: As for `log_likelihood`.
            lengths: Likewise.

        Returns:
            `[B, T, K]`; each valid step adds up to 1, steps past the end are 0.
        """
        double, weight = self._as_double(emissions, lengths)
        ahead = _ahead(double, weight, lengths)
        behind, _ = _behind(double, weight, lengths)
        return _unary(ahead, behind, _total(ahead, weight, lengths), lengths).to(emissions)

    @torch.no_grad()
    def span_log_probabilities(
        self,
        emissions: Tensor,
        lengths: Tensor,
        tags: Tensor,
        spans: tuple[Tensor, Tensor, Tensor],
    ) -> Tensor:
        """Return the logarithm of the probability that all tags of a span are as given.

        Whatever comes before and after is summed over, so it is at least the probability of the
        whole row, and that of one step is its marginal.

        Args:
            emissions: As for `log_likelihood`.
            lengths: Likewise.
            tags: `[B, T]` int64.
            spans: The row, the first and the last step of each span, three times `[S]` int64.

        Returns:
            `[S]`.
        """
        rows, first, last = spans
        double, weight = self._as_double(emissions, lengths)
        ahead = _ahead(double, weight, lengths)
        behind, _ = _behind(double, weight, lengths)
        steps = double.gather(2, tags[..., None])[..., 0]
        steps[:, 1:] += weight[tags[:, :-1], tags[:, 1:]]
        barred = steps.isinf()
        path, bars = steps.masked_fill(barred, 0.0).cumsum(1), barred.cumsum(1)
        total = _total(ahead, weight, lengths)[rows]
        before = ahead[first, rows, tags[rows, first]] - path[rows, first]
        after = behind[last, rows, tags[rows, last]] + path[rows, last]
        found = (before + after - total).masked_fill(
            bars[rows, last] > bars[rows, first], -torch.inf
        )
        return found.to(emissions)

    def decode(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Find the most probable row of tags by the Viterbi algorithm.

        Args:
            emissions: As for `log_likelihood`.
            lengths: Likewise.

        Returns:
            `[B, T]` int64; 0 past a row's end. Of equal rows any may come.
        """
        double, weight = self._as_double(emissions, lengths)
        count = self.tags
        return viterbi(
            double,
            lengths,
            transitions=weight[:count, :count],
            start=weight[count, :count],
            end=weight[:count, count],
        )

    def _as_double(self, emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Emissions without what stands past a row's end, and w, both of float64.

        Sums over a thousand steps would lose digits in float32; MPS has nothing wider.
        """
        masked = emissions.masked_fill(~_valid(emissions, lengths).transpose(0, 1), 0.0)
        double = masked.float() if emissions.device.type == "mps" else masked.double()
        return double, self.scores.to(double)

    def extra_repr(self) -> str:
        """The number of tags, for `print`."""
        return f"tags={self.tags}"


class _LogPartition(torch.autograd.Function):
    """log Z, whose derivatives are the expected counts of tags and transitions."""

    @staticmethod
    def forward(ctx: Any, emissions: Tensor, weight: Tensor, lengths: Tensor) -> Tensor:
        ahead = _ahead(emissions, weight, lengths)
        total = _total(ahead, weight, lengths)
        ctx.save_for_backward(emissions, weight, lengths, ahead, total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        emissions, weight, lengths, ahead, total = ctx.saved_tensors
        (grad,) = grads
        behind, moves = _behind(emissions, weight, lengths, (ahead, total, grad))
        unary = _unary(ahead, behind, total, lengths)
        count = emissions.shape[2]
        some = (lengths > 0).to(grad) * grad
        counts = torch.zeros_like(weight)
        counts[:count, :count] = moves
        if emissions.shape[1]:
            final = unary.gather(1, (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, count))
            counts[count, :count] = some @ unary[:, 0]
            counts[:count, count] = some @ final[:, 0]
        return unary * grad[:, None, None], counts, None


def _log_partition(emissions: Tensor, weight: Tensor, lengths: Tensor) -> Tensor:
    apply: Callable[..., Tensor] = _LogPartition.apply
    return apply(emissions, weight, lengths)


def _path_score(emissions: Tensor, weight: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
    """The score of given tags, `[B]`."""
    rows, steps, edge = emissions.shape
    inside = torch.arange(steps, device=lengths.device) < lengths[:, None]
    path = tags.new_full((rows, steps + 2), edge)
    path[:, 1:-1] = tags.masked_fill(~inside, edge)
    # Past the end a row only goes from edge to edge, which is no step of it.
    moves = weight[path[:, :-1], path[:, 1:]].masked_fill(_idle(lengths, steps), 0.0)
    given = emissions.gather(2, tags.masked_fill(~inside, 0)[..., None])[..., 0]
    return moves.sum(1) + given.masked_fill(~inside, 0.0).sum(1)


def _valid(emissions: Tensor, lengths: Tensor) -> Tensor:
    """Which steps a row has, `[T, B, 1]` bool."""
    steps = torch.arange(emissions.shape[1], device=emissions.device)
    return (steps[:, None] < lengths.to(emissions.device))[..., None]


def _idle(lengths: Tensor, steps: int) -> Tensor:
    """Which of the T + 1 moves, from edge to edge, a row does not have, `[B, T + 1]` bool."""
    moves = torch.arange(steps + 1, device=lengths.device)
    return (moves > lengths[:, None]) | (lengths[:, None] == 0)


def _ahead(emissions: Tensor, weight: Tensor, lengths: Tensor) -> Tensor:
    """The forward scores, `[T, B, K]`: all ways to reach a tag; past the end they stay."""
    count = emissions.shape[2]
    if len(lengths) > (most := rows_at_once(count)):
        rows = zip(emissions.split(most), lengths.split(most), strict=True)
        return torch.cat([_ahead(given, weight, ends) for given, ends in rows], 1)
    towards = weight[:count, :count].T.contiguous()
    valid, steps = _valid(emissions, lengths), emissions.transpose(0, 1)
    found = torch.empty_like(steps, memory_format=torch.contiguous_format)
    if len(steps):
        found[0] = steps[0] + weight[count, :count]
    for step in range(1, len(steps)):
        reached = torch.logsumexp(found[step - 1][:, None] + towards, 2) + steps[step]
        torch.where(valid[step], reached, found[step - 1], out=found[step])
    return found


def _total(ahead: Tensor, weight: Tensor, lengths: Tensor) -> Tensor:
    """Log Z from the forward scores, `[B]`."""
    if not len(ahead):
        return ahead.new_zeros(len(lengths))
    total = torch.logsumexp(ahead[-1] + weight[: ahead.shape[2], ahead.shape[2]], 1)
    return total.masked_fill(lengths.to(total.device) == 0, 0.0)


def _behind(
    emissions: Tensor,
    weight: Tensor,
    lengths: Tensor,
    counted: _Counted | None = None,
) -> tuple[Tensor, Tensor]:
    """The backward scores, `[T, B, K]`: all ways from a tag to the end.

    With the forward scores, log Z and a weight for each row it also adds up the expected
    transitions, `[K, K]`.
    """
    count = emissions.shape[2]
    if len(lengths) > (most := rows_at_once(count)):
        return _behind_by_rows(emissions, weight, lengths, counted, most)
    between, end = weight[:count, :count], weight[:count, count]
    valid, steps = _valid(emissions, lengths), emissions.transpose(0, 1)
    found = end.expand(len(steps), len(lengths), count).clone()
    moves = torch.zeros_like(between)
    for step in range(len(steps) - 1, 0, -1):
        ways = between + (steps[step] + found[step])[:, None]
        found[step - 1] = torch.where(valid[step], torch.logsumexp(ways, 2), end)
        if counted is not None:
            ahead, total, grad = counted
            shares = (ways + (ahead[step - 1] - total[:, None])[..., None]).exp_()
            moves += torch.tensordot(grad * valid[step, :, 0], shares, 1)
    return found, moves


def _behind_by_rows(
    emissions: Tensor,
    weight: Tensor,
    lengths: Tensor,
    counted: _Counted | None,
    most: int,
) -> tuple[Tensor, Tensor]:
    """What `_behind` returns, worked out for so many rows at a time."""
    rows = [slice(first, first + most) for first in range(0, len(lengths), most)]
    parts = [
        _behind(emissions[part], weight, lengths[part], counted and _of_rows(*counted, part))
        for part in rows
    ]
    found, moves = zip(*parts, strict=True)
    return torch.cat(found, 1), torch.stack(moves).sum(0)


def _of_rows(ahead: Tensor, total: Tensor, grad: Tensor, rows: slice) -> _Counted:
    return ahead[:, rows], total[rows], grad[rows]


def _unary(ahead: Tensor, behind: Tensor, total: Tensor, lengths: Tensor) -> Tensor:
    """The probability of each tag at each step, `[B, T, K]`, from forward and backward scores."""
    shares = (ahead + behind - total[:, None]).exp_()
    steps = torch.arange(len(ahead), device=ahead.device)
    return shares.masked_fill_((steps[:, None] >= lengths)[..., None], 0.0).transpose(0, 1)
