"""Memory: half-lives worked by hand, gates made to measure, and layers whose memory is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tidegate.nn as tn
from tests.helpers import VARIANTS, make
from tidegate.errors import InputError
from tidegate.explain import memory
from tidegate.nn import Trace


def artificial(forget: Tensor, lengths: list[int] | None = None, **fields) -> Trace:
    """A trace of an LSTM whose forget gate is `[N, B, T, H]`; the rest of it is random."""
    count, rows, steps, units = forget.shape
    names = [f"layer {n} forward" for n in range(count)]
    given = {
        "family": "lstm",
        "gates": {"input": torch.rand_like(forget), "forget": forget},
        "hidden": torch.rand_like(forget),
        "cell": torch.rand_like(forget),
        "lengths": torch.tensor([steps] * rows if lengths is None else lengths),
        "rows": tuple(names),
        "units": tuple(range(units)),
    }
    return Trace(**(given | fields))


def still(layer: tn.Recurrent, **biases: float) -> tn.Recurrent:
    """Make a layer whose gates are the sigmoid of their biases, whatever comes in."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        for gate, value in biases.items():
            start = layer.cell.blocks.index(gate) * layer.hidden_size
            layer.bias_ih_l0[start : start + layer.hidden_size] = value
    return layer


class TestHalfLife:
    def test_worked_by_hand(self):
        """A gate of ½ halves in one step, one of ½^(1/10) in ten; one of 1 never forgets."""
        gates = torch.tensor([0.5, 0.5**0.1, 1.0]).expand(1, 2, 7, 3)
        assert memory(artificial(gates)).half_life[0].tolist() == pytest.approx([1, 10, math.inf])

    def test_it_comes_from_the_mean_of_logarithms(self):
        """¼ and 1 in turn make ½ a step; the average of their half-lives would be infinite."""
        gates = torch.tensor([0.25, 1.0] * 4).view(1, 1, 8, 1)
        assert float(memory(artificial(gates)).half_life) == pytest.approx(1)

    def test_padding_does_not_count(self):
        gates = torch.full((1, 3, 5, 1), 0.5)
        gates[0, 1, 2:] = 0
        gates[0, 2] = 0
        assert float(memory(artificial(gates, [5, 2, 0])).half_life) == pytest.approx(1)

    def test_a_gate_of_zero_forgets_but_the_other_steps_count(self):
        gates = torch.ones(1, 1, 1000, 1)
        gates[0, 0, 3] = 0
        lived = float(memory(artificial(gates)).half_life)
        assert 1 < lived < 1000

    def test_zoneout_keeps_more(self):
        """With p = ½ a closed gate still keeps a half, and one of ½ keeps three quarters."""
        gates = torch.tensor([0.0, 0.5]).expand(1, 1, 4, 2)
        found = memory(artificial(gates, zoneout=0.5)).half_life[0].tolist()
        assert found == pytest.approx([1, math.log(0.5) / math.log(0.75)])

    @settings(max_examples=50)
    @given(data=st.data())
    def test_as_a_loop_over_the_valid_steps_has_it(self, data):
        rows, steps = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))
        lengths = data.draw(st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
        if not any(lengths):
            lengths[0] = 1
        gates = torch.rand(2, rows, steps, 3) * 0.98 + 0.01
        found = memory(artificial(gates, lengths))
        for entry in range(2):
            for unit in range(3):
                valid = [
                    gates[entry, row, step, unit].item()
                    for row in range(rows)
                    for step in range(lengths[row])
                ]
                mean = sum(map(math.log, valid)) / len(valid)
                assert found.half_life[entry, unit].item() == pytest.approx(math.log(0.5) / mean)
                share = sum(value >= 0.9 for value in valid) / len(valid)
                assert found.open["forget"][entry, unit].item() == pytest.approx(share)
                share = sum(value <= 0.1 for value in valid) / len(valid)
                assert found.closed["forget"][entry, unit].item() == pytest.approx(share)


class TestRetention:
    def test_of_one_row_it_is_the_product_of_the_later_gates(self):
        gates = torch.rand(1, 1, 6, 2)
        found = memory(artificial(gates)).retention[0]
        for age in range(6):
            expected = gates[0, 0, 1 : age + 1].prod(0)
            assert found[age].tolist() == pytest.approx(expected.tolist(), rel=1e-5)

    def test_of_ragged_rows_it_never_rises(self):
        gates = torch.rand(1, 5, 9, 4)
        gates[0, 0] = 0.01  # the most forgetful row is the shortest
        found = memory(artificial(gates, [2, 9, 9, 4, 0])).retention[0]
        assert found.shape == (9, 4)
        assert (found.diff(dim=0) <= 0).all()

    def test_backwards_a_row_begins_at_its_own_end(self):
        gates = torch.rand(2, 2, 5, 3)
        rows = ("layer 0 forward", "layer 0 backward")
        found = memory(artificial(gates, [3, 0], rows=rows)).retention
        expected = [torch.ones(3), gates[1, 0, 1], gates[1, 0, 1] * gates[1, 0, 0]]
        assert torch.allclose(found[1], torch.stack(expected).double())
        expected = [torch.ones(3), gates[0, 0, 1], gates[0, 0, 1] * gates[0, 0, 2]]
        assert torch.allclose(found[0], torch.stack(expected).double())

    @pytest.mark.parametrize("bidirectional", [False, True])
    @pytest.mark.parametrize("case", ["lstm", "lstm-coupled", "lstm-peephole", "lstm-projected"])
    def test_a_value_really_fades_like_that(self, case, bidirectional):
        """Without a candidate nothing new is written: what is left of c_0 is there to be seen."""
        layer = make(case, bidirectional=bidirectional, batch_first=True)
        with torch.no_grad():
            for name, weight in layer.named_parameters():
                if name.startswith(("weight_ih", "weight_hh", "bias")):
                    start = layer.cell.blocks.index("candidate") * 4
                    weight[start : start + 4] = 0
        ways = 1 + bidirectional
        start = torch.rand(ways, 1, 4, dtype=torch.float64) + 1
        hidden = torch.zeros(ways, 1, layer.cell.output_size, dtype=torch.float64)
        x = torch.randn(1, 8, 3, dtype=torch.float64)
        trace = layer.trace(x, (hidden, start), lengths=[6])
        cell = trace.cell[:, 0, :6]
        if bidirectional:
            cell = torch.stack([cell[0], cell[1].flip(0)])
        left = cell / cell[:, :1]
        assert torch.allclose(memory(trace).retention, left, rtol=1e-10)


class TestEffective:
    def test_worked_by_hand(self):
        """Half-lives of 1 and 3: with u = 2^(-s/3), u³ + u = 1 at u = 0.6823278."""
        gates = torch.tensor([0.5, 0.5 ** (1 / 3)]).expand(1, 1, 4, 2)
        expected = -3 * math.log2(0.6823278038280193)
        assert float(memory(artificial(gates.double())).effective) == pytest.approx(expected)

    def test_of_equal_units_it_is_their_half_life(self):
        gates = torch.full((2, 1, 4, 5), 0.97, dtype=torch.float64)
        found = memory(artificial(gates))
        assert torch.allclose(found.effective, found.half_life[:, 0])

    def test_one_unit_that_never_forgets_does_not_make_it_long(self):
        gates = torch.full((1, 1, 4, 8), 0.5, dtype=torch.float64)
        gates[..., 0] = 1
        # 7 · 2^-s + 1 = 4
        assert float(memory(artificial(gates)).effective) == pytest.approx(math.log2(7 / 3))
        gates[..., :4] = 1
        assert float(memory(artificial(gates)).effective) == math.inf


class TestLayers:
    def test_an_lstm_of_known_gates(self):
        layer = still(tn.LSTM(3, 2, dtype=torch.float64), forget=2.0, output=5.0)
        found = memory(layer.trace(torch.randn(9, 4, 3, dtype=torch.float64)))
        expected = math.log(0.5) / math.log(1 / (1 + math.exp(-2)))
        assert found.half_life[0].tolist() == pytest.approx([expected] * 2)
        assert found.open["output"].eq(1).all()
        assert found.open["input"].eq(0).all()
        assert set(found.open) == {"input", "forget", "output"}
        assert found.gate == "forget"

    def test_a_gru_keeps_what_its_update_gate_says(self):
        """h' = (1 - z) n + z h, as in torch.nn: the wide-open update gate remembers."""
        layer = still(tn.GRU(3, 2, dtype=torch.float64), update=2.0)
        trace = layer.trace(torch.zeros(9, 1, 3, dtype=torch.float64), torch.ones(1, 1, 2).double())
        expected = math.log(0.5) / math.log(1 / (1 + math.exp(-2)))
        assert memory(trace).half_life[0].tolist() == pytest.approx([expected] * 2)
        fades = trace.hidden[0, 0, 1:] / trace.hidden[0, 0, :-1]  # n is 0: only fading is left
        assert fades.flatten().tolist() == pytest.approx([0.5 ** (1 / expected)] * 16)

    def test_chrono_initialisation_spreads_it_up_to_the_longest_lag(self):
        x = torch.randn(50, 8, 3)
        plain = memory(tn.LSTM(3, 64).trace(x)).half_life[0]
        chrono = memory(tn.LSTM(3, 64, init="chrono", max_lag=1000).trace(x)).half_life[0]
        assert plain.max() < 3
        assert chrono.median() > 50
        assert chrono.max() < 1000

    @pytest.mark.parametrize("case", [name for name in VARIANTS if not name.startswith("rnn")])
    def test_every_variant_has_one(self, case):
        layer = make(case, num_layers=2, bidirectional=True)
        trace = layer.trace(torch.randn(6, 4, 3, dtype=torch.float64), lengths=[6, 0, 4, 1])
        found = memory(trace)
        assert found.half_life.shape == (4, 4)
        assert (found.half_life > 0).all()
        assert len(found.to_frame()) == 16
        assert len(repr(found).splitlines()) == 4

    def test_an_rnn_has_none(self):
        with pytest.raises(InputError, match="with a gate that keeps its memory"):
            memory(tn.RNN(3, 2).trace(torch.zeros(4, 1, 3)))

    def test_it_needs_the_gate_and_a_step(self):
        layer, x = tn.LSTM(3, 2), torch.zeros(4, 1, 3)
        with pytest.raises(InputError, match="with the forget gate; got only input"):
            memory(layer.trace(x, gates="input"))
        with pytest.raises(InputError, match="of a valid step at least"):
            memory(layer.trace(x, lengths=[0]))

    def test_the_forget_gate_alone_is_enough(self):
        layer, x = tn.LSTM(3, 5), torch.randn(4, 1, 3)
        part = memory(layer.trace(x, gates="forget", units=[4, 2]))
        assert part.units == (4, 2)
        assert torch.equal(part.half_life, memory(layer.trace(x)).half_life[:, [4, 2]])


class TestStuckAndDead:
    def test_saturated_gates(self):
        """The third moves, the fourth is open but lets gradients through, the fifth is shut."""
        gates = torch.tensor([1.0, 0.9999, 0.5, 0.99, 0.0001]).repeat(1, 1, 100, 1)
        gates[0, 0, ::2, 2] = 1
        gates[0, 0, :4, 0] = 0.5
        found = memory(artificial(gates))
        assert found.saturated["forget"][0].tolist() == [True, True, False, False, True]
        gates[0, 0, :6, 0] = 0.5
        assert not memory(artificial(gates)).saturated["forget"][0, 0]

    def test_dead_units(self):
        trace = artificial(torch.rand(1, 2, 5, 3), [5, 2])
        trace.hidden[0, :, :, 1] = 0.4
        trace.hidden[0, 1, 2:] = 0  # padding is no change
        assert memory(trace).dead[0].tolist() == [False, True, False]
        assert not memory(artificial(torch.rand(1, 1, 1, 3))).dead.any()

    def test_under_a_projection_it_is_the_cell_state_that_counts(self):
        trace = artificial(torch.rand(1, 2, 5, 3), hidden=torch.zeros(1, 2, 5, 2), projected=True)
        trace.cell[..., 2] = 7
        assert memory(trace).dead[0].tolist() == [False, False, True]


def test_the_table():
    rows = ("layer 1 forward", "layer 1 backward")
    gates = torch.tensor([0.5, 0.95]).expand(2, 1, 3, 2)
    frame = memory(artificial(gates, rows=rows, units=(7, 9))).to_frame()
    assert frame["layer"].tolist() == [1] * 4
    assert frame["direction"].tolist() == ["forward", "forward", "backward", "backward"]
    assert frame["unit"].tolist() == [7, 9, 7, 9]
    assert frame["half_life"].tolist() == pytest.approx([1, 13.513407] * 2)
    assert frame["forget_open"].tolist() == [0, 1, 0, 1]
    assert frame["forget_closed"].tolist() == [0] * 4
    assert frame["forget_saturated"].tolist() == [False] * 4


def test_in_words():
    gates = torch.tensor([0.5, 1.0, 0.5]).expand(1, 1, 8, 3)
    said = repr(memory(artificial(gates)))
    assert said == (
        "layer 0 forward: half of what it holds is gone after 2 steps (median unit 1; longest "
        "never, unit 1); of 3 units 0 dead, 1 with a saturated forget gate"
    )
    gates = torch.ones(1, 1, 8, 3)
    assert "half of what it holds is gone never" in repr(memory(artificial(gates)))
