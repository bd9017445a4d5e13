"""The page of a report: complete, safe whatever the tokens are, small, and true to the numbers."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from tests.explain.reports import report
from tidegate.explain.report.excerpt import Excerpt
from tidegate.explain.report.page import page, shown_units
from tidegate.nn import recurrent_layer

HOSTILE = (
    "</script><img src=x onerror=alert(1)>", "<!--", "-->", "<script>", "]]>", "&lt;", '"', "'",
    "\\", "$style", "\u2028", "\x00", "\udcff", "日本", "🌊", "",
)  # fmt: skip


class Reader(HTMLParser):
    """Takes a page apart as a browser would: elements with attributes, and what scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.lasttag == "script":
            self.scripts[-1] += data
        elif self.lasttag == "title" and not self.title:
            self.title = data

    @property
    def data(self):
        return json.loads(self.scripts[0])


def decoded(array: dict, rows: int) -> np.ndarray:
    """What the page shows of an array: `[rows, steps, units]`."""
    levels = np.frombuffer(base64.b64decode(array["bytes"]), np.uint8)
    values = array["low"] + levels * (array["high"] - array["low"]) / 255
    return values.reshape(rows, array["units"], -1).transpose(0, 2, 1)


@pytest.mark.parametrize("family", ["lstm", "gru", "rnn"])
def test_gates_and_states_are_in_the_page_to_a_byte_of_their_range(family):
    found = report(layer=recurrent_layer(family, 2, 5, bidirectional=True, num_layers=2))
    data = Reader(page(found)).data
    parts = {**found.trace.gates, "hidden": found.trace.hidden}
    if found.trace.cell is not None:
        parts["cell"] = found.trace.cell
    titles = {"hidden": "hidden state", "cell": "cell state", "new": "new value"}
    wanted = {
        titles.get(name, name if name == "candidate" else f"{name} gate"): part[:, 0]
        for name, part in parts.items()
    }
    assert {array["name"] for array in data["arrays"]} == set(wanted)
    for array in data["arrays"]:
        error = np.abs(decoded(array, 4) - wanted[array["name"]].numpy()).max()
        assert error <= (array["high"] - array["low"]) / 255 / 2 + 1e-6
    assert (data["memory"] is None) == (family == "rnn")


def test_scores_tokens_and_memory_are_in_the_page():
    found = report()
    data = Reader(page(found)).data
    assert tuple(data["tokens"]) == found.tokens
    assert (data["prediction"], data["target"]) == ("yes", "yes")
    assert data["probabilities"] == {"no": 0.25, "yes": 0.75}
    first, second = data["attributions"]
    assert first["scores"] == pytest.approx([0.1, -0.2, 0.3, -0.4, 0.5, -0.6])
    assert first["sum"] == (
        "The score of yes is 0.20, and 0.50 for a text that says nothing. The contributions add "
        "up to the difference, −0.30."
    )
    assert "with empty memories" in second["sum"]
    wanted = np.log(0.5) / found.trace.gates["forget"][:, 0].double().log().mean(1).numpy()
    assert np.array(data["memory"]["half_life"]) == pytest.approx(wanted, rel=1e-4)
    assert data["memory"]["columns"] == ["", *found.trace.rows]
    (dead,) = (line for line in data["memory"]["lines"] if line[0] == "dead units")
    assert dead[1:] == [f"{int(count)} of 4" for count in found.memory.dead.sum(1)]


def test_contributions_that_do_not_add_up_are_not_said_to():
    found = report(methods=("occlusion",))
    found.attributions[0].scores.mul_(3)
    said = Reader(page(found)).data["attributions"][0]["sum"]
    assert said.endswith("add up to −0.90, not to the difference.")


def test_a_unit_that_forgets_nothing_has_no_half_life():
    layer = recurrent_layer("lstm", 2, 3)
    with torch.no_grad():
        layer.bias_ih_l0[3:6] = 100.0
    data = Reader(page(report(layer=layer))).data
    assert data["memory"]["half_life"] == [[None] * 3]
    assert data["memory"]["lines"][0][1] == "never"


def test_no_token_breaks_out_of_the_page():
    made = report(HOSTILE, prediction="</title><b>", excerpt=Excerpt(notes=HOSTILE[:1]))
    text = page(made)
    assert text.encode()  # a lone surrogate would fail here
    read = Reader(text)
    assert tuple(read.data["tokens"]) == HOSTILE
    assert read.title == "</title><b> · tidegate"
    plain = Reader(page(report(["a"] * len(HOSTILE))))
    assert read.elements == plain.elements
    assert read.scripts[1:] == plain.scripts[1:]


def test_the_page_fetches_nothing():
    text = page(report())
    names = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.findall(r"https?:|//[a-z]|\burl\(|@import|\bfetch\(|XMLHttp|WebSocket", names)
    for tag, attributes in Reader(text).elements:
        assert "src" not in attributes
        assert attributes.get("href", "data:,") == "data:,", tag
    (policy,) = (
        attributes["content"]
        for _, attributes in Reader(text).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")


def test_every_name_that_the_script_looks_for_is_in_the_page():
    read = Reader(page(report()))
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert set(re.findall(r'\$\$?\("#([a-z-]+)', read.scripts[1])) <= ids


def test_a_large_model_keeps_the_page_under_three_megabytes():
    layer = recurrent_layer("lstm", 2, 300, bidirectional=True, num_layers=2)
    found = report(["word"] * 400, layer=layer)
    text = page(found)
    assert len(text.encode()) < 3e6
    data = Reader(text).data
    assert data["units_note"].startswith(f"{len(data['units'])} of 300 units are shown")
    cell = found.trace.cell[:, 0].numpy()
    moved = np.abs(np.diff(cell, axis=1)).sum((0, 1))
    best = np.sort(np.argsort(-moved)[: len(data["units"])])
    assert data["units"] == best.tolist()
    forget = next(array for array in data["arrays"] if array["name"] == "forget gate")
    kept = found.trace.gates["forget"][:, 0].numpy()[:, :, best]
    assert np.abs(decoded(forget, 4) - kept).max() < 0.01


def test_a_small_model_shows_all_its_units():
    found = report()
    assert shown_units(found) == [0, 1, 2, 3]
    assert Reader(page(found)).data["units_note"] == ""


def test_a_projection_keeps_its_own_features():
    layer = recurrent_layer("lstm", 2, 6, proj_size=3)
    data = Reader(page(report(layer=layer))).data
    units = {array["name"]: array["units"] for array in data["arrays"]}
    assert units.pop("hidden state") == 3
    assert set(units.values()) == {6}
