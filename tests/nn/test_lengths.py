"""Ragged rows: lengths of any kind, padding of any content, rows that know nothing of others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, assert_close, inputs_of, make, results, states_of
from tidegate.errors import InputError

LENGTHS = [2, 6, 0, 5, 1]
B, T, D = len(LENGTHS), 6, 3

BACKENDS = [
    *(pytest.param(case, "reference") for case in VARIANTS),
    *(pytest.param(case, "aten") for case in ("lstm", "lstm-no-bias", "lstm-projected")),
    *(pytest.param(case, "aten") for case in ("gru", "rnn", "rnn-relu")),
]


def states(layer, rows=B, dtype=torch.float64):
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(
        torch.randn(count, rows, size, dtype=dtype, requires_grad=True)
        for size in layer.cell.state_sizes
    )


def outcome(layer, x, hx, **call):
    return results(*layer(x, as_hx(hx), **call), inputs_of(layer, x, hx))


@pytest.mark.parametrize(("case", "backend"), BACKENDS)
def test_each_row_is_what_it_is_alone_and_unpadded(case, backend):
    layer = make(case, num_layers=2, bidirectional=True, batch_first=True, backend=backend)
    x, hx = torch.randn(B, T, D, dtype=torch.float64), states(layer)
    output, state = layer(x, as_hx(hx), lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        begin = tuple(part[:, row] for part in hx)
        assert not output[row, length:].any()
        end = tuple(part[:, row] for part in states_of(state))
        if length:
            alone, after = layer(x[row, :length], as_hx(begin))
            torch.testing.assert_close(output[row, :length], alone, rtol=0, atol=1e-12)
        else:
            after = as_hx(begin)
        for part, expected in zip(end, states_of(after), strict=True):
            torch.testing.assert_close(part, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("filler", [1e30, float("inf"), float("nan")])
@pytest.mark.parametrize(("case", "backend"), BACKENDS)
def test_what_stands_in_the_padding_has_no_effect(case, backend, filler, dtype):
    options = {"num_layers": 2, "bidirectional": True, "batch_first": True, "dtype": dtype}
    layer = make(case, backend=backend, **options)
    clean, hx = torch.randn(B, T, D, dtype=dtype), states(layer, dtype=dtype)
    filled = clean.clone()
    for row, length in enumerate(LENGTHS):
        filled[row, length:] = filler
    actual = outcome(layer, filled.requires_grad_(), hx, lengths=LENGTHS)
    expected = outcome(layer, clean.requires_grad_(), hx, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        assert not actual["grad x"][row, length:].any()
    assert_close(actual, expected, 0.0, 0.0)


@pytest.mark.parametrize(("case", "backend"), BACKENDS)
def test_a_row_does_not_depend_on_how_long_the_others_are(case, backend):
    layer = make(case, bidirectional=True, batch_first=True, backend=backend)
    x, hx = torch.randn(B, T, D, dtype=torch.float64), states(layer)
    seen = [
        layer(x, as_hx(hx), lengths=lengths)
        for lengths in ([3, 6, 0, 5, 1], [3, 0, 0, 0, 0], [3, 3, 3, 3, 3])
    ]
    for output, state in seen[1:]:
        torch.testing.assert_close(output[0], seen[0][0][0], rtol=0, atol=1e-13)
        for part, first in zip(states_of(state), states_of(seen[0][1]), strict=True):
            torch.testing.assert_close(part[:, 0], first[:, 0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("backend", ["aten", "reference"])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_the_reverse_direction_starts_at_each_row_s_own_end(name, backend):
    """A reverse pass is a forward pass over the row turned round, by the reverse weights."""
    layer = getattr(tn, name)(D, 4, bidirectional=True, batch_first=True, backend=backend)
    forward = getattr(tn, name)(D, 4, batch_first=True)
    own = layer.state_dict()
    forward.load_state_dict({key: own[f"{key}_reverse"] for key in forward.state_dict()})
    x = torch.randn(B, T, D)
    output, state = layer(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        if length:
            turned, end = forward(x[row, :length].flip(0))
            torch.testing.assert_close(output[row, :length, 4:], turned.flip(0))
            for part, expected in zip(states_of(state), states_of(end), strict=True):
                torch.testing.assert_close(part[1, row], expected[0])


@pytest.mark.parametrize("backend", ["aten", "reference"])
def test_lengths_come_in_any_integer_form(backend):
    layer = make("lstm", batch_first=True, bidirectional=True, backend=backend)
    x = torch.randn(B, T, D, dtype=torch.float64)
    expected = layer(x, lengths=torch.tensor(LENGTHS))[0]
    kinds = [torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32]
    given = [torch.tensor(LENGTHS, dtype=kind) for kind in (*kinds, torch.int64, torch.uint64)]
    for lengths in (*given, LENGTHS, tuple(LENGTHS), np.array(LENGTHS)):
        assert torch.equal(layer(x, lengths=lengths)[0], expected)


@pytest.mark.parametrize("backend", ["aten", "reference"])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_full_lengths_are_the_same_as_none(name, backend):
    layer = getattr(tn, name)(D, 4, bidirectional=True, backend=backend)
    x = torch.randn(T, B, D)
    for full in ([T] * B, None):
        torch.testing.assert_close(layer(x, lengths=full)[0], layer(x)[0])


@pytest.mark.parametrize(("case", "backend"), BACKENDS)
def test_rows_that_are_all_empty_return_their_states_and_pass_gradients_on(case, backend):
    layer = make(case, num_layers=2, bidirectional=True, backend=backend)
    x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
    hx = states(layer)
    output, state = layer(x, as_hx(hx), lengths=[0] * B)
    assert not output.any()
    assert all(torch.equal(a, b) for a, b in zip(states_of(state), hx, strict=True))
    named = results(output, state, inputs_of(layer, x, hx))
    for name, gradient in named.items():
        if name.startswith("grad") and not name.startswith("grad hx"):
            assert not gradient.any(), name


@pytest.mark.parametrize("case", VARIANTS)
def test_no_steps_and_no_rows(case):
    """The empty batch of an empty data set, and the empty text, are results and not errors."""
    layer = make(case, num_layers=2, bidirectional=True, batch_first=True)
    size = layer.output_size
    for rows, steps, lengths in (
        (B, 0, None),
        (B, 0, [0] * B),
        (0, T, None),
        (0, T, []),
        (0, 0, []),
    ):
        x = torch.randn(rows, steps, D, dtype=torch.float64)
        hx = states(layer, rows)
        output, state, trace = layer(x, as_hx(hx), lengths=lengths, return_gates=True)
        assert output.shape == (rows, steps, size)
        assert all(torch.equal(a, b) for a, b in zip(states_of(state), hx, strict=True))
        assert {part.shape[:3] for part in trace.values()} == {(4, rows, steps)}


@pytest.mark.parametrize("backend", ["aten", "reference"])
def test_an_unbatched_sequence_may_have_a_length(backend):
    layer = make("lstm", bidirectional=True, backend=backend)
    x = torch.randn(T, D, dtype=torch.float64)
    for lengths in ([4], torch.tensor([4]), torch.tensor(4)):
        output, state = layer(x, lengths=lengths)
        alone, end = layer(x[:4])
        torch.testing.assert_close(output[:4], alone, rtol=0, atol=1e-13)
        torch.testing.assert_close(state, end, rtol=0, atol=1e-13)
        assert not output[4:].any()


@pytest.mark.parametrize(
    ("lengths", "rule"),
    [
        ([1.0, 2.0], "integers; got torch.float32"),
        ([True, False], "integers; got torch.bool"),
        (torch.tensor([1, 2], dtype=torch.complex128), "integers; got torch.complex128"),
        (["a", "b"], "integers; got ['a', 'b']"),
        ([[1], [2, 3]], "integers; got [[1], [2, 3]]"),
        ([1, None], "integers; got [1, None]"),
        ([1, 2, 3], "of shape [B] = [2]; got [3]"),
        ([[1, 2]], "of shape [B] = [2]; got [1, 2]"),
        ([], "of shape [B] = [2]; got [0]"),
        ([1, 7], "between 0 and T = 6; got 7"),
        ([-1, 6], "between 0 and T = 6; got -1"),
    ],
    ids=str,
)
def test_lengths_that_are_none(lengths, rule):
    layer = tn.GRU(D, 4)
    x = torch.zeros(T, 2, D)
    for ask in (layer, layer.explain_backend):
        with pytest.raises(InputError) as caught:
            ask(x, lengths=lengths)
        assert str(caught.value) == f"GRU: `lengths` must be {rule}."
