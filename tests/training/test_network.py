"""Networks: groups of parameters, and what a network leaves to its head."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.toys import ToyNetwork, ToyRows
from tidegate.batch import Batch
from tidegate.nn import GRU, recurrent_layer
from tidegate.training.network import InspectableNetwork, Network


def test_only_matrices_decay_and_embeddings_are_not_clipped():
    network = ToyNetwork()
    groups = network.groups(0.01, 0.5)
    found = {
        id(p): (group["weight_decay"], group["clip"]) for group in groups for p in group["params"]
    }
    assert found == {
        id(network.table.weight): (0.0, False),
        id(network.hidden.weight): (0.5, True),
        id(network.hidden.bias): (0.0, True),
        id(network.head.linear.weight): (0.5, True),
        id(network.head.linear.bias): (0.0, True),
    }
    assert {group["lr"] for group in groups} == {0.01}


def test_frozen_parameters_are_left_out():
    network = ToyNetwork()
    network.table.weight.requires_grad_(False)
    groups = network.groups(0.01, 0.5)
    assert all(p is not network.table.weight for group in groups for p in group["params"])


def test_loss_and_meter_are_the_heads():
    network, batch = ToyNetwork(), ToyRows().batch(np.arange(7))
    outputs = network(batch)
    assert torch.equal(network.loss(outputs, batch), network.head.loss(outputs, batch))
    meter, other = network.meter(), network.head.meter()
    for each in (meter, other):
        each.update(outputs.detach(), batch)
    assert meter.result() == other.result()


def test_a_network_without_a_head_cannot_learn():
    with pytest.raises(AttributeError, match="head"):
        Network().loss(torch.zeros(1), ToyRows().batch(np.arange(1)))
    with pytest.raises(AttributeError, match="head"):
        Network().meter()


class Twice(InspectableNetwork):
    """Doubles its values, and adds up what a stack makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = recurrent_layer("gru", 2, 3, batch_first=True)

    def embed(self, batch: Batch) -> torch.Tensor:
        return 2 * batch.values

    def decide(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        return self.recurrent(vectors, lengths=batch.lengths)[0].sum(1)


def test_an_inspectable_network_answers_from_what_its_stack_reads():
    network, batch = Twice(), Batch(torch.randn(3, 4, 2), torch.tensor([4, 0, 2]))
    theirs = network.recurrent(2 * batch.values, lengths=batch.lengths)[0].sum(1)
    assert torch.equal(network(batch), theirs)
    assert network.direct(batch) is None


def test_recurrent_stacks_have_names():
    network = Twice()
    assert network.recurrent_stacks() == {"recurrent": network.recurrent}
    assert ToyNetwork().recurrent_stacks() == {}
    network.recurrent = torch.nn.Identity()  # no stack of ours: nothing to look into
    assert network.recurrent_stacks() == {}
    network.recurrent = GRU(2, 3)
    assert list(network.recurrent_stacks()) == ["recurrent"]
