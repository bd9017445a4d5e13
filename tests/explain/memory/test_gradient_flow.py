"""Gradient flow against autograd on loops over torch.nn's cells, and against parts of a pass."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.nn.utils.rnn import pack_padded_sequence

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make, states_of
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.explain import gradient_flow
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.text.network import TextNetwork

B, T, D, H = 3, 7, 3, 4
CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
LAYERS = {"lstm": tn.LSTM, "gru": tn.GRU, "rnn": tn.RNN}
LSTMS = ["lstm", "lstm-projected", "lstm-coupled", "lstm-norm"]  # whose gates see c through h alone


def layer_and_cells(name, layers=1, directions=1):
    """A layer of ours, and cells of torch.nn with its weights, by layer and direction."""
    layer = LAYERS[name](
        D, H, layers, batch_first=True, bidirectional=directions == 2, dtype=torch.float64
    )
    cells = []
    for number in range(layers):
        for suffix in ("", "_reverse")[:directions]:
            weights = layer.weights(number, suffix)
            cell = CELLS[name](weights["weight_ih"].shape[1], H, dtype=torch.float64)
            cell.load_state_dict(weights)
            cells.append(cell)
    return layer, cells


def walk(cell, x: Tensor, reverse=False) -> list[tuple[Tensor, ...]]:
    """The states after each step, in the order of time: nodes of the graph of autograd."""
    count = 2 if isinstance(cell, nn.LSTMCell) else 1
    state = tuple(x.new_zeros(len(x), H, requires_grad=True) for _ in range(count))
    states = []
    for step in x.unbind(1)[::-1] if reverse else x.unbind(1):
        state = states_of(cell(step, as_hx(state)))
        states.append(state)
    return states[::-1] if reverse else states


def after(layer, x: Tensor, t: int, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The last states of a layer that goes on from the states after step t."""
    if t + 1 == x.shape[1]:
        return state
    hx = as_hx(tuple(part[None] for part in state))
    return tuple(part[0] for part in states_of(layer(x[:, t + 1 :], hx)[1]))


