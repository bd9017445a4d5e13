"""A pass of a stack, put together by hand out of single sequences."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import difference, make, random_states
from tidegate.errors import InputError
from tidegate.kernels import Request, run_sequence

B, T, D, H = 3, 5, 4, 4
LENGTHS = [5, 0, 3]
DTYPE = torch.float64


def by_hand(layer, x, states, resets):
    """Outputs `[B, T, ...]` of the layers: each direction one sequence of the reference loop."""
    ways = ("", "_reverse") if layer.bidirectional else ("",)
    ends = []
    for number in range(layer.num_layers):
        made = []
        for way, suffix in enumerate(ways):
            place = number * len(ways) + way
            request = Request(
                cell=layer.cell,
                x=x,
                state=tuple(state[place] for state in states),
                weights=layer._pass().weights(number, suffix),
                lengths=torch.tensor(LENGTHS),
                resets=walked(resets, way),
                reverse=way == 1,
            )
            made.append(run_sequence(request, backend="reference"))
        ends += [result.state for result in made]
        joined = torch.cat([result.output for result in made], 2)
        x = joined + x if number and layer.options.residual else joined
    return x, [torch.stack(parts) for parts in zip(*ends, strict=True)]


def walked(resets, way):
    """Resets before a step as a direction meets them: backwards, before the step after it."""
    met = torch.zeros_like(resets)
    for row, length in enumerate(LENGTHS):
        if way == 0:
            met[row, :length] = resets[row, :length]
        elif length:
            met[row, : length - 1] = resets[row, 1:length]
    return met


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"residual": True}])
@pytest.mark.parametrize("case", ["lstm", "gru", "lstm-projected"])
def test_layers_and_directions_are_sequences_after_each_other(case, options):
    if case == "lstm-projected" and "residual" in options:
        options = {**options, "proj_size": 3}
    layer = make(case, D, H, num_layers=3, batch_first=True, **options)
    states = random_states(layer, B, DTYPE)
    resets = torch.rand(B, T) < 0.4
    x = torch.randn(B, T, D, dtype=DTYPE)
    hx = states if len(states) > 1 else states[0]
    output, after = layer._pass().run(x, hx, lengths=LENGTHS, reset_mask=resets)
    expected, ends = by_hand(layer, x, states, resets)
    assert difference(output, expected) <= 1e-12
    for part, end in zip(after if isinstance(after, tuple) else (after,), ends, strict=True):
        assert difference(part, end) <= 1e-12


def test_what_lies_between_two_layers_is_dropped_and_nothing_else():
    layer = make("gru", D, H, num_layers=3, batch_first=True)
    met = []
    stack = layer._pass()
    object.__setattr__(stack, "drop", lambda features: met.append(features) or 0 * features)
    output, _ = stack.run(torch.randn(B, T, D, dtype=DTYPE), None)
    assert [list(features.shape) for features in met] == [[B, T, H]] * 2
    expected, _ = layer._pass().run(torch.randn(B, T, D, dtype=DTYPE), None)
    assert output.shape == expected.shape
    assert not torch.equal(output, expected)


def test_a_first_request_asks_what_a_run_would_and_draws_nothing():
    layer = make("lstm", D, H, recurrent_dropout=0.5, batch_first=True).train()
    x = torch.randn(B, T, D, dtype=DTYPE)
    before = torch.random.get_rng_state()
    request = layer._pass().first_request(x, lengths=LENGTHS)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(request.x, x)
    assert request.lengths.tolist() == LENGTHS
    assert [list(state.shape) for state in request.state] == [[B, H]] * 2
    assert set(request.weights) == {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
    assert request.noise is not None


def test_precision_asks_for_autocast_and_for_an_input_that_allows_it():
    layer = make("gru", D, H, dtype=torch.float32, precision="bfloat16", batch_first=True)
    stack = layer._pass()
    with stack.autocast(torch.zeros(1)):
        assert torch.is_autocast_enabled("cpu")
    with pytest.raises(InputError, match=r"GRU: `x` must be float32 or bfloat16 with precision"):
        stack.autocast(torch.zeros(1, dtype=torch.float64))
    plain = make("gru", D, H)._pass()
    with plain.autocast(torch.zeros(1)):
        assert not torch.is_autocast_enabled("cpu")
