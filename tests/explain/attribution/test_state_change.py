"""A changed state, against a layer that is stopped, changed and started again by hand."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import make
from tidegate.errors import InputError
from tidegate.explain.attribution.state_change import StateChange, changed_state

T, D, H = 6, 3, 4


def layer_and_input(case="lstm", **options):
    layer = make(case, batch_first=True, **options).eval()
    return layer, torch.randn(1, T, D, dtype=torch.float64)


@torch.no_grad()
def test_the_layer_runs_on_from_the_changed_state():
    layer, x = layer_and_input("gru")
    with changed_state(layer, layer.trace(x), StateChange(2, 0.5, units=1)) as parts:
        output, end = layer(x)
    first, state = layer(x[:, :3])
    state[..., 1] = first[:, 2, 1] = 0.5
    rest, last = layer(x[:, 3:], state)
    expected = torch.cat([first, rest], 1)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(end, last)
    torch.testing.assert_close(parts["hidden"][0], expected)
    assert list(parts) == [*layer.cell.gates, "hidden"]


@torch.no_grad()
def test_a_backward_direction_is_changed_on_its_own_way():
    layer, x = layer_and_input("lstm", bidirectional=True)
    plain, trace = layer(x)[0], layer.trace(x)
    change = StateChange(2, 0.9, direction="backward", state="cell")
    with changed_state(layer, trace, change) as parts:
        output, _ = layer(x)
    moved = (output - plain).abs().amax((0, 2)) > 1e-9
    assert moved.tolist() == [True, True, False, False, False, False]  # its steps after step 2
    assert torch.equal(output[..., :H], plain[..., :H])
    assert (parts["cell"][1, 0, 2] == 0.9).all()


@torch.no_grad()
def test_afterwards_the_layer_is_as_it_was():
    layer, x = layer_and_input()
    plain = layer(x)[0]
    with pytest.raises(RuntimeError), changed_state(layer, layer.trace(x), StateChange(0, 1.0)):
        raise RuntimeError
    assert torch.equal(layer(x)[0], plain)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (StateChange(0), "hidden of all units, layer 0 forward, set to 0 after step 0"),
        (
            StateChange(3, 0.25, units=[1, 2], layer=1, direction="backward", state="cell"),
            "cell of units [1, 2], layer 1 backward, set to 0.25 after step 3",
        ),
    ],
)
def test_a_change_is_put_into_words(change, words):
    assert str(change) == words


def test_what_is_not_there_is_refused_before_anything_is_hooked():
    layer, x = layer_and_input()
    for change, words in (
        (StateChange(T), "`step` must be from 0 to 5; got 6"),
        (StateChange(0, state="memory"), "a state of this LSTM: hidden or cell; got 'memory'"),
    ):
        with pytest.raises(InputError, match=words), changed_state(layer, layer.trace(x), change):
            pass
    assert not layer._forward_hooks
