"""Optimizers against their equations, averages against sums, the trigger against the paper."""

from __future__ import annotations

import pytest
import torch

from tidegate.training.optimizer import Average, copied, has_stalled, make_optimizer

CPU = torch.device("cpu")


def test_sgd_is_a_step_down_the_gradient_with_decay():
    weight = torch.tensor([2.0], requires_grad=True)
    groups = [{"params": [weight], "lr": 0.5, "weight_decay": 0.1}]
    optimizer = make_optimizer("sgd", groups, CPU)
    (3 * weight).sum().backward()
    optimizer.step()
    assert weight.item() == pytest.approx(2.0 - 0.5 * (3 + 0.1 * 2))


def test_adamw_begins_with_a_step_of_the_learning_rate():
    weight = torch.tensor([2.0, -1.0], requires_grad=True)
    groups = [{"params": [weight], "lr": 0.5, "weight_decay": 0.1}]
    optimizer = make_optimizer("adamw", groups, CPU)
    (weight * torch.tensor([100.0, -0.01])).sum().backward()
    optimizer.step()
    expected = torch.tensor([2.0, -1.0]) * (1 - 0.05) - torch.tensor([0.5, -0.5])
    torch.testing.assert_close(weight.detach(), expected, atol=1e-4, rtol=0)


def values(average, numbers):
    for number in numbers:
        average.update({"w": torch.tensor([float(number)], requires_grad=True)})
    return average.tensors["w"].item()


def test_a_plain_average_is_the_mean_of_all():
    assert values(Average(1.0), range(101)) == pytest.approx(50.0)


def test_an_average_forgets_at_its_decay_once_it_has_seen_enough():
    # The values count 1, 4 / 5, 4 / 6 and 4 / 7, and from the fifth on 1 - 0.44.
    second = 2 + 4 / 5 * (4 - 2)
    third = second + 4 / 6 * (8 - second)
    expected = (third * 3 / 7) * 0.44 + 6 * 0.56
    assert values(Average(0.44), [2, 4, 8, 0, 6]) == pytest.approx(expected)


def test_an_average_stands_in_a_network_for_a_block_alone():
    layer = torch.nn.Linear(1, 1)
    average, before = Average(1.0), layer.weight.item()
    average.update(dict(layer.named_parameters()))
    layer.weight.data += 1
    average.update(dict(layer.named_parameters()))
    with pytest.raises(KeyboardInterrupt), average.within(layer):
        assert layer.weight.item() == pytest.approx(before + 0.5)
        raise KeyboardInterrupt
    assert layer.weight.item() == before + 1


def test_a_copy_shares_with_the_one_before_what_did_not_change():
    layer = torch.nn.BatchNorm1d(2)
    first = copied(layer, {})
    layer.weight.data += 1
    second = copied(layer, first)
    shared = {name for name in first if first[name] is second[name]}
    assert shared == set(first) - {"weight"}
    assert second["weight"].tolist() == [2, 2]
    assert first["weight"].tolist() == [1, 1]


def published(losses, nonmono):
    """The trigger as salesforce/awd-lstm-lm has it, epoch by epoch."""
    seen = []
    for loss in losses:
        if len(seen) > nonmono and loss > min(seen[:-nonmono]):
            return True
        seen.append(loss)
    return False


@pytest.mark.parametrize("nonmono", [1, 2, 5])
def test_the_trigger_is_the_published_one(nonmono):
    torch.manual_seed(nonmono)
    outcomes = set()
    for _ in range(300):
        losses = (torch.rand(8) - 0.15 * torch.arange(8)).tolist()
        assert has_stalled(losses, nonmono) == published(losses, nonmono)
        outcomes.add(has_stalled(losses, nonmono))
    assert outcomes == {True, False}
    assert not has_stalled([], nonmono)
