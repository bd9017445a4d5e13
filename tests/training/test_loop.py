"""The training loop against a plain loop by hand, and against itself when it is interrupted."""

from __future__ import annotations

import dataclasses
import functools
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.toys import ToyNetwork, ToyRows
from tidegate.batch import Batch
from tidegate.errors import ArtifactError, InputError, TrainingError
from tidegate.training import checkpoint
from tidegate.training.loop import Training, TrainingPlan
from tidegate.training.progress import Event

EPOCHS = 4


def rank(metrics: dict[str, float]) -> tuple[float, ...]:
    return metrics["accuracy"], -metrics["loss"]


def training(network=None, rows=None, held=None, *, folder=None, callbacks=(), **plan):
    plan = {"epochs": EPOCHS, "learning_rate": 0.05, "schedule": "constant"} | plan
    return Training(
        network or ToyNetwork(),
        rows or ToyRows(),
        held,
        TrainingPlan(**plan),
        rank=rank,
        checkpoint=folder,
        callbacks=callbacks,
        identity={"task": "toy"},
    )


def weights(network: nn.Module) -> dict[str, list[float]]:
    return {name: tensor.tolist() for name, tensor in network.state_dict().items()}


def without_clock(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: row[name] for name in row if name != "seconds"} for row in history]


def by_hand(network: ToyNetwork, rows: ToyRows, clip: float | None, decay: float) -> None:
    """The same training, written out with nothing but torch."""
    matrices = [network.hidden.weight, network.head.linear.weight]
    biases = [network.hidden.bias, network.head.linear.bias]
    groups = [
        {"params": [network.table.weight, *biases], "weight_decay": 0.0},
        {"params": matrices, "weight_decay": decay},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.05, betas=(0.9, 0.99), foreach=False)
    for epoch in range(EPOCHS):
        for chosen in rows.epoch(epoch):
            batch = rows.batch(chosen)
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(batch), batch.targets).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(matrices + biases, clip)
            optimizer.step()


@pytest.mark.parametrize(("clip", "decay"), [(None, 0.0), (0.05, 0.3)])
def test_the_loop_is_adamw_with_clipping_and_decay(clip, decay):
    mine, theirs = ToyNetwork(dropout=0), ToyNetwork(dropout=0)
    training(mine, gradient_clip=clip, weight_decay=decay).run()
    by_hand(theirs, ToyRows(), clip, decay)
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[name], tensor, msg=name)


def test_the_learning_rate_follows_the_schedule():
    seen: list[float] = []
    run = training(
        schedule="cosine",
        callbacks=[lambda event: seen.append(run.optimizer.param_groups[0]["lr"])],
    )
    run.run()
    steps = EPOCHS * 5
    expected = [0.05 * 0.5 * (1 + np.cos(np.pi * step / steps)) for step in range(steps)]
    by_batch = [lr for index, lr in enumerate(seen[:-1]) if index % 6 != 5]
    assert by_batch == pytest.approx(expected)


def test_the_history_has_a_row_an_epoch_with_scores_of_both_parts():
    run = training(held=ToyRows(11, seed=4))
    run.run()
    scores = ("loss", "accuracy", "macro_f1")
    names = {f"{part}_{score}" for part in ("train", "validation") for score in scores}
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    names |= {"epoch", "learning_rate", "seconds", "train_gradient_norm", "train_clipped"}
    assert all(set(row) == names for row in run.history)


def test_the_history_tells_how_large_the_gradients_were_and_how_many_were_clipped():
    norms: list[list[float]] = []

    class Watched(Training):
        def _run_step(self, batch, steps):
            super()._run_step(batch, steps)
            if self.step == 0:
                norms.append([])
            norms[-1].append(unclipped(self, before, batch))
            before.load_state_dict(self.network.state_dict())

    network, before = ToyNetwork(dropout=0), ToyNetwork(dropout=0)
    plan = TrainingPlan(epochs=2, learning_rate=0.05, schedule="constant", gradient_clip=0.3)
    run = Watched(network, ToyRows(), None, plan, rank=rank)
    run.run()
    for row, found in zip(run.history, norms, strict=True):
        assert row["train_gradient_norm"] == pytest.approx(float(np.median(found)), rel=1e-5)
        assert row["train_clipped"] == pytest.approx(float(np.mean(np.array(found) > 0.3)))
    shares = {row["train_clipped"] for row in run.history}
    assert shares - {0.0, 1.0}, "clip so that only some steps are clipped, or this shows little"


