"""What a stack does around its cells: merging, skipping, chunking, and being a torch module."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.profiler import ProfilerActivity, profile

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, inputs_of, make, results, states_of
from tidegate import cells

B, T, D, H = 3, 5, 3, 4
DTYPE = torch.float64
LENGTHS = [5, 0, 3]


def data(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (T, B, D), dtype=DTYPE)


def states(layer: tn.Recurrent) -> tuple[torch.Tensor, ...]:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(
        torch.randn(count, B, size, dtype=DTYPE, requires_grad=True)
        for size in layer.cell.state_sizes
    )


def single(layer: tn.LSTM, index: int, size: int) -> tn.LSTM:
    """One layer of a stack as a layer of its own."""
    own = tn.LSTM(size, H, bidirectional=layer.bidirectional, dtype=DTYPE)
    weights = layer.state_dict()
    own.load_state_dict(
        {key: weights[key.replace("_l0", f"_l{index}")] for key in own.state_dict()}
    )
    return own


@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
def test_merge_joins_the_directions_after_every_layer(merge):
    layer = tn.LSTM(D, H, 2, bidirectional=True, merge=merge, dtype=DTYPE)
    width = 2 * H if merge == "concat" else H
    assert layer.output_size == width
    x = data()
    expected = x
    for index, size in enumerate((D, width)):
        output, _ = single(layer, index, size)(expected, lengths=LENGTHS)
        forward, backward = output.chunk(2, -1)
        total = forward + backward
        expected = {"concat": output, "sum": total, "mean": total / 2}[merge]
    assert difference(layer(x, lengths=LENGTHS)[0], expected) <= 1e-12


def test_a_residual_stack_adds_to_each_layer_but_the_first_its_input():
    layer = tn.LSTM(D, H, 3, residual=True, dtype=DTYPE)
    x = data()
    first, _ = single(layer, 0, D)(x)
    second = first + single(layer, 1, H)(first)[0]
    third = second + single(layer, 2, H)(second)[0]
    output, (h, _) = layer(x)
    assert difference(output, third) <= 1e-12
    assert difference(h[2], (third - second)[-1]) <= 1e-12  # states stay those of the cells


@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
@pytest.mark.parametrize("proj_size", [0, 2])
def test_output_size_is_the_size_of_the_output(merge, proj_size):
    layer = tn.LSTM(D, H, 2, bidirectional=True, merge=merge, proj_size=proj_size)
    output, _ = layer(torch.randn(T, B, D))
    assert output.shape[-1] == layer.output_size
    assert layer.proj_size == proj_size


def test_states_may_be_batch_first():
    layer = tn.LSTM(D, H, 2, bidirectional=True, proj_size=2, state_batch_first=True, dtype=DTYPE)
    usual = tn.LSTM(D, H, 2, bidirectional=True, proj_size=2, dtype=DTYPE)
    usual.load_state_dict(layer.state_dict())
    x, hx = data(), states(usual)
    output, end = layer(x, tuple(part.transpose(0, 1) for part in hx))
    expected, state = usual(x, hx)
    assert difference(output, expected) <= 1e-12
    assert [list(part.shape) for part in end] == [[B, 4, 2], [B, 4, H]]
    for part, other in zip(end, state, strict=True):
        assert difference(part.transpose(0, 1), other) <= 1e-12
    assert [list(part.shape) for part in layer(x[:, 0])[1]] == [[4, 2], [4, H]]


def test_a_packed_sequence_takes_every_option_of_a_padded_one():
    """Rows in the order before packing, states as asked for, gates as always."""
    options = {"bidirectional": True, "state_batch_first": True, "batch_first": True}
    layer = make("lstm", num_layers=2, **options)
    x, lengths = data(B, T, D), torch.tensor([2, 5, 3])
    hx = tuple(part.transpose(0, 1) for part in states(layer))
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, end, trace = layer(packed, hx, return_gates=True)
    expected, state, gates = layer(x, hx, lengths=lengths, return_gates=True)
    padded, counts = pad_packed_sequence(output, batch_first=True)
    assert torch.equal(counts, lengths)
    assert difference(padded, expected) <= 1e-12
    assert all(difference(a, b) <= 1e-12 for a, b in zip(end, state, strict=True))
    assert list(trace) == list(gates)
    assert all(difference(trace[name], gates[name]) <= 1e-12 for name in gates)


@pytest.mark.parametrize("backend", ["aten", "reference"])
@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
def test_a_stream_cut_into_chunks_is_the_whole(case, backend):
    layer = make(case, num_layers=2, backend=backend)
    x, state = data(7, B, D), None
    whole, end = layer(x)
    pieces = []
    for chunk in x.split([3, 1, 0, 3]):
        if len(chunk) or backend == "reference":
            output, state = layer(chunk, state)
            pieces.append(output)
    assert difference(torch.cat(pieces), whole) <= 1e-12
    for part, expected in zip(states_of(state), states_of(end), strict=True):
        assert difference(part, expected) <= 1e-12


CHECKPOINTED = {
    "plain": {},
    "ragged": {"lengths": LENGTHS},
    "resets": {"reset_mask": torch.eye(B, T, dtype=torch.bool)},
    "both": {"lengths": LENGTHS, "reset_mask": torch.eye(B, T, dtype=torch.bool)},
}


@pytest.mark.parametrize("call", CHECKPOINTED.values(), ids=CHECKPOINTED)
@pytest.mark.parametrize("every", [1, 2, 5, 9])
@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("lstm", {}),
        ("lstm", {"zoneout": 0.3, "recurrent_dropout": 0.3, "weight_dropout": 0.3}),
        ("gru-reset-before", {"zoneout": 0.3}),
        ("rnn", {"recurrent_dropout": 0.3}),
    ],
)
def test_checkpoints_change_neither_results_nor_gradients(case, options, every, call):
    options = {"num_layers": 2, "bidirectional": True} | options
    plain, saver = make(case, **options), make(case, checkpoint_every=every, **options)
    saver.load_state_dict(plain.state_dict())
    x, hx = data().requires_grad_(), states(plain)
    found = []
    for layer in (plain, saver):
        torch.manual_seed(2)
        found.append(results(*layer(x, as_hx(hx), **call), inputs_of(layer, x, hx)))
    for name, expected in found[0].items():
        assert difference(found[1][name], expected) <= 1e-12, name


def live_bytes(layer: nn.Module, x: torch.Tensor) -> int:
    """What a forward pass has allocated and not given back, its results included."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watch:
        output, _ = layer(x)
    assert output.requires_grad
    return sum(event.self_cpu_memory_usage for event in watch.key_averages())


