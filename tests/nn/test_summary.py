"""The summary agrees with what is measured: parameters, FLOPs, and what autograd keeps."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import tidegate.nn as tn
from tests.helpers import VARIANTS, make, saved_bytes

T, B, D, H = 13, 5, 7, 8
STACKS = [(1, False), (3, True)]


@pytest.mark.parametrize(("layers", "bidirectional"), STACKS)
@pytest.mark.parametrize("case", VARIANTS)
def test_parameters(case, layers, bidirectional):
    layer = make(case, D, H, num_layers=layers, bidirectional=bidirectional)
    assert layer.summary(T, B).parameters == sum(p.numel() for p in layer.parameters())


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("case", VARIANTS)
def test_multiply_adds_are_half_of_the_counted_flops(case, merge):
    options = {"num_layers": 2, "bidirectional": True, "merge": merge, "backend": "reference"}
    layer = make(case, D, H, **options)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(torch.randn(T, B, D, dtype=torch.float64))
    assert layer.summary(T, B).multiply_adds == counter.get_total_flops() / 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("layers", "bidirectional"), STACKS)
@pytest.mark.parametrize("case", VARIANTS)
def test_activations_are_within_a_fifth_of_what_the_reference_keeps(
    case, layers, bidirectional, dtype
):
    options = {"num_layers": layers, "bidirectional": bidirectional, "dtype": dtype}
    layer = make(case, D, H, backend="reference", **options)
    measured = saved_bytes(layer, torch.randn(T, B, D, dtype=dtype))
    assert layer.summary(T, B).activation_bytes == pytest.approx(measured, rel=0.2)


def test_the_table_adds_up():
    layer = tn.LSTM(D, H, 3, bidirectional=True)
    summary = layer.summary(steps=T, rows=B)
    assert [cost.name for cost in summary.layers] == ["layer 0", "layer 1", "layer 2"]
    for column in ("parameters", "multiply_adds", "activation_bytes"):
        assert getattr(summary, column) == sum(getattr(c, column) for c in summary.layers)
    lines = str(summary).splitlines()
    assert [line.split()[0] for line in lines] == ["parameters", "layer", "layer", "layer", "total"]
    assert f"{summary.parameters:,}" in lines[-1]
    assert f"{summary.multiply_adds:,}" in lines[-1]
    assert lines[-1].endswith("MiB")
    assert len({len(line) for line in lines}) == 1


def test_a_summary_by_hand():
    """An LSTM of one unit on one feature: 4·1 + 4·1 weights, 8 biases; 8 products a step."""
    summary = tn.LSTM(1, 1).summary(10, 2)
    assert summary.parameters == 16
    assert summary.multiply_adds == 8 * 20
    assert tn.LSTM(1, 1).summary(10).multiply_adds == 8 * 10
