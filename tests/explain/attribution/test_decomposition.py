"""The decomposition of the memory against loops over the gates and the states of the layer."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import VARIANTS, make, states_of
from tidegate.errors import InputError
from tidegate.explain import decompose

GATED = [case for case in VARIANTS if not case.startswith("rnn")]
LENGTHS = [6, 3, 0, 1]


def layer_and_input(case, **options):
    layer = make(case, batch_first=True, **options)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(2)
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    sizes = layer.cell.state_sizes
    states = tuple(torch.randn(count, 4, size, dtype=torch.float64) for size in sizes)
    hx = states if len(states) > 1 else states[0]
    return layer, torch.randn(4, 6, 3, dtype=torch.float64), hx


@pytest.mark.parametrize("case", GATED)
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}], ids=["1", "2x2"]
)
def test_the_parts_add_up_to_the_state_of_the_layer(case, options):
    layer, x, hx = layer_and_input(case, **options)
    found = decompose(layer, x, hx, lengths=LENGTHS)
    memory = states_of(layer.eval()(x, hx, lengths=LENGTHS)[1])[-1]
    torch.testing.assert_close(found.steps.sum(2) + found.start, memory, atol=1e-12, rtol=1e-10)
    torch.testing.assert_close(found.state, memory)
    for row, length in enumerate(LENGTHS):
        assert not found.steps[:, row, length:].any()
    rows = layer.num_layers * (1 + layer.bidirectional)
    assert repr(found).startswith(f"Decomposition(N {rows}, B 4, T 6, H ")
    assert torch.equal(found.start[:, 2], states_of(hx)[-1][:, 2])  # a row of no steps keeps all


@pytest.mark.parametrize("case", ["lstm", "lstm-coupled", "lstm-peephole", "gru"])
def test_each_part_is_what_was_written_times_what_was_kept(case):
    layer, x, hx = layer_and_input(case, bidirectional=True)
    found = decompose(layer, x, hx, lengths=LENGTHS)
    gates = layer(x, hx, lengths=LENGTHS, return_gates=True)[2]
    if case == "gru":
        keep, write = gates["update"], (1 - gates["update"]) * gates["new"]
    else:
        keep, write = gates["forget"], gates["input"] * gates["candidate"]
    for row, length in enumerate(LENGTHS):
        for step in range(length):
            for way, later in ((0, range(step + 1, length)), (1, range(step))):
                expected = write[way, row, step].clone()
                for other in later:
                    expected *= keep[way, row, other]
                torch.testing.assert_close(found.steps[way, row, step], expected)


def test_a_gate_that_keeps_all_and_one_that_keeps_nothing():
    layer, x, hx = layer_and_input("lstm")
    with torch.no_grad():
        for name in ("bias_ih_l0", "bias_hh_l0"):
            getattr(layer, name)[4:6] = 500.0  # the forget gates of units 0 and 1
            getattr(layer, name)[6:8] = -500.0
    found = decompose(layer, x, hx)
    assert torch.equal(found.start[0, :, :2], hx[1][0, :, :2])
    assert not found.steps[0, :, :-1, 2:].any()
    torch.testing.assert_close(found.steps[0, :, -1, 2:], found.state[0, :, 2:])


@pytest.mark.parametrize("case", ["lstm", "lstm-clip", "gru"])
@pytest.mark.parametrize("zoneout", [None, 0.3])
def test_resets_and_zoneout_are_seen_to(case, zoneout):
    layer, x, hx = layer_and_input(case, bidirectional=True, zoneout=zoneout)
    resets = torch.zeros(4, 6, dtype=torch.bool)
    resets[0, 2] = resets[1, 0] = resets[3, 0] = True
    found = decompose(layer, x, hx, lengths=LENGTHS, reset_mask=resets)
    memory = states_of(layer.eval()(x, hx, lengths=LENGTHS, reset_mask=resets)[1])[-1]
    torch.testing.assert_close(found.steps.sum(2) + found.start, memory, atol=1e-12, rtol=1e-10)
    assert not found.steps[0, 0, :2].any()  # forgotten before step 2
    assert not found.steps[1, 0, 2:].any()  # the backward walk forgets before step 1


@pytest.mark.parametrize("state_batch_first", [False, True])
def test_layouts_give_the_same_parts(state_batch_first):
    layer, x, (h, c) = layer_and_input("lstm", state_batch_first=state_batch_first)
    if state_batch_first:
        h, c = h.transpose(0, 1), c.transpose(0, 1)
    expected = decompose(layer, x, (h, c))
    layer.batch_first = False
    found = decompose(layer, x.transpose(0, 1), (h, c))
    torch.testing.assert_close(found.steps, expected.steps)
    one = decompose(layer, x[0], None)
    torch.testing.assert_close(one.steps.sum(2) + one.start, one.state)


def test_dropout_in_training_does_not_reach_it():
    layer, x, hx = layer_and_input("lstm", recurrent_dropout=0.5)
    layer.train()
    assert torch.equal(decompose(layer, x, hx).steps, decompose(layer, x, hx).steps)
    assert layer.training


def test_an_rnn_has_no_gates_to_decompose():
    layer = make("rnn")
    with pytest.raises(InputError, match=r"an LSTM or a GRU.*got an RNN"):
        decompose(layer, torch.zeros(2, 1, 3, dtype=torch.float64))
