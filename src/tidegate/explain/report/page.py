"""Page: a report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import importlib.metadata
import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tidegate.explain.report.explanation import Explanation
from tidegate.explain.report.glossary import METHODS, TERMS, Term, worded
from tidegate.explain.signals import SIGNED

if TYPE_CHECKING:
    from tidegate.explain.attribution.attribution import Attribution
    from tidegate.explain.memory.memory import Memory

_MOST_VALUES = 1_500_000  # bytes before base64 makes four of three: 2 MB of the page
_DIGITS = 5
# What people read of the page; ids and classes keep their names.
_PROSE = r">[^<>]+<|aria-label=\"[^\"]+\""
_FILES = ("report.html", "report.css", "report_pictures.js", "report.js")


def page(explanation: Explanation) -> str:
    """Write a report as an HTML page: style, script and numbers are in it, nothing is fetched.

    Args:
        explanation: What the report shows.

    Returns:
        The page. Gates and states are rounded to a byte of their range each; if that would be
        more than 2 MB, only the units that move most are in it, and it says so.
    """
    folder = files("tidegate.explain.report")
    frame, style, *scripts = (folder.joinpath(name).read_text("utf-8") for name in _FILES)
    frame = re.sub(_PROSE, lambda found: worded(found[0], explanation.excerpt), frame)
    return Template(frame).substitute(
        title=html.escape(f"{explanation.prediction} · tidegate"),
        style=style,
        script="\n".join(scripts),
        data=_embedded(explanation),
    )


def _embedded(explanation: Explanation) -> str:
    """The data as JSON that no token in it can break out of."""
    text = json.dumps(_data(explanation), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(explanation: Explanation) -> dict[str, Any]:
    shown = shown_units(explanation)
    units = explanation.trace.units
    return {
        "model": explanation.model,
        "version": importlib.metadata.version("tidegate"),
        "prediction": explanation.prediction,
        "target": explanation.target,
        "probabilities": {name: round(p, _DIGITS) for name, p in explanation.probabilities.items()},
        "tokens": explanation.tokens,
        "excerpt": asdict(explanation.excerpt),
        "attributions": [_attribution(found, explanation) for found in explanation.attributions],
        "rows": explanation.trace.rows,
        "top_row": explanation.trace.rows.index(explanation.top_row),
        "units": [units[place] for place in shown],
        "units_note": _units_note(len(shown), len(units)),
        "arrays": list(_arrays(explanation, shown)),
        "memory": None if explanation.memory is None else _memory(explanation, shown),
    }


def shown_units(explanation: Explanation) -> list[int]:
    """Choose the units that fit into a page: all, or those whose output moves most.

    Args:
        explanation: What the report shows.

    Returns:
        Their places on the last axis of the trace, ascending.
    """
    trace = explanation.trace
    sequences = len(trace.rows) * len(explanation.tokens) * (len(trace.gates) + 2)
    room = max(1, _MOST_VALUES // sequences)
    if room >= len(trace.units):
        return list(range(len(trace.units)))
    moving = trace.hidden if trace.cell is None else trace.cell
    moved = moving[:, 0].diff(dim=1).abs().sum((0, 1))
    return sorted(moved.topk(room).indices.tolist())


def _units_note(shown: int, units: int) -> str:
    if shown == units:
        return ""
    return f"{shown} of {units} units are shown, those that move most; --unit picks others."


def _arrays(explanation: Explanation, shown: list[int]) -> Iterator[dict[str, Any]]:
    trace = explanation.trace
    parts = dict(trace.gates)
    if trace.cell is not None:
        parts["cell"] = trace.cell
    for name, part in (*parts.items(), ("hidden", trace.hidden)):
        features = slice(None) if trace.projected and name == "hidden" else shown
        values = part[:, 0, :, features].float().transpose(1, 2)
        words = TERMS.get(name, Term(name))
        more = worded(words.long, explanation.excerpt)
        said = {"name": words.title, "help": words.short, "more": more}
        yield {**said, **_bytes(values, name)}


def _bytes(values: Tensor, name: str) -> dict[str, Any]:
    """Round `[rows, units, steps]` to 256 levels of their range, even on both sides of zero."""
    signed = name in SIGNED or bool(values.min() < 0)
    low, high = float(values.min()), float(values.max())
    if signed:
        high = float(values.abs().max())
        low = -high
    high = max(high, low + 1e-6)
    levels = ((values - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)
    coded = base64.b64encode(levels.contiguous().numpy().tobytes()).decode("ascii")
    ends = {"low": low, "high": high, "signed": signed}
    return {"units": values.shape[1], **ends, "bytes": coded}


def _attribution(found: Attribution, explanation: Explanation) -> dict[str, Any]:
    return {
        "method": found.method,
        "scores": [float(f"{score:.{_DIGITS}g}") for score in found.scores[0].tolist()],
        "help": worded(METHODS.get(found.method, ""), explanation.excerpt),
        "sum": worded(_sum(found, explanation.target), explanation.excerpt),
    }


def _sum(found: Attribution, target: str) -> str:
    """Say what the contributions add up to."""
    total, output, baseline = (
        float(part[0]) for part in (found.scores.sum(1), found.output, found.baseline)
    )
    nothing = "with empty memories" if found.method == "gates" else "for a text that says nothing"
    said = f"The score of {target} is {output:.2f}, and {baseline:.2f} {nothing}"
    if abs(float(found.gap[0])) <= 0.01 * max(1.0, abs(output - baseline)):
        said += f". The contributions add up to the difference, {total:+.2f}."
    else:
        said += f". The contributions of this method add up to {total:+.2f}, not to the difference."
    return said.replace("-", "−")


def _memory(explanation: Explanation, shown: list[int]) -> dict[str, Any]:
    found, unit = explanation.memory, explanation.excerpt.unit
    assert found is not None
    lives = found.half_life[:, shown].tolist()
    facts = [_facts(found, entry, unit) for entry in range(len(found.rows))]
    return {
        "half_life": [[_finite(life) for life in row] for row in lives],
        "columns": ["", *found.rows],
        "lines": [[name, *(told[name] for told in facts)] for name in facts[0]],
    }


def _facts(found: Memory, entry: int, unit: str) -> dict[str, str]:
    """What the units of a layer and direction, all of them, have in common, by title."""
    lives = found.half_life[entry]
    facts = {
        "half of all is gone after": _life(found.effective[entry], unit),
        "median unit": _life(lives.median(), unit),
        "longest unit": f"{_life(lives.max(), unit)} (unit {found.units[int(lives.argmax())]})",
        "dead units": f"{int(found.dead[entry].sum())} of {len(lives)}",
    }
    for gate, shares in found.open.items():
        ends = float(shares[entry].mean()), float(found.closed[gate][entry].mean())
        facts[f"{gate} open / closed"] = " / ".join(f"{end:.0%}" for end in ends)
    return facts


def _life(life: Tensor, unit: str) -> str:
    return "never" if life.isinf() else f"{float(life):,.3g} {unit}s"


def _finite(life: float) -> float | None:
    """A half-life for JSON, which knows no infinity."""
    return None if math.isinf(life) else float(f"{life:.{_DIGITS}g}")
