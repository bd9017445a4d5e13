"""PyTorch's own operators: what they cannot do they say beforehand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from tests.kernels.requests import B, D, H, T, request_for
from tidegate.cells import GRU, LSTM, RNN
from tidegate.errors import BackendError
from tidegate.kernels import Noise, aten, choose, explain, run_sequence

REFUSED = {
    "variant": (
        {"cell": LSTM(hidden_size=H, peephole=True)},
        "PyTorch's LSTM has no such variant",
    ),
    "recurrent dropout": (
        {"noise": Noise(recurrent=torch.ones(B, H))},
        "PyTorch's operators take no recurrent dropout and no zoneout",
    ),
    "zoneout": (
        {"noise": Noise(zoneout=(0.1, 0.1))},
        "PyTorch's operators take no recurrent dropout and no zoneout",
    ),
    "resets": (
        {"resets": torch.zeros(B, T, dtype=torch.bool)},
        "PyTorch's operators cannot reset a state in mid-sequence",
    ),
    "gates": ({"return_gates": True}, "PyTorch's operators do not return their gates"),
    "no steps": (
        {"x": torch.zeros(B, 0, D)},
        "PyTorch's operators refuse empty sequences and batches",
    ),
}


@pytest.mark.usefixtures("without_native")
@pytest.mark.parametrize(("options", "reason"), REFUSED.values(), ids=REFUSED)
def test_aten_says_what_it_cannot_do(options, reason):
    request = request_for(**options)
    assert aten.refuses(request) == reason
    assert choose(request) == "reference"
    assert explain(request) == f"reference runs it; aten does not: {reason}."
    with pytest.raises(BackendError) as caught:
        run_sequence(request, backend="aten")
    assert str(caught.value) == (
        "run_sequence: `backend` must be a backend that can run this; got 'aten'. "
        f'{reason}; use backend="auto".'
    )


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("train", [True, False])
def test_aten_runs_a_mixed_lstm_where_torch_does(low, train):
    theirs, x = torch.nn.LSTM(D, H), torch.randn(T, B, D)
    with torch.set_grad_enabled(train), torch.autocast("cpu", low):
        try:
            theirs(x)
            can = True
        except RuntimeError:
            can = False
        assert (aten.refuses(request_for()) is None) == can
        for other in (LSTM(hidden_size=H, proj_size=2), GRU(hidden_size=H), RNN(hidden_size=H)):
            run_sequence(request_for(other), backend="aten")


@pytest.mark.usefixtures("without_native")
def test_where_torch_has_no_mixed_lstm_another_runs(monkeypatch):
    monkeypatch.setattr(aten, "has_mixed_lstm", lambda *types: False)
    assert explain(request_for()) == "aten runs it."
    for train, what in ((True, "train"), (False, "run")):
        with torch.set_grad_enabled(train), torch.autocast("cpu", torch.bfloat16):
            assert explain(request_for()) == (
                f"reference runs it; aten does not: PyTorch cannot {what} an LSTM under autocast "
                "to torch.bfloat16 on this processor."
            )


def test_autocast_on_a_processor_without_avx512(tmp_path):
    """Compiled, too: what oneDNN can do is asked for while a graph is drawn."""
    code = (
        "import torch, tidegate.nn as tn\n"
        "layer, x = tn.LSTM(3, 4, 2, bidirectional=True), torch.randn(5, 2, 3)\n"
        "with torch.autocast('cpu', torch.bfloat16):\n"
        "    low = layer(x)[0]\n"
        "    compiled = torch.compile(layer, fullgraph=True, backend='eager')(x)[0]\n"
        "low.sum().backward()\n"
        "assert (low - layer(x)[0]).abs().max() < 2**-5\n"
        "assert torch.equal(low, compiled)"
    )
    # The variable is oneDNN's own; on other processors than x86 it has no meaning.
    environment = {"TIDEGATE_LIBRARY": str(tmp_path / "none.so"), "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    subprocess.run(command, check=True, env={**os.environ, **environment})


class Foreign(LSTM):
    """Other equations under the name of the LSTM."""


def test_aten_knows_its_cells_by_class():
    request = request_for(Foreign(hidden_size=H))
    assert aten.refuses(request) == "PyTorch has no operator for the cell 'lstm'"


@pytest.mark.usefixtures("without_native")
def test_aten_refuses_inside_a_transform_of_torch_func():
    seen = []

    def look(x):
        seen.append(explain(request_for(RNN(hidden_size=H), x=x)))
        return x.sum()

    torch.func.grad(look)(torch.randn(B, T, D))
    (text,) = seen
    assert text == (
        "reference runs it; aten does not: PyTorch's operators have no rule for torch.func "
        "transforms such as vmap."
    )
