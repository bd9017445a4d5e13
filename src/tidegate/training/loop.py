"""Training: one loop over epochs and batches, resumable to the bit, with one callback hook."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.device import memory, random_state, reseed, seeded, set_random_state
from tidegate.errors import ArtifactError, InputError, TrainingError, message
from tidegate.training import checkpoint as checkpoints
from tidegate.training.heap import kept_heap
from tidegate.training.measure import Loader, measure
from tidegate.training.network import Metrics, Network, draws_from_torch
from tidegate.training.optimizer import Average, copied, has_stalled, make_optimizer
from tidegate.training.progress import Event, Stopwatch
from tidegate.training.schedule import rate

Callback = Callable[[Event], object]


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How to train; each attribute is the setting of the same name.

    Attributes:
        epochs: Passes over the rows, at most.
        learning_rate: The largest step size.
        schedule: See `schedule.rate`.
        warmup: Likewise.
        weight_decay: Decay of the weight matrices.
        gradient_clip: Largest norm of the gradient, or None.
        weight_averaging: Decay of the average of the weights, 0 for none.
        optimizer: See `optimizer.make_optimizer`.
        average_after: Epochs of `optimizer.has_stalled`, after which a plain average of the
            weights begins; None for never.
        patience: Epochs without a better one before the end, or None; those in which a one-cycle
            rate rises do not count.
        random_state: The seed of everything random.
        checkpoint_minutes: Minutes between checkpoints within an epoch, or None.
    """

    epochs: int = 10
    learning_rate: float = 1e-3
    schedule: str = "one-cycle"
    warmup: float = 0.3
    weight_decay: float = 0.01
    gradient_clip: float | None = 1.0
    weight_averaging: float = 0.0
    optimizer: str = "adamw"
    average_after: int | None = None
    patience: int | None = None
    random_state: int = 0
    checkpoint_minutes: float | None = None


_SPARE = 5  # freed memory is kept for the next step up to one part in so many of all there is
_TIDY = 32  # steps
# What a checkpoint keeps besides tensors.
_COUNTERS = ("epoch", "step", "best_epoch", "loss_sum", "history")
# What an identity knows by fingerprints, which tell a reader nothing.
_DATA = ("X, y", "validation")
# Columns of the history that tell how the training went, and are no scores.
_GRADIENT = ("train_gradient_norm", "train_clipped")


def part_scores(row: Mapping[str, float], part: str) -> Metrics:
    """Take the loss and the scores of one part of the data out of a row of the history.

    Args:
        row: A row of the history.
        part: "train" or "validation".

    Returns:
        The values by name, without the prefix; none if the part was not measured.

    Example:
        >>> part_scores({"epoch": 1, "train_loss": 0.5, "validation_loss": 0.6}, "train")
        {'loss': 0.5}
    """
    prefix = f"{part}_"
    names = [name for name in row if name.startswith(prefix) and name not in _GRADIENT]
    return {name.removeprefix(prefix): row[name] for name in names}


