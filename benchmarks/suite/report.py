"""Tables of text, and the document that is kept, made from groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from benchmarks.peers import OURS, TITLES
from benchmarks.suite.measure import Row
from benchmarks.suite.target import Group, Target, number

_CASE, _SHAPE, _PHASE, _CELL = 24, 22, 11, 16


def table(group: Group) -> str:
    """All rows of a group: milliseconds of everybody, and how many times tidegate's that is."""
    columns = list(dict.fromkeys(name for row in group.rows for name in row.seconds))
    heads = [f"{title(name):>{_CELL}}" for name in columns]
    head = f"{'':<{_CASE}}{'B×T×I×H':<{_SHAPE}}{'':<{_PHASE}}" + "".join(heads)
    head += f"{'GFLOP/s':>9}{'of peak':>9}"
    lines = [f"{group.title} ({group.name}){_peak(group)}", head]
    for row in group.rows:
        cells = [f"{_cell(row, name):>{_CELL}}" for name in columns]
        gflops, share = row.gflops, group.share(row)
        lines.append(
            f"{row.case.name:<{_CASE}}{row.case.shape:<{_SHAPE}}{row.phase:<{_PHASE}}"
            + "".join(cells)
            + f"{'–' if gflops is None else f'{gflops:.0f}':>9}"
            + f"{'–' if share is None else f'{share:.0%}':>9}"
        )
    return "\n".join([*lines, *(f"  {line}" for line in remarks(group))])


def title(name: str) -> str:
    """A column's heading: "torch, busy" keeps what follows the peer's name."""
    peer, comma, rest = name.partition(",")
    return f"{TITLES.get(peer, peer)}{comma}{rest}"


def _cell(row: Row, name: str) -> str:
    median, ratio = row.median(name), row.ratio(name)
    if median is None:
        return "wrong" if name in row.wrong else "–"
    return duration(median) + ("" if name == OURS else f" {_times(ratio)}")


def duration(seconds: float) -> str:
    """Such as "27.4 ms", or "2.10 µs" below a tenth of a millisecond."""
    return f"{number(1e3 * seconds)} ms" if seconds >= 1e-4 else f"{number(1e6 * seconds)} µs"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:>4.{0 if ratio >= 99.5 else 1}f}×"


def _peak(group: Group) -> str:
    return f"   peak {' and '.join(f'{peak:.0f}' for peak in group.peak)} GFLOP/s" * bool(
        group.peak
    )


def remarks(group: Group) -> list[str]:
    """What was wrong, who did not take part and why, and the group's own notes."""
    wrong = [
        f"WRONG: {title(name)} in {row.case.name} {row.case.shape}, {row.phase}: {far} apart"
        for row in group.rows
        for name, far in row.wrong.items()
    ]
    counts = Counter(item for row in group.rows for item in row.skipped.items())
    skipped = [
        f"without {title(name)}{f' in {count} rows' if count > 1 else ''}: {reason}"
        for (name, reason), count in counts.items()
    ]
    return wrong + skipped + group.notes


def verdicts(targets: list[Target]) -> str:
    """A line a target: what, the bound, what was measured, met or missed."""
    width = max((len(target.what) for target in targets), default=0)
    return "\n".join(
        f"  {target.verdict:<7}{target.what:<{width}}  {target.rule:>9}  {target.measured}"
        for target in targets
    )


def summary(groups: list[Group]) -> str:
    """How many targets were met, and which were not."""
    targets = [target for group in groups for target in group.targets]
    met = sum(target.met is True for target in targets)
    missed = [target for target in targets if target.met is False]
    unknown = len(targets) - met - len(missed)
    text = f"{met} targets met, {len(missed)} missed, {unknown} not judged."
    return "\n".join([text, verdicts(missed)]) if missed else text


def document(groups: list[Group]) -> list[dict[str, Any]]:
    """The groups as JSON holds them."""
    return [
        {
            "name": group.name,
            "title": group.title,
            "seconds": round(group.seconds, 1),
            "peak_gflops": [round(peak, 1) for peak in group.peak],
            "rows": [_row(group, row) for row in group.rows],
            "targets": [asdict(target) for target in group.targets],
            "notes": group.notes,
        }
        for group in groups
    ]


def _row(group: Group, row: Row) -> dict[str, Any]:
    return {
        "case": asdict(row.case),
        "phase": row.phase,
        "gflops": _rounded(row.gflops),
        "share_of_peak": _rounded(group.share(row)),
        "milliseconds": {
            name: {
                "median": _rounded(1e3 * (row.median(name) or 0.0)),
                "times_ours": _rounded(row.ratio(name)),
                "fastest": _rounded(1e3 * min(samples)),
                "slowest": _rounded(1e3 * max(samples)),
                "samples": len(samples),
            }
            for name, samples in row.seconds.items()
        },
        "differences": {
            name: {what: float(f"{value:.2g}") for what, value in far.items()}
            for name, far in row.differences.items()
        },
        "wrong": row.wrong,
        "skipped": row.skipped,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
