"""Contributions by gates against loops over the formula, and against the output they explain."""

from __future__ import annotations

import pytest
import torch

from tests.explain.nets import ragged, text_net
from tidegate.errors import InputError
from tidegate.explain import gate_contributions, occlusion

OPTIONS = {
    "plain": {},
    "coupled": {"coupled": True},
    "peephole": {"peephole": True},
    "projected": {"proj_size": 2},
    "clipped": {"cell_clip": 0.3},
    "one way": {"bidirectional": False},
    "stack": {"num_layers": 2},
    "sum": {"merge": "sum"},
    "mean": {"merge": "mean"},
}


def exact(found):
    return (found.gap.abs() < 1e-10).all()


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean+max"])
@pytest.mark.parametrize("case", OPTIONS)
def test_behind_a_linear_head_the_scores_add_up(case, pooling):
    found = gate_contributions(text_net("lstm", pooling, **OPTIONS[case]), ragged())
    assert exact(found)
    assert not found.scores[~ragged().mask].any()
    assert found.scores[0].all()


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("options", [{}, {"reset_after": False}, {"zoneout": 0.3}])
def test_a_gru_is_read_where_it_is_written(pooling, options):
    assert exact(gate_contributions(text_net("gru", pooling, **options), ragged()))


def test_the_layout_of_the_states_does_not_matter():
    assert exact(gate_contributions(text_net("lstm", "mean", state_batch_first=True), ragged()))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_wide_part_is_added_exactly(cell):
    plain, wide = text_net(cell, wide=True), ragged()
    found = gate_contributions(plain, wide, 1)
    assert exact(found)
    direct = plain.direct(wide)[..., 1]
    plain.wide = None
    without = gate_contributions(plain, wide, 1)
    torch.testing.assert_close(found.scores, without.scores + direct)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_score_is_the_formula_of_the_paper(pooling):
    network, batch = text_net("lstm", pooling), ragged((6, 4))
    found = gate_contributions(network, batch, 2)
    vectors = network.embed(batch)
    gates = network.recurrent(vectors, lengths=batch.lengths, return_gates=True)[2]
    read = network.head.linear.weight[2].view(2, 4)  # of each direction
    for row, length in enumerate([6, 4]):
        for step in range(length):
            total = 0.0
            for way in range(2):
                i, f, g, o, c = (
                    gates[name][way, row]
                    for name in ("input", "forget", "candidate", "output", "cell")
                )
                end = length - 1 if way == 0 else 0
                later = range(step, length) if way == 0 else range(step, -1, -1)
                left = i[step] * g[step]
                for seen in later:
                    left = left * f[seen] if seen != step else left
                    shown = o[seen] * torch.tanh(c[seen]) / c[seen] * left
                    weight = 1 / length if pooling == "mean" else float(seen == end)
                    total += weight * (read[way] * shown).sum()
            torch.testing.assert_close(found.scores[row, step], total.detach())


def test_the_baseline_is_the_bias_of_the_head():
    network = text_net("lstm", "last")
    found = gate_contributions(network, ragged(), 0)
    torch.testing.assert_close(found.baseline, network.head.linear.bias[0].detach().expand(4))


def test_attention_pooling_is_linearised_and_says_so():
    found = gate_contributions(text_net("lstm", "attention"), ragged((7,)))
    assert found.gap.abs() > 1e-6


def test_a_word_that_is_read_at_once_gets_what_occlusion_gives():
    """With nothing kept, mean pooling and gates that see no word, both measure the same."""
    network = text_net("gru", "mean", bidirectional=False)
    layer, batch = network.recurrent, ragged((5,))
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
        layer.weight_ih_l0[4:8].zero_()
        layer.bias_ih_l0[4:8] = -500.0  # the update gate: keep nothing
        network.embedding.words.weight[1].zero_()
        for name in ("bias_ih_l0", "bias_hh_l0"):
            getattr(layer, name)[8:].zero_()
    batch.values[..., 1:] = 0
    gates, gone = gate_contributions(network, batch, 1), occlusion(network, batch, 1)
    torch.testing.assert_close(gates.scores, gone.scores)


@pytest.mark.parametrize(
    ("cell", "options", "words"),
    [
        ("rnn", {}, "an LSTM or a GRU.*got an RNN"),
        ("lstm", {"layer_norm": True}, "without `layer_norm`"),
        ("lstm", {"zoneout": (0.2, 0.0)}, "without `zoneout`"),
        ("gru", {"num_layers": 2, "residual": True}, "without `residual`"),
    ],
)
def test_what_cannot_be_followed_is_refused(cell, options, words):
    with pytest.raises(InputError, match=words):
        gate_contributions(text_net(cell, **options), ragged())