def passed(layer, x: Tensor) -> list[tuple[Tensor, ...]]:
    """The states after each step of a layer of one direction."""
    with torch.no_grad():
        *_, trace = layer(x, return_gates=True)
    return list(zip(*(trace[name][0].unbind(1) for name in layer.cell.states), strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_those_of_a_loop_over_the_cell_of_torch(name):
    layer, (cell,) = layer_and_cells(name)
    x = torch.randn(B, 40, D, dtype=torch.float64)
    flow = gradient_flow(layer, x)
    states = walk(cell, x)
    loss = states[-1][0].sum()
    for index, state in enumerate(layer.cell.states):
        nodes = [step[index] for step in states]
        expected = torch.stack(torch.autograd.grad(loss, nodes, retain_graph=True)[::-1], 1)
        assert difference(flow.gradients[state][0], expected) <= 1e-12
        assert difference(flow.norms(state)[0].exp(), expected.norm(dim=-1)) <= 1e-12


@pytest.mark.parametrize("name", CELLS)
def test_gradients_of_a_stack_of_both_directions(name):
    layer, cells = layer_and_cells(name, layers=2, directions=2)
    x = torch.randn(B, T, D, dtype=torch.float64)
    weights = torch.randn(B, T, 2 * H, dtype=torch.float64)
    flow = gradient_flow(layer, x, loss=lambda output: (output * weights).sum())
    features, walks = x, []
    for forward, backward in zip(cells[::2], cells[1::2], strict=True):
        pair = [walk(forward, features), walk(backward, features, reverse=True)]
        walks += pair
        features = torch.cat([torch.stack([s[0] for s in way], 1) for way in pair], -1)
    loss = (features * weights).sum()
    assert flow.rows == tuple(
        f"layer {k} {way}" for k in range(2) for way in ("forward", "backward")
    )
    for row, states in enumerate(walks):
        for index, state in enumerate(layer.cell.states):
            nodes = [step[index] for step in states]
            found = torch.stack(torch.autograd.grad(loss, nodes, retain_graph=True), 1)
            # Distance counts from the end of the walk: backwards it is the time itself.
            expected = found if row % 2 else found.flip(1)
            assert difference(flow.gradients[state][row], expected) <= 1e-12


@pytest.mark.parametrize("options", [{}, {"zoneout": 0.2}, {"recurrent_dropout": 0.5}])
@pytest.mark.parametrize("case", VARIANTS)
def test_gradients_of_every_variant_are_those_of_going_on_from_a_state(case, options):
    layer = make(case, batch_first=True, **options).eval()
    x = torch.randn(B, T, D, dtype=torch.float64)
    flow = gradient_flow(layer.train(), x)
    layer.eval()
    for t, state in enumerate(passed(layer, x)):
        leaves = tuple(part.clone().requires_grad_() for part in state)
        (expected,) = torch.autograd.grad(after(layer, x, t, leaves)[0].sum(), leaves[:1])
        assert difference(flow.gradients["hidden"][0, :, T - 1 - t], expected) <= 1e-12


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=12)
@given(lengths=st.lists(st.integers(0, T), min_size=1, max_size=4).filter(any))
def test_a_row_of_a_ragged_batch_is_that_row_alone(name, lengths):
    torch.manual_seed(0)
    layer, _ = layer_and_cells(name, layers=2, directions=2)
    x = torch.randn(len(lengths), T, D, dtype=torch.float64)
    for row, length in enumerate(lengths):
        x[row, length:] = torch.nan
    flow = gradient_flow(layer, x, lengths=lengths)
    assert flow.lengths.tolist() == lengths
    for row, length in enumerate(lengths):
        assert all(part[:, row, length:].isnan().all() for part in flow.gradients.values())
        assert all(flow.norms(curve)[:, row, length:].isnan().all() for curve in flow.curves)
        if length:
            alone = gradient_flow(layer, x[row : row + 1, :length])
            for curve in flow.curves:
                found = flow.norms(curve)[:, row, :length].exp()
                assert difference(found, alone.norms(curve)[:, 0].exp()) <= 1e-12


def test_layouts_of_the_input_are_one_and_the_same():
    layer, _ = layer_and_cells("lstm")
    x, lengths = torch.randn(B, T, D, dtype=torch.float64), [7, 2, 5]
    expected = gradient_flow(layer, x, lengths=lengths).gradients["cell"]
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    assert torch.equal(gradient_flow(layer, packed).gradients["cell"].isnan(), expected.isnan())
    for other in (packed, pack_padded_sequence(x, [7] * B, batch_first=True)):
        assert gradient_flow(layer, other).gradients["cell"].shape == expected.shape
    found = gradient_flow(layer, packed).gradients["cell"].nan_to_num()
    assert difference(found, expected.nan_to_num()) <= 1e-12
    alone = gradient_flow(layer, x[0]).gradients["cell"][:, 0]
    assert difference(alone, expected[:, 0]) <= 1e-12
    layer.batch_first = False
    turned = gradient_flow(layer, x.transpose(0, 1), lengths=lengths).gradients["cell"]
    assert torch.equal(turned.nan_to_num(), expected.nan_to_num())


# ------------------------------------------------------------- the products


def test_forget_gates_multiply_to_the_derivative_of_the_cell_state_over_400_steps():
    layer, (cell,) = layer_and_cells("lstm")
    x = torch.randn(2, 400, D, dtype=torch.float64)
    hidden = torch.zeros(2, H, dtype=torch.float64)
    state, states = torch.zeros(2, H, dtype=torch.float64, requires_grad=True), []
    for step in x.unbind(1):
        hidden, state = cell(step, (hidden.detach(), state))
        states.append(state)
    expected = torch.stack(torch.autograd.grad(state.sum(), states)[::-1], 1)
    flow = gradient_flow(layer, x)
    assert difference(flow.highway[0].exp(), expected) <= 1e-5  # the target
    # Far below what the target can see: 400 forget gates of a half make 1e-120.
    assert difference(flow.highway[0], expected.log()) <= 1e-12
    assert expected[:, -1].max() < 1e-80


@pytest.mark.parametrize("case", LSTMS)
def test_with_the_path_through_h_held_fixed_the_derivative_is_diagonal(case):
    layer = make(case, batch_first=True)
    x = torch.randn(1, T, D, dtype=torch.float64)
    states, weights = passed(layer, x), layer.weights(0)
    inputs = layer.cell.inputs(x, weights)

    def last_cell(cell: Tensor, t: int) -> Tensor:
        for s in range(t + 1, T):
            held = states[s - 1][0]
            (_, cell), _ = layer.cell.step(inputs[:, s], held, (held, cell), weights)
        return cell

    flow = gradient_flow(layer, x)
    for t in range(T):
        expected = jacobian(lambda cell, t=t: last_cell(cell, t), states[t][1])[0, :, 0]
        assert difference(flow.highway[0, 0, T - 1 - t].exp().diag(), expected) <= 1e-12


def test_update_gates_multiply_to_the_derivative_of_a_gru_with_gates_and_candidates_held_fixed():
    layer, (cell,) = layer_and_cells("gru")
    x = torch.randn(B, T, D, dtype=torch.float64)
    hidden = carried = torch.zeros(B, H, dtype=torch.float64, requires_grad=True)
    states = []
    for step in x.unbind(1):
        into = nn.functional.linear(step, cell.weight_ih, cell.bias_ih).chunk(3, -1)
        back = nn.functional.linear(hidden, cell.weight_hh, cell.bias_hh).chunk(3, -1)
        reset, update = torch.sigmoid(into[0] + back[0]), torch.sigmoid(into[1] + back[1])
        new = torch.tanh(into[2] + reset * back[2])
        carried = (1 - update).detach() * new.detach() + update.detach() * carried
        hidden = (1 - update) * new + update * hidden
        states.append(carried)
    expected = torch.stack(torch.autograd.grad(carried.sum(), states)[::-1], 1)
    assert difference(gradient_flow(layer, x).highway[0].exp(), expected) <= 1e-12


@pytest.mark.parametrize("case", ["rnn", "rnn-relu", "rnn-norm"])
def test_the_chain_is_the_spectral_norm_of_the_derivative_of_the_last_state(case):
    layer = make(case, batch_first=True)
    x = torch.randn(1, T, D, dtype=torch.float64)
    flow = gradient_flow(layer, x)
    for t, state in enumerate(passed(layer, x)):
        whole = jacobian(lambda h, t=t: after(layer, x, t, (h,))[0], state[0])[0, :, 0]
        norm = torch.linalg.svdvals(whole)[0]
        assert difference(flow.chain[0, :, T - 1 - t].exp(), norm[None]) <= 1e-12


def test_an_rnn_lets_through_no_more_than_its_chain():
    flow = gradient_flow(tn.RNN(D, 9), torch.randn(60, B, D))
    assert (flow.norms("hidden") <= flow.norms("chain") + 1e-9).all()


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_a_chain_beyond_the_range_of_float64_is_kept(factor):
    layer = tn.RNN(D, H, bias=False, dtype=torch.float64)
    layer.weight_hh_l0.data = factor * torch.eye(H, dtype=torch.float64)
    # With nothing to read h stays 0, where tanh has the slope 1.
    flow = gradient_flow(layer, torch.zeros(400, 1, D))
    expected = math.log(factor) * torch.arange(400, dtype=torch.float64)
    assert difference(flow.chain[0, 0], expected) <= 1e-12
    assert abs(flow.chain[0, 0, -1]) > 709  # exp() of it is 0 or infinite


def test_a_chain_that_breaks_stays_broken():
    layer = tn.RNN(D, H, nonlinearity="relu", bias=False)
    flow = gradient_flow(layer, torch.zeros(T, 1, D))  # relu(0) passes nothing back
    assert flow.chain[0, 0, 0] == 0
    assert flow.chain[0, 0, 1:].eq(-math.inf).all()


def test_only_a_cell_with_a_gate_that_keeps_has_a_highway():
    x = torch.randn(T, B, D)
    assert gradient_flow(tn.RNN(D, H), x).highway is None
    assert gradient_flow(tn.GRU(D, H), x).chain is None
    assert gradient_flow(tn.LSTM(D, H), x).chain is None


# ------------------------------------------------- networks, losses, errors


@pytest.mark.parametrize("pooling", ["last", "mean+max"])
def test_a_network_and_its_own_loss(pooling):
    torch.manual_seed(1)
    layer, (cell,) = layer_and_cells("lstm")
    network = TextNetwork(Embedding(9, D), layer, pooling, 2).double().eval()
    lengths = torch.tensor([5, 3])
    ids = torch.tensor([[4, 2, 7, 5, 3], [6, 2, 8, 0, 0]])
    batch = Batch(ids, lengths, torch.tensor([1, 0]))
    flow = gradient_flow(network, batch)
    rows = [walk(cell, network.embedding(ids[i : i + 1, :n])) for i, n in enumerate(lengths)]
    outputs = torch.zeros(2, 5, H, dtype=torch.float64)
    for row, states in enumerate(rows):
        outputs[row, : len(states)] = torch.cat([hidden for hidden, _ in states])
    final = torch.cat([states[-1][0] for states in rows])[None]
    loss = network.loss(network.head(network.pooling(outputs, lengths, final)), batch)
    for row, states in enumerate(rows):
        for index, name in enumerate(("hidden", "cell")):
            nodes = [state[index] for state in states]
            found = torch.cat(torch.autograd.grad(loss, nodes, retain_graph=True)[::-1])
            assert difference(flow.gradients[name][0, row, : len(states)], found) <= 1e-12


def test_without_targets_a_network_is_asked_for_its_highest_output():
    network = TextNetwork(Embedding(9, D), tn.GRU(D, H, batch_first=True), "last", 3)
    batch = Batch(torch.tensor([[4, 2, 7], [5, 2, 0]]), torch.tensor([3, 2]))
    found = gradient_flow(network, batch).gradients["hidden"]
    asked = gradient_flow(network, batch, loss=lambda scores: scores.max(1).values.sum())
    assert difference(found.nan_to_num(), asked.gradients["hidden"].nan_to_num()) <= 1e-6


def test_features_of_a_batch_of_series_and_weighted_rows():
    class Series(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = tn.GRU(D, H, batch_first=True)

        def forward(self, batch: Batch) -> Tensor:
            return self.recurrent(batch.values, lengths=batch.lengths)[0][:, -1]

    network, x = Series(), torch.randn(B, T, D)
    batch = Batch(x, torch.full((B,), T), weights=torch.ones(B))
    found = gradient_flow(network, batch, loss=torch.sum).gradients["hidden"]
    assert torch.equal(found, gradient_flow(network.recurrent, x).gradients["hidden"])


def test_the_loss_may_be_a_module_of_the_type_of_the_layer():
    layer, head = tn.LSTM(D, H), nn.Linear(H, 1)
    x = torch.randn(T, B, D)
    flow = gradient_flow(layer, x, loss=lambda output: head(output[-1]).square().mean())
    output, _ = layer(x)
    head(output[-1]).square().mean().backward(inputs=(at_end := [*layer.parameters()]))
    assert all(weight.grad is not None for weight in at_end)
    seed = 2 * head(output[-1]) / B * head.weight
    assert difference(flow.gradients["hidden"][0, :, 0], seed) <= 1e-6


def test_the_model_stays_as_it_was():
    layer = tn.LSTM(D, H, num_layers=2, dropout=0.5).train()
    layer.weight_hh_l0.requires_grad_(False)
    before = {name: weight.clone() for name, weight in layer.state_dict().items()}
    random = torch.get_rng_state()
    with torch.no_grad():
        first = gradient_flow(layer, x := torch.randn(T, B, D))
    torch.set_rng_state(random)
    assert layer.training
    assert not layer._forward_hooks
    assert not layer.weight_hh_l0.requires_grad
    assert all(weight.grad is None for weight in layer.parameters())
    assert all(torch.equal(before[name], weight) for name, weight in layer.state_dict().items())
    again = gradient_flow(layer, x)
    assert torch.equal(first.gradients["cell"], again.gradients["cell"])


def test_forget_gates_nearer_to_one_carry_further():
    x = torch.randn(60, 4, D)
    layers = [tn.LSTM(D, H, forget_bias=bias) for bias in (-1.0, 1.0, 3.0, 6.0)]
    flows = [gradient_flow(layer, x) for layer in layers]
    for curve in ("highway", "cell"):
        factors = [flow.decay(curve).factor for flow in flows]
        assert all(near < far for near, far in pairwise(factors))
        assert factors[-1] > 0.98


@pytest.mark.parametrize(
    ("model", "x", "options", "words"),
    [
        (nn.LSTM(D, H), torch.zeros(T, B, D), {}, "from_torch"),
        (tn.LSTM(D, H), [[1.0]], {}, "`x` must be a tensor or PackedSequence for a layer"),
        (tn.LSTM(D, H), torch.zeros(T, B, D + 1), {}, "input_size = 3"),
        (tn.LSTM(D, H), torch.zeros(0, B, D), {}, "at least one row of one step"),
        (tn.LSTM(D, H), torch.zeros(T, 0, D), {}, "at least one row of one step"),
        (tn.LSTM(D, H), torch.zeros(T, B, D), {"lengths": [9, 1, 1]}, "between 0 and T = 7"),
        (tn.RNN(D, H), torch.zeros(T, B, D), {"loss": lambda y: y}, r"got shape \[7, 3, 4\]"),
        (tn.RNN(D, H), torch.zeros(T, B, D), {"loss": lambda y: 1.0}, "got float"),
        (tn.RNN(D, H), torch.zeros(T, B, D), {"loss": lambda y: torch.ones(())}, "not depend"),
    ],
)
def test_wrong_input_is_one_clear_line(model, x, options, words):
    with pytest.raises(InputError, match=words) as caught:
        gradient_flow(model, x, **options)
    assert "\n" not in str(caught.value)


def test_wrong_input_of_a_network():
    network = TextNetwork(Embedding(9, D), tn.GRU(D, H, batch_first=True), "last", 3)
    with pytest.raises(InputError, match="`x` must be a Batch for a network"):
        gradient_flow(network, torch.zeros(B, T))
    batch = Batch(torch.ones(1, 2, dtype=torch.int64), torch.tensor([2]))
    with pytest.raises(InputError, match="`lengths` must be left out for a network"):
        gradient_flow(network, batch, lengths=[2])

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = tn.GRU(D, D, batch_first=True)

        def forward(self, batch: Batch) -> Tensor:
            return self.recurrent(self.recurrent(batch.values)[0])[0]

    with pytest.raises(InputError, match="runs its `recurrent` once; got 2 passes"):
        gradient_flow(Twice(), Batch(torch.zeros(B, T, D), torch.full((B,), T)))
