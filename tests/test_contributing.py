"""CONTRIBUTING.md is proved: a cell written by its steps alone is a cell like the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

import tidegate.nn as tn
from tests import contracts
from tests.cells import oracle
from tidegate import cells

PLUGIN = Path(__file__).parent / "plugins" / "mgu.py"
D, H, T = 3, 4, 5


def test_the_package_does_not_have_it():
    assert "mgu" not in cells.names()


def test_it_passes_the_contract(mgu):
    contracts.check_cell(mgu)


@pytest.mark.parametrize("bias", [True, False])
def test_its_layer_passes_gradcheck(mgu, bias):
    layer = tn.recurrent_layer("mgu", D, H, bias=bias, dtype=torch.float64)
    x = torch.randn(T, 2, D, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, *weights: layer(x, lengths=[5, 3])[0], (x, *layer.parameters()))


def test_it_computes_the_equations_of_the_paper(mgu):
    """Zhou et al. 2016, equations 5a to 5c, in NumPy."""
    layer = tn.recurrent_layer("mgu", D, H, dtype=torch.float64)
    weights = {name.removesuffix("_l0"): w.detach() for name, w in layer.named_parameters()}
    gates = oracle.by_gate(weights, ("forget", "new"))
    x, h = torch.randn(T, D, dtype=torch.float64), np.zeros(H)
    output, _ = layer(x)
    for t in range(T):
        f = oracle.sigmoid(oracle.affine(gates["forget"], x[t].numpy(), h))
        n = np.tanh(oracle.affine(gates["new"], x[t].numpy(), f * h))
        h = (1 - f) * h + f * n
        np.testing.assert_allclose(output[t].detach(), h, rtol=0, atol=1e-12)


def test_a_layer_of_it_takes_every_option_of_a_stack(mgu):
    layer = tn.recurrent_layer(
        "mgu",
        D,
        H,
        num_layers=2,
        bidirectional=True,
        batch_first=True,
        dropout=0.2,
        merge="mean",
        init="orthogonal",
        residual=True,
        zoneout=0.1,
        recurrent_dropout=0.1,
        weight_dropout=0.1,
        variational_dropout=True,
        checkpoint_every=2,
    )
    packed = nn.utils.rnn.pack_sequence([torch.randn(n, D) for n in (5, 2)])
    output, state = layer(packed)
    assert output.data.shape == (7, H)
    assert state.shape == (4, 2, H)
    output.data.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in layer.parameters())
    assert tn.layer_options("mgu") == tn.layer_options("rnn") - {"nonlinearity", "layer_norm"}


def test_it_says_which_backend_runs_it(mgu):
    layer = tn.recurrent_layer("mgu", D, H)
    said = layer.explain_backend(torch.randn(T, 2, D))
    assert said.startswith("reference runs it; native does not: ")
    assert said.endswith("; aten does not: PyTorch has no operator for the cell 'mgu'.")


def test_it_learns(mgu):
    """To say whether the first number of a row was positive, five steps later."""
    layer = tn.recurrent_layer("mgu", 1, 8, batch_first=True)
    out = nn.Linear(8, 1)
    x = torch.randn(64, T, 1)
    target = (x[:, 0] > 0).float()
    optimiser = torch.optim.Adam([*layer.parameters(), *out.parameters()], lr=0.05)
    losses = []
    for _ in range(60):
        loss = nn.functional.binary_cross_entropy_with_logits(out(layer(x)[0][:, -1]), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 < losses[0]


def test_another_package_announces_it_by_an_entry_point(tmp_path):
    """The only tie between the two packages is a line of metadata, as an installer writes it."""
    shutil.copy(PLUGIN, tmp_path / "minimal_gated.py")
    info = tmp_path / "minimal_gated-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: minimal-gated\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tidegate.cells]\nmgu = minimal_gated:MGU\n")
    code = (
        "import torch, tidegate.nn as tn\n"
        "from tidegate import cells\n"
        "assert cells.names() == ['gru', 'lstm', 'mgu', 'rnn'], cells.names()\n"
        "print(list(tn.recurrent_layer('mgu', 3, 4)(torch.zeros(5, 2, 3))[0].shape))\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.stdout == "[5, 2, 4]\n", done.stderr


def test_the_guide_names_every_step_that_the_plug_in_took(mgu):
    """What the cell overrides is what CONTRIBUTING tells to write."""
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Add a cell")[1].split("\n## ")[0]
    for name in {*vars(mgu)} & {*dir(cells.Cell)}:
        if not name.startswith("_"):
            assert f"`{name}`" in section, name
    assert "@register" in section
    assert "check_cell" in section
