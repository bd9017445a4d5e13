"""Step by step against torch.nn: one net that reads its own answers, or a second that writes."""

from __future__ import annotations

import torch

from tests.tasks.forecasting import build, peer, windows


def test_recursion_is_one_step_again_and_again():
    network = build(strategy="recursive", targets=1, cell="gru")
    rows = windows(targets=1)
    strategy = network.strategy
    gru = peer(strategy.recurrent)
    level = rows.values[:, -1:]
    path, expected = rows.values - level, []
    for _ in range(7):
        output, _ = gru(path)
        expected.append(strategy.head.linear(output[:, -1])[:, None])
        path = torch.cat([path, expected[-1]], 1)
    torch.testing.assert_close(network(rows)[..., 0], torch.cat(expected, 1) + level)


def test_known_features_are_read_a_step_early_where_the_same_net_writes():
    network = build(strategy="recursive", targets=1, cell="gru", known=2, others=1)
    rows = windows(targets=1, known=2, others=1)
    strategy = network.strategy
    gru = peer(strategy.recurrent)
    for row in range(3):
        level = rows.values[row, -1, 0]
        value = rows.values[row, :, :1] - level
        known = torch.cat([rows.values[row, 1:, 1:3], rows.known[row]])
        other = torch.cat([rows.values[row, :, 3:], torch.zeros(6, 1)])
        for step in range(7):
            path = torch.cat([value, known[: 11 + step], other[: 11 + step]], 1)
            output, _ = gru(path[None])
            value = torch.cat([value, strategy.head.linear(output[0, -1])[None]])
        torch.testing.assert_close(network(rows)[row].flatten(), value[11:, 0] + level)


def test_a_second_net_goes_on_from_the_states_of_the_first():
    network = build(strategy="encoder-decoder", targets=1, cell="lstm", known=2, static=3)
    rows = windows(targets=1, known=2, static=3, lengths=[11, 6, 1])
    strategy = network.strategy
    reader, writer = peer(strategy.recurrent), peer(strategy.decoder)
    for row, length in enumerate([11, 6, 1]):
        past = rows.values[row, :length].clone()
        level = past[-1, 0].clone()
        past[:, 0] -= level
        same = strategy.context.static(rows.static[row])
        _, state = reader(torch.cat([past, same.expand(length, -1)], 1)[None])
        value = past[-1:, 0]
        for step in range(7):
            inputs = torch.cat([value, rows.known[row, step], same])
            output, state = writer(inputs[None, None], state)
            value = strategy.head.linear(output[0, 0])
            torch.testing.assert_close(network(rows)[row, step].flatten(), value + level)


def test_the_stack_that_writes_is_seen_too():
    network = build(strategy="encoder-decoder")
    stacks = network.recurrent_stacks()
    assert stacks == {"recurrent": network.recurrent, "decoder": network.strategy.decoder}
    assert list(build(strategy="recursive").recurrent_stacks()) == ["recurrent"]
