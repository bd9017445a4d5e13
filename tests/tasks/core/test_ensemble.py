"""Ensemble: the mean of networks that learn apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.heads import RegressHead
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.pooling import Pooling
from tidegate.tasks.core.ensemble import Ensemble, joined, members
from tidegate.tasks.sequence.network import SequenceNetwork


def make() -> SequenceNetwork:
    layer = recurrent_layer("gru", 2, 3, batch_first=True)
    return SequenceNetwork(None, layer, Pooling("mean", 3), RegressHead(3))


@pytest.fixture
def batch() -> Batch:
    return Batch(torch.randn(5, 4, 2), torch.tensor([4, 1, 3, 0, 2]), torch.randn(5))


def test_one_is_no_ensemble():
    network = joined(make, 1)
    assert isinstance(network, SequenceNetwork)
    assert members(network) == [network]


def test_the_answer_is_the_mean_of_networks_that_start_apart(batch):
    ensemble = joined(make, 3)
    outputs = [network(batch) for network in members(ensemble)]
    torch.testing.assert_close(ensemble(batch), (outputs[0] + outputs[1] + outputs[2]) / 3)
    assert not torch.equal(outputs[0], outputs[1])


def test_each_network_learns_as_if_it_were_alone(batch):
    ensemble = joined(make, 2)
    loss, outputs = ensemble.learn(batch)
    loss.backward()
    torch.testing.assert_close(outputs, ensemble(batch))
    for network in members(ensemble):
        found = [weight.grad.clone() for weight in network.parameters()]
        network.zero_grad()
        network.learn(batch)[0].backward()
        for weight, gradient in zip(network.parameters(), found, strict=True):
            torch.testing.assert_close(weight.grad, gradient)


def test_what_looks_inside_sees_the_first(batch):
    ensemble = joined(make, 2)
    assert isinstance(ensemble, Ensemble)
    first = members(ensemble)[0]
    assert ensemble.recurrent is first.recurrent
    assert ensemble.recurrent_stacks() == first.recurrent_stacks()
    assert ensemble.head is first.head
    torch.testing.assert_close(ensemble.decide(ensemble.embed(batch), batch), first(batch))
    assert ensemble.direct(batch) is None


@pytest.mark.parametrize("linear", [False, True])
def test_a_forecaster_of_several_is_the_mean_of_its_networks(tmp_path, linear):
    wave = np.sin(np.arange(400) / 4)
    settings = {"lookback": 24, "horizon": 6, "epochs": 1, "hidden_size": 4, "members": 3}
    model = tidegate.Forecaster(**settings, linear=linear, verbose=False)
    model.fit(wave, validation=None)
    joint, networks = model.predict().mean, members(model.network_)
    alone = []
    for network in networks:
        model.network_ = network
        alone.append(model.predict().mean)
    np.testing.assert_allclose(joint, np.mean(alone, axis=0), rtol=1e-5)
    assert np.ptp(alone, axis=0).max() > 1e-6
    model.network_ = Ensemble(networks)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(tidegate.load(tmp_path / "model").predict().mean, joint)


def test_classifiers_and_regressors_prepare_every_network():
    X = [np.random.default_rng(n).normal(n % 2, 1, (6, 2)) for n in range(20)]
    settings = {"members": 2, "epochs": 1, "hidden_size": 3, "filters": 3, "verbose": False}
    labels = [n % 2 for n in range(20)]
    classifier = tidegate.SequenceClassifier(**settings, class_weight={"1": 3.0})
    classifier.fit(X, labels, validation=None)
    assert all(n.head.class_weights is not None for n in members(classifier.network_))
    regressor = tidegate.SequenceRegressor(**settings)
    regressor.fit(X, [100.0 + n for n in range(20)], validation=None)
    assert {float(n.head.centre) for n in members(regressor.network_)} == {109.5}


def test_a_count_below_one_is_refused():
    with pytest.raises(InputError, match="Forecaster: `members` must be"):
        tidegate.Forecaster(members=0).fit(np.arange(300.0))
