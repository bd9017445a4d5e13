"""Pictures of gradient flow: what is drawn, and that it can be read."""

from __future__ import annotations

import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tidegate.errors import InputError
from tidegate.explain import gradient_flow, plot_gradient_flows


@pytest.fixture(scope="module")
def flows():
    torch.manual_seed(0)
    x = torch.randn(30, 3, 4)
    layers = {"RNN": tn.RNN(4, 5), "GRU": tn.GRU(4, 5), "LSTM": tn.LSTM(4, 5)}
    return {name: gradient_flow(layer, x) for name, layer in layers.items()}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_several_networks_have_a_gradient_and_a_product_each(flows):
    figure = plot_gradient_flows(flows)
    lines = figure.axes[0].get_lines()
    shown = [("RNN", "hidden"), ("RNN", "chain"), ("GRU", "hidden"), ("GRU", "highway")]
    shown += [("LSTM", "cell"), ("LSTM", "highway")]
    for line, (name, curve) in zip(lines, shown, strict=True):
        expected = flows[name].curve(curve).numpy() / math.log(10)
        assert np.allclose(line.get_ydata(), expected)
        assert (line.get_linestyle() == "--") == (curve in ("chain", "highway"))
    solid = [line.get_color() for line in lines[::2]]
    assert len(set(solid)) == 3
    assert not plt.get_fignums()


def test_each_network_is_named_beside_its_end_with_its_rate(flows):
    figure = plot_gradient_flows(flows)
    for name, flow in flows.items():
        factor = flow.decay("cell" if name == "LSTM" else "hidden").factor
        assert f"{name}\n×{factor:.3f} a step" in texts(figure)


@pytest.mark.parametrize("weight", [0.3, 3.0])  # all end at the bottom, or at the top
def test_names_do_not_overlap(weight):
    layer = tn.RNN(4, 5, bias=False)
    layer.weight_hh_l0.data = weight * torch.eye(5)
    flow = gradient_flow(layer, torch.zeros(20, 1, 4))
    figure = plot_gradient_flows({f"number {k}": flow for k in range(7)})
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    boxes.sort(key=lambda box: box.y0)
    assert len(boxes) == 7
    assert all(lower.y1 <= upper.y0 + 1 for lower, upper in pairwise(boxes))
    assert boxes[0].y0 >= 0
    assert boxes[-1].y1 <= figure.bbox.height


def test_one_network_shows_all_its_curves(flows):
    figure = flows["LSTM"].plot()
    labels = " ".join(texts(figure))
    assert len(figure.axes[0].get_lines()) == 3
    assert all(name in labels for name in ("∂loss/∂h", "∂loss/∂c", "∏ f alone"))
    assert flows["LSTM"]._repr_png_().startswith(b"\x89PNG")


def test_where_float32_ends_is_drawn_only_if_a_curve_goes_there(flows):
    layer = tn.RNN(4, 5, bias=False)
    layer.weight_hh_l0.data = 0.05 * torch.eye(5)
    far = gradient_flow(layer, torch.zeros(60, 1, 4)).plot()
    assert any("float32" in text for text in texts(far))
    assert not any("float32" in text for text in texts(plot_gradient_flows(flows)))


def test_a_layer_of_many_is_named():
    layer = tn.GRU(4, 5, num_layers=2, bidirectional=True)
    flow = gradient_flow(layer, torch.randn(20, 3, 4))
    assert "layer 0 backward" in flow.plot(row=1).axes[0].get_title("left")
    with pytest.raises(InputError, match="`row` must be between 0 and 3"):
        flow.plot(row=4)


def test_gradients_that_are_zero_everywhere_still_make_a_picture():
    flow = gradient_flow(tn.RNN(4, 5, nonlinearity="relu", bias=False), torch.zeros(9, 1, 4))
    assert flow.plot().axes[0].get_lines()


def test_names_are_taken_as_they_are(flows):
    figure = plot_gradient_flows({"$1_2_3 and $": flows["GRU"], "b": flows["RNN"]})
    figure.canvas.draw()
    assert any(text.startswith("$1_2_3 and $") for text in texts(figure))


@pytest.mark.parametrize("count", [0, 8])
def test_no_flows_or_more_than_colours(flows, count):
    with pytest.raises(InputError, match=f"1 to 7 flows; got {count}"):
        plot_gradient_flows({str(k): flows["GRU"] for k in range(count)})
