"""How far nets remember: the updates that each variant needs, the longer the wait, the harder.

Every variant climbs a ladder of lengths until it does not solve one within the updates allowed;
solved is a held-out loss under a tenth of what the best answer without memory has. `adding-600` and
`copy-500` are two long problems, which published nets fail. Parts can be run one by one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import machine, parser, write
from benchmarks.suite.memory_chart import draw_curves, draw_reach
from tidegate.datasets import (
    AddingProblem,
    CopyMemory,
    MemoryProblem,
    SequentialDigits,
    TemporalOrder,
)
from tidegate.demo.recall import LOOK, Recipe, Recollection, Variant, learn
from tidegate.training.progress import Event

CHRONO = {"init": "chrono"}
VARIANTS = (
    Variant("RNN", "rnn", rate=0.3),  # with larger steps it learns even less
    Variant("GRU", "gru"),
    Variant("GRU, chrono", "gru", CHRONO),
    Variant("LSTM", "lstm"),
    Variant("LSTM, forget bias 1", "lstm", {"forget_bias": 1.0}),
    Variant("LSTM, forget bias 5", "lstm", {"forget_bias": 5.0}),
    Variant("LSTM, chrono", "lstm", CHRONO),
    Variant("LSTM, chrono, recurrent dropout 0.1", "lstm", {**CHRONO, "recurrent_dropout": 0.1}),
    Variant("LSTM, coupled, chrono", "lstm", {**CHRONO, "coupled": True}),
    Variant("LSTM, layer norm", "lstm", {"layer_norm": True}),
    Variant("LSTM, layer norm, chrono", "lstm", {**CHRONO, "layer_norm": True}),
)
NAMES = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True)
class Part:
    """Problems of growing length, and who is to learn them; each stops at its first failure."""

    problems: Sequence[MemoryProblem]
    recipe: Recipe
    variants: Sequence[Variant] = VARIANTS
    until: float | None = None  # the loss to reach, where it is not a tenth of the baseline


LADDER = Recipe(updates=2000, learning_rate=1e-2, hidden_size=64)
LAGS = (25, 50, 100, 200, 400, 800)
PARTS = {
    "adding": Part([AddingProblem(lag) for lag in LAGS], LADDER),
    "copy": Part(
        [CopyMemory(lag, symbols=5) for lag in (25, 50, 100, 200)],
        replace(LADDER, updates=3000, learning_rate=5e-3),
    ),
    "order": Part([TemporalOrder(lag) for lag in LAGS], LADDER),
    "digits": Part([SequentialDigits()], replace(LADDER, updates=3000, learning_rate=5e-3)),
    "adding-600": Part(
        [AddingProblem(600)],
        Recipe(updates=7000, schedule="one-cycle"),
        [NAMES["RNN"], NAMES["LSTM, chrono"]],
        until=5e-5,
    ),
    "copy-500": Part(
        [CopyMemory(500)],
        Recipe(updates=20000, learning_rate=5e-3),
        [NAMES["LSTM"], NAMES["LSTM, chrono"], NAMES["LSTM, layer norm, chrono"]],
    ),
}

LONG = ("adding-600", "copy-500")  # drawn as learning curves


def main(arguments: list[str]) -> None:
    """Run the parts, print a line a training, and merge them into results/memory.json."""
    options = parser(__doc__, data=False)
    options.add_argument("--problem", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME")
    options.add_argument("--variant", nargs="+", choices=NAMES, default=list(NAMES), metavar="NAME")
    options.add_argument("--quick", action="store_true", help="a trial that learns nothing")
    chosen = options.parse_args(arguments)
    print(machine())
    for name in chosen.problem:
        part = _quick(PARTS[name]) if chosen.quick else PARTS[name]
        print(f"\n{name}: {part.problems[0].title}, at most {part.recipe.updates:,} updates")
        variants = [variant for variant in part.variants if variant.name in chosen.variant]
        rows = [row for variant in variants for row in climb(part, variant)]
        # A long benchmark is run in parts: keep each as soon as it is done.
        kept = _merged(_kept(chosen.out), name, part, rows)
        write(chosen.out, "memory", {"reach": reach(kept), "problems": kept})
        _draw(kept, chosen.out)
    print("\nThe most steps over which each variant remembered, of those tried:")
    for name, found in reach(_kept(chosen.out)).items():
        print(f"{name:<36}" + ", ".join(f"{part} {lag}" for part, lag in found.items()))


def reach(parts: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Say for each variant and each part the longest lag that it solved, 0 for none."""
    found: dict[str, dict[str, int]] = {}
    for name, part in parts.items():
        for row in part["rows"]:
            solved = 0 if row["updates_to_solve"] is None else row["lag"]
            of_variant = found.setdefault(row["variant"], {})
            of_variant[name] = max(of_variant.get(name, 0), solved)
    return found