def unclipped(run: Training, before: ToyNetwork, batch) -> float:
    """The norm of the gradient at the weights before a step, the embedding left out."""
    loss = nn.functional.cross_entropy(before(batch), batch.targets)
    seen = [p for name, p in before.named_parameters() if name != "table.weight"]
    gradients = torch.autograd.grad(loss, seen)
    return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def test_without_clipping_the_history_does_not_speak_of_gradients():
    run = training(gradient_clip=None, epochs=1)
    run.run()
    assert not [name for name in run.history[0] if "gradient" in name or "clipped" in name]


def test_training_repeats_bit_for_bit_and_leaves_the_callers_random_numbers_alone():
    first, second, other = ToyNetwork(), ToyNetwork(), ToyNetwork()
    torch.manual_seed(123)
    before = torch.get_rng_state()
    training(first).run()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(456)
    training(second).run()
    training(other, random_state=1).run()
    assert weights(first) == weights(second)
    assert weights(first) != weights(other)


def test_the_best_epoch_is_restored_and_patience_ends_the_training():
    at_end: dict[int, dict[str, list[float]]] = {}
    order = {1: 1.0, 2: 3.0, 3: 2.0, 4: 3.0, 5: 9.0}  # epoch 4 only ties with epoch 2

    def remember(event: Event) -> None:
        if event.kind == "epoch":
            at_end[event.epoch] = weights(run.network)

    def told(metrics: dict[str, float]) -> tuple[float, ...]:
        epochs = [row["epoch"] for row in run.history if row["validation_loss"] == metrics["loss"]]
        return (order[int(epochs[0])],)

    run = training(held=ToyRows(11, seed=4), callbacks=[remember], epochs=9, patience=2)
    run.rank = told
    run.run()
    assert len(run.history) == 4
    assert run.best_epoch == 2
    assert weights(run.network) == at_end[2]


@pytest.mark.parametrize(("warmup", "length"), [(0.0, 3), (0.25, 5), (0.5, 7), (1.0, 10)])
def test_patience_does_not_count_while_the_rate_rises(warmup, length):
    plan = {"epochs": 10, "patience": 2, "schedule": "one-cycle", "warmup": warmup}
    run = training(held=ToyRows(11, seed=4), **plan)
    run.rank = lambda metrics: (-float(metrics["loss"] != run.history[0]["validation_loss"]),)
    run.run()
    assert len(run.history) == length
    assert run.best_epoch == 1


def test_without_validation_the_last_epoch_is_kept():
    run = training(patience=1)
    run.run()
    assert (len(run.history), run.best_epoch) == (EPOCHS, EPOCHS)


def test_weight_averaging_is_the_running_mean_of_the_weights():
    seen: list[torch.Tensor] = []

    def remember(event: Event) -> None:
        if event.kind == "batch":
            seen.append(run.network.hidden.weight.detach().clone())

    run = training(weight_averaging=0.9, callbacks=[remember], epochs=3)
    run.run()
    average = seen[0]
    for count, weight in enumerate(seen[1:], 2):
        share = max(0.1, 4 / (count + 3))
        average = (1 - share) * average + share * weight
    torch.testing.assert_close(run.network.hidden.weight, average)
    assert not torch.equal(run.network.hidden.weight, seen[-1])


def test_weight_averaging_waits_for_the_peak_of_a_one_cycle_schedule():
    run = training(weight_averaging=0.9, schedule="one-cycle", warmup=0.5, epochs=2)
    run.run()
    assert run.average.updates == 5


