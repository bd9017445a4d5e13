"""The memory demo: which recurrent net still knows, at the end, what it was shown long before."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from tidegate.datasets import AddingProblem
from tidegate.demo.outcome import Outcome, check_folder
from tidegate.demo.recall import LOOK, Recipe, Recollection, Variant, learn
from tidegate.training.progress import Event

VARIANTS = (
    Variant("RNN", "rnn", rate=0.3),  # with larger steps it learns even less
    Variant("LSTM", "lstm"),
    Variant("GRU", "gru"),
    Variant("LSTM, chrono", "lstm", {"init": "chrono"}),
    Variant("LSTM, layer norm", "lstm", {"layer_norm": True}),
)
STEPS, UPDATES, UNITS = 200, 1500, 64
# Okabe & Ito's colours, which the colour-blind can tell apart, and lines that differ besides.
_LINES = (
    ("#000000", ":"),
    ("#D55E00", "--"),
    ("#0072B2", "-."),
    ("#009E73", "-"),
    ("#CC79A7", (0, (6, 1, 1, 1, 1, 1))),
)

Results = Mapping[str, Recollection]


def compare_memories(out: Path, verbose: bool) -> Outcome:
    """Train each of `VARIANTS` on the adding problem, then draw how they learned.

    Args:
        out: The folder to write to: `memory.png`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written.
    """
    check_folder(out)
    began = time.monotonic()
    problem = AddingProblem(STEPS)
    enough = problem.baseline / 10
    recipe = Recipe(updates=UPDATES, hidden_size=UNITS)
    results = {}
    with _bars(verbose) as bars:
        for variant in VARIANTS:
            move = _mover(bars, variant.name)
            results[variant.name] = learn(problem, variant, recipe, until=enough, callbacks=[move])
    path = out / "memory.png"
    path.write_bytes(draw(results, problem.baseline))
    return Outcome(
        summary=f"learned in {time.monotonic() - began:.0f} s · learning curves in {path}",
        figures=[_row(name, result, enough) for name, result in results.items()],
        verdict=_verdict(results, problem.baseline),
    )


def draw(results: Results, baseline: float) -> bytes:
    """Draw the held-out loss of every net against its updates.

    Args:
        results: By the net's name, at most five.
        baseline: The loss of the best answer without memory.

    Returns:
        A PNG picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for (name, result), (color, style) in zip(results.items(), _LINES, strict=False):
        updates = [LOOK * look for look in range(1, len(result.losses) + 1)]
        axes.plot(updates, result.losses, linestyle=style, color=color, label=name)
        axes.plot(updates[-1], result.losses[-1], "o", color=color)
    for told, level in {"without memory": baseline, "solved": baseline / 10}.items():
        axes.axhline(level, color="0.6", linewidth=1, zorder=0)
        place, known = (1, level), ("axes fraction", "data")
        axes.annotate(told, place, xycoords=known, ha="right", va="top", color="0.4", fontsize=9)
    axes.set(yscale="log", xlabel="updates (32 sequences each)", ylabel="mean squared error")
    axes.set_title(f"Adding two marked numbers out of {STEPS}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()


def _bars(verbose: bool) -> Progress:
    console = Console(stderr=True, quiet=not verbose)
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(24),
        TextColumn("{task.fields[told]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _mover(bars: Progress, name: str) -> Callable[[Event], None]:
    """Add a bar for a net; return what moves it, or where nothing can move, says how it ended."""
    bar = bars.add_task(name, total=UPDATES, told="")

    def move(event: Event) -> None:
        done = (event.epoch - 1) * LOOK + event.step
        told = f"{done:,} updates · loss {event.loss:.4f}"
        bars.update(bar, completed=done, told=told)
        if event.kind == "end" and not bars.console.is_terminal:
            bars.console.print(f"{name}: {told}", highlight=False)

    return move


def _row(name: str, result: Recollection, enough: float) -> dict[str, str]:
    solved = result.updates_to(enough)
    return {
        "net": name,
        "solved after": "not" if solved is None else f"{solved:,} updates",
        "mean squared error": f"{result.loss:.4f}",
    }


def _verdict(results: Results, baseline: float) -> str:
    """Say in words what the table says."""
    failed = [name for name, result in results.items() if result.loss > baseline / 10]
    rule = f"Who always answers 1 has {baseline:.4f}; solved is a tenth of that."
    return f"{rule} Not solved in {UPDATES:,} updates: {'; '.join(failed) or 'none'}."
