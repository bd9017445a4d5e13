"""Every registered cell and backend obeys its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from tests import contracts
from tidegate import cells
from tidegate.cells import GRU
from tidegate.kernels import BACKENDS


@pytest.mark.parametrize("name", cells.names())
def test_cells(name):
    contracts.check_cell(cells.get(name))


@pytest.mark.parametrize("name", cells.names())
@pytest.mark.parametrize("backend", BACKENDS)
def test_backends(backend, name):
    contracts.check_backend(BACKENDS[backend], cells.get(name))


# ------------------------------------------------------------------ every check can fail


@dataclass(frozen=True, kw_only=True)
class Spoiled(GRU):
    """A unit with equations, h' = h, and a paper (Nobody 2016), to break one thing at a time."""

    name: ClassVar[str] = "spoiled"


@pytest.fixture
def registered(monkeypatch):
    """Let a test register cells that are forgotten after it."""
    monkeypatch.setattr(cells.base, "_REGISTRY", dict(cells.base._REGISTRY))
    cells.register(Spoiled)
    return monkeypatch


def test_the_cell_to_be_spoiled_is_sound(registered):
    contracts.check_cell(Spoiled)


def detached(self, inputs, recurrent, state, weights):
    """A step whose gradient does not reach the gates."""
    (hidden,), gates = GRU.step(self, inputs, recurrent, state, weights)
    return (hidden.detach() + 0 * inputs.sum(),), gates


def mixing(self, inputs, recurrent, state, weights):
    """A step in which the rows of a batch see each other."""
    (hidden,), gates = GRU.step(self, inputs, recurrent, state, weights)
    return (hidden + inputs.mean(0, keepdim=True)[:, :1],), gates


def one_gate_less(self, inputs, recurrent, state, weights):
    """A step that does not return all it promises."""
    after, gates = GRU.step(self, inputs, recurrent, state, weights)
    return after, gates[:2]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("__doc__", "A unit: h' = h."),
        ("__doc__", "A unit (Nobody 2016)."),
        ("name", "Not_Kebab"),
        ("keep_gate", "forget"),
        ("gates", ("reset", "update", "hidden")),
        ("blocks", ("reset", "update")),
        ("state_sizes", (4, 4)),
        ("saved_per_step", lambda self: 12 * self.hidden_size),
        ("step", detached),
        ("step", mixing),
        ("step", one_gate_less),
    ],
    # Names, not addresses: parallel workers must collect the same tests.
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_a_broken_promise_is_found(registered, attribute, value):
    registered.setattr(Spoiled, attribute, value)
    if attribute == "name":
        cells.register(Spoiled)
    # A wrong gradient is gradcheck's own error, and rows that are missing are torch's.
    with pytest.raises((AssertionError, RuntimeError, ValueError)):
        contracts.check_cell(Spoiled)


def test_a_cell_that_is_not_registered_is_found(registered):
    del cells.base._REGISTRY["spoiled"]
    with pytest.raises(ValueError, match="must be a registered cell; got 'spoiled'"):
        contracts.check_cell(Spoiled)


def test_a_backend_that_computes_something_else_is_found(monkeypatch):
    module = BACKENDS["aten"]
    monkeypatch.setattr(module, "_flip", lambda values, lengths: values)
    with pytest.raises(AssertionError):
        contracts.check_backend(module, GRU)
    monkeypatch.setattr(module, "refuses", lambda request: "too hard.")
    with pytest.raises(AssertionError):
        contracts.check_backend(module, GRU)
