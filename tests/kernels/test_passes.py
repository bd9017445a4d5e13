"""What the library is given is checked before it reads a byte of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.kernels.native_cases import needs_native, request_for
from tidegate.cells import LSTM
from tidegate.errors import InputError
from tidegate.kernels import Noise, native

pytestmark = needs_native

B, T, D, H = 3, 5, 4, 6

WRONG = {
    "lengths beyond T": {"lengths": torch.tensor([5, 6, 0])},
    "negative lengths": {"lengths": torch.tensor([5, -1, 0])},
    "lengths of a row too many": {"lengths": torch.tensor([5, 5, 5, 5])},
    "lengths of another type": {"lengths": torch.tensor([5, 5, 5], dtype=torch.int32)},
    "resets of another shape": {"resets": torch.zeros(T, B, dtype=torch.bool)},
    "resets of another type": {"resets": torch.zeros(B, T)},
    "a mask of another shape": {"noise": Noise(torch.ones(B, H + 1))},
    "a mask of another type": {"noise": Noise(torch.ones(B, H, dtype=torch.float64))},
    "a zone of another shape": {"noise": Noise(None, (torch.ones(B, T, 1, dtype=torch.bool),))},
    "a zone of another type": {"noise": Noise(None, (None, torch.ones(B, T, H)))},
    "x of another shape": {"x": torch.randn(B, T)},
    "x of another width": {"x": torch.randn(B, T, D + 1)},
    "states of another size": {"state": (torch.randn(B, H), torch.randn(B, H + 1))},
    "a state too few": {"state": (torch.randn(B, H),)},
    "states of another batch": {"state": (torch.randn(1, H), torch.randn(1, H))},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_an_error_and_no_crash(wrong):
    request = replace(request_for(LSTM(hidden_size=H)), **wrong)
    with torch.no_grad(), pytest.raises(InputError):
        native.run(request)
    with pytest.raises(InputError):
        native.run(request)


def test_an_error_says_which_argument_is_wrong():
    request = replace(request_for(LSTM(hidden_size=H)), lengths=torch.tensor([1, 2]))
    with pytest.raises(InputError) as caught:
        native.run(request)
    assert str(caught.value) == (
        "native: `lengths` must be [3] torch.int64 on cpu; got [2] torch.int64 on cpu."
    )
