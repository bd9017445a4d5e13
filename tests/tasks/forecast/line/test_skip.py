"""The line beside the network: where training begins, how far it reaches, what can be seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tidegate.data.windows.batch import ForecastBatch
from tidegate.explain.network import Inspectable
from tidegate.tasks.forecast.line.linear import LinearBaseline
from tidegate.tasks.forecast.line.skip import LinearSkip
from tidegate.tasks.forecast.network import build_forecaster_network
from tidegate.tasks.forecast.settings import ForecasterSettings

SMALL = {"lookback": 8, "horizon": 4, "segment": 2, "hidden_size": 6, "verbose": False}


def build(line=None, **settings):
    torch.manual_seed(3)
    made = ForecasterSettings(**{**SMALL, **settings})
    network = LinearSkip(build_forecaster_network(made, features=2, targets=2), 8, 4)
    if line is not None:
        network.set_line(line.weights)
    return network.eval()


def some_line():
    return LinearBaseline(np.random.default_rng(0).normal(size=(9, 4)))


def rows(count=3):
    torch.manual_seed(5)
    return ForecastBatch(
        torch.randn(count, 8, 2), torch.full((count,), 8), torch.randn(count, 4, 2)
    )


@pytest.mark.parametrize("norm", ["last", "mean", "standard"])
@pytest.mark.parametrize("output", ["point", "quantile", "normal", "student-t"])
def test_an_untrained_network_forecasts_what_the_line_does(norm, output):
    line, windows = some_line(), rows()
    network = build(line, window_norm=norm, output=output)
    found = network.head.answer(network(windows).detach())["mean"].numpy()
    expected = line.predict(windows.values.double().numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_further_steps_come_from_the_lines_own_answers():
    line, windows = some_line(), rows()
    network = build(line, strategy="recursive")
    found = network(ForecastBatch(windows.values, windows.lengths, ahead=10)).detach()[..., 0]
    past = windows.values.double().numpy()
    expected = []
    for _ in range(3):
        expected.append(line.predict(past))
        past = np.concatenate([past, expected[-1]], 1)[:, -8:]
    expected = np.concatenate(expected, 1)[:, :10]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-3)


def test_training_leaves_the_line_as_it_is():
    network = build(some_line()).train()
    before = network.weights.clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    loss, _ = network.learn(rows())
    loss.backward()
    optimizer.step()
    later, _ = network.learn(rows())
    assert later < loss
    assert torch.equal(network.weights, before)
    assert "weights" in network.state_dict()


def test_it_decides_on_what_it_embeds_to_the_last_bit():
    network, windows = build(some_line()), rows()
    torch.nn.init.normal_(network.head.linear.weight)
    assert isinstance(network, Inspectable)
    vectors = network.embed(windows)
    assert torch.equal(network.decide(vectors, windows), network(windows))
    assert len(vectors) == len(network.lengths(windows)) == 6
    assert network.recurrent is network.network.recurrent
    assert network.direct(windows) is None