def climb(part: Part, variant: Variant) -> Iterator[dict[str, Any]]:
    """Train one variant on longer and longer problems, up to the first that it does not solve."""
    for problem in part.problems:
        enough = part.until or problem.baseline / 10
        show = _shown(variant.name)
        result = learn(problem, variant, part.recipe, until=enough, callbacks=[show])
        row = _row(problem, variant, result, enough)
        print(f"{variant.name:<36}{_told(row)}", flush=True)
        yield row
        if row["updates_to_solve"] is None:
            return


def _row(
    problem: MemoryProblem, variant: Variant, result: Recollection, enough: float
) -> dict[str, Any]:
    return {
        "variant": variant.name,
        "rate": variant.rate,
        "problem": repr(problem),
        "lag": problem.lag,
        "baseline": problem.baseline,
        "enough": enough,
        "updates_to_solve": result.updates_to(enough),
        "updates": LOOK * len(result.losses),
        "loss": result.loss,
        "accuracy": result.accuracy,
        "cpu_seconds": round(result.seconds, 1),
        "held_out_losses": [float(f"{loss:.4g}") for loss in result.losses],
    }


def _told(row: dict[str, Any]) -> str:
    solved = row["updates_to_solve"]
    told = "not solved" if solved is None else f"solved after {solved:,}"
    score = "" if row["accuracy"] is None else f", accuracy {row['accuracy']:.4f}"
    used = f"{row['updates']:,} updates, {row['cpu_seconds']:.0f} s"
    return f"lag {row['lag']:<4} {told:<20} loss {row['loss']:.3g}{score} ({used})"


def _shown(name: str) -> Callable[[Event], None]:
    """Show on a terminal what is going on."""

    def show(event: Event) -> None:
        if event.kind == "epoch" and sys.stderr.isatty():
            loss = event.row["validation_loss"]
            print(
                f"\r{name}: {LOOK * event.epoch:,} updates, {loss:.4g}\033[K\r",
                end="",
                file=sys.stderr,
            )

    return show


def _merged(
    kept: dict[str, Any], name: str, part: Part, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Put the rows of a part among what is kept, in place of older ones of the same variants."""
    new = {row["variant"] for row in rows}
    older = kept.get(name, {"rows": []})["rows"]
    merged = sorted(
        [row for row in older if row["variant"] not in new] + rows,
        key=lambda row: (list(NAMES).index(row["variant"]), row["lag"]),
    )
    about = {"machine": machine(), "title": part.problems[0].title, "recipe": asdict(part.recipe)}
    kept = {**kept, name: {**about, "rows": merged}}
    return {known: kept[known] for known in PARTS if known in kept}


def _draw(kept: dict[str, Any], folder: Path) -> None:
    ladders = {name: part for name, part in kept.items() if name not in LONG}
    if ladders:
        draw_reach(ladders, folder / "memory.png")
    if len(ladders) < len(kept):
        long = {name: part for name, part in kept.items() if name in LONG}
        draw_curves(long, folder / "memory_long.png")


def _kept(folder: Path) -> dict[str, Any]:
    """What earlier runs have measured."""
    path = folder / "memory.json"
    return json.loads(path.read_text(encoding="utf-8"))["problems"] if path.exists() else {}


def _quick(part: Part) -> Part:
    """The shortest problem alone, for so few updates that nothing is learned."""
    shortest = {600: AddingProblem(20), 510: CopyMemory(10)}.get(part.problems[0].lag)
    problems = [shortest or part.problems[0]]
    return replace(
        part, problems=problems, recipe=replace(part.recipe, updates=LOOK, hidden_size=8)
    )