class Training:
    """A training that can be run, stopped and gone on with.

    Args:
        network: What to train, on its device; it ends with the best epoch's weights.
        rows: The training rows.
        held: The validation rows; None keeps the last epoch instead of the best.
        plan: The settings.
        rank: Orders epochs by their validation metrics, the greatest is the best.
        callbacks: Called with each `Event`; True after an epoch ends the training.
        checkpoint: A folder for checkpoints, or None.
        identity: What a checkpoint must have been made with, by name, to go on from it.

    Attributes:
        history: One dict an epoch that has ended; with gradient clipping, `train_gradient_norm`
            (the median over the steps, before clipping) and `train_clipped` (the share of the
            steps that were clipped) are in it.
        best_epoch: The best of them, from 1; 0 before the first has ended.
    """

    def __init__(
        self,
        network: Network,
        rows: Loader,
        held: Loader | None,
        plan: TrainingPlan,
        *,
        rank: Callable[[Metrics], tuple[float, ...]],
        callbacks: Sequence[Callback] = (),
        checkpoint: Path | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.network, self.rows, self.held, self.plan = network, rows, held, plan
        self.rank, self.callbacks, self.checkpoint = rank, list(callbacks), checkpoint
        self.identity = dict(identity or {})
        self.device = next(network.parameters()).device
        groups = network.groups(plan.learning_rate, plan.weight_decay)
        self.peaks = [group["lr"] for group in groups]
        self.clipped = [p for group in groups if group["clip"] for p in group["params"]]
        self.optimizer = make_optimizer(plan.optimizer, groups, self.device)
        self.history: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best: dict[str, Tensor] = {}
        # An average that begins late is a plain one: what it should forget is not in it.
        self.average = Average(1.0 if plan.average_after is not None else plan.weight_averaging)
        self.epoch, self.step = 0, 0
        self.stalled = False
        self.meter = network.meter()
        self.loss_sum, self.rate = 0.0, 1.0
        self.norms = torch.zeros(0)
        self.clock = Stopwatch()
        self.tidy: Callable[[], None] = lambda: None

    def run(self, *, resume: bool = False) -> None:
        """Train until the last epoch, or until no epoch has been better for `patience` epochs.

        Args:
            resume: Whether to go on from the checkpoint.

        Raises:
            InputError: If the checkpoint is missing or was made with other settings or data.
            TrainingError: If the loss stops being a number.
            KeyboardInterrupt: On Ctrl-C, with a text that says what is kept.
        """
        random = self._load() if resume else None
        note = ""
        try:
            spare = (memory(torch.device("cpu")) or 0) // _SPARE
            foreign = draws_from_torch(self.network)
            with (
                seeded(self.plan.random_state, self.device, foreign=foreign),
                kept_heap(spare) as self.tidy,
            ):
                while self.epoch < self.plan.epochs and not self._patience_lost():
                    self._run_epoch(random)
                    random = None
                    if self._emit("epoch"):
                        note = "A callback ended the training."
                        break
            if not note and self.epoch < self.plan.epochs:
                note = f"No better epoch for {self.plan.patience}: epoch {self.best_epoch} is kept."
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._kept(f"Stopped in epoch {self.epoch + 1}.")) from None
        finally:
            self._thaw(math.inf)
            if self.best:
                self.network.load_state_dict(self.best)
            self._emit("end", note)

    def _run_epoch(self, random: Mapping[str, Tensor] | None) -> None:
        plan = self.rows.epoch(self.epoch)
        if random is None:
            reseed(self.plan.random_state, self.epoch + 1)
            self.meter, self.loss_sum = self.network.meter(), 0.0
            # They stay on the device until the epoch ends: reading one would wait for the step.
            self.norms = torch.zeros(len(plan), device=self.device)
            self.network.begin_pass()
        else:
            set_random_state(random)
        self.stalled = self._has_stalled()
        self._thaw(self.epoch)
        self.clock.start_epoch(len(plan), self.step)
        self.network.train()
        for rows in plan[self.step :]:
            self._run_step(self.rows.batch(rows).to(self.device), len(plan))
            self.step += 1
            if self.step % _TIDY == 0:
                self.tidy()
            self._emit("batch")
            if self.step < len(plan) and self.clock.due(self.plan.checkpoint_minutes):
                self._save()
        self._finish_epoch()

    def _thaw(self, epoch: float) -> None:
        """Let each group learn from the epoch on that its `thaw` says, by default the first."""
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.requires_grad_(group.get("thaw", 0) <= epoch)

    def _run_step(self, batch: Batch, steps: int) -> None:
        done = self.epoch * steps + self.step
        total = self.plan.epochs * steps
        self.rate = rate(self.plan.schedule, done, total, self.plan.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self.rate * batch.share
        # Before the pass, not after it: the old gradients and the pass need not be there at once.
        self.optimizer.zero_grad(set_to_none=True)
        loss, outputs = self.network.learn(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise self._broken("training loss", value, f", step {self.step + 1} of {steps}")
        loss.backward()
        if self.plan.gradient_clip is not None:
            norm = nn.utils.clip_grad_norm_(self.clipped, self.plan.gradient_clip)
            self.norms[self.step] = norm
        self.optimizer.step()
        self.loss_sum += value
        self.meter.update(outputs.detach(), batch)
        self.clock.count(batch.steps)
        if self._averages(done, total):
            self.average.update(dict(self.network.named_parameters()))

    def _averages(self, done: int, total: int) -> bool:
        """Say whether the weights after this step belong into the average."""
        plan = self.plan
        if plan.average_after is not None:
            return self.stalled
        # Weights from before the peak of the learning rate would only blur the average.
        start = int(plan.warmup * total) if plan.schedule == "one-cycle" else 0
        return plan.weight_averaging > 0 and done >= start

    def _has_stalled(self) -> bool:
        """Say whether the plain average has begun, which the history alone decides."""
        if self.plan.average_after is None or self.held is None:
            return False
        losses = [row["validation_loss"] for row in self.history]
        return has_stalled(losses, self.plan.average_after)

    def _finish_epoch(self) -> None:
        row: dict[str, float] = {"epoch": self.epoch + 1}
        row |= {f"train_{name}": value for name, value in self.meter.result().items()}
        if self.plan.gradient_clip is not None:
            norms = self.norms.cpu()
            shown = norms.median(), (norms > self.plan.gradient_clip).float().mean()
            row |= dict(zip(_GRADIENT, map(float, shown), strict=True))
        self.optimizer.zero_grad(set_to_none=True)
        with self.average.within(self.network):
            if self.held is not None:
                metrics = measure(self.network, self.held).result()
                if not math.isfinite(metrics["loss"]):
                    raise self._broken("validation loss", metrics["loss"], "")
                row |= {f"validation_{name}": value for name, value in metrics.items()}
            row |= {"learning_rate": self.peaks[0] * self.rate, "seconds": self.clock.seconds}
            self.history.append(row)
            self.epoch, self.step = self.epoch + 1, 0
            if self._is_best():
                self.best_epoch, self.best = self.epoch, copied(self.network, self.best)
        self._save()

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        parts: dict[str, Mapping[str, Tensor]] = {
            "network": self.network.state_dict(),
            "best": self.best,
            "averaged": self.average.tensors,
            "carried": self.network.carried() if self.step else {},
            "meter": self.meter.state(),
            "gradient": {"norms": self.norms},
            "random": random_state() if self.step else {},
        }
        moments = self.optimizer.state_dict()["state"]
        parts |= {f"optimizer.{index}": state for index, state in moments.items()}
        tensors = {f"{part}/{n}": t for part, named in parts.items() for n, t in named.items()}
        state = {name: getattr(self, name) for name in _COUNTERS}
        state |= {"updates_averaged": self.average.updates, "identity": self._identity()}
        checkpoints.save(self.checkpoint, tensors, state)

    def _load(self) -> dict[str, Tensor] | None:
        """Take everything from the checkpoint; return the random state when it is mid-epoch."""
        if self.checkpoint is None:
            rule, remedy = "a folder when resume is True", "Name the folder of the stopped run"
            raise InputError(message("fit", "checkpoint", rule, None, remedy))
        tensors, state = checkpoints.load(self.checkpoint)
        try:
            self._check_identity(state["identity"])
            return self._take(tensors, state)
        except InputError:
            raise
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            rule, got = "a whole checkpoint", f"something else ({error})".splitlines()[0]
            remedy = "Start anew without resume"
            where = str(self.checkpoint)
            raise ArtifactError(message("resume", where, rule, got, remedy)) from error

    def _take(
        self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]
    ) -> dict[str, Tensor] | None:
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = tensor.to(self.device)
        self.network.load_state_dict(parts.pop("network"))
        self.network.take_carried(parts.pop("carried", {}))
        self.best, self.average.tensors = parts.pop("best", {}), parts.pop("averaged", {})
        self.average.updates = state["updates_averaged"]
        self.meter.load(parts.pop("meter"))
        self.norms = parts.pop("gradient")["norms"]
        random = parts.pop("random", None)
        moments = {int(part.removeprefix("optimizer.")): named for part, named in parts.items()}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        for name in _COUNTERS:
            setattr(self, name, state[name])
        return random and {name: tensor.cpu() for name, tensor in random.items()}

    def _identity(self) -> dict[str, Any]:
        held = None if self.held is None else self.held.fingerprint()
        return {**self.identity, "X, y": self.rows.fingerprint(), "validation": held}

    def _check_identity(self, kept: Mapping[str, Any]) -> None:
        for name, value in self._identity().items():
            if kept.get(name) == value:
                continue
            before, now = repr(kept.get(name)), repr(value)
            if name in _DATA:
                before, now = "the same data", "other data"
            rule = f"as in {self.checkpoint}, {before}, to go on from it"
            remedy = "Set it back, or start anew without resume"
            raise InputError(message("resume", name, rule, now, remedy))

    def _is_best(self) -> bool:
        if self.held is None or not self.best_epoch:
            return True
        return self._rank(-1) > self._rank(self.best_epoch - 1)

    def _rank(self, index: int) -> tuple[float, ...]:
        return self.rank(part_scores(self.history[index], "validation"))

    def _patience_lost(self) -> bool:
        plan = self.plan
        # While the rate still rises, an epoch that is no better says nothing of those to come.
        rising = math.ceil(plan.warmup * plan.epochs) if plan.schedule == "one-cycle" else 0
        since = self.epoch - max(self.best_epoch, rising)
        return plan.patience is not None and since >= plan.patience

    def _broken(self, what: str, value: float, where: str) -> TrainingError:
        rate_now = self.optimizer.param_groups[0]["lr"]
        return TrainingError(
            f"The {what} became {value} in epoch {self.epoch + 1}{where} (learning rate "
            f"{rate_now:.3g}). Lower `learning_rate`, {self.plan.learning_rate / 3:.2g} for "
            f"example, or set `gradient_clip` lower. {self._kept('')}".rstrip()
        )

    def _kept(self, sentence: str) -> str:
        """Add to a sentence what of the training is kept."""
        if self.best_epoch:
            sentence += f" The weights of epoch {self.best_epoch} are kept."
        if self.checkpoint is not None and (self.history or self.checkpoint.exists()):
            sentence += f" {self.checkpoint} holds what is needed to resume."
        return sentence.strip()

    def _emit(self, kind: Literal["batch", "epoch", "end"], note: str = "") -> bool:
        """Tell every callback; say whether one of them wants to stop."""
        steps = self.clock.steps
        shown = self.epoch + (kind == "batch")
        step = self.step if kind == "batch" else steps
        event = Event(
            kind=kind,
            epoch=shown,
            epochs=self.plan.epochs,
            step=step,
            steps=steps,
            loss=self.loss_sum / max(1, step),
            steps_per_second=self.clock.speed,
            seconds_left=self.clock.left(self.plan.epochs - shown),
            row=self.history[-1] if kind == "epoch" else {},
            best_epoch=self.best_epoch,
            note=note,
            network=self.network,
        )
        # Every callback is told, also when an earlier one already wants to stop.
        return any([callback(event) is True for callback in self.callbacks])  # noqa: C419
