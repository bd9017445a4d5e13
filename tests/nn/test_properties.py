"""Properties of every layer, whatever its shape, options, lengths and resets are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, inputs_of, make, results, states_of

PLAIN = ["lstm", "lstm-no-bias", "lstm-projected", "gru", "rnn", "rnn-relu"]
EXAMPLES = 40


@dataclass
class Trial:
    """A layer and a call to it."""

    layer: tn.Recurrent
    x: torch.Tensor
    states: tuple[torch.Tensor, ...]
    call: dict[str, Any]
    seed: int

    def twin(self, **options: Any) -> tn.Recurrent:
        """The same layer with other options of no consequence."""
        own = vars(self.layer.options) | options
        other = tn.Recurrent(
            self.layer.cell,
            self.layer.input_size,
            self.layer.num_layers,
            batch_first=True,
            bidirectional=self.layer.bidirectional,
            dtype=torch.float64,
            **own,
        )
        other.load_state_dict(self.layer.state_dict())
        return other


@st.composite
def trials(draw: st.DrawFn, cases: list[str], resets: bool = True) -> Trial:
    seed = draw(st.integers(0, 2**16))
    torch.manual_seed(seed)
    bidirectional = draw(st.booleans())
    merge = draw(st.sampled_from(["concat", "sum", "mean"])) if bidirectional else "concat"
    layers = draw(st.integers(1, 3))
    layer = make(
        draw(st.sampled_from(cases)),
        draw(st.integers(1, 4)),
        draw(st.integers(3, 5)),
        num_layers=layers,
        bidirectional=bidirectional,
        merge=merge,
        residual=layers > 1 and draw(st.booleans()),
        batch_first=True,
    )
    rows, steps = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    x = torch.randn(rows, steps, layer.input_size, dtype=torch.float64, requires_grad=True)
    count = layers * (2 if bidirectional else 1)
    states = tuple(
        torch.randn(count, rows, size, dtype=torch.float64, requires_grad=True)
        for size in layer.cell.state_sizes
    )
    call: dict[str, Any] = {}
    if draw(st.booleans()):
        lengths = st.lists(st.integers(0, steps), min_size=rows, max_size=rows)
        call["lengths"] = draw(lengths)
    if resets and draw(st.booleans()):
        call["reset_mask"] = torch.rand(rows, steps) < 0.3
    return Trial(layer, x, states, call, seed)


def outcome(trial: Trial, layer: tn.Recurrent) -> dict[str, torch.Tensor]:
    torch.manual_seed(trial.seed)
    output = layer(trial.x, as_hx(trial.states), **trial.call)
    return results(*output, inputs_of(layer, trial.x, trial.states))


def assert_same(trial: Trial, other: tn.Recurrent) -> None:
    actual, expected = outcome(trial, other), outcome(trial, trial.layer)
    for name, value in expected.items():
        assert difference(actual[name], value) <= 1e-10, name


@settings(max_examples=EXAMPLES)
@given(trials(PLAIN, resets=False))
def test_backends_agree_in_results_and_gradients(trial):
    assert_same(trial, trial.twin(backend="reference"))


@settings(max_examples=EXAMPLES)
@given(trials(list(VARIANTS)), st.integers(1, 8))
def test_checkpoints_change_nothing(trial, every):
    assert_same(trial, trial.twin(checkpoint_every=every))


@settings(max_examples=EXAMPLES)
@given(trials(list(VARIANTS)), st.data())
def test_rows_know_nothing_of_each_other(trial, data):
    rows = len(trial.x)
    kept = data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=rows + 1))
    call = dict(trial.call)
    if "lengths" in call:
        call["lengths"] = [call["lengths"][row] for row in kept]
    if "reset_mask" in call:
        call["reset_mask"] = call["reset_mask"][kept]
    states = tuple(part[:, kept] for part in trial.states)
    output, state = trial.layer(trial.x, as_hx(trial.states), **trial.call)
    some, end = trial.layer(trial.x[kept], as_hx(states), **call)
    assert difference(some, output[kept]) <= 1e-12
    for part, whole in zip(states_of(end), states_of(state), strict=True):
        assert difference(part, whole[:, kept]) <= 1e-12


@settings(max_examples=EXAMPLES)
@given(trials(list(VARIANTS)), st.data())
def test_chunks_that_hand_on_their_state_are_the_whole(trial, data):
    assume(not trial.layer.bidirectional)
    steps = trial.x.shape[1]
    cut = data.draw(st.integers(0, steps))
    lengths = torch.tensor(trial.call.get("lengths", [steps] * len(trial.x)))
    resets = trial.call.get("reset_mask", torch.zeros(trial.x.shape[:2], dtype=torch.bool))
    state, outputs = as_hx(trial.states), []
    for part in (slice(0, cut), slice(cut, steps)):
        within = (lengths - part.start).clamp(0, part.stop - part.start)
        call = {"lengths": within, "reset_mask": resets[:, part]}
        output, state = trial.layer(trial.x[:, part], state, **call)
        outputs.append(output)
    whole, end = trial.layer(trial.x, as_hx(trial.states), **trial.call)
    assert difference(torch.cat(outputs, 1), whole) <= 1e-12
    for part, expected in zip(states_of(state), states_of(end), strict=True):
        assert difference(part, expected) <= 1e-12


@settings(max_examples=EXAMPLES)
@given(trials(list(VARIANTS)))
def test_the_layout_of_the_input_does_not_matter(trial):
    other = trial.twin()
    other.batch_first = False
    output, state = trial.layer(trial.x, as_hx(trial.states), **trial.call)
    turned, end = other(trial.x.transpose(0, 1), as_hx(trial.states), **trial.call)
    assert difference(turned.transpose(0, 1), output) <= 1e-12
    for part, expected in zip(states_of(end), states_of(state), strict=True):
        assert difference(part, expected) <= 1e-12
