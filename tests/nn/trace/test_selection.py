"""Which layers, units and gates are wanted: every form of asking, and one line for what is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.trace.selection import pick, pick_directions, pick_gates

LSTM_GATES = ("input", "forget", "candidate", "output")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, [0, 1, 2, 5]),
        (2, [2]),
        (np.int64(5), [5]),
        ([5, 0, 5], [5, 0]),
        (iter((1, 2)), [1, 2]),
        (np.array([2, 1]), [2, 1]),
        (torch.tensor(1), [1]),
        (torch.tensor([5, 1]), [5, 1]),
    ],
)
def test_numbers(wanted, found):
    numbers = pick("Trace", "units", wanted, (0, 1, 2, 5))
    assert numbers == found
    assert all(type(number) is int for number in numbers)


@pytest.mark.parametrize(
    ("wanted", "known", "said"),
    [
        (3, (0, 1, 2), "from 0 to 2; got 3"),
        (3, (4,), "4, the only one; got 3"),
        (3, (1, 4), "out of 1, 4; got 3"),
        ("1", (0, 1), "from 0 to 1; got '1'"),
        ([], (0, 1), "from 0 to 1; got 'none'"),
        ([False], (0, 1), "from 0 to 1; got False"),
        (torch.tensor([1.0]), (0, 1), "from 0 to 1; got 1.0"),
    ],
)
def test_numbers_that_are_not_there(wanted, known, said):
    with pytest.raises(InputError) as caught:
        pick("Trace", "units", wanted, known)
    assert str(caught.value) == f"Trace: `units` must be {said}."


def test_gates():
    assert pick_gates("Trace", "gates", None, LSTM_GATES, "lstm") == LSTM_GATES
    assert pick_gates("Trace", "gates", "forget", LSTM_GATES, "lstm") == ("forget",)
    wanted = ["output", "input", "output"]
    assert pick_gates("Trace", "gates", wanted, LSTM_GATES, "lstm") == ("output", "input")
    assert pick_gates("Trace", "gates", [], LSTM_GATES, "lstm") == ()


@pytest.mark.parametrize(
    ("family", "known", "said"),
    [
        (
            "lstm",
            LSTM_GATES,
            "An LSTM has no reset gate; it has input, forget, candidate and output",
        ),
        ("gru", (), "The trace was made without it; it keeps no gate"),
        ("gru", ("update",), "The trace was made without it; it keeps update"),
        ("rnn", (), "An RNN has no reset gate; it has none"),
    ],
)
def test_gates_that_are_not_there(family, known, said):
    with pytest.raises(InputError) as caught:
        pick_gates("Trace", "gates", "reset", known, family)
    assert str(caught.value).endswith(f"got 'reset'. {said}.")


def test_directions():
    both = ("forward", "backward")
    assert pick_directions("Trace", None, both) == both
    assert pick_directions("Trace", "backward", both) == ("backward",)
    with pytest.raises(InputError, match="out of forward and backward; got 'up'"):
        pick_directions("Trace", "up", both)
    with pytest.raises(InputError, match="out of forward; got 'none'"):
        pick_directions("Trace", [], ("forward",))
