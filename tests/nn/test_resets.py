"""reset_mask: a row of several segments gives what the segments give one by one."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make, random_states, states_of
from tidegate.errors import InputError

B, T, D = 4, 7, 3
LENGTHS = [7, 0, 5, 3]
# Resets at step 0, twice in a row, at a row's last step, and in the padding, where they do nothing.
RESETS = torch.tensor(
    [
        [0, 0, 1, 1, 0, 0, 1],
        [1, 0, 0, 1, 0, 0, 0],
        [1, 0, 0, 1, 0, 1, 0],
        [0, 0, 1, 0, 0, 0, 1],
    ],
    dtype=torch.bool,
)


def initial(layer, rows=B):
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    sizes = layer.cell.state_sizes
    return tuple(torch.randn(count, rows, size, dtype=torch.float64) for size in sizes)


def segments(row: int, length: int) -> list[tuple[int, int]]:
    inner = [t for t in range(1, length) if RESETS[row, t]]
    return list(zip([0, *inner], [*inner, length], strict=True)) if length else []


def apart(layer, x, hx, row, length):
    """Run the segments of one row one by one: output, and the last states of each direction.

    The forward states enter the first segment, unless the row resets at step 0; the reverse
    states enter the last one.
    """
    directions = 2 if layer.bidirectional else 1
    output, ends = [], [part[:, row].clone() for part in hx]
    parts = segments(row, length)
    for index, (start, stop) in enumerate(parts):
        begin = tuple(part[:, row].clone() for part in hx)
        for part in begin:
            if index > 0 or RESETS[row, 0]:
                part[0::directions] = 0
            if directions == 2 and index < len(parts) - 1:
                part[1::2] = 0
        piece, state = layer(x[row, start:stop], as_hx(begin))
        output.append(piece)
        for end, part in zip(ends, states_of(state), strict=True):
            end[0::directions] = part[0::directions]
            if directions == 2 and index == 0:
                end[1::2] = part[1::2]
    padding = x.new_zeros(x.shape[1] - length, layer.output_size)
    return torch.cat([*output, padding]), ends


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("case", VARIANTS)
def test_segments_are_what_they_are_alone(case, bidirectional, ragged):
    layer = make(case, num_layers=2, bidirectional=bidirectional, batch_first=True)
    x, hx = torch.randn(B, T, D, dtype=torch.float64), initial(layer)
    lengths = LENGTHS if ragged else [T] * B
    output, state = layer(x, as_hx(hx), lengths=lengths if ragged else None, reset_mask=RESETS)
    for row, length in enumerate(lengths):
        expected, ends = apart(layer, x, hx, row, length)
        torch.testing.assert_close(output[row], expected, rtol=0, atol=1e-12)
        for part, end in zip(states_of(state), ends, strict=True):
            torch.testing.assert_close(part[:, row], end, rtol=0, atol=1e-12)


@pytest.mark.parametrize("every", [1, 3])
def test_checkpoints_do_not_move_the_resets(every):
    layer = make("lstm", bidirectional=True, batch_first=True)
    saver = make("lstm", bidirectional=True, batch_first=True, checkpoint_every=every)
    saver.load_state_dict(layer.state_dict())
    x, hx = torch.randn(B, T, D, dtype=torch.float64), initial(layer)
    plain, saved = (run(x, hx, lengths=LENGTHS, reset_mask=RESETS) for run in (layer, saver))
    assert difference(saved[0], plain[0]) <= 1e-12
    assert all(difference(a, b) <= 1e-12 for a, b in zip(saved[1], plain[1], strict=True))


def test_no_gradient_crosses_a_reset():
    layer = make("lstm", batch_first=True)
    x = torch.randn(1, T, D, dtype=torch.float64, requires_grad=True)
    hx = tuple(part.requires_grad_() for part in initial(layer, 1))
    mask = torch.zeros(1, T, dtype=torch.bool)
    mask[0, 4] = True
    output, _ = layer(x, hx, reset_mask=mask)
    gradients = torch.autograd.grad(output[:, 4:].sum(), [x, *hx])
    assert not gradients[0][:, :4].any()
    assert gradients[0][:, 4:].all()
    assert not any(part.any() for part in gradients[1:])


def test_a_reset_stops_what_is_not_a_number():
    """A stream that has gone wrong starts afresh, gradients included."""
    layer = make("lstm", batch_first=True)
    x = torch.randn(2, T, D, dtype=torch.float64)
    mask = torch.zeros(2, T, dtype=torch.bool)
    mask[:, 0] = True
    found = []
    for value in (0.0, float("nan")):
        hx = tuple(torch.full_like(part, value, requires_grad=True) for part in initial(layer, 2))
        output, _ = layer(x, hx, reset_mask=mask)
        found.append((output, *torch.autograd.grad(output.sum(), [*hx, *layer.parameters()])))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
def test_a_mask_without_marks_is_the_same_as_none(case):
    layer = make(case, bidirectional=True)
    x = torch.randn(T, B, D, dtype=torch.float64)
    none = torch.zeros(B, T, dtype=torch.bool)
    torch.testing.assert_close(layer(x, reset_mask=none)[0], layer(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_mask_is_rows_by_steps_whatever_the_input_is(batch_first):
    layer = make("gru", batch_first=batch_first)
    x = torch.randn(B, T, D, dtype=torch.float64)
    given = x if batch_first else x.transpose(0, 1)
    output, _ = layer(given, reset_mask=RESETS)
    output = output if batch_first else output.transpose(0, 1)
    hx = initial(layer)
    for row in range(B):
        expected, _ = apart(make_like(layer, batch_first=True), x, [h * 0 for h in hx], row, T)
        torch.testing.assert_close(output[row], expected, rtol=0, atol=1e-12)


def make_like(layer, **options):
    other = make("gru", **options)
    other.load_state_dict(layer.state_dict())
    return other


@pytest.mark.parametrize("ordered", [False, True])
def test_packed_sequences(ordered):
    """The rows of the mask are the rows as they were before packing."""
    layer = make("lstm", bidirectional=True, batch_first=True)
    x = torch.randn(3, T, D, dtype=torch.float64)
    lengths = torch.tensor([7, 5, 2] if ordered else [5, 2, 7])
    hx = random_states(layer, 3, torch.float64)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=ordered)
    output, state = layer(packed, hx, reset_mask=RESETS[:3])
    expected, end = layer(x, hx, lengths=lengths, reset_mask=RESETS[:3])
    padded, _ = pad_packed_sequence(output, batch_first=True)
    torch.testing.assert_close(padded, expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-13)


def test_an_unbatched_sequence_takes_a_mask_of_its_own():
    layer = make("gru", bidirectional=True)
    x = torch.randn(T, D, dtype=torch.float64)
    expected, _ = layer(x[:, None], reset_mask=RESETS[:1])
    for mask in (RESETS[0], RESETS[:1]):
        torch.testing.assert_close(layer(x, reset_mask=mask)[0], expected[:, 0])


@pytest.mark.parametrize(
    ("mask", "rule"),
    [
        (torch.zeros(2, 5), "of dtype bool; got torch.float32. Convert it with .bool()"),
        (
            torch.zeros(5, 2, dtype=torch.bool),
            "of shape [B, T] = [2, 5], whatever batch_first says; got [5, 2]",
        ),
        (
            torch.zeros(5, dtype=torch.bool),
            "of shape [B, T] = [2, 5], whatever batch_first says; got [1, 5]",
        ),
        ([[False] * 5] * 2, "a tensor; got list"),
    ],
    ids=["dtype", "transposed", "one row", "list"],
)
def test_masks_that_are_none(mask, rule):
    layer = tn.LSTM(D, 4)
    for ask in (layer, layer.explain_backend):
        with pytest.raises(InputError) as caught:
            ask(torch.zeros(5, 2, D), reset_mask=mask)
        assert str(caught.value) == f"LSTM: `reset_mask` must be {rule}."
