"""Report: one answer of a model and everything that led to it, as a page, a picture or numbers."""

from __future__ import annotations

import html
import importlib.metadata
import io
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from tidegate.errors import InputError, message, suggest
from tidegate.explain.attribution.attribution import Attribution
from tidegate.explain.memory.memory import Memory
from tidegate.explain.report.explanation import Explanation
from tidegate.explain.report.page import page
from tidegate.explain.report.picture import picture
from tidegate.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("html", "png", "json")


@dataclass(frozen=True, eq=False, repr=False)
class Report(Explanation):
    """One answer of a model, and everything that led to it.

    Its attributes are those of `Explanation`.
    """

    def __repr__(self) -> str:
        """Say what it is about; the numbers would fill the screen."""
        return f"Report({self.prediction!r}, {len(self.tokens)} {self.excerpt.unit}s)"

    def to_html(self) -> str:
        """Return the report as one HTML page that needs no network."""
        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, lists and texts, ready for JSON.

        Returns:
            `gates`, `cell` and `hidden` are nested lists `[layers·directions][T][units]`, with
            six digits behind the point; a half-life without end is None.
        """
        trace = self.trace
        return {
            "tidegate": importlib.metadata.version("tidegate"),
            "model": self.model,
            "prediction": self.prediction,
            "probabilities": dict(self.probabilities),
            "tokens": list(self.tokens),
            "excerpt": asdict(self.excerpt),
            "target": self.target,
            "attributions": [_numbers(found) for found in self.attributions],
            "rows": list(trace.rows),
            "units": list(trace.units),
            "gates": {name: _rounded(part) for name, part in trace.gates.items()},
            "cell": None if trace.cell is None else _rounded(trace.cell),
            "hidden": _rounded(trace.hidden),
            "memory": None if self.memory is None else _lives(self.memory),
        }

    def plot(self) -> Figure:
        """Draw the answer, the text coloured by contribution, and the gates under it."""
        return picture(self)

    def save(self, path: str | Path, form: str | None = None) -> None:
        """Write the report to a file; nothing half written is ever seen.

        Args:
            path: The file.
            form: "html", "png" or "json"; None takes it from the suffix.

        Raises:
            InputError: If there is no such format, or the file cannot be written.

        Example:
            >>> model.explain("a fine film").save("report.html")  # doctest: +SKIP
        """
        path = Path(path)
        form = check_output(path, form)
        content = getattr(self, f"_{form}")()
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise _unwritable(path, error.strerror or error) from error

    def _html(self) -> bytes:
        return self.to_html().encode()

    def _json(self) -> bytes:
        return (json.dumps(self.to_dict(), allow_nan=False) + "\n").encode()

    def _png(self) -> bytes:
        content = io.BytesIO()
        self.plot().savefig(content, format="png")
        return content.getvalue()

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        escaped = html.escape(self.to_html())
        return f'<iframe srcdoc="{escaped}" style="width: 100%; height: 85vh; border: 0"></iframe>'


def check_output(path: Path, form: str | None = None) -> str:
    """Check before the work that a report can be written.

    Args:
        path: The file to write.
        form: One of `FORMATS`; None takes it from the suffix.

    Returns:
        The format.

    Raises:
        InputError: If there is no such format, or no file can be made there.

    Example:
        >>> check_output(Path("report.html"))
        'html'
    """
    named = path.suffix.lower().lstrip(".") if form is None else form
    if named not in FORMATS:
        rule = f"one of {', '.join(FORMATS)}"
        got = named if form is not None else path.name
        remedy = (
            suggest(named, FORMATS, listed=True) if form is not None else "Name one with --format"
        )
        raise InputError(message("explain", "format", rule, repr(got), remedy))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise _unwritable(path, "a folder" if path.is_dir() else "a path in no folder")
    return named


def _unwritable(path: Path, got: object) -> InputError:
    rule = "a file that can be written, in a folder that exists"
    return InputError(message("explain", str(path), rule, got, "Choose another one with --out"))


def _rounded(part: Tensor) -> Any:
    """The numbers of the one row of `[N, B, T, H]`."""
    return ((part[:, 0].double() * 1e6).round() / 1e6).tolist()


def _numbers(found: Attribution) -> dict[str, Any]:
    return {
        "method": found.method,
        "scores": found.scores[0].tolist(),
        "output": float(found.output[0]),
        "baseline": float(found.baseline[0]),
    }


def _lives(found: Memory) -> dict[str, Any]:
    gates = {
        name: {gate: shares.tolist() for gate, shares in getattr(found, name).items()}
        for name in ("open", "closed", "saturated")
    }
    return {
        "gate": found.gate,
        "half_life": [[_finite(life) for life in row] for row in found.half_life.tolist()],
        "effective": [_finite(life) for life in found.effective.tolist()],
        "dead": found.dead.tolist(),
        **gates,
    }


def _finite(life: float) -> float | None:
    """A half-life for JSON, which knows no infinity."""
    return None if math.isinf(life) else life