def test_the_history_tells_the_rate_of_the_schedule_whatever_share_a_batch_takes_of_it():
    class Half(Batch):
        share = 0.5

    class Halved(ToyRows):
        def batch(self, rows):
            batch = super().batch(rows)
            return Half(**{f.name: getattr(batch, f.name) for f in dataclasses.fields(batch)})

    run = training(rows=Halved(), epochs=2, learning_rate=0.05)
    run.run()
    assert [row["learning_rate"] for row in run.history] == [0.05, 0.05]
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(0.025)


def test_events_count_steps_and_epochs():
    events: list[Event] = []
    training(ToyNetwork(), callbacks=[events.append], epochs=2).run()
    kinds = (["batch"] * 5 + ["epoch"]) * 2 + ["end"]
    assert [event.kind for event in events] == kinds
    assert [event.epoch for event in events] == [1] * 6 + [2] * 7
    assert [event.step for event in events[:6]] == [1, 2, 3, 4, 5, 5]
    assert events[5].row["epoch"] == 1
    assert events[4].steps_per_second > 0
    assert events[-1].seconds_left == 0


def test_a_callback_can_end_the_training():
    run = training(callbacks=[lambda event: event.kind == "epoch" and event.epoch == 2])
    run.run()
    assert len(run.history) == 2


# ------------------------------------------------------------------ a loss that breaks


class Breaking(ToyNetwork):
    """Its loss is a number for some steps, and then no more."""

    def __init__(self, good_steps: int, value: float = float("nan")) -> None:
        super().__init__()
        self.good_steps, self.value = good_steps, value

    def loss(self, outputs, batch):
        self.good_steps -= 1
        return super().loss(outputs, batch) * (1.0 if self.good_steps >= 0 else self.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_says_where_and_what_to_try(value):
    run = training(Breaking(7, value))
    rule = r"became (nan|inf) in epoch 2, step 3 of 5 \(learning rate 0.05\). Lower `learning_rate`"
    with pytest.raises(TrainingError, match=rule) as caught:
        run.run()
    assert "`gradient_clip`" in str(caught.value)
    assert "The weights of epoch 1 are kept." in str(caught.value)
    expected = ToyNetwork()
    training(expected, epochs=1).run()
    assert weights(run.network) == weights(expected)


def test_weights_that_break_in_the_last_step_are_found_by_validation():
    class Diverging(ToyRows):
        def batch(self, rows):
            if len(rows) == 11:
                run.network.hidden.weight.data.fill_(torch.nan)
            return super().batch(rows)

    held = Diverging(11, seed=4)
    held.in_order = lambda: [np.arange(11)]
    run = training(held=held)
    with pytest.raises(TrainingError, match="validation loss became nan in epoch 1"):
        run.run()
    assert run.history == []


# ------------------------------------------------------------------ stop and go on


class StopError(Exception):
    """Stands for anything that ends a program."""


def stop_after(batches: int, error: type[BaseException] = StopError):
    seen = 0

    def callback(event: Event) -> None:
        nonlocal seen
        if event.kind == "batch":
            seen += 1
            if seen == batches:
                raise error

    return callback


PLANS = {
    "plain": {},
    "averaged": {"weight_averaging": 0.8, "schedule": "one-cycle"},
    "patient": {"patience": 3, "schedule": "cosine"},
    "stalled": {"optimizer": "sgd", "learning_rate": 5.0, "average_after": 1},
}


@functools.cache
def uninterrupted(plan: str) -> Training:
    run = training(held=ToyRows(11, seed=4), **PLANS[plan])
    run.run()
    return run


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("minutes", [None, 0.0])
@pytest.mark.parametrize("batches", [7, 10, 13])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, plan, minutes, batches):
    whole = uninterrupted(plan)
    options = PLANS[plan] | {"checkpoint_minutes": minutes, "folder": tmp_path / "kept"}
    stopped = training(held=ToyRows(11, seed=4), callbacks=[stop_after(batches)], **options)
    with pytest.raises(StopError):
        stopped.run()
    steps: list[int] = []
    resumed = training(
        ToyNetwork(seed=99),  # every weight comes from the checkpoint
        held=ToyRows(11, seed=4),
        callbacks=[lambda event: steps.append(event.step) if event.kind == "batch" else None],
        **options,
    )
    resumed.run(resume=True)
    # Without checkpoints in mid-epoch the epoch starts again; with them, the next step comes.
    done = batches - 1 if minutes is not None else (batches - 1) // 5 * 5
    assert len(steps) == EPOCHS * 5 - done
    assert weights(resumed.network) == weights(whole.network)
    assert without_clock(resumed.history) == without_clock(whole.history)
    assert resumed.best_epoch == whole.best_epoch


