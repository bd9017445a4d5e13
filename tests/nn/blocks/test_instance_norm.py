"""Per-window normalisation: worked by hand, reversible, blind to padding."""

from __future__ import annotations

import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.blocks.instance_norm import MODES, InstanceNorm

X = torch.tensor([[[2.0], [4.0], [9.0]], [[-6.0], [2.0], [77.0]]])  # 77 is padding
LENGTHS = torch.tensor([3, 2])


@pytest.mark.parametrize(
    ("mode", "location", "scale"),
    [
        ("none", [0, 0], [1, 1]),
        ("last", [9, 2], [1, 1]),
        # Means 5 and -2; squared distances 9 + 1 + 16 over 3, and 16 + 16 over 2.
        ("standard", [5, -2], [(26 / 3) ** 0.5, 4]),
        ("mean", [5, -2], [1, 1]),
        ("count", [0, 0], [1 + 5, 1 + 4]),
    ],
)
def test_levels_worked_by_hand(mode, location, scale):
    level = InstanceNorm(mode).measure(X, LENGTHS)
    assert level.location.flatten().tolist() == pytest.approx(location)
    assert level.scale.flatten().tolist() == pytest.approx(scale)


@pytest.mark.parametrize("mode", MODES)
def test_inverse_takes_back_what_forward_did(mode):
    norm, x = InstanceNorm(mode), torch.randn(4, 9, 3) * 100
    level = norm.measure(x, torch.tensor([9, 5, 1, 0]))
    torch.testing.assert_close(norm.inverse(norm(x, level), level), x)
    assert level.location.shape == level.scale.shape == (4, 1, 3)


@pytest.mark.parametrize("mode", MODES)
def test_padding_is_not_read(mode):
    norm = InstanceNorm(mode)
    alone = norm.measure(X[1:, :2], LENGTHS[1:])
    together = norm.measure(X, LENGTHS)
    for mine, all_rows in zip(alone, together, strict=True):
        torch.testing.assert_close(mine[0], all_rows[1])


@pytest.mark.parametrize("mode", ["last", "standard"])
def test_a_shifted_window_looks_the_same(mode):
    norm, x, lengths = InstanceNorm(mode), torch.randn(2, 7, 1), torch.tensor([7, 7])
    shifted = x + 1000
    first = norm(x, norm.measure(x, lengths))
    torch.testing.assert_close(
        norm(shifted, norm.measure(shifted, lengths)), first, atol=1e-3, rtol=0
    )


def test_flat_and_empty_windows_stay_finite():
    norm, x = InstanceNorm("standard"), torch.full((2, 4, 1), 3.0)
    level = norm.measure(x, torch.tensor([4, 0]))
    assert norm(x, level).isfinite().all()
    assert norm(x, level)[0].abs().max() == 0
    nothing = norm.measure(torch.zeros(2, 0, 1), torch.tensor([0, 0]))
    assert nothing.scale.flatten().tolist() == [1, 1]


def test_no_gradient_flows_through_the_level():
    x = torch.randn(2, 5, 1, requires_grad=True)
    level = InstanceNorm("standard").measure(x, torch.tensor([5, 5]))
    assert not level.location.requires_grad
    assert not level.scale.requires_grad


def test_an_unknown_mode_is_named():
    with pytest.raises(InputError, match=r"`mode` must be one of.*got 'lasst'.*'last'"):
        InstanceNorm("lasst")
