"""Units and gates: networks with one defect each, and a sound one in which nothing is found."""

from __future__ import annotations

import pytest
import torch

from tests.explain.patients import HIDDEN, batch, case, found, network, why
from tidegate.explain.doctor import checks_units as checks

ALL = [checks.saturated, checks.dead, checks.redundant, checks.exploding]
CELLS = ["lstm", "gru", "rnn"]


@pytest.fixture(params=["data", "weights"])
def known(request):
    """What else is known: rows to try the network on, or none."""
    return {} if request.param == "data" else {"batches": ()}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("check", ALL)
def test_nothing_is_found_in_a_sound_network(check, cell, known):
    outcome = check(case(network(cell), **known))
    assert outcome is None or why(outcome)


@pytest.mark.parametrize("check", [checks.saturated, checks.dead, checks.redundant])
@pytest.mark.parametrize("options", [{"layer_norm": True}, {"peephole": True}, {"coupled": True}])
def test_nothing_is_found_in_sound_variants(check, options, known):
    outcome = check(case(network(**options), **known))
    assert outcome is None or why(outcome) == "needs data"


# ------------------------------------------------------------------ gates


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "forget"), ("gru", "update")])
def test_a_forget_bias_of_30_saturates_all_gates(cell, gate, known):
    settings = {"layer_options": {"forget_bias": 30.0}}
    seen = found(
        checks.saturated(case(network(cell, forget_bias=30.0), settings=settings, **known))
    )
    assert seen.name == f"saturated {gate} gates"
    assert seen.severity == "serious"
    assert "above 0.999" in seen.evidence
    for name in ("layer 0 forward", "layer 0 backward", "layer 1 forward", "layer 1 backward"):
        assert f"{HIDDEN} of {HIDDEN} units of {name}" in seen.evidence
    assert "--forget-bias (now 30)" in seen.remedy


def test_gates_that_are_always_shut_are_saturated_too(known):
    seen = found(checks.saturated(case(network(forget_bias=-30.0), **known)))
    assert "below 0.001" in seen.evidence
    assert "above" not in seen.evidence
    assert "--forget-bias 1 or more" in seen.remedy


@pytest.mark.parametrize(("stuck", "severity"), [(3, None), (4, "warning"), (12, "serious")])
def test_a_quarter_of_the_gates_is_worth_a_warning(stuck, severity):
    net = network(layers=1, bidirectional=False)
    with torch.no_grad():
        net.recurrent.bias_ih_l0[HIDDEN : HIDDEN + stuck] = 30.0
    outcome = checks.saturated(case(net))
    assert outcome is None if severity is None else found(outcome).severity == severity


def test_a_long_memory_for_long_rows_is_no_fault():
    """Beyond 0.999 at every step, but two thirds are forgotten at the end of 3,000 steps."""
    net = network(layers=1, bidirectional=False, forget_bias=7.9)
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0"):
            getattr(net.recurrent, name)[HIDDEN : 2 * HIDDEN] = 0
    long, short = batch(8, 3000, shortest=3000), batch(24, 15)
    assert case(net, batches=[long]).activity.open.min() == 1
    assert checks.saturated(case(net, batches=[long])) is None
    assert found(checks.saturated(case(net, batches=[short]))).severity == "serious"


def test_a_plain_rnn_has_no_such_gate(known):
    assert why(checks.saturated(case(network("rnn"), **known))) == (
        "RNN has no gate that keeps its memory"
    )


# ------------------------------------------------------------------ dead and redundant units


def kill(net, units, cell="lstm"):
    """Zero all weights of some units of layer 0, forward; and with bias, let them be constant."""
    layer, blocks = net.recurrent, len(net.recurrent.cell.blocks)
    with torch.no_grad():
        for name, weight in layer.weights(0).items():
            rows = weight.view(blocks, HIDDEN, -1)
            rows[:, units] = 0.7 if name == "bias_ih" else 0.0
    return net


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("count", "severity"), [(2, "note"), (4, "warning"), (HIDDEN, "warning")])
def test_units_without_weights_are_dead(cell, count, severity, known):
    seen = found(checks.dead(case(kill(network(cell), slice(0, count)), **known)))
    assert seen.severity == severity
    assert f"{count} of {HIDDEN} units of layer 0 forward" in seen.evidence
    assert "layer 0 backward" not in seen.evidence


def test_a_dead_unit_may_move_with_the_step_as_long_as_no_row_differs():
    """Its bias drives it up over the first steps: the same in every row."""
    net = kill(network(), slice(0, 1))
    trace = net.recurrent.trace(net.embed(batch(steps=9, shortest=9)))
    assert trace.hidden[0, :, :, 0].std(1).min() > 0.05
    assert case(net).activity.spread[0, 0] == 0


def test_one_dead_unit_among_many_is_not_worth_a_word():
    net = network(hidden=32, layers=1)
    with torch.no_grad():
        for weight in net.recurrent.weights(0).values():
            weight.view(4, 32, -1)[:, 0] = 0
    spread = case(net).activity.spread
    assert spread[0, 0] == 0
    assert checks.dead(case(net)) is None


def test_units_of_a_projection_or_of_relu_are_measured_against_the_widest():
    assert checks.dead(case(network(proj_size=6))) is None
    net = network("rnn", nonlinearity="relu", layers=1, bidirectional=False)
    with torch.no_grad():
        net.recurrent.weight_ih_l0.mul_(1e-4)
        net.recurrent.weight_hh_l0.mul_(0.1)
        net.recurrent.bias_ih_l0.fill_(0.5)  # no unit is cut to zero
        net.recurrent.bias_hh_l0.zero_()
    assert case(net).activity.spread.max() < 0.01
    assert checks.dead(case(net)) is None


