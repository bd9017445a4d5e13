"""Evidence: what each kind of fault looks like to the statistics."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.tasks.anomaly.streaming.evidence import Evidence


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)  # other noise than `fed` has seen


def fed(count: int = 1500, tolerance: float = 0.02) -> Evidence:
    """Evidence that has seen white noise with the best forecast, 0."""
    evidence = Evidence(tolerance)
    for value in np.random.default_rng(0).normal(size=count).tolist():
        evidence.update(value, [value] * 4, 0.8)
    return evidence


@pytest.mark.parametrize(
    ("fault", "steps", "expected"),
    [
        (lambda t, noise: 9.0, 1, "unexpected"),
        (lambda t, noise: -9.0, 1, "unexpected"),
        (lambda t, noise: 4 * (-1.0) ** t, 20, "unexpected"),
        (lambda t, noise: 0.3, 120, "stuck"),
        (lambda t, noise: 2.5 + 0.1 * noise, 40, "unexpected"),
    ],
    ids=["spike", "dip", "trembling", "stuck", "shift"],
)
def test_a_fault_is_told_by_its_kind(fault, steps, expected, random):
    evidence = fed()
    found = []
    for step in range(steps):
        value = fault(step, random.normal())
        found.append((evidence.update(value, [value] * 4, 0.8), evidence.kind()))
    most, kind = max(found)
    assert most > 2.5
    assert kind == expected


def test_noise_is_usual(random):
    evidence = fed()
    told = [evidence.update(value, [value] * 4, 0.8) for value in random.normal(size=5000).tolist()]
    assert np.mean(np.array(told) > 3.4) < 0.01
    assert np.median(told) < 1


def test_errors_below_the_tolerance_are_none(random):
    evidence = Evidence(0.5)
    for value in (0.1 * random.normal(size=1000)).tolist():
        evidence.update(0.0, [value] * 4, 0.08)
    assert evidence.update(0.0, [0.49] * 4, 0.08) < 0.5
    assert max(evidence.update(0.0, [3.0] * 4, 0.08) for _ in range(4)) > 2


def test_without_tolerance_a_constant_is_no_error():
    evidence = Evidence(0.0)
    for _ in range(400):
        assert evidence.update(0.0, [0.0] * 4, 1e-6) == 0.0
    evidence.update(1.0, [1.0] * 4, 1e-6)
    assert evidence.update(1.0, [1.0] * 4, 1e-6) > 3


def test_it_comes_back_from_json(random):
    evidence, again = fed(300), Evidence(0.02)
    again.load(json.loads(json.dumps(evidence.state())))
    for value in random.normal(size=50).tolist():
        assert again.update(value, [value] * 4, 0.8) == evidence.update(value, [value] * 4, 0.8)
        assert again.kind() == evidence.kind()
        assert again.rests[1].steps == evidence.rests[1].steps
    with pytest.raises(ValueError, match="zip"):
        again.load(evidence.state() | {"means": [0.0]})


def test_a_state_saved_before_rests_were_counted_calls_few_of_them_stuck():
    old = {name: part for name, part in fed(300).state().items() if name != "rests"}
    evidence = Evidence(0.02)
    evidence.load(json.loads(json.dumps(old)))
    told = []
    for _ in range(110):
        evidence.update(0.3, [3.0] * 4, 0.8)
        told.append(evidence.kind())
    assert told[10] == "unexpected"
    assert told.index("stuck") == 51
