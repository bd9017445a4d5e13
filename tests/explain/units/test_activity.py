"""Activity against the same sums taken row by row and step by step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.explain.patients import HIDDEN, batch, network
from tidegate.batch import Batch
from tidegate.explain.units.activity import FLAT, observe, pick, sample


@pytest.fixture(scope="module", params=["lstm", "gru", "rnn"])
def seen(request):
    """A network, its rows, and gates and states of each row alone, walked as it walks them."""
    torch.manual_seed(0)
    net = network(request.param, forget_bias=6.0 if request.param != "rnn" else None)
    batches = [batch(), batch(17, 9, seed=1)]
    rows = [pick(part, torch.tensor([i])) for part in batches for i in range(len(part))]
    traces = [net.recurrent.trace(net.embed(row)) for row in rows]

    def walked(part):
        """`[N, T, H]` of one row, the backward direction from its last step on."""
        return np.stack([x[0, ::-1] if n % 2 else x[0] for n, x in enumerate(part.numpy())])

    found = {
        "hidden": [walked(trace.hidden) for trace in traces],
        "state": [walked(trace.hidden if trace.cell is None else trace.cell) for trace in traces],
    }
    gate = net.recurrent.cell.keep_gate
    if gate is not None:
        found["gate"] = [walked(trace.gate(gate)) for trace in traces]
    return observe(net, batches), found


def test_all_rows_and_steps_are_counted(seen):
    activity, rows = seen
    assert activity.rows == len(rows["hidden"]) == 41
    assert activity.steps == sum(row.shape[1] for row in rows["hidden"])
    assert activity.names == (
        "layer 0 forward", "layer 0 backward", "layer 1 forward", "layer 1 backward"
    )  # fmt: skip
    assert activity.finite


def test_spread_is_the_largest_distance_of_two_rows_at_a_step(seen):
    activity, rows = seen
    spread = np.zeros((4, HIDDEN))
    for one in rows["hidden"]:
        for other in rows["hidden"]:
            steps = min(one.shape[1], other.shape[1])
            spread = np.maximum(spread, np.abs(one[:, :steps] - other[:, :steps]).max(1))
    np.testing.assert_allclose(activity.spread, spread, atol=1e-5)


def test_likeness_is_the_correlation_coefficient(seen):
    activity, rows = seen
    hidden = np.concatenate(rows["hidden"], 1)
    for entry in range(4):
        expected = np.corrcoef(hidden[entry].T)
        np.testing.assert_allclose(activity.likeness[entry], expected, atol=1e-5)


def test_gates_are_counted_and_multiplied_along_each_row(seen):
    activity, rows = seen
    if "gate" not in rows:
        assert activity.open is activity.shut is activity.kept is None
        return
    gates = np.concatenate(rows["gate"], 1)
    np.testing.assert_allclose(activity.open, (gates > 0.999).mean(1), atol=1e-6)
    np.testing.assert_allclose(activity.shut, (gates < 0.001).mean(1), atol=1e-6)
    assert 0 < activity.open.mean() < 1, "or this shows little"
    products = np.stack([row.prod(1) for row in rows["gate"]])
    geometric = products.prod(0) ** (1 / len(products))
    np.testing.assert_allclose(activity.kept, geometric, rtol=1e-4, atol=1e-6)


def test_states_are_averaged_over_the_first_and_the_last_quarter(seen):
    activity, rows = seen
    early, late = [], []
    for row in rows["state"]:
        quarter = int(np.ceil(row.shape[1] / 4))
        early.append(np.abs(row[:, :quarter]))
        late.append(np.abs(row[:, -quarter:]))
    last = np.concatenate(late, 1)
    np.testing.assert_allclose(activity.early, np.concatenate(early, 1).mean(1), rtol=1e-4)
    np.testing.assert_allclose(activity.late, last.mean(1), rtol=1e-4)
    np.testing.assert_allclose(activity.flat, (last > FLAT).mean(1), atol=1e-6)


def test_a_unit_that_never_moves_is_like_no_other():
    net = network(layers=1, bidirectional=False)
    with torch.no_grad():
        for weight in net.recurrent.weights(0).values():
            weight.view(4, HIDDEN, -1)[:, 0] = 0
    likeness = observe(net, [batch()]).likeness
    assert not likeness[0, 0].any()
    assert likeness.isfinite().all()


def test_rows_without_steps_change_nothing():
    net, rows = network(), batch()
    first = observe(net, [rows])
    values = torch.cat([rows.values, torch.zeros(3, 15, dtype=torch.int64)])
    lengths = torch.cat([rows.lengths, torch.zeros(3, dtype=torch.int64)])
    second = observe(net, [Batch(values, lengths)])
    for name in ("spread", "likeness", "open", "kept", "early", "late"):
        torch.testing.assert_close(getattr(first, name), getattr(second, name))


def test_a_sample_is_spread_over_all_batches_and_keeps_rows_whole():
    batches = [batch(40, seed=1), batch(60, 30, seed=2)]
    parts = list(sample(batches, 20))
    assert sum(map(len, parts)) == 20
    assert max(map(len, parts)) <= 16
    everything = {
        tuple(row.tolist()[: int(length)])
        for part in batches
        for row, length in zip(part.values, part.lengths, strict=True)
    }
    for part in parts:
        assert part.values.shape[1] == part.lengths.max()
        assert part.targets is not None
        for row, length in zip(part.values, part.lengths, strict=True):
            assert tuple(row.tolist()[: int(length)]) in everything
    assert sum(map(len, sample(batches, 1000))) == 100
    assert 6 <= sum(len(part) for part in parts if part.values.shape[1] <= 15) <= 12
