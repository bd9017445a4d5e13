"""Part: what one part of the benchmark of the defaults found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.suite.target import Target


@dataclass
class Part:
    """One part's table and its targets.

    Attributes:
        title: What it measures, a line.
        rows: The table: the same columns in each; texts, numbers, or None where there is nothing.
        targets: Its bounds.
        notes: Sentences for the reader.
    """

    title: str
    rows: list[Mapping[str, str | float | int | None]]
    targets: list[Target]
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """What the result file keeps."""
        return asdict(self)

    def table(self) -> str:
        """The rows as text, columns aligned, numbers with three digits behind the point."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = [columns, *([_cell(row.get(name)) for name in columns] for row in self.rows)]
        widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
        lines = [
            "  ".join(
                text.ljust(width) if number == 0 else text.rjust(width)
                for number, (text, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in cells
        ]
        return "\n".join([self.title, *lines, *(f"  {note}" for note in self.notes)])


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
