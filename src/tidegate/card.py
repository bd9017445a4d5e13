"""What a saved model shows to people: model card, history table and learning curve."""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tidegate.artifact import version
from tidegate.terminal import cell
from tidegate.training.loop import part_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = Sequence[Mapping[str, float]]


def describe(
    task: str,
    settings: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    history: History,
    parameters: int,
    *,
    use: str = "predict",
    facts: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Make the files of a model that are for reading, not for loading.

    Args:
        task: The estimator's class name.
        settings: Its settings, as JSON.
        metrics: Scores by part of the data.
        history: One row an epoch.
        parameters: Trained numbers in the network.
        use: The method that the model is for.
        facts: What else there is to say of it, such as its classes, by name.

    Returns:
        `README.md`, `history.csv` and `learning_curve.png`, by file name; without the picture,
        and with a warning, where it cannot be drawn.
    """
    card = model_card(task, settings, metrics, len(history), parameters, use, facts or {})
    files = {
        "README.md": card.encode(),
        "history.csv": history_csv(history).encode(),
    }
    try:
        files["learning_curve.png"] = learning_curve(history)
    except Exception as error:  # noqa: BLE001  # the model must not be lost to a picture
        said = " ".join(f"{type(error).__name__}: {error}".split())
        warnings.warn(f"learning_curve.png cannot be drawn ({said}).", UserWarning, stacklevel=2)
    return files


def history_csv(history: History) -> str:
    r"""Write the history as CSV, one row an epoch.

    Example:
        >>> history_csv([{"epoch": 1, "train_loss": 0.5}])
        'epoch,train_loss\n1,0.5\n'
    """
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in history for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def read_history(text: str) -> list[dict[str, float]]:
    """Read what `history_csv` wrote.

    Raises:
        ValueError: If it is something else: the epochs from 1 on, and finite numbers.
    """
    try:
        header, *rows = csv.reader(io.StringIO(text), strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if header[:1] != ["epoch"] or len(set(header)) != len(header) or not all(header):
        raise ValueError(f"a first line that says {','.join(header)[:40]!r}")
    found = []
    for epoch, row in enumerate(rows, 1):
        if len(row) != len(header) or row[0] != str(epoch):
            raise ValueError(f"{len(row)} cells for {len(header)} columns in epoch {row[:1]}")
        found.append({name: _number(cell) for name, cell in zip(header, row, strict=True) if cell})
    return found


def _number(cell: str) -> float:
    number = int(cell) if cell.isdecimal() and len(cell) < 19 else float(cell)
    if not math.isfinite(number):
        raise ValueError(f"{cell} is no finite number")
    return number


def model_card(
    task: str,
    settings: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    epochs: int,
    parameters: int,
    use: str = "predict",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Write the model card as Markdown: what it is, how good, how to load and use it."""
    names = list(dict.fromkeys(name for scores in metrics.values() for name in scores))
    lines = [
        f"# {task}",
        "",
        f"Trained by tidegate {version()} in {epochs} epochs; {parameters:,} parameters.",
        "",
        "| data | " + " | ".join(names) + " |",
        "| --- |" + " --- |" * len(names),
    ]
    for part, scores in metrics.items():
        cells = [f"{scores[name]:.4f}" if name in scores else "" for name in names]
        lines.append(f"| {part} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Training scores were taken during the best epoch, with dropout on.",
        "",
        "```python",
        "import tidegate",
        "",
        'model = tidegate.load("this folder")',
        f"model.{use}(...)",
        "```",
        "",
        *(["## What it knows", ""] if facts else []),
        *(f"- {cell(name)}: `{_code(value)}`" for name, value in (facts or {}).items()),
        *([""] if facts else []),
        "## Settings",
        "",
        *(f"- {name}: `{_code(repr(value))}`" for name, value in settings.items()),
        "",
    ]
    return "\n".join(lines)


def _code(text: str) -> str:
    """A text between backticks, on one line."""
    return cell(text).replace("`", "'")


def learning_curve(history: History) -> bytes:
    """Draw the loss and the first score over the epochs.

    Args:
        history: One row an epoch.

    Returns:
        A PNG picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, only for saving
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    scores = list(part_scores(history[0], "train"))
    for axes, score in zip(
        figure.subplots(1, min(2, len(scores)), squeeze=False)[0], scores, strict=False
    ):
        for part in ("train", "validation"):
            points = [
                (row["epoch"], row[f"{part}_{score}"])
                for row in history
                if f"{part}_{score}" in row
            ]
            if points:
                axes.plot(
                    *zip(*points, strict=True), marker="o", markersize=3, label=part, clip_on=False
                )
        _bound(axes, [row[name] for row in history for name in row if name.endswith(f"_{score}")])
        axes.set(title=score.replace("_", " "), xlabel="epoch")
        # Of one epoch, two ticks could only be told apart by fractions.
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()


def _bound(axes: Axes, values: Sequence[float]) -> None:
    """Let an axis end at 1 where the greatest value is 1: there is no accuracy of 1.05."""
    if values and max(values) == 1:
        axes.set_ylim(top=1.0)
