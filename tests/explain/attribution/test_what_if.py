"""What if, against runs that are stopped, changed and started again by hand."""

from __future__ import annotations

import pytest
import torch

from tests.explain.nets import Polynomial, ragged, text_net
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.explain import StateChange, what_if
from tidegate.explain.network import take_rows

ROW = ragged((7,), seed=4)


def network_and_vectors(cell="lstm", **options):
    network = text_net(cell, "mean", **options).eval()
    return network, network.embed(ROW).detach()


def by_hand(layer, vectors, step, change):
    """Run a stack of one direction to a step, change its states in place, and run on."""
    output, state, gates = layer(vectors[:, : step + 1], return_gates=True)
    change(state)
    rest, _, later = layer(vectors[:, step + 1 :], state, return_gates=True)
    parts = {name: torch.cat([gates[name], later[name]], 2) for name in gates}
    return torch.cat([output, rest], 1), parts


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("units", [None, [0, 2], 3])
def test_a_cell_state_that_is_changed_changes_what_comes_after(layer, units):
    network, vectors = network_and_vectors(num_layers=2, bidirectional=False)
    change = StateChange(step=2, value=0.9, units=units, layer=layer, state="cell")
    found = what_if(network, ROW, state=change)

    def put(state):
        columns = slice(None) if units is None else units
        state[1][layer][:, columns] = 0.9

    with torch.no_grad():
        output, parts = by_hand(network.recurrent, vectors, 2, put)
        expected = network.head(network.pooling(output, ROW.lengths))
    torch.testing.assert_close(found.outputs[1], expected[0])
    torch.testing.assert_close(found.outputs[0], network(ROW)[0].detach())
    torch.testing.assert_close(found.after.gate("forget"), parts["forget"])
    torch.testing.assert_close(found.after.hidden, parts["hidden"])
    columns = slice(None) if units is None else units
    assert (found.after.cell[layer, 0, 2][columns] == 0.9).all()
    assert found.difference("forget")[:, :3].abs().max() < 1e-12
    assert found.difference("cell")[layer, 3:].any(1).all()
    assert found.difference("forget")[layer, 4:].all()  # step 3 still sees the old h


def test_a_hidden_state_that_is_changed_is_seen_by_the_layer_above():
    network, vectors = network_and_vectors("gru", num_layers=2, bidirectional=False)
    found = what_if(network, ROW, state=StateChange(step=3, value=-1.0, units=1))
    lower, upper = (text_net("gru", bidirectional=False).recurrent for _ in range(2))
    upper = type(upper)(upper.cell, 4, batch_first=True, dtype=torch.float64)
    whole = network.recurrent.state_dict()
    with torch.no_grad():
        lower.load_state_dict({n: w for n, w in whole.items() if n.endswith("l0")})
        upper.load_state_dict({n.replace("l1", "l0"): w for n, w in whole.items() if "l1" in n})
        first, state = lower(vectors[:, :4])
        first[:, 3, 1] = state[0][:, 1] = -1.0
        below = torch.cat([first, lower(vectors[:, 4:], state)[0]], 1)
        expected = upper(below)[0]
    torch.testing.assert_close(found.after.hidden[0], below)
    torch.testing.assert_close(found.after.hidden[1], expected)
    torch.testing.assert_close(
        found.outputs[1], network.head(network.pooling(expected, ROW.lengths))[0].detach()
    )


@pytest.mark.parametrize("state", ["cell", "hidden"])
@pytest.mark.parametrize("step", [0, 3, 6])
def test_a_backward_direction_is_a_forward_one_over_the_row_turned_round(step, state):
    network, vectors = network_and_vectors()
    change = StateChange(step=step, value=0.5, direction="backward", state=state)
    found = what_if(network, ROW, state=change)
    turned = text_net(bidirectional=False).recurrent
    weights = network.recurrent.weights(0, "_reverse").items()
    turned.load_state_dict({f"{name}_l0": weight for name, weight in weights})

    def put(states):
        states[state == "cell"][:] = 0.5

    with torch.no_grad():
        output, parts = by_hand(turned, vectors.flip(1), 6 - step, put)
    expected = output.flip(1)
    if state == "hidden":
        expected[:, step] = 0.5
    torch.testing.assert_close(found.after.hidden[1], expected)
    torch.testing.assert_close(found.after.gate("input")[1], parts["input"].flip(2)[0])
    assert not found.difference("hidden")[0].any()  # the other direction never sees it


