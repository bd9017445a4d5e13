"""Distributions: what a forecast can say of a value, from one number to a whole distribution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]

# The smallest deviation, in units of the normalised series: a likelihood has no bound without one.
_LEAST = 1e-4


class Distribution(ABC):
    """What the last axis of a forecast means: its P parameters.

    Attributes:
        parameters: P.
        degree: The loss grows with this power of the unit of the data: 2 for squares, 0 for
            likelihoods, which only shift.
    """

    parameters: int
    degree: int = 0

    @abstractmethod
    def constrain(self, raw: Tensor) -> Tensor:
        """Turn any numbers `[..., P]` into parameters that are allowed, `[..., P]`."""

    @abstractmethod
    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Return the parameters of location + scale * y for those of y.

        Args:
            parameters: `[..., P]`.
            location: `[...]`, or what broadcasts to it.
            scale: Likewise, greater than 0.
        """

    @abstractmethod
    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each value, `[...]`, for parameters `[..., P]` and true `[...]`."""

    @abstractmethod
    def mean(self, parameters: Tensor) -> Tensor:
        """Return the forecast as one number, `[...]`."""

    @abstractmethod
    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Return the values below which y stays with these probabilities, `[..., levels]`.

        Raises:
            InputError: If this output knows nothing of a level.
        """


class Point(Distribution):
    """One number.

    Args:
        loss: "mse", (y - m)^2, whose best m is the mean; or "mae", |y - m|, the median.

    Example:
        >>> Point("mae").losses(torch.tensor([[1.0]]), torch.tensor([3.0])).tolist()
        [2.0]
    """

    parameters = 1

    def __init__(self, loss: str = "mse") -> None:
        self.degree = 2 if loss == "mse" else 1

    def constrain(self, raw: Tensor) -> Tensor:
        """Return it as it is."""
        return raw

    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Scale and shift."""
        return parameters * scale[..., None] + location[..., None]

    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return squares or distances."""
        return (parameters[..., 0] - targets).abs() ** self.degree

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the number."""
        return parameters[..., 0]

    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Raise: one number has no spread.

        Raises:
            InputError: Always.
        """
        remedy = "Fit with output='quantile' or 'normal', or calibrate intervals on held-out data"
        rule = "left out for an output that is one number"
        raise InputError(message("Forecaster", "quantiles", rule, list(levels), remedy))


