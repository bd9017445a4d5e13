"""How far nets remember, as pictures: updates to solve by variant and lag, and learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tidegate.demo.recall import LOOK

Part = Mapping[str, Any]

# Okabe & Ito's colours, which the colour-blind can tell apart.
_COLORS = ("#009E73", "#D55E00", "#0072B2", "#000000")
_SHADES = LogNorm(50, 4000)  # updates


def draw_reach(parts: Mapping[str, Part], path: Path) -> None:
    """Write a table in colours: a panel a problem, a row a variant, a column a lag.

    Args:
        parts: What `benchmarks.memory` keeps, by the name of the part; at least one.
        path: A PNG file.
    """
    widths = [max(1.6, len(_lags(part))) for part in parts.values()]
    variants = list(dict.fromkeys(row["variant"] for p in parts.values() for row in p["rows"]))
    size = (3 + 0.75 * sum(widths), 1.3 + 0.36 * len(variants))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(parts), width_ratios=widths, sharey=True, squeeze=False)[0]
    for part, axes in zip(parts.values(), panels, strict=True):
        _table(part, variants, axes)
    panels[0].set_yticks(range(len(variants)), variants)
    panels[0].set_ylim(len(variants) - 0.5, -0.5)
    figure.suptitle("Updates until a problem is solved (×: not solved)")
    figure.supxlabel("steps to remember", fontsize="medium")
    _save(figure, path)


def draw_curves(parts: Mapping[str, Part], path: Path) -> None:
    """Write the learning curves of the long problems, a panel each.

    Args:
        parts: What `benchmarks.memory` keeps, by the name of the part; at least one.
        path: A PNG file.
    """
    figure = Figure(figsize=(4.6 * len(parts), 3.4), layout="constrained")
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    for part, axes in zip(parts.values(), panels, strict=True):
        _curves(part, axes)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _lags(part: Part) -> list[int]:
    return sorted({row["lag"] for row in part["rows"]})


def _table(part: Part, variants: list[str], axes: Axes) -> None:
    lags = _lags(part)
    for row in part["rows"]:
        x, y, updates = (
            lags.index(row["lag"]),
            variants.index(row["variant"]),
            row["updates_to_solve"],
        )
        if updates is None:
            axes.text(x, y, "×", ha="center", va="center", color="0.4")
            continue
        color = colormaps["viridis_r"](_SHADES(updates))
        axes.barh(y, 0.96, 0.92, x - 0.48, color=color)
        ink = "white" if _SHADES(updates) > 0.45 else "black"
        axes.text(x, y, f"{updates:,}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xlim(-0.6, len(lags) - 0.4)
    axes.set_xticks(range(len(lags)), map(str, lags))
    axes.set_title(part["title"], fontsize="medium")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _curves(part: Part, axes: Axes) -> None:
    for row, color in zip(part["rows"], _COLORS, strict=False):
        losses = row["held_out_losses"]
        updates = [LOOK * look for look in range(1, len(losses) + 1)]
        axes.plot(updates, losses, color=color, linewidth=1.2, label=row["variant"])
    levels = {"without memory": row["baseline"], f"{row['enough']:.1g}": row["enough"]}
    for name, level in levels.items():
        axes.axhline(level, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        axes.annotate(name, (1, level), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                      color="0.4", fontsize=8)  # fmt: skip
    axes.set(yscale="log", xlabel="updates", ylabel="held-out loss")
    axes.set_title(f"{part['title']}, {row['lag']} steps to remember", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.95))