def test_a_state_set_to_what_it_is_changes_nothing():
    network, _ = network_and_vectors()
    before = what_if(network, ROW, state=StateChange(2)).before
    for unit in range(4):
        value = before.cell[0, 0, 4, unit].item()
        change = StateChange(4, value, units=unit, state="cell")
        found = what_if(network, ROW, state=change)
        assert found.difference("hidden").abs().max() < 1e-12
        assert (found.outputs[1] - found.outputs[0]).abs().max() < 1e-12


def test_another_row_is_answered_as_the_network_answers_it():
    network = text_net(wide=True).eval()
    other = ragged((4,), seed=9)
    found = what_if(network, ROW, other)
    torch.testing.assert_close(found.outputs, torch.cat([network(ROW), network(other)]).detach())
    torch.testing.assert_close(
        found.after.hidden, network.recurrent.trace(network.embed(other)).hidden
    )
    assert "4 steps in the place of 7" in repr(found)
    assert found.difference().shape == (2, 4, 4)


def test_labels_say_which_steps_belong_together():
    found = what_if(text_net(), ROW, ragged((5,)))
    before = found.before.labelled(["a b c d e f g".split()])
    after = found.after.labelled(["a x c f g".split()])
    found = type(found)(found.change, before, after, found.outputs)
    assert found.steps == [(0, 0), (2, 2), (5, 3), (6, 4)]
    expected = after.hidden[:, 0, [0, 2, 3, 4]] - before.hidden[:, 0, [0, 2, 5, 6]]
    assert torch.equal(found.difference(), expected)


def test_values_of_a_series_and_the_words_for_them():
    network = Polynomial(4)
    batch = Batch(torch.randn(1, 4, 1, dtype=torch.float64), torch.tensor([4]))
    values = batch.values.clone()
    values[0, 2] += 1
    network.recurrent.double()
    found = what_if(network, batch, Batch(values, batch.lengths))
    assert found.change == "other values at steps [2]"
    torch.testing.assert_close(found.outputs[1], network(Batch(values, batch.lengths))[0].detach())
    frame = found.to_frame()
    assert frame["output"].tolist() == ["output 0", "output 1"]
    assert frame["change"].tolist() == pytest.approx((found.outputs[1] - found.outputs[0]).tolist())


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_picture_shows_answer_and_gates(cell):
    change = StateChange(2, 1.0, direction="backward")
    found = what_if(text_net(cell), ROW, state=change)
    figure = found.plot()
    names = [*found.before.gates, *(["cell"] if cell == "lstm" else []), "hidden"]
    shown = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert shown == names
    assert "layer 0 backward" in figure.get_suptitle()
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert sorted(bars) == pytest.approx(sorted(found.outputs.flatten().tolist()))
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    moved = [torch.tensor(image).double() for image in images]
    torch.testing.assert_close(moved[2], moved[1] - moved[0], atol=1e-6, rtol=1e-5)
    assert found._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="`row` must be one of layer 0 forward, layer 0 backward"):
        found.plot("layer 2 forward")


@pytest.mark.parametrize(
    ("cell", "state", "words"),
    [
        ("lstm", StateChange(7), "`step` must be from 0 to 6; got 7"),
        ("lstm", StateChange(-1), "`step` must be from 0 to 6; got -1"),
        ("lstm", StateChange(1, units=[0, 4]), "`units` must be from 0 to 3; got 4"),
        ("lstm", StateChange(1, layer=1), "`layer` must be 0, the only one; got 1"),
        ("lstm", StateChange(1, direction="up"), "out of forward and backward; got 'up'"),
        ("gru", StateChange(1, state="cell"), "a state of this GRU: hidden; got 'cell'"),
    ],
)
def test_a_place_that_is_not_there_is_refused(cell, state, words):
    with pytest.raises(InputError, match=words):
        what_if(text_net(cell), ROW, state=state)


def test_a_change_and_one_row_are_needed():
    with pytest.raises(InputError, match="`changed` must be given, or `state`"):
        what_if(text_net(), ROW)
    with pytest.raises(InputError, match="`batch` must be one row; got 4 of them"):
        what_if(text_net(), ragged(), ROW)
    with pytest.raises(InputError, match="`changed` must be one row; got 2 of them"):
        what_if(text_net(), ROW, take_rows(ROW, torch.tensor([0, 0])))


def test_the_network_is_left_as_it_was():
    network = text_net().train()
    what_if(network, ROW, state=StateChange(1))
    assert network.training
    assert not network.recurrent._forward_hooks
    assert all(weight.requires_grad for weight in network.parameters())
