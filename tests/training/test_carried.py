"""What the loop does for networks that remember earlier batches, and for averaged plain descent."""

from __future__ import annotations

import pytest
import torch

from tests.toys import ToyNetwork, ToyRows
from tidegate.batch import Batch
from tidegate.training.loop import Training, TrainingPlan
from tidegate.training.measure import measure
from tidegate.training.optimizer import has_stalled


class Remembering(ToyNetwork):
    """Adds a share of what it computed for the batch before to its scores."""

    def __init__(self):
        super().__init__(dropout=0.2)
        self.kept = None
        self.calls = []

    def forward(self, batch):
        scores = super().forward(batch)
        if self.kept is not None:
            scores = scores + 0.5 * self.kept
        self.kept = scores.detach().mean(0)
        return scores

    def begin_pass(self):
        self.calls.append("training" if self.training else "evaluation")
        self.kept = None

    def carried(self):
        return {} if self.kept is None else {"kept": self.kept}

    def take_carried(self, carried):
        self.kept = carried.get("kept")


def training(network, folder=None, callbacks=(), held=None, **plan):
    plan = {"epochs": 3, "learning_rate": 0.05, "schedule": "constant"} | plan
    return Training(
        network,
        ToyRows(),
        held,
        TrainingPlan(**plan),
        rank=lambda metrics: (-metrics["loss"],),
        checkpoint=folder,
        callbacks=callbacks,
    )


def weights(network):
    return {name: tensor.tolist() for name, tensor in network.state_dict().items()}


def test_every_pass_begins_anew():
    network = Remembering()
    training(network, held=ToyRows(9, seed=2), epochs=2).run()
    # An epoch of training; then the validation, which cleans up behind itself.
    assert network.calls == ["training", "evaluation", "evaluation"] * 2
    assert network.carried() == {}
    first = measure(network, ToyRows()).result()
    network.kept = torch.tensor([9.0, 0.0])
    assert measure(network, ToyRows()).result() == first


@pytest.mark.parametrize("after", [1, 3])
def test_a_run_stopped_in_mid_epoch_goes_on_with_what_it_remembered(tmp_path, after):
    class StopError(Exception):
        pass

    def stop(event):
        if event.kind == "batch" and (event.epoch, event.step) == (2, after + 1):
            raise StopError

    whole, stopped, resumed = Remembering(), Remembering(), Remembering()
    training(whole).run()
    with pytest.raises(StopError):
        training(stopped, tmp_path, [stop], checkpoint_minutes=0).run()
    training(resumed, tmp_path, checkpoint_minutes=0).run(resume=True)
    assert weights(resumed) == weights(whole)
    assert resumed.calls[0] == "training"
    assert len(resumed.calls) == 1  # the third epoch; the second went on


class Short(Batch):
    """A batch that counts half."""

    @property
    def share(self):
        return 0.5


def test_a_small_batch_is_learned_from_in_small_steps():
    class ShortRows(ToyRows):
        def batch(self, rows):
            usual = super().batch(rows)
            return Short(usual.values, usual.lengths, usual.targets)

    networks = ToyNetwork(dropout=0), ToyNetwork(dropout=0)
    run = training(networks[0], optimizer="sgd", epochs=1)
    run.rows = ShortRows()
    run.run()
    training(networks[1], optimizer="sgd", epochs=1, learning_rate=0.025).run()
    assert weights(networks[0]) == weights(networks[1])


def test_the_average_begins_when_validation_stalls_and_is_plain():
    seen = []

    def remember(event):
        if event.kind == "batch":
            seen.append((event.epoch, network.hidden.weight.detach().clone()))

    network = ToyNetwork()
    held = ToyRows(11, seed=4)
    plan = {"optimizer": "sgd", "learning_rate": 2.0, "epochs": 14, "average_after": 2}
    run = training(network, callbacks=[remember], held=held, **plan)
    run.run()
    losses = [row["validation_loss"] for row in run.history]
    begun = next(count for count in range(15) if has_stalled(losses[:count], 2))
    assert begun < 14
    assert run.average.updates == 5 * (14 - begun)
    mean = torch.stack([weight for epoch, weight in seen if epoch > begun]).mean(0)
    torch.testing.assert_close(run.average.tensors["hidden.weight"], mean)


def test_without_a_stall_there_is_no_average():
    plan = {"optimizer": "sgd", "learning_rate": 0.01, "epochs": 4, "average_after": 1}
    run = training(ToyNetwork(dropout=0), held=ToyRows(), **plan)
    run.run()
    assert run.average.updates == 0
