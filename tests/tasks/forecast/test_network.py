"""The forecaster's network: against plain torch, padding, neighbours, leaks, what reaches it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.tasks.forecasting import STRATEGIES, build, windows
from tidegate.data.windows.batch import ForecastBatch
from tidegate.errors import InputError
from tidegate.explain.network import Inspectable

each_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
OUTPUTS = ("point", "quantile", "normal", "student-t", "negative-binomial")


@each_strategy
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("channels", ["independent", "joint"])
def test_everything_learns_from_everything(strategy, output, channels):
    extras = {"known": 2, "others": 1, "static": 2}
    network = build(strategy=strategy, output=output, channels=channels, num_layers=2, **extras)
    rows = windows(**extras)
    rows = replace(rows, targets=rows.targets.abs().round())
    loss, outputs = network.learn(rows)
    loss.backward()
    assert outputs.shape == (3, 7, 2, network.head.distribution.parameters)
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    # A point's neighbours in an untrained relu may all be off, whole weights never.
    assert not silent


@each_strategy
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_forecasts_depend_neither_on_padding_nor_on_neighbours(strategy, cell):
    extras = {"known": 2, "others": 1}
    network = build(strategy=strategy, cell=cell, **extras)
    rows = windows(5, lengths=[11, 9, 4, 1, 0], **extras)
    together = network(rows)
    assert together.isfinite().all()
    for row, length in enumerate([11, 9, 4, 1, 0]):
        alone = ForecastBatch(
            rows.values[row : row + 1, : max(length, 1)],
            rows.lengths[row : row + 1],
            known=rows.known[row : row + 1],
        )
        torch.testing.assert_close(network(alone)[0], together[row], atol=1e-5, rtol=1e-4)


@each_strategy
def test_the_truth_does_not_leak(strategy):
    network, rows = build(strategy=strategy), windows()
    other = replace(rows, targets=rows.targets + 5)
    assert torch.equal(network(rows), network(other))


@each_strategy
@pytest.mark.parametrize("channels", ["independent", "joint"])
def test_independent_targets_do_not_see_each_other(strategy, channels):
    network, rows = build(strategy=strategy, channels=channels), windows()
    values = rows.values.clone()
    values[..., 1] = torch.randn(3, 11)
    before, after = network(rows), network(replace(rows, values=values))
    same = torch.allclose(before[:, :, 0], after[:, :, 0], atol=1e-6)
    assert same == (channels == "independent")
    assert not torch.allclose(before[:, :, 1], after[:, :, 1], atol=1e-6)


@each_strategy
def test_targets_that_share_a_net_have_vectors_of_their_own(strategy):
    network, rows = build(strategy=strategy), windows()
    alike = replace(rows, values=rows.values[..., :1].expand(-1, -1, 2))
    answers = network(alike)
    assert not torch.allclose(answers[:, :, 0], answers[:, :, 1], atol=1e-6)


@each_strategy
@pytest.mark.parametrize(("norm", "unit"), [("last", 1.0), ("standard", 40.0)])
def test_forecasts_follow_the_level_and_the_unit_of_a_window(strategy, norm, unit):
    network, rows = build(strategy=strategy, window_norm=norm), windows()
    moved = replace(rows, values=rows.values * unit + 300)
    torch.testing.assert_close(
        network(moved), network(rows) * unit + 300, atol=1e-3 * unit, rtol=1e-4
    )


@each_strategy
@pytest.mark.parametrize(("step", "first", "last"), [(0, 0, 0), (4, 4, 4), (6, 6, 6)])
def test_known_features_reach_their_step_and_not_those_before(strategy, step, first, last):
    network, rows = build(strategy=strategy, known=2), windows(known=2)
    known = rows.known.clone()
    known[:, step] += 1
    change = (network(rows) - network(replace(rows, known=known))).abs().amax((0, 2, 3)) > 1e-6
    if strategy == "segment":  # a segment is written at once
        first, last = step // 3 * 3, min(step // 3 * 3 + 2, 6)
    if strategy in ("recursive", "encoder-decoder"):  # later steps follow from it
        last = 6
    assert change.nonzero().flatten().tolist() == list(range(first, last + 1))


@each_strategy
def test_what_belongs_to_the_series_counts(strategy):
    network, rows = build(strategy=strategy, static=3), windows(static=3)
    other = replace(rows, static=rows.static + 1)
    assert not torch.allclose(network(rows), network(other), atol=1e-6)


@each_strategy
def test_some_strategies_go_on_past_the_horizon(strategy):
    network, rows = build(strategy=strategy), windows()
    ask = ForecastBatch(rows.values, rows.lengths, ahead=10)
    if strategy in ("segment", "direct"):
        with pytest.raises(InputError, match=r"`horizon` must be at most [79].*got 10.*recursive"):
            network(ask)
    else:
        torch.testing.assert_close(network(ask)[:, :7], network(rows))
    fewer = replace(ask, ahead=4)
    torch.testing.assert_close(network(fewer), network(rows)[:, :4])


@pytest.mark.parametrize("channels", ["independent", "joint"])
def test_each_step_is_drawn_to_the_mean_by_its_share(channels):
    network = build(strategy="direct", channels=channels)
    rows = windows(2, lengths=[11, 4])
    before = network(rows)
    share = torch.linspace(-0.5, 1, 7)
    with torch.no_grad():
        network.reversion.share.copy_(share)
    for row, length in enumerate([11, 4]):
        past = rows.values[row, :length]
        shift = share[:, None] * (past.mean(0) - past[-1])
        torch.testing.assert_close(network(rows)[row, ..., 0], before[row, ..., 0] + shift)


@each_strategy
def test_it_decides_on_what_it_embeds_to_the_last_bit(strategy):
    network, rows = build(strategy=strategy), windows(lengths=[11, 8, 2])
    assert isinstance(network, Inspectable)
    vectors = network.embed(rows)
    assert torch.equal(network.decide(vectors, rows), network(rows))
    assert vectors.shape[0] == len(network.lengths(rows)) == 6
    assert network.lengths(rows).max() <= vectors.shape[1]


@each_strategy
def test_dropout_acts_in_training_only(strategy):
    network, rows = build(strategy=strategy, dropout=0.5), windows()
    assert torch.equal(network(rows), network(rows))
    network.train()
    assert not torch.equal(network(rows), network(rows))


def test_both_directions_read_for_a_direct_forecast():
    network = build(strategy="direct", bidirectional=True)
    assert network(windows()).shape == (3, 7, 2, 1)


@pytest.mark.parametrize("strategy", ["segment", "recursive", "encoder-decoder"])
def test_a_net_that_goes_on_cannot_read_backwards(strategy):
    with pytest.raises(InputError, match="`bidirectional` must be False unless strategy='direct'"):
        build(strategy=strategy, bidirectional=True)


@each_strategy
def test_counts_stay_positive(strategy):
    network, rows = build(strategy=strategy, output="negative-binomial", scaling="none"), windows()
    counts = replace(rows, values=(rows.values.abs() * 50).round())
    answers = network.head.answer(network(counts), [0.1, 0.9])
    assert (answers["mean"] > 0).all()
    assert (answers["quantiles"] >= 0).all()


@each_strategy
def test_a_projected_lstm_fits_its_head(strategy):
    network = build(strategy=strategy, layer_options={"proj_size": 4})
    assert network(windows()).shape == (3, 7, 2, 1)


@each_strategy
def test_it_learns_a_wave(strategy):
    torch.manual_seed(0)
    wave = torch.sin(torch.arange(400) / 3)[:, None]
    network = build(targets=1, strategy=strategy, cell="gru", hidden_size=24).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    cuts = wave.unfold(0, 18, 1).transpose(1, 2)
    for _ in range(150):
        chosen = cuts[torch.randperm(len(cuts) - 50)[:32]]
        rows = ForecastBatch(chosen[:, :11], torch.full((32,), 11), chosen[:, 11:])
        network.loss(network(rows), rows).backward()
        optimizer.step()
        optimizer.zero_grad()
    held = cuts[-40:]
    rows = ForecastBatch(held[:, :11], torch.full((40,), 11), held[:, 11:])
    naive = (rows.targets - rows.values[:, -1:]).square().mean()
    meter = network.eval().meter()
    meter.update(network(rows).detach(), rows)
    assert meter.result()["mse"] < naive / 20
