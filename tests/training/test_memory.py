"""What a training takes is known, and refused or told where there is not as much."""

from __future__ import annotations

import warnings

import pytest
import torch

from tidegate.errors import InputError
from tidegate.training import memory as training_memory
from tidegate.training.loop import TrainingPlan
from tidegate.training.memory import check_network, check_pairs, check_room, training_bytes

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("settings", "times"),
    [({}, 5), ({"optimizer": "sgd"}, 3), ({"weight_averaging": 0.9}, 7), ({"average_after": 2}, 7)],
)
def test_each_trained_number_is_kept_several_times(settings, times):
    assert training_bytes(100, 7, TrainingPlan(**settings)) == 100 * times + 7


def check(monkeypatch, needed, there):
    monkeypatch.setattr(training_memory, "free_memory", lambda device: there)
    check_room("Owner", "wide", "7 words, about {}", needed, CPU, "Lower it")


def test_too_much_is_refused_with_the_numbers(monkeypatch):
    told = r"^Owner: `wide` must be small enough for 2.0 GiB of free memory; got 7 words, about 3.0"
    with pytest.raises(InputError, match=told + r" GiB\. Lower it\.$"):
        check(monkeypatch, 3 * 2**30, 2 * 2**30)
    with pytest.raises(InputError, match=r"for 0.0 GiB"):
        check(monkeypatch, 2, 1)


def test_more_than_half_is_told(monkeypatch):
    with pytest.warns(UserWarning, match=r"7 words, about 3.0 GiB; 4.0 GiB of memory are free"):
        check(monkeypatch, 3 * 2**30, 4 * 2**30)


@pytest.mark.parametrize(("needed", "there"), [(2**30, 2**30), (2**31, 2**32), (2**60, None)])
def test_what_is_little_or_unknown_is_passed_in_silence(monkeypatch, needed, there):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(monkeypatch, needed, there)


def test_a_network_counts_its_weights_and_what_it_keeps(monkeypatch):
    network = torch.nn.BatchNorm1d(5)  # 10 trained numbers, 10 others of the same size, a counter
    needed = 40 * 5 + 40 + 8
    monkeypatch.setattr(training_memory, "free_memory", lambda device: needed)
    check_network(network, TrainingPlan(), CPU, "Owner")
    monkeypatch.setattr(training_memory, "free_memory", lambda device: needed - 1)
    with pytest.raises(InputError, match=r"`network` must be small .*; got 10 trained numbers"):
        check_network(network, TrainingPlan(), CPU, "Owner")


def test_each_pair_of_classes_counts(monkeypatch):
    monkeypatch.setattr(training_memory, "free_memory", lambda device: 8 * 2 * 50**2)
    check_pairs("Owner", "tags", 50, 2)
    with pytest.raises(InputError, match=r"`y` must be .*; got 51 tags, .* Put rare tags together"):
        check_pairs("Owner", "tags", 51, 2)
