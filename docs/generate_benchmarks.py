"""Write docs/benchmarks.md, and the figures of README.md, from benchmarks/results/*.json.

Run it as `python -m docs.generate_benchmarks`; a test compares what is committed with a fresh one.
The words stand in benchmarks.md.jinja and readme.md.jinja, every figure in a result file.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import jinja2

from benchmarks.common import RESULTS
from benchmarks.suite.case import Case
from benchmarks.suite.report import title

HERE = Path(__file__).parent
PAGE = HERE / "benchmarks.md"
README = HERE.parent / "README.md"
SPACE = "\u00a0"  # between a figure and its unit, where no line may break
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def results() -> dict[str, Any]:
    """Every result file by its name, with the names and shapes of the layers measured."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}
    for group in found["kernels"]["groups"]:
        for row in group["rows"]:
            case = Case(**row["case"])
            row["name"], row["shape"] = case.name, case.shape
    return found


def fixed(value: float, places: int = 2) -> str:
    """So many places behind the point, and commas between thousands."""
    return f"{value:,.{places}f}"


def significant(value: float, digits: int = 3) -> str:
    """So many digits, and zeros for the rest: 13618.3 is 13,600."""
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return fixed(round(value, places), max(places, 0))


def times(value: float) -> str:
    """A ratio to two digits: 28×, 1.8×, 0.99×."""
    return f"{significant(value, 2)}×"


def percent(share: float, places: int = 1) -> str:
    """A share of 1 in percent."""
    return f"{fixed(100 * share, places)}{SPACE}%"


def duration(milliseconds: float) -> str:
    """Milliseconds, or microseconds below a tenth of one."""
    if milliseconds < 0.1:
        return f"{significant(1e3 * milliseconds, 2)}{SPACE}µs"
    return f"{significant(milliseconds)}{SPACE}ms"


def cell(value: str | float | int | None) -> str:
    """What stands in a cell of a table of the defaults."""
    if value is None:
        return "–"
    return fixed(value, 3) if isinstance(value, float) else str(value)


def environment() -> jinja2.Environment:
    """What the templates are written with."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for filter_ in (fixed, significant, times, percent, duration, title, cell):
        made.filters[filter_.__name__] = filter_
    return made


def values() -> dict[str, Any]:
    """What the templates speak of: each result file, `group` and `layer` of kernels.json."""
    found = results()
    groups = {group["name"]: group for group in found["kernels"]["groups"]}

    def layer(group: str, name: str, shape: str, phase: str = "training") -> dict[str, Any]:
        wanted = (name, shape, phase)
        rows = groups[group]["rows"]
        (row,) = (row for row in rows if (row["name"], row["shape"], row["phase"]) == wanted)
        return row

    return {"files": found, "groups": groups, "layer": layer, **found}


def page() -> str:
    """The whole page."""
    return environment().get_template("benchmarks.md.jinja").render(values())


def readme() -> str:
    """README.md with fresh figures between its markers."""
    template = environment().get_template("readme.md.jinja")
    context = template.new_context(values())

    def fresh(block: re.Match[str]) -> str:
        return block[1] + "".join(template.blocks[block[2]](context)) + block[3]

    return BLOCK.sub(fresh, README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    README.write_text(readme(), encoding="utf-8", newline="\n")
