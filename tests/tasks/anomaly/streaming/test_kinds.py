"""Kinds: what alarms call made-up faults of four kinds, a hundred of each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tidegate import AnomalyDetector

STEPS = 2000


def usual(count, seed):
    random = np.random.default_rng(seed)
    return 20 + 5 * np.sin(2 * np.pi * np.arange(count) / 24) + random.normal(0, 0.5, count)


def faulty(values, at, kind, random):
    """The values with a fault from a step on."""
    found, spread = values.copy(), values.std()
    size = random.choice([-1, 1]) * random.uniform(4, 8) * spread
    if kind == "spike":
        found[at] += size
    elif kind == "shift":
        found[at:] += size
    elif kind == "stuck":
        found[at:] = found[at]
    else:
        found[at:] += random.normal(0, 3 * spread, len(found) - at)
    return found


@pytest.fixture(scope="module")
def model():
    options = {"epochs": 2, "hidden_size": 8, "verbose": False, "random_state": 0}
    return AnomalyDetector(**options).fit(usual(STEPS, 0))


@pytest.mark.parametrize(
    ("fault", "called"),
    [
        ("spike", "unexpected"), ("shift", "unexpected"), ("restless", "unexpected"),
        ("stuck", "stuck"),
    ],
)  # fmt: skip
def test_the_first_alarm_of_a_fault_names_its_kind(model, fault, called):
    kinds = Counter()
    for trial in range(100):
        random = np.random.default_rng(trial)
        at = 12 + trial % 24  # at each phase of the wave
        values = faulty(usual(STEPS + at + 60, trial)[STEPS:], at, fault, random)
        stream = model.stream()
        found = [stream.update(value) for value in values[:at].tolist()]
        for value in values[at:].tolist():
            found.append(stream.update(value))
            if found[-1].alarm:
                break
        kinds[found[-1].kind if found[-1].alarm else "no alarm"] += 1
    assert kinds[called] >= 90, kinds
