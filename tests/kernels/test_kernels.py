"""The one entry of the kernels: which backend runs, what it says, and that all agree."""

from __future__ import annotations

import inspect
import logging
from dataclasses import replace

import pytest
import torch

import tidegate.nn as tn
from tests.helpers import difference
from tests.kernels.requests import B, D, H, T, request_for
from tidegate import kernels
from tidegate.cells import GRU, LSTM, RNN
from tidegate.errors import BackendError, InputError
from tidegate.kernels import (
    BACKENDS,
    Request,
    aten,
    choose,
    explain,
    library,
    reference,
    run_sequence,
)


def available() -> list[str]:
    """The backends that this installation has."""
    return [name for name in BACKENDS if name != "native" or library.LIBRARY is not None]


@pytest.mark.usefixtures("without_native")
def test_the_fastest_that_can_is_taken():
    request = request_for()
    assert choose(request) == "aten"
    assert explain(request) == "aten runs it."
    assert choose(request, "reference") == "reference"
    assert explain(request, "reference") == "reference runs it."
    assert reference.refuses(request) is None


def test_the_slower_ones_are_not_asked(monkeypatch):
    """A backend that has been found able is taken; what the rest would say is nobody's concern."""
    request = request_for(return_gates=True)
    monkeypatch.setattr(kernels.native, "refuses", lambda request: None)
    monkeypatch.setattr(aten, "refuses", lambda request: pytest.fail("asked"))
    assert choose(request) == "native"
    assert explain(request) == "native runs it."
    assert explain(request, "native") == "native runs it."


def test_why_each_faster_one_does_not_run_is_told(monkeypatch):
    monkeypatch.setattr(kernels.native, "refuses", lambda request: "Not today")
    assert explain(request_for(return_gates=True)) == (
        "reference runs it; native does not: Not today; aten does not: PyTorch's operators do not "
        "return their gates."
    )
    assert explain(request_for(), "aten") == "aten runs it; native does not: Not today."


def test_the_environment_takes_the_place_of_auto_alone(monkeypatch):
    request = request_for()
    monkeypatch.setenv("TIDEGATE_BACKEND", "reference")
    assert choose(request) == "reference"
    assert choose(request, "aten") == "aten"
    monkeypatch.setenv("TIDEGATE_BACKEND", "aten")
    with pytest.raises(BackendError):
        choose(replace(request, return_gates=True))
    monkeypatch.setenv("TIDEGATE_BACKEND", "atem")
    with pytest.raises(InputError, match="Did you mean 'aten'"):
        choose(request)


@pytest.mark.usefixtures("without_native")
def test_the_environment_reaches_a_layer(monkeypatch):
    layer, x = tn.LSTM(D, H), torch.randn(T, B, D)
    assert layer.explain_backend(x) == "aten runs it."
    monkeypatch.setenv("TIDEGATE_BACKEND", "reference")
    assert layer.explain_backend(x) == "reference runs it."


@pytest.mark.usefixtures("without_native")
def test_a_fallback_is_logged_once_with_its_reason(caplog):
    kernels._log_once.cache_clear()
    caplog.set_level(logging.INFO, logger="tidegate.kernels")
    resets = torch.zeros(B, T, dtype=torch.bool)
    for _ in range(3):
        run_sequence(request_for())
        run_sequence(request_for(resets=resets))
        run_sequence(request_for(GRU(hidden_size=H), resets=resets))
        run_sequence(request_for(resets=resets), backend="reference")
    reason = "PyTorch's operators cannot reset a state in mid-sequence"
    assert caplog.messages == [
        f"{cell}: backend 'aten' is not used: {reason}" for cell in ("lstm", "gru")
    ]


def test_backends_have_one_signature():
    for name in ("refuses", "run"):
        signatures = {
            inspect.signature(getattr(module, name), eval_str=True) for module in BACKENDS.values()
        }
        assert len(signatures) == 1
        (signature,) = signatures
        assert [(p.name, p.annotation) for p in signature.parameters.values()] == [
            ("request", Request)
        ]
    assert list(BACKENDS) == ["native", "aten", "reference"]  # in order of speed
    for module in BACKENDS.values():
        assert module.__doc__
        assert inspect.getdoc(module.run)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [5, 0, 2]])
@pytest.mark.parametrize(
    "cell",
    [
        LSTM(hidden_size=H),
        GRU(hidden_size=H, bias=False),
        RNN(hidden_size=H),
        RNN(hidden_size=H, nonlinearity="relu"),
    ],
    ids=str,
)
def test_backends_agree(cell, lengths, reverse):
    lengths = None if lengths is None else torch.tensor(lengths)
    request = request_for(cell, lengths=lengths, reverse=reverse)
    assert all(BACKENDS[name].refuses(request) is None for name in available())
    found = [run_sequence(request, backend=name) for name in available()]
    for other in found[1:]:
        assert difference(found[0].output, other.output) <= 1e-5
        for a, b in zip(found[0].state, other.state, strict=True):
            assert difference(a, b) <= 1e-5
        assert other.trace is None


def test_a_request_is_not_changed_by_running_it():
    request = request_for(lengths=torch.tensor([5, 0, 2]))
    copies = {name: weight.clone() for name, weight in request.weights.items()}
    x, state = request.x.clone(), tuple(part.clone() for part in request.state)
    for name in available():
        run_sequence(request, backend=name)
        assert torch.equal(request.x, x)
        assert all(torch.equal(a, b) for a, b in zip(request.state, state, strict=True))
        assert all(torch.equal(request.weights[key], copies[key]) for key in copies)


@pytest.mark.usefixtures("without_native")
def test_a_layer_explains_itself_without_touching_the_random_numbers():
    x = torch.randn(T, B, D)
    layer = tn.LSTM(D, H, 2, recurrent_dropout=0.5, zoneout=0.5)
    before = torch.random.get_rng_state()
    assert layer.explain_backend(x) == (
        "reference runs it; aten does not: PyTorch's operators take no recurrent dropout and no "
        "zoneout."
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert tn.LSTM(D, H, recurrent_dropout=0.5).eval().explain_backend(x) == "aten runs it."


@pytest.mark.usefixtures("without_native")
def test_a_layer_explains_the_call_that_it_is_asked_about():
    layer = tn.GRU(D, H, batch_first=True)
    x = torch.randn(B, T, D)
    packed = torch.nn.utils.rnn.pack_sequence([row[:2] for row in x])
    assert layer.explain_backend(x, lengths=[5, 0, 1]) == "aten runs it."
    assert layer.explain_backend(x[0]) == "aten runs it."
    assert layer.explain_backend(packed) == "aten runs it."
    gates = layer.explain_backend(x, return_gates=True)
    assert gates.endswith("PyTorch's operators do not return their gates.")
    resets = layer.explain_backend(x, reset_mask=torch.zeros(B, T, dtype=torch.bool))
    assert resets.endswith("cannot reset a state in mid-sequence.")
    assert tn.GRU(D, H, backend="reference").explain_backend(x) == "reference runs it."


def test_a_strict_layer_raises_and_says_why():
    layer = tn.LSTM(D, H, peephole=True, backend="aten")
    for ask in (layer, layer.explain_backend):
        with pytest.raises(BackendError, match="PyTorch's LSTM has no such variant"):
            ask(torch.randn(T, B, D))