class Quantiles(Distribution):
    """The quantiles of given levels, each trained by its pinball loss.

    The loss of a value is the mean over levels q of 2 max(q e, (q - 1) e), e = y - y_q (Koenker &
    Bassett 1978): the distance for the median, and near the CRPS for many levels.

    Args:
        levels: Probabilities, ascending, between 0 and 1.

    Example:
        >>> some = Quantiles([0.1, 0.5, 0.9])
        >>> some.quantiles(torch.tensor([2.0, 1.0, 3.0]), [0.5, 0.7]).tolist()
        [2.0, 2.5]
    """

    degree = 1

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.parameters = len(self.levels)

    def constrain(self, raw: Tensor) -> Tensor:
        """Return them as they are: that none crosses is a matter of answers."""
        return raw

    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Scale and shift each."""
        return parameters * scale[..., None] + location[..., None]

    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return the mean pinball loss."""
        levels = parameters.new_tensor(self.levels)
        error = targets[..., None] - parameters
        return 2 * torch.maximum(levels * error, (levels - 1) * error).mean(-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the median; between two levels, a straight line gives it."""
        return self.quantiles(parameters, [0.5])[..., 0]

    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Interpolate between the trained levels, put in order (Chernozhukov et al. 2010).

        Raises:
            InputError: If a level lies outside the trained ones.
        """
        least, most = self.levels[0], self.levels[-1]
        for level in levels:
            if not least <= level <= most:
                rule = f"from {least} to {most}, the levels it was trained for"
                remedy = "Train with quantiles that reach as far"
                raise InputError(message("Forecaster", "quantiles", rule, level, remedy))
        ordered = parameters.sort(-1).values
        position = np.interp(levels, self.levels, range(len(self.levels)))
        below = torch.from_numpy(np.floor(position).astype(np.int64)).to(parameters.device)
        above = (below + 1).clamp(max=len(self.levels) - 1)
        share = parameters.new_tensor(position) - below
        return torch.lerp(ordered[..., below], ordered[..., above], share)


class Normal(Distribution):
    """A mean and a standard deviation, trained by the likelihood.

    Example:
        >>> Normal().quantiles(torch.tensor([1.0, 2.0]), [0.5, 0.975])
        tensor([1.0000, 4.9199])
    """

    parameters = 2

    def constrain(self, raw: Tensor) -> Tensor:
        """Make the deviation positive."""
        mean, deviation = raw.unbind(-1)
        return torch.stack([mean, F.softplus(deviation) + _LEAST], -1)

    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Scale both, shift the mean."""
        mean, deviation = parameters.unbind(-1)
        return torch.stack([mean * scale + location, deviation * scale], -1)

    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return -log p(y)."""
        mean, deviation = parameters.unbind(-1)
        distance = (targets - mean) / deviation
        return deviation.log() + 0.5 * distance**2 + 0.5 * math.log(2 * math.pi)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the mean."""
        return parameters[..., 0]

    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Return mean + deviation * the quantile of the standard normal."""
        mean, deviation = parameters.unbind(-1)
        standard: Tensor = torch.special.ndtri(parameters.new_tensor(levels))
        return mean[..., None] + deviation[..., None] * standard


class StudentT(Distribution):
    """A mean, a scale and degrees of freedom above 2: for series with sudden jumps.

    Example:
        >>> StudentT().mean(torch.tensor([1.0, 2.0, 5.0]))
        tensor(1.)
    """

    parameters = 3

    def constrain(self, raw: Tensor) -> Tensor:
        """Make the scale positive, and the degrees of freedom such that there is a variance."""
        mean, scale, freedom = raw.unbind(-1)
        return torch.stack([mean, F.softplus(scale) + _LEAST, 2 + F.softplus(freedom)], -1)

    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Scale mean and scale, shift the mean."""
        mean, spread, freedom = parameters.unbind(-1)
        return torch.stack([mean * scale + location, spread * scale, freedom], -1)

    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return -log p(y)."""
        mean, scale, freedom = parameters.unbind(-1)
        half = (freedom + 1) / 2
        constant = torch.lgamma(freedom / 2) - torch.lgamma(half) + 0.5 * (freedom * math.pi).log()
        distance = ((targets - mean) / scale) ** 2
        return constant + scale.log() + half * torch.log1p(distance / freedom)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the mean."""
        return parameters[..., 0]

    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Return mean + scale * the quantile of Student's t."""
        from scipy import stats

        mean, scale, freedom = _columns(parameters)
        standard = stats.t.ppf(np.asarray(levels), freedom)
        return _like(mean + scale * standard, parameters)


class NegativeBinomial(Distribution):
    """A mean m and a dispersion a of counts: the variance is m + a m^2.

    Counts have no level to be measured from: the location of `move` must be 0.

    Example:
        >>> NegativeBinomial().mean(torch.tensor([4.0, 0.5]))
        tensor(4.)
    """

    parameters = 2

    def constrain(self, raw: Tensor) -> Tensor:
        """Make both positive."""
        return F.softplus(raw) + _LEAST

    def move(self, parameters: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """Scale the mean."""
        mean, dispersion = parameters.unbind(-1)
        return torch.stack([mean * scale, dispersion], -1)

    def losses(self, parameters: Tensor, targets: Tensor) -> Tensor:
        """Return -log p(y)."""
        mean, dispersion = parameters.unbind(-1)
        count = 1 / dispersion
        combinations = torch.lgamma(targets + count) - torch.lgamma(count)
        failed = -count * torch.log1p(dispersion * mean)
        hit = targets * (mean.log() - (count + mean).log())
        return torch.lgamma(targets + 1) - combinations - failed - hit

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the mean."""
        return parameters[..., 0]

    def quantiles(self, parameters: Tensor, levels: Sequence[float]) -> Tensor:
        """Return the smallest counts that reach the levels."""
        from scipy import stats

        mean, dispersion = _columns(parameters)
        chance = 1 / (1 + dispersion * mean)
        counts = stats.nbinom.ppf(np.asarray(levels), 1 / dispersion, chance)
        return _like(np.maximum(counts, 0.0), parameters)


def distribution(output: str, *, loss: str = "mse", levels: Sequence[float] = ()) -> Distribution:
    """Find what a setting names.

    Args:
        output: "point", "quantile", "normal", "student-t" or "negative-binomial".
        loss: For "point": "mse" or "mae".
        levels: For "quantile".

    Returns:
        The distribution.

    Raises:
        InputError: If there is none of that name.

    Example:
        >>> distribution("normal").parameters
        2
    """
    if output == "point":
        return Point(loss)
    if output == "quantile":
        return Quantiles(levels)
    known: dict[str, type[Distribution]] = {
        "normal": Normal,
        "student-t": StudentT,
        "negative-binomial": NegativeBinomial,
    }
    if output not in known:
        rule = "one of point, quantile, " + ", ".join(known)
        raise InputError(message("Forecaster", "output", rule, repr(output)))
    return known[output]()


def _columns(parameters: Tensor) -> list[Array]:
    """Each parameter, `[..., 1]` float64, for scipy."""
    numbers: Array = parameters.detach().double().cpu().numpy()
    return list(np.moveaxis(numbers[..., None, :], -1, 0))


def _like(values: Array, parameters: Tensor) -> Tensor:
    return torch.from_numpy(values).to(parameters.device, parameters.dtype)
