"""The page in a real browser: no error on its console, and what it shows is what it was given."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.explain.report.test_page import HOSTILE
from tests.explain.reports import report
from tidegate.explain.report.excerpt import Excerpt
from tidegate.explain.report.report import Report
from tidegate.nn import recurrent_layer

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.timeout(600),
]

# Run when the page has drawn itself; what the body returns is left in the page as JSON.
PROBE = """<script>
addEventListener("load", () => {
  const found = (() => { BODY })();
  const note = document.createElement("pre");
  note.id = "found";
  note.textContent = JSON.stringify(found);
  document.body.append(note);
});
</script>
</body>"""

HOVER = """
const over = (element, across, down, kind = "pointermove") => {
  const box = element.getBoundingClientRect();
  element.dispatchEvent(new MouseEvent(kind, { bubbles: true,
    clientX: box.left + across * box.width, clientY: box.top + down * box.height }));
};
"""


def visit(made: Report, folder: Path, body: str, *options: str) -> Any:
    """Open a report, do something in it, and give back what the body returns."""
    assert CHROMIUM is not None
    page = made.to_html().replace("</body>", PROBE.replace("BODY", HOVER + body))
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--enable-logging=stderr", "--v=0", f"--user-data-dir={folder / 'profile'}",
            "--window-size=1000,900", "--virtual-time-budget=3000", "--dump-dom", *options,
            path.as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=500,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not told, told
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.search(r'<p id="failure" hidden=""></p>', done.stdout)
    return json.loads(html.unescape(found.group(1)))


def test_it_shows_answer_text_and_contributions(tmp_path):
    made = report(excerpt=Excerpt(unknown=(1,), skipped=7, skipped_after=4, notes=("A note.",)))
    found = visit(
        made,
        tmp_path,
        """return {
          answer: document.querySelector("h1").textContent,
          classes: document.querySelector("#classes").innerText,
          notes: document.querySelector("#notes").innerText,
          text: document.querySelector("#text").textContent,
          unknown: [...document.querySelectorAll("#text .unknown")].map((e) => e.textContent),
          shares: [...document.querySelectorAll("#text b")].map((e) => Number(e.style.getPropertyValue("--share"))),
          tints: [...document.querySelectorAll("#text b")].map((e) => e.style.getPropertyValue("--tint")),
          strongest: [...document.querySelectorAll("#strongest button")].map((e) => e.innerText.split("\\n")[0].trim()),
          sum: document.querySelector("#sum").textContent,
          facts: document.querySelector("#facts").innerText,
          requests: performance.getEntriesByType("resource").length };""",  # noqa: E501
    )
    assert found["answer"] == "yes"
    assert found["classes"].split() == ["no", "25.0", "%", "yes", "75.0", "%"]
    assert found["notes"] == "A note."
    assert found["text"] == "so good, is 7 tokens it did not read it?"
    assert found["unknown"] == ["good"]
    assert found["shares"] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1], rel=1e-4)
    assert found["tints"] == ["var(--toward)", "var(--against)"] * 3
    assert found["strongest"] == ["it", ",", "so", "?", "is", "good"]
    assert found["sum"].endswith("up to the difference, −0.30.")
    assert found["facts"].split("\n")[0].split() == "layer 0 forward layer 0 backward".split()
    assert found["requests"] == 0


def test_pointing_tells_values_and_a_click_follows_a_unit(tmp_path):
    made = report()
    found = visit(
        made,
        tmp_path,
        """
        const said = () => [...document.querySelectorAll(".readout")].map((e) => e.textContent);
        const start = said();
        document.querySelectorAll("#text b")[1].dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
        const token = said();
        const order = document.querySelector("#order");
        order.value = "number";
        order.dispatchEvent(new Event("change"));
        const forget = document.querySelectorAll(".map")[1];
        over(forget, 4.5 / 6, 2.5 / 4);
        const hovered = said();
        over(forget, 4.5 / 6, 2.5 / 4, "click");
        const points = [...document.querySelectorAll("polyline")].map((line) => line.getAttribute("points").split(" ").length);
        document.querySelector("#text").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
        return { start, token, hovered, points, walked: said(), unit: document.querySelector("#unit").value,
                 here: document.querySelector("#text .here").textContent,
                 values: [...document.querySelectorAll(".key b")].map((e) => e.textContent) };""",  # noqa: E501
    )
    assert found["start"][0] == "token 6 of 6, ‘?’ −0.6"  # the strongest of all
    assert found["token"][0] == "token 2 of 6, ‘good’ −0.2"
    trace = made.trace
    names = [*trace.gates, "cell", "hidden"]
    parts = {**trace.gates, "cell": trace.cell, "hidden": trace.hidden}

    hovered = [
        float(number.replace("−", "-"))
        for number in re.findall(r"(−?\d+\.\d\d)(?: ·|$)", found["hovered"][1])
    ]
    assert found["hovered"][1].startswith("token 5 of 6, ‘it’ · unit 2 · input gate ")
    assert hovered == pytest.approx([float(parts[n][0, 0, 4, 2]) for n in names], abs=0.011)
    assert (found["unit"], found["here"]) == ("2", "is")
    assert found["walked"][0] == "token 4 of 6, ‘is’ −0.4"
    # The legend has the gates first, then what is signed.
    order = ["input", "forget", "output", "candidate", "cell", "hidden"]
    shown = [float(number.replace("−", "-")) for number in found["values"]]
    assert shown == pytest.approx([float(parts[n][0, 0, 3, 2]) for n in order], abs=0.011)
    assert found["points"] == [6] * 6


def test_heat_maps_have_the_colours_of_their_values(tmp_path):
    made = report()
    found = visit(
        made,
        tmp_path,
        """
        const order = document.querySelector("#order");
        order.value = "number";
        order.dispatchEvent(new Event("change"));
        return [...document.querySelectorAll("canvas")].map((canvas) => {
          const { width, height } = canvas;
          return { width, height, pixels: [...canvas.getContext("2d").getImageData(0, 0, width, height).data] };
        });""",  # noqa: E501
    )
    trace = made.trace
    for canvas, part in zip(found, [*trace.gates.values(), trace.cell, trace.hidden], strict=True):
        assert (canvas["width"], canvas["height"]) == (6, 4)
        pixels = [canvas["pixels"][at : at + 3] for at in range(0, 4 * 24, 4)]
        values = part[0, 0].T.flatten()
        darkest, brightest = pixels[int(values.argmin())], pixels[int(values.argmax())]
        if float(values.min()) >= 0:  # a gate: from the least, dark blue, to the most, yellow
            assert (darkest, brightest) == ([0, 34, 78], [254, 232, 56])
        else:  # orange below zero, blue above
            assert darkest[0] > darkest[2]
            assert brightest[2] > brightest[0]


def background(tmp_path: Path, *options: str) -> Any:
    body = """
    const ground = () => getComputedStyle(document.body).backgroundColor.match(/[.\\d]+/g).slice(0, 3).map(Number);
    const first = ground();
    document.querySelector("#theme").click();
    return [first, ground()].map((c) => c[0] + c[1] + c[2]);"""  # noqa: E501
    return visit(report(), tmp_path, body, *options)


def test_it_follows_the_system_and_the_button_turns_it_round(tmp_path):
    light, switched = background(tmp_path)
    assert light > 600
    assert switched < 200
    dark, switched = background(tmp_path, "--blink-settings=preferredColorScheme=0")
    assert dark < 200
    assert switched > 600


def test_of_many_classes_the_most_probable_are_shown(tmp_path):
    shares = {f"c{number}": (number % 7 + number / 100) / 100 for number in range(30)}
    body = """return document.querySelector("#classes").innerText.split("\\n").map((s) => s.trim()).filter(Boolean);"""  # noqa: E501
    found = visit(report(probabilities=shares), tmp_path, body)
    best = sorted(shares, key=shares.get, reverse=True)[:10]
    assert [line.split()[0] for line in found if line.startswith("c")] == best
    assert found[-1] == "and 20 others"


def test_hostile_tokens_are_shown_as_they_are(tmp_path):
    tokens = [token for token in HOSTILE if token not in ("\udcff", "\x00")]
    body = """return { tokens: [...document.querySelectorAll("#text b")].map((e) => e.textContent),
                       images: document.images.length, prediction: document.querySelector("h1").textContent };"""  # noqa: E501
    found = visit(report(tokens, prediction="<img src=x>"), tmp_path, body)
    assert found == {"tokens": tokens, "images": 0, "prediction": "<img src=x>"}


@pytest.mark.parametrize("family", ["gru", "rnn", "lstm"])
def test_every_family_a_single_token_and_a_narrow_window(tmp_path, family):
    layer = recurrent_layer(family, 2, 3, **({"proj_size": 2} if family == "lstm" else {}))
    body = """dispatchEvent(new Event("resize"));
              return { maps: document.querySelectorAll("canvas").length, memory: !!document.querySelector("#memory"),
                       wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };"""  # noqa: E501
    found = visit(report(["tide"], layer=layer), tmp_path, body, "--window-size=500,900")
    maps = {"gru": 4, "rnn": 1, "lstm": 6}
    assert found == {"maps": maps[family], "memory": family != "rnn", "wide": 0}


def test_a_long_text_scrolls_in_its_box_not_the_page(tmp_path):
    body = """return { page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
                       maps: document.querySelector("#maps").scrollWidth };"""  # noqa: E501
    found = visit(report(["tide"] * 900), tmp_path, body, "--window-size=500,900")
    assert found["page"] == 0
    assert found["maps"] >= 1800