@pytest.mark.parametrize("backend", ["aten", "reference"])
def test_checkpoints_keep_less(backend):
    x = data(64, 2, D)
    layer = make("lstm", hidden_size=16, backend=backend)
    saver = make("lstm", hidden_size=16, backend=backend, checkpoint_every=8)
    assert live_bytes(saver, x) < live_bytes(layer, x) / 4


@pytest.mark.parametrize("every", [2, None])
def test_checkpoints_without_gradients_or_steps_do_nothing(every):
    layer = make("lstm", checkpoint_every=every)
    with torch.no_grad():
        output, _ = layer(data())
    assert not output.requires_grad
    assert layer(data(0, B, D))[0].shape == (0, B, H)


# ------------------------------------------------------------------ weights are read at every call


def probe(layer: tn.Recurrent, x: torch.Tensor) -> torch.Tensor:
    return layer(x)[0].detach().clone()


def reference(layer: tn.Recurrent, weights: dict[str, torch.Tensor], x: torch.Tensor):
    """A fresh torch.nn layer with the weights that should be in effect."""
    fresh = nn.LSTM(D, H, 2, dtype=DTYPE)
    fresh.load_state_dict(weights)
    return fresh(x)[0].detach()


@pytest.mark.parametrize("backend", ["aten", "reference"])
class TestWeightsInEffect:
    """Wishes of many: weight drop, weight norm, pruning and `.data` act in the next call."""

    def layer(self, backend: str) -> tuple[tn.LSTM, torch.Tensor, dict[str, torch.Tensor]]:
        layer, x = tn.LSTM(D, H, 2, dtype=DTYPE, backend=backend), data()
        probe(layer, x)  # whatever is cached in a first call must not be used in a second
        return layer, x, {key: value.clone() for key, value in layer.state_dict().items()}

    def test_data_written_in_place(self, backend):
        layer, x, weights = self.layer(backend)
        layer.weight_hh_l0.data.mul_(2)
        layer.bias_ih_l1.data = layer.bias_ih_l1.data + 1
        weights["weight_hh_l0"] *= 2
        weights["bias_ih_l1"] += 1
        assert difference(probe(layer, x), reference(layer, weights, x)) <= 1e-12

    def test_an_optimiser_step(self, backend):
        layer, x, _ = self.layer(backend)
        layer(x)[0].sum().backward()
        torch.optim.SGD(layer.parameters(), lr=0.1).step()
        assert difference(probe(layer, x), reference(layer, layer.state_dict(), x)) <= 1e-12

    def test_a_loaded_state_dict(self, backend):
        layer, x, _ = self.layer(backend)
        other = nn.LSTM(D, H, 2, dtype=DTYPE)
        layer.load_state_dict(other.state_dict())
        assert difference(probe(layer, x), other(x)[0]) <= 1e-12

    def test_pruning(self, backend):
        layer, x, weights = self.layer(backend)
        prune.l1_unstructured(layer, "weight_hh_l0", amount=0.5)
        weights["weight_hh_l0"] *= layer.weight_hh_l0_mask
        assert (layer.weight_hh_l0_mask == 0).sum() == 2 * H * H
        assert difference(probe(layer, x), reference(layer, weights, x)) <= 1e-12

    def test_weight_norm(self, backend):
        layer, x, weights = self.layer(backend)
        nn.utils.parametrizations.weight_norm(layer, "weight_ih_l1")
        with torch.no_grad():
            layer.parametrizations.weight_ih_l1.original0 *= 3
        weights["weight_ih_l1"] *= 3
        assert difference(probe(layer, x), reference(layer, weights, x)) <= 1e-12
        layer(x)[0].sum().backward()
        assert layer.parametrizations.weight_ih_l1.original1.grad.any()

    def test_a_parametrisation_of_one_s_own(self, backend):
        class Half(nn.Module):
            def forward(self, weight: torch.Tensor) -> torch.Tensor:
                return weight / 2

        layer, x, weights = self.layer(backend)
        parametrize.register_parametrization(layer, "weight_hh_l1", Half())
        weights["weight_hh_l1"] /= 2
        assert difference(probe(layer, x), reference(layer, weights, x)) <= 1e-12

    def test_weight_drop_by_replacing_the_parameter(self, backend):
        """As AWD-LSTM does it: the parameter becomes a plain tensor, set anew at every call."""
        layer, x, weights = self.layer(backend)
        raw = nn.Parameter(layer.weight_hh_l0.detach().clone())
        del layer._parameters["weight_hh_l0"]
        layer.register_parameter("weight_hh_l0_raw", raw)
        for seed in (1, 2):
            torch.manual_seed(seed)
            layer.weight_hh_l0 = nn.functional.dropout(raw, 0.5)
            dropped = weights | {"weight_hh_l0": layer.weight_hh_l0.detach()}
            output, _ = layer(x)
            assert difference(output, reference(layer, dropped, x)) <= 1e-12
            raw.grad = None
            output.sum().backward()
            assert torch.equal(raw.grad == 0, layer.weight_hh_l0 == 0)

    def test_flatten_parameters_does_no_harm(self, backend):
        layer, x, weights = self.layer(backend)
        before = probe(layer, x)
        assert layer.flatten_parameters() is None
        assert torch.equal(probe(layer, x), before)
        layer.weight_hh_l0.data.mul_(2)
        weights["weight_hh_l0"] *= 2
        assert difference(probe(layer, x), reference(layer, weights, x)) <= 1e-12


