"""Trace: it holds what the pass computed, no more than was asked for, and gives it in any form."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make
from tidegate.errors import InputError
from tidegate.kernels import library
from tidegate.nn.trace.trace import join

B, T, D, H = 4, 6, 3, 4
LENGTHS = [6, 0, 4, 1]


def parts(trace: tn.Trace) -> dict[str, torch.Tensor]:
    """Gates and states by name, in the order of `return_gates`."""
    cell = {} if trace.cell is None else {"cell": trace.cell}
    return {**trace.gates, "hidden": trace.hidden, **cell}


def asked(layer: tn.Recurrent, x: torch.Tensor, **call) -> dict[str, torch.Tensor]:
    """What the layer itself returns beside its output in evaluation mode."""
    training = layer.training
    with torch.no_grad():
        *_, gates = layer.eval()(x, return_gates=True, **call)
    layer.train(training)
    return gates


@pytest.mark.parametrize("case", VARIANTS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_it_holds_every_gate_and_state_of_the_pass(case, batch_first):
    layer = make(case, num_layers=2, bidirectional=True, batch_first=batch_first, dropout=0.5)
    x = torch.randn((B, T, D) if batch_first else (T, B, D), dtype=torch.float64)
    hx = as_hx(tuple(torch.randn(4, B, s, dtype=torch.float64) for s in layer.cell.state_sizes))
    resets = torch.rand(B, T) < 0.3
    trace = layer.trace(x, hx, lengths=LENGTHS, reset_mask=resets)
    expected = asked(layer, x, hx=hx, lengths=LENGTHS, reset_mask=resets)
    assert list(parts(trace)) == list(expected)
    for name, values in parts(trace).items():
        assert torch.equal(values, expected[name]), name
        assert not values.requires_grad
    assert layer.training
    assert trace.family == layer.cell.name
    assert trace.lengths.tolist() == LENGTHS
    assert trace.rows == tuple(
        f"layer {n} {way}" for n in (0, 1) for way in ("forward", "backward")
    )
    assert trace.units == tuple(range(H))


@pytest.mark.skipif(library.LIBRARY is None, reason=str(library.PROBLEM))
@settings(max_examples=40)
@given(data=st.data())
def test_native_traces_are_those_of_the_reference_loop(data):
    case = data.draw(st.sampled_from([name for name in VARIANTS if "clip" not in name]))
    rows, steps = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    lengths = data.draw(st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
    layers = data.draw(st.integers(1, 3))
    options = {"num_layers": layers, "bidirectional": data.draw(st.booleans()), "batch_first": True}
    truth = make(case, D, 5, **options)
    layer = make(case, D, 5, dtype=torch.float32, **options)
    layer.load_state_dict(truth.state_dict())
    x = torch.randn(rows, steps, D, dtype=torch.float64)
    wanted = {
        "layers": data.draw(st.none() | st.sets(st.integers(0, layers - 1), min_size=1)),
        "units": data.draw(st.none() | st.lists(st.integers(0, 4), min_size=1, unique=True)),
        "gates": data.draw(st.none() | st.sets(st.sampled_from(truth.cell.gates)))
        if truth.cell.gates
        else None,
    }
    trace = layer.trace(x.float(), lengths=lengths, **wanted)
    expected = asked(truth, x, lengths=lengths)
    ways = 2 if layer.bidirectional else 1
    entries = [n for n in range(layers * ways) if n // ways in (wanted["layers"] or range(layers))]
    assert set(trace.gates) == set(layer.cell.gates if wanted["gates"] is None else wanted["gates"])
    for name, values in parts(trace).items():
        full = expected[name][entries]
        if full.shape[-1] == 5 and wanted["units"] is not None:
            full = full[..., wanted["units"]]
        assert difference(values, full) <= 1e-5, name


def test_it_is_what_torch_s_own_cell_says_step_by_step():
    layer, cell = tn.LSTM(D, H), nn.LSTMCell(D, H)
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in layer.state_dict().items()})
    x = torch.randn(T, B, D)
    state, hidden, memory = None, [], []
    for step in x:
        state = cell(step, state)
        hidden.append(state[0])
        memory.append(state[1])
    trace = layer.trace(x)
    assert difference(trace.hidden[0], torch.stack(hidden, 1)) <= 1e-6
    assert difference(trace.cell[0], torch.stack(memory, 1)) <= 1e-6
    before = torch.cat([torch.zeros(B, 1, H), trace.cell[0, :, :-1]], 1)
    gates = trace.select(batch=range(B)).gates
    made = gates["forget"][0] * before + gates["input"][0] * gates["candidate"][0]
    assert difference(trace.cell[0], made) <= 1e-6


def test_packed_and_unbatched_input():
    layer = make("gru", bidirectional=True)
    rows = [torch.randn(length, D, dtype=torch.float64) for length in (2, 5, 3)]
    packed = layer.trace(nn.utils.rnn.pack_sequence(rows, enforce_sorted=False))
    padded = layer.trace(nn.utils.rnn.pad_sequence(rows), lengths=[2, 5, 3])
    assert packed.lengths.tolist() == [2, 5, 3]
    for name, values in parts(packed).items():
        assert difference(values, parts(padded)[name]) <= 1e-12
    alone = layer.trace(rows[1])
    assert alone.hidden.shape == (2, 1, 5, H)
    assert difference(alone.hidden[:, 0], padded.hidden[:, 1]) <= 1e-12


def test_a_residual_stack_of_two_directions():
    layer = make("lstm", num_layers=3, bidirectional=True, residual=True, input_size=2 * H)
    x = torch.randn(T, B, 2 * H, dtype=torch.float64)
    expected = asked(layer, x)
    for name, values in parts(layer.trace(x)).items():
        assert torch.equal(values, expected[name])


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def test_weights_that_hooks_compute_are_those_of_the_next_pass():
    layer, x = tn.LSTM(D, H, 2), torch.randn(T, 1, D)
    nn.utils.weight_norm(layer, "weight_hh_l1")
    with torch.no_grad():
        layer.weight_hh_l1_g.mul_(3)
    trace = layer.trace(x)
    assert torch.equal(trace.hidden, asked(layer, x)["hidden"])


class TestTrace:
    def trace(self, case: str = "lstm", **options) -> tn.Trace:
        layer = make(case, num_layers=2, bidirectional=True, **options)
        return layer.trace(torch.randn(T, B, D, dtype=torch.float64), lengths=LENGTHS)

    def test_select_takes_a_part(self):
        trace = self.trace().labelled([["a"] * n for n in LENGTHS])
        part = trace.select(
            layers=1, directions="backward", units=[2, 0], gates="input", batch=[3, 0]
        )
        assert part.rows == ("layer 1 backward",)
        assert (part.layers, part.directions) == ((1,), ("backward",))
        assert part.units == (2, 0)
        assert part.lengths.tolist() == [1, 6]
        assert part.labels == (("a",), ("a",) * 6)
        assert list(part.gates) == ["input"]
        for name, values in parts(part).items():
            assert torch.equal(values, parts(trace)[name][[3]][:, [3, 0]][..., [2, 0]])
        assert part.select(units=0).units == (0,)

    def test_select_names_what_is_not_there(self):
        trace = self.trace().select(layers=1, directions="forward", gates=["input"])
        for wanted, said in [
            ({"layers": 0}, "`layers` must be 1, the only one"),
            ({"directions": "backward"}, "`directions` must be out of forward"),
            ({"batch": 4}, "`batch` must be from 0 to 3"),
            ({"gates": "forget"}, "The trace was made without it; it keeps input"),
        ]:
            with pytest.raises(InputError, match=said):
                trace.select(**wanted)

    @pytest.mark.parametrize(
        ("case", "said"),
        [
            ("gru", "A GRU has no forget gate; it has reset, update and new"),
            ("rnn", "An RNN has no forget gate; it has none"),
        ],
    )
    def test_a_gate_that_the_cell_has_not(self, case, said):
        with pytest.raises(InputError, match=said):
            self.trace(case).gate("forget")

    def test_labels_stand_for_valid_steps(self):
        trace = self.trace().labelled([range(n) for n in LENGTHS])
        assert trace.labels[2] == ("0", "1", "2", "3")
        with pytest.raises(InputError, match="one for each valid step"):
            trace.labelled([["a"] * T] * B)

    def test_arrays(self):
        trace = self.trace()
        arrays = trace.numpy()
        assert list(arrays) == [*parts(trace), "lengths"]
        assert all(np.array_equal(arrays[n], v.numpy()) for n, v in parts(trace).items())
        half = make("gru", dtype=torch.bfloat16).trace(torch.ones(T, B, D, dtype=torch.bfloat16))
        assert half.numpy()["hidden"].dtype == np.float32

    @pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "lstm-projected"])
    def test_the_table_has_a_line_for_each_valid_step_and_unit(self, case):
        trace = self.trace(case).select(units=[3, 1])
        labels = [[f"{row}-{step}" for step in range(n)] for row, n in enumerate(LENGTHS)]
        frame = trace.labelled(labels).to_frame()
        assert len(frame) == 4 * sum(LENGTHS) * 2
        assert ("hidden" in frame) == (case != "lstm-projected")
        for line in frame.sample(20, random_state=0).to_dict("records"):
            assert line["label"] == f"{line['row']}-{line['step']}"
            entry = trace.rows.index(f"layer {line['layer']} {line['direction']}")
            place = entry, line["row"], line["step"], trace.units.index(line["unit"])
            for name in set(frame) & set(parts(trace)):
                assert line[name] == parts(trace)[name][place].item()
        assert "label" not in trace.to_frame()

    def test_its_name_says_what_is_in_it(self):
        assert repr(self.trace("rnn")) == "Trace(rnn, N 4, B 4, T 6, H 4: hidden)"

    def test_it_can_be_copied_and_pickled_unread(self):
        for copied in (copy.deepcopy(self.trace()), pickle.loads(pickle.dumps(self.trace()))):
            assert list(copied.gates) == ["input", "forget", "candidate", "output"]
            assert copied.hidden.shape == copied.cell.shape == (4, B, T, H)

    def test_zoneout_is_the_share_that_evaluation_keeps(self):
        assert self.trace().zoneout == 0
        assert self.trace(zoneout=(0.3, 0.1)).zoneout == 0.3
        assert self.trace("gru", zoneout=0.2).zoneout == 0.2


@settings(max_examples=30)
@given(data=st.data())
def test_joined_batches_are_one_batch(data):
    case = data.draw(st.sampled_from(["lstm", "gru", "rnn", "lstm-projected"]))
    lengths = data.draw(st.lists(st.integers(0, T), min_size=1, max_size=6))
    rows = data.draw(st.permutations(range(len(lengths))))
    size = data.draw(st.integers(1, 6))
    layer = make(case, bidirectional=True, batch_first=True)
    x = torch.randn(len(lengths), T, D, dtype=torch.float64)
    traces = []
    for batch in (rows[start : start + size] for start in range(0, len(rows), size)):
        counts = [lengths[row] for row in batch]
        longest = max(1, *counts) if len(counts) > 1 else max(1, counts[0])
        trace = layer.trace(x[list(batch), :longest], lengths=counts)
        traces.append(trace.labelled([[f"{row}"] * lengths[row] for row in batch]))
    joined = join(traces, list(rows))
    whole = layer.trace(x, lengths=lengths)
    assert joined.lengths.tolist() == lengths
    assert joined.labels == tuple((f"{row}",) * n for row, n in enumerate(lengths))
    longest = joined.hidden.shape[2]
    for name, values in parts(joined).items():
        assert difference(values, parts(whole)[name][:, :, :longest]) <= 1e-12
        assert not parts(whole)[name][:, :, longest:].any()