def twin(net, ones, others):
    """Let some units of layer 0, forward, have the weights of others."""
    blocks = len(net.recurrent.cell.blocks)
    with torch.no_grad():
        for weight in net.recurrent.weights(0).values():
            rows = weight.view(blocks, HIDDEN, -1)
            rows[:, ones] = rows[:, others]
    return net


@pytest.mark.parametrize("cell", CELLS)
def test_units_with_the_same_weights_are_redundant(cell, known):
    seen = found(checks.redundant(case(twin(network(cell), [5, 9], [2, 2]), **known)))
    assert f"2 of {HIDDEN} units of layer 0 forward follow" in seen.evidence
    assert "unit 5 follows unit 2" in seen.evidence
    assert "layer 0 backward" not in seen.evidence
    assert seen.severity == "note"
    assert seen.remedy.startswith("--hidden-size ")


def test_a_unit_that_mirrors_another_is_redundant():
    net = network("rnn", layers=1, bidirectional=False)
    with torch.no_grad():
        for weight in net.recurrent.weights(0).values():
            weight[[3, 4]] = -weight[[1, 2]]
    assert "unit 3 follows unit 1" in found(checks.redundant(case(net))).evidence


def test_a_large_bias_that_all_units_share_makes_none_redundant():
    assert checks.redundant(case(network(forget_bias=30.0), batches=())) is None


def test_the_size_proposed_keeps_every_unit_that_works():
    settings = {"hidden_size": HIDDEN}
    seen = found(checks.dead(case(kill(network(), slice(0, 4)), settings=settings)))
    # The other layers and directions have 16 units at work.
    assert "--hidden-size 16" in seen.remedy
    alone = network(layers=1, bidirectional=False)
    seen = found(checks.dead(case(kill(alone, slice(0, 4)), settings=settings)))
    assert "--hidden-size 12" in seen.remedy


# ------------------------------------------------------------------ exploding states


def runaway():
    """Each step adds nearly 1 to every cell state, and takes nothing away."""
    net = network(layers=1, bidirectional=False, forget_bias=30.0)
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0"):
            getattr(net.recurrent, name).zero_()
        net.recurrent.bias_ih_l0.fill_(30.0)
    return net


def test_a_cell_state_that_only_grows_explodes():
    rows = batch(12, 40, shortest=40)
    seen = found(checks.exploding(case(runaway(), batches=[rows])))
    assert seen.severity == "serious"
    # Worked by hand: c_t = t, so the quarters of 40 steps have the means 5.5 and 35.5.
    assert "5.5 in the first quarter of a row, 35.5 in the last" in seen.evidence
    assert "--cell-clip" in seen.remedy


def test_rows_too_short_to_explode_are_sound():
    assert checks.exploding(case(runaway(), batches=[batch(12, 8, shortest=8)])) is None


def test_a_counter_among_many_units_is_no_explosion():
    net = network(layers=1, bidirectional=False, hidden=32)
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0"):
            getattr(net.recurrent, name).view(4, 32, -1)[:, 0] = 0
        net.recurrent.bias_ih_l0.view(4, 32)[:, 0] = 30.0
    many = case(net, batches=[batch(12, 40, shortest=40)])
    assert many.activity.flat[0, 0] == 1
    assert checks.exploding(many) is None


def test_an_rnn_with_relu_can_explode_and_become_no_number():
    net = network("rnn", nonlinearity="relu", layers=1, bidirectional=False)
    with torch.no_grad():
        net.recurrent.weight_hh_l0.copy_(torch.eye(HIDDEN) * 2)
    seen = found(checks.exploding(case(net, batches=[batch(12, 40, shortest=40)])))
    assert "grow beyond 10" in seen.evidence
    assert "--nonlinearity tanh" in seen.remedy
    with torch.no_grad():
        net.recurrent.weight_hh_l0.mul_(1e4)
    seen = found(checks.exploding(case(net, batches=[batch(12, 40, shortest=40)])))
    assert "not numbers" in seen.evidence
    assert seen.severity == "serious"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (network("gru"), "the state of GRU cannot leave -1 to 1"),
        (network("rnn"), "the state of RNN cannot leave -1 to 1"),
        (network(layer_norm=True), "layer_norm reads a normalised cell state"),
    ],
)
def test_states_that_cannot_explode_are_not_checked(made, reason):
    assert why(checks.exploding(case(made))) == reason


# ------------------------------------------------------------------ what cannot be checked


@pytest.mark.parametrize("check", ALL)
def test_a_few_rows_show_too_little(check):
    few = case(batches=[batch(7)])
    assert why(check(few)) == "needs data of at least 8 rows"
    rows = batch(12)
    rows.lengths[:6] = 0
    assert why(check(case(batches=[rows]))) == "needs data of at least 8 rows"


@pytest.mark.parametrize("check", ALL)
def test_a_network_that_shows_no_layer_is_left_alone(check):
    assert why(check(case(torch.nn.Linear(2, 2)))) == "the network shows no recurrent layer"


def test_growth_needs_data():
    assert why(checks.exploding(case(batches=()))) == "needs data"


def test_the_first_layers_gates_need_the_words_or_data():
    assert (
        "layer 0"
        not in found(
            checks.saturated(case(network(forget_bias=30.0), batches=(), words=None))
        ).evidence
    )
    one = network(layers=1, forget_bias=30.0)
    assert why(checks.saturated(case(one, batches=(), words=None))) == "needs data"