# ------------------------------------------------------------------ a torch module like any other


@pytest.mark.parametrize("case", VARIANTS)
def test_copies_and_files(case):
    layer = make(case, num_layers=2, bidirectional=True, merge="mean")
    x = data()
    expected = layer(x)[0]
    twin = copy.deepcopy(layer)
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    loaded = make(case, num_layers=2, bidirectional=True, merge="mean")
    loaded.load_state_dict(torch.load(buffer, weights_only=True), strict=True)
    for other in (twin, loaded):
        assert torch.equal(other(x)[0], expected)
    with torch.no_grad():
        twin.weight_hh_l0.zero_()
    assert torch.equal(layer(x)[0], expected)


def test_plain_weights_load_into_a_variant_that_adds_some():
    """The weights that torch.nn does not have stand under names of their own."""
    plain, variant = nn.LSTM(D, H), tn.LSTM(D, H, peephole=True)
    missing, unexpected = variant.load_state_dict(plain.state_dict(), strict=False)
    assert (missing, unexpected) == (["weight_ch_l0"], [])
    with torch.no_grad():
        variant.weight_ch_l0.zero_()
    x = torch.randn(T, B, D)
    assert difference(variant(x)[0], plain(x)[0]) <= 1e-5


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_module_changes_its_type(dtype):
    layer = tn.LSTM(D, H, 2, peephole=True, layer_norm=True).to(dtype)
    output, state = layer(torch.randn(T, B, D, dtype=dtype), lengths=LENGTHS)
    assert {part.dtype for part in (output, *state)} == {dtype}
    assert output.isfinite().all()
    meta = tn.LSTM(D, H, device="meta", dtype=dtype)
    assert {(weight.device.type, weight.dtype) for weight in meta.parameters()} == {("meta", dtype)}


def test_a_printed_layer_says_what_it_is():
    assert repr(tn.GRU(D, H)) == repr(torch.nn.GRU(D, H)) == "GRU(3, 4)"
    layer = tn.LSTM(D, H, 2, False, True, 0.5, True, 2, peephole=True, zoneout=0.1)
    assert repr(layer) == (
        "LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True, bias=False, "
        "proj_size=2, peephole=True, zoneout=0.1)"
    )
    # It can be read back.
    assert repr(eval(repr(layer), vars(tn))) == repr(layer)
    assert repr(tn.RNN(D, H, nonlinearity="relu")) == "RNN(3, 4, nonlinearity='relu')"
    assert repr(tn.Recurrent(cells.GRU(hidden_size=H), D)) == "Recurrent(gru, 3, 4)"


def test_any_cell_makes_a_layer():
    layer = tn.Recurrent(cells.GRU(hidden_size=H, reset_after=False), D, 2, bidirectional=True)
    output, state = layer(torch.randn(T, B, D))
    assert list(output.shape) == [T, B, 2 * H]
    assert list(state.shape) == [4, B, H]
    assert layer.hidden_size == H
    assert layer.bias
