"""ForecastNetwork: the network of a forecaster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.data.windows.batch import ForecastBatch
from tidegate.errors import InputError, message
from tidegate.heads.distributions import distribution
from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent
from tidegate.nn.blocks.instance_norm import InstanceNorm, Level
from tidegate.tasks.core.settings.settings import build_layer
from tidegate.tasks.forecast.strategies.base import StaticEmbedding, Strategy, WindowInputs
from tidegate.tasks.forecast.strategies.direct import Direct
from tidegate.tasks.forecast.strategies.segment import Segment
from tidegate.tasks.forecast.strategies.step_by_step import StepByStep
from tidegate.training.network import InspectableNetwork, StackInput

if TYPE_CHECKING:
    from tidegate.tasks.forecast.settings import ForecasterSettings

# Numbers of the vector that tells a step-by-step net which target or series it reads.
_CONTEXT = 8


class Reversion(nn.Module):
    """Mean reversion: how far each step ahead is drawn from the last value to the window's mean.

    The shift of step f is s_f (mean - last), with a learned share s_f that starts at 0. Near steps
    need the last value and far ones often the mean; a net that must learn the difference from
    every single window learns noise with it.

    Args:
        horizon: Steps ahead.
    """

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(horizon))

    def forward(self, windows: WindowInputs, width: int) -> Tensor:
        """Return the shift of each step, `[R, F, width]`, for windows measured from their last."""
        steps = torch.arange(windows.values.shape[1], device=windows.lengths.device)
        valid = (steps < windows.lengths[:, None])[..., None]
        total = (windows.values[..., :width] * valid).sum(1, keepdim=True)
        mean = total / windows.lengths.clamp(min=1)[:, None, None]
        return self.share[: windows.future, None] * mean


class ForecastNetwork(InspectableNetwork):
    """Normalises windows, lets a strategy forecast them, and puts the forecasts back.

    Axis letters: B windows, T steps of the past, F steps of the future, C targets, P parameters.

    Args:
        strategy: How forecasts come about.
        horizon: F where a batch does not say.
        independent: Whether each target is a row of its own; otherwise rows hold them all.
    """

    def __init__(self, strategy: Strategy, *, horizon: int, independent: bool) -> None:
        super().__init__()
        self.strategy, self.horizon, self.independent = strategy, horizon, independent
        # Counts have no level, and steps that follow from each other revert by themselves.
        reverts = self.head.norm.mode == "last" and strategy.horizon is not None
        self.reversion = Reversion(horizon) if reverts else None

    @property
    def head(self) -> ForecastHead:
        """The strategy's head."""
        return self.strategy.head

    @property
    def recurrent(self) -> Recurrent:
        """The stack that reads the windows."""
        return self.strategy.recurrent

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        """Return the stack that reads, and where another one writes, `decoder`."""
        stacks, decoder = {"recurrent": self.recurrent}, getattr(self.strategy, "decoder", None)
        return stacks if decoder is None else stacks | {"decoder": decoder}

    def forward(self, batch: Batch) -> Tensor:
        """Forecast: the parameters of each step and target in the data's units, `[B, F, C, P]`.

        Args:
            batch: A `ForecastBatch`, or a Batch of the targets' past alone.

        Raises:
            InputError: If the batch asks for more steps than the strategy can forecast.
        """
        windows, level = self._windows(batch)
        return self._decide(self.strategy.read(windows), windows, level)

    def embed(self, batch: Batch) -> Tensor:
        """Return what the stack reads, `[R, N, D]`; a row is a window, or one target of it."""
        return self.strategy.read(self._windows(batch)[0])

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """Return what the stack that reads the windows reads; its rows are those of `embed`."""
        return {"recurrent": StackInput(self.embed(batch), self.lengths(batch))}

    def lengths(self, batch: Batch) -> Tensor:
        """Return how many of the N steps of `embed` are valid, `[R]`."""
        return self.strategy.steps(self._windows(batch)[0].lengths)

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Forecast, like `forward`, from what the stack reads, `[R, N, D]`."""
        return self._decide(vectors, *self._windows(batch))

    def _decide(self, vectors: Tensor, windows: WindowInputs, level: Level) -> Tensor:
        parameters = self.strategy.write(vectors, windows)
        if self.reversion is not None:
            shift = self.reversion(windows, self.head.width)
            parameters = self.head.distribution.move(parameters, shift, torch.ones_like(shift))
        if self.independent:
            rows = parameters.unflatten(0, (-1, self.head.targets))[:, :, :, 0]
            parameters = rows.transpose(1, 2)
        return self.head.inverse(parameters, level)

    def _windows(self, batch: Batch) -> tuple[WindowInputs, Level]:
        targets = self.head.targets
        level = self.head.level(batch)
        past = self.head.norm(batch.values[..., :targets], level)
        others = batch.values[..., targets:]
        known, static = getattr(batch, "known", None), getattr(batch, "static", None)
        future = self._future(batch)
        if known is None:
            known = past.new_zeros(len(past), future, 0)
        if static is None:
            static = past.new_zeros(len(past), 0)
        lengths, channel = batch.lengths, None
        if self.independent:
            past = past.transpose(1, 2).flatten(0, 1)[..., None]
            repeated = [others, known, static, lengths]
            others, known, static, lengths = (p.repeat_interleave(targets, 0) for p in repeated)
            channel = torch.arange(len(past), device=past.device) % targets
        values = torch.cat([past, others], -1)
        return WindowInputs(values, lengths, future, known, static, channel), level

    def _future(self, batch: Batch) -> int:
        future = batch.future if isinstance(batch, ForecastBatch) else None
        if future is None:
            future = self.horizon if batch.targets is None else batch.targets.shape[1]
        most = self.strategy.horizon
        if most is not None and future > most:
            rule = f"at most {most}, the steps this strategy was trained for"
            remedy = "Fit with that horizon, or with strategy='recursive' or 'encoder-decoder'"
            raise InputError(message("Forecaster", "horizon", rule, future, remedy))
        return future


def build_forecaster_network(
    settings: ForecasterSettings, *, features: int, targets: int, known: int = 0, static: int = 0
) -> ForecastNetwork:
    """Build the untrained network that settings ask for.

    Args:
        settings: Those of a forecaster.
        features: Columns of `values`: the targets, the known features, the others.
        targets: The targets among them, the first columns.
        known: The features known beforehand among them, the columns after the targets.
        static: Columns of `static`.

    Returns:
        The network; it reads `ForecastBatch`es.

    Raises:
        InputError: If the settings do not fit each other.

    Example:
        >>> from tidegate.tasks.forecast.settings import ForecasterSettings
        >>> settings = ForecasterSettings(lookback=24, horizon=6, segment=4, hidden_size=8)
        >>> network = build_forecaster_network(settings, features=2, targets=2)
        >>> network(ForecastBatch(torch.zeros(3, 24, 2), torch.full((3,), 24))).shape
        torch.Size([3, 6, 2, 1])
    """
    _check(settings)
    independent = settings.channels == "independent"
    width = 1 if independent else targets
    head = _head(settings, targets, width, known)
    # A segment's vector is as wide as the stack; steps are joined to a few numbers of context.
    size = settings.hidden_size if settings.strategy == "segment" else _CONTEXT
    context = StaticEmbedding(targets if independent else 1, static, size)
    strategy = _strategy(settings, head, context, features - targets + width, known)
    return ForecastNetwork(strategy, horizon=settings.horizon, independent=independent)


def _check(settings: ForecasterSettings) -> None:
    if settings.bidirectional and settings.strategy != "direct":
        rule = "False unless strategy='direct': the net that reads must be able to go on"
        raise InputError(message("Forecaster", "bidirectional", rule, True))


def _head(settings: ForecasterSettings, targets: int, width: int, known: int) -> ForecastHead:
    """Make the head: it answers a segment, the whole horizon, or a step."""
    assert settings.segment is not None
    steps = {"segment": settings.segment, "direct": settings.horizon if not known else 1}
    mode = settings.window_norm if settings.scaling == "window" else "none"
    if settings.output == "negative-binomial":
        mode = "count"  # counts have a size, but no level to be measured from
    features = int((settings.layer_options or {}).get("proj_size") or settings.hidden_size)
    return ForecastHead(
        features * (2 if settings.bidirectional else 1),
        steps.get(settings.strategy, 1),
        targets,
        distribution(settings.output, loss=settings.loss, levels=settings.quantiles),
        InstanceNorm(mode),
        width=width,
        dropout=settings.dropout,
    )


def _strategy(
    settings: ForecasterSettings,
    head: ForecastHead,
    context: StaticEmbedding,
    size: int,
    known: int,
) -> Strategy:
    """Make the stacks, which read steps of `size` features, and the strategy around them."""
    if settings.strategy == "segment":
        assert settings.segment is not None
        stack = build_layer(settings, settings.hidden_size)
        ahead = {"segment": settings.segment, "horizon": settings.horizon}
        return Segment(stack, head, context, size=size, known=known, **ahead)
    stack = build_layer(settings, size + context.size)
    if settings.strategy == "direct":
        return Direct(stack, head, context, horizon=settings.horizon, known=known)
    decoder = None
    if settings.strategy == "encoder-decoder":
        decoder = build_layer(settings, head.width + known + context.size)
    return StepByStep(stack, decoder, head, context, known=known)
