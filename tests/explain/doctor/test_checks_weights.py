"""What weights say, against networks that are tried on what they may read."""

from __future__ import annotations

import pytest
import torch

from tests.explain.patients import HIDDEN, batch, network
from tidegate.explain.doctor import checks_weights
from tidegate.explain.doctor.checks_weights import gate_bounds, idle, likeness


def vectors(net):
    return net.embedding.words.weight.detach()


@pytest.mark.parametrize("bias", [9.0, 12.0, 16.0, 25.0])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gate_said_to_stay_open_is_open_at_every_step(cell, bias):
    net = network(cell, forget_bias=bias)
    gate = net.recurrent.cell.keep_gate
    bounds = gate_bounds(net.recurrent, gate, vectors(net))
    values = net.recurrent.trace(net.embed(batch(64, 30, shortest=30))).gate(gate)
    for entry, (opened, shut) in enumerate(bounds.values()):
        assert (values[entry].amin((0, 1))[opened] > 0.999).all()
        assert not shut.any()
    shares = torch.stack([opened.float().mean() for opened, _ in bounds.values()])
    assert shares.max() == 0 if bias == 9 else True
    assert shares.min() == 1 if bias == 25 else True


def test_the_bound_of_the_first_layer_is_reached():
    """The worst word and the worst state that can be: there the sum is the bound itself."""
    net = network(layers=1, bidirectional=False)
    layer = net.recurrent
    rows = slice(HIDDEN, 2 * HIDDEN)
    with torch.no_grad():
        least = (vectors(net) @ layer.weight_ih_l0[rows].T).amin(0)
        least = least - layer.weight_hh_l0[rows].abs().sum(1) + layer.bias_hh_l0[rows]
        edge = torch.logit(torch.tensor(0.999))
        layer.bias_ih_l0[rows] = edge - least + torch.tensor([0.01, -0.01]).repeat(HIDDEN // 2)
    ((opened, _),) = gate_bounds(layer, "forget", vectors(net)).values()
    assert opened.tolist() == [True, False] * (HIDDEN // 2)


@pytest.mark.parametrize("options", [{"layer_norm": True}, {"peephole": True}, {"proj_size": 4}])
def test_sums_that_nothing_bounds_are_left_alone(options):
    net = network(forget_bias=30.0, **options)
    assert gate_bounds(net.recurrent, "forget", vectors(net)) == {}


@pytest.mark.parametrize("options", [{"residual": True}, {"merge": "sum"}])
def test_inputs_that_nothing_bounds_are_left_alone(options):
    options = {"residual": {"residual": True, "merge": "mean", "hidden": 12}}.get(
        next(iter(options)), options
    )
    net = network(forget_bias=30.0, **options)
    names = list(gate_bounds(net.recurrent, "forget", vectors(net)))
    assert names == ["layer 0 forward", "layer 0 backward"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_idle_units_write_nothing_of_what_they_read(cell):
    net = network(cell)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh"):
            weight = net.recurrent.weights(1, "_reverse")[name]
            weight.view(len(net.recurrent.cell.blocks), HIDDEN, -1)[
                -2 if cell == "lstm" else -1, 3
            ] = 0
    found = idle(net.recurrent)
    assert found["layer 1 backward"].nonzero().flatten().tolist() == [3]
    assert not any(hit.any() for name, hit in found.items() if name != "layer 1 backward")


def test_a_cell_with_other_names_for_its_rows_has_no_answer(monkeypatch):
    monkeypatch.setattr(checks_weights, "_WRITES", ("content",))
    assert idle(network().recurrent) == {}


def test_likeness_is_one_for_twins_and_falls_with_the_distance():
    net = network(layers=1, bidirectional=False, bias=False)
    weights = {name: weight.detach() for name, weight in net.recurrent.weights(0).items()}
    rows = torch.cat(list(weights.values()), 1).view(4, HIDDEN, -1).transpose(0, 1).flatten(1)
    for weight in weights.values():
        weight.view(4, HIDDEN, -1)[:, 1] = weight.view(4, HIDDEN, -1)[:, 0]
    (found,) = likeness(net.recurrent).values()
    assert found[0, 1] == pytest.approx(1)
    norms = rows.norm(dim=1)
    apart = (rows[2] - rows[3]).norm()
    expected = max(0.0, float(1 - apart**2 / (2 * norms[2] * norms[3])))
    assert found[2, 3] == pytest.approx(expected, rel=1e-4)


def test_twins_with_different_biases_differ():
    net = network(layers=1, bidirectional=False)
    with torch.no_grad():
        for weight in net.recurrent.weights(0).values():
            weight.view(4, HIDDEN, -1)[:, 1] = weight.view(4, HIDDEN, -1)[:, 0]
        net.recurrent.bias_ih_l0.view(4, HIDDEN)[2, 1] += 2.0
    (found,) = likeness(net.recurrent).values()
    assert found[0, 1] < 0.9