def test_resuming_a_finished_run_gives_its_result_at_once(tmp_path):
    first = training(held=ToyRows(11, seed=4), folder=tmp_path)
    first.run()
    again = training(ToyNetwork(seed=99), held=ToyRows(11, seed=4), folder=tmp_path)
    again.run(resume=True)
    assert weights(again.network) == weights(first.network)
    assert again.history == first.history


def test_ctrl_c_says_what_is_kept(tmp_path):
    run = training(folder=tmp_path / "kept", callbacks=[stop_after(8, KeyboardInterrupt)])
    rule = r"Stopped in epoch 2. The weights of epoch 1 are kept. .*kept holds what is needed"
    with pytest.raises(KeyboardInterrupt, match=rule):
        run.run()
    assert run.best_epoch == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rows": ToyRows(24)}, "X, y"),
        ({"held": None}, "validation"),
        ({"identity": {"task": "other"}}, "task"),
    ],
)
def test_resuming_another_run_is_refused(tmp_path, change, named):
    training(held=ToyRows(11, seed=4), folder=tmp_path, epochs=1).run()
    identity = change.pop("identity", None)
    other = training(**({"held": ToyRows(11, seed=4), "folder": tmp_path} | change))
    other.identity = identity or other.identity
    with pytest.raises(InputError, match=f"resume: `{named}` must be as in") as told:
        other.run(resume=True)
    assert ("the same data" in str(told.value)) == (named in ("X, y", "validation"))


def test_resuming_without_a_checkpoint_says_so(tmp_path):
    with pytest.raises(InputError, match=r"must be a folder with a checkpoint; got none"):
        training(folder=tmp_path / "nothing").run(resume=True)
    with pytest.raises(InputError, match=r"fit: `checkpoint` must be a folder when resume"):
        training().run(resume=True)


def test_a_checkpoint_of_another_shape_is_damaged_not_a_crash(tmp_path):
    training(folder=tmp_path, epochs=1).run()
    tensors, state = checkpoint.load(tmp_path)
    tensors["network/hidden.bias"] = torch.zeros(9)
    checkpoint.save(tmp_path, tensors, state)
    with pytest.raises(ArtifactError, match="checkpoint"):
        training(folder=tmp_path).run(resume=True)
    tensors["network/hidden.bias"] = tensors.pop("network/hidden.weight")
    checkpoint.save(tmp_path, {**tensors, "optimizer.x/step": torch.zeros(1)}, state)
    with pytest.raises(ArtifactError, match="checkpoint"):
        training(folder=tmp_path).run(resume=True)


KILLED = """
import sys, time
from pathlib import Path
sys.path[:0] = [{root!r}]
from tests.training.test_loop import training
from tests.toys import ToyRows

def slow(event):
    if event.kind == "batch" and event.epoch == 3 and event.step == 2:
        Path({flag!r}).touch()
        time.sleep(60)

run = training(held=ToyRows(11, seed=4), folder=Path({folder!r}), callbacks=[slow])
run.run(resume=False)
"""


def test_kill_9_in_mid_epoch_loses_that_epoch_at_most(tmp_path):
    root, flag, folder = Path(__file__).parents[2], tmp_path / "flag", tmp_path / "kept"
    code = KILLED.format(root=str(root), flag=str(flag), folder=str(folder))
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while not flag.exists():
            assert process.poll() is None, "the training ended before it could be killed"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    whole, resumed = (training(held=ToyRows(11, seed=4), folder=f) for f in (None, folder))
    whole.run()
    seen: list[int] = []
    resumed.callbacks = [lambda event: seen.append(event.epoch)]
    resumed.run(resume=True)
    assert min(seen) == 3
    assert weights(resumed.network) == weights(whole.network)
    assert without_clock(resumed.history) == without_clock(whole.history)
