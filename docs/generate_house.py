"""Draw docs/images/house.png: the rooms of the package, and which imports which; print statistics.

Run it as `python -m docs.generate_house`. Everything is read from the sources and from the table in
tests/test_architecture.py, nothing is typed by hand: the same sources make the same picture.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as MplPath

from tests.test_architecture import (
    LEVELS,
    PACKAGE,
    SOURCES,
    file_length,
    functions,
    import_graph,
    length,
    module_name,
    parsed,
    reachable,
    shown,
    unit_of,
)

CURVE = [MplPath.MOVETO, *[MplPath.CURVE4] * 3]
PICTURE = Path(__file__).parent / "images" / "house.png"

# All of a room that takes several lines of the table, and the files beside the rooms.
PARTS = {"tasks": "tasks.registry", "__main__": "tidegate", "__init__": "tidegate"}
# Inches: from floor to floor, the house across, between two rooms, and how high a room is.
FLOOR, WIDTH, GAP, PLATE = 1.12, 13.4, 0.3, 0.7
LANE = 0.13  # between two arrows that pass by the rooms of other floors
GROUND, LAYERS, TASKS, DOORS = "#DCE9F5", "#E4F1E1", "#FBEFD5", "#E9E9E9"


@dataclass(frozen=True)
class Room:
    """A room of the house.

    Attributes:
        name: What it is called in the table.
        files: How many modules it has.
        median: The median of their lines.
        inner: The folders in it.
        x: Where its middle is, in inches from the left.
        y: Where it is, in inches from the ground.
        width: In inches.
    """

    name: str
    files: int
    median: int
    inner: tuple[str, ...]
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0


def room_of(module: str) -> str:
    """The room that a module stands in: tidegate.explain.units.search -> explain."""
    unit = unit_of(module)
    return "explain" if unit.startswith("explain.") else PARTS.get(unit, unit)


def imports() -> dict[str, set[str]]:
    """Which rooms each room imports."""
    found: dict[str, set[str]] = {}
    for module, names in import_graph().items():
        home = room_of(module)
        found.setdefault(home, set()).update({room_of(name) for name in names} - {home})
    return found


def nearest(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The imports that no chain of others stands for."""
    return {
        room: {
            other
            for other in others
            if not any(other in reachable(way, graph) for way in others - {other})
        }
        for room, others in graph.items()
    }


def floors() -> list[list[Room]]:
    """The rooms, floor by floor from the ground up, in the order of the table."""
    paths: dict[str, list[Path]] = {}
    for path in SOURCES:
        paths.setdefault(room_of(module_name(path)), []).append(path)
    order: dict[str, int] = {}
    for floor, units in enumerate(LEVELS):
        # A room that takes several lines stands on the last of them.
        order |= {room_of(f"tidegate.{unit}"): floor for unit in units}
    built: dict[int, list[Room]] = {}
    for name, floor in order.items():
        lines = [file_length(path) for path in paths[name]]
        room = Room(name, len(lines), round(statistics.median(lines)), inner_of(name))
        built.setdefault(floor, []).append(room)
    return [list(placed(built[floor], number)) for number, floor in enumerate(sorted(built))]


def inner_of(name: str) -> tuple[str, ...]:
    """The folders inside a room."""
    folder = PACKAGE.joinpath(*name.split("."))
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.parent.name for path in folder.glob("*/__init__.py")))


def placed(rooms: list[Room], floor: int) -> Iterator[Room]:
    """Give the rooms of a floor their places, side by side in the middle."""
    widths = [max(1.45, 0.3 + 0.082 * max(map(len, words_of(room)))) for room in rooms]
    left = (WIDTH - sum(widths) - GAP * (len(rooms) - 1)) / 2
    for room, width in zip(rooms, widths, strict=True):
        place = {"x": left + width / 2, "y": floor * FLOOR + 0.5, "width": width}
        yield Room(room.name, room.files, room.median, room.inner, **place)
        left += width + GAP


def words_of(room: Room) -> list[str]:
    """What stands in a room, line by line."""
    size = f"{room.files} files, median {room.median}" if room.files > 1 else f"{room.median} lines"
    return [room.name, size, *([" · ".join(room.inner)] if room.inner else [])]


def draw(house: list[list[Room]], arrows: dict[str, set[str]]) -> Figure:
    """Draw the rooms, and an arrow from each to what it imports."""
    height = len(house) * FLOOR + 0.5
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.axis("off")
    for rooms, colour in zip(house, colours(house), strict=True):
        for room in rooms:
            _draw_room(axes, room, colour)
    for path in routes(house, arrows):
        axes.add_patch(
            FancyArrowPatch(
                path=path, arrowstyle="-|>", mutation_scale=9, color="0.45", linewidth=1.0, zorder=2
            )
        )
    axes.text(
        0.15, height - 0.2,
        "An arrow: imports. What a chain of arrows says already is left out.\n"
        "Of several files, the median of their lines.",
        fontsize=9, color="0.35", va="top",
    )  # fmt: skip
    return figure


def colours(house: list[list[Room]]) -> Iterator[str]:
    """A colour for each floor: below the layers, up to the tasks, the tasks, what shows them."""
    colour = GROUND
    for rooms in house:
        names = {room.name for room in rooms}
        if "nn" in names:
            colour = LAYERS
        elif "tasks.core" in names:
            colour = TASKS
        elif "demo" in names:
            colour = DOORS
        yield colour


def routes(house: list[list[Room]], arrows: dict[str, set[str]]) -> Iterator[MplPath]:
    """The ways of the arrows: past the rooms of the floors between, and past each other."""
    places = {room.name: room for rooms in house for room in rooms}
    pairs = [(places[name], places[other]) for name in arrows for other in arrows[name]]
    lanes: dict[tuple[Room, Room], float] = {}
    # The shortest first, so that they get the straightest way.
    for pair in sorted(pairs, key=lambda pair: (pair[0].y - pair[1].y, pair[0].name, pair[1].name)):
        lanes[pair] = lane_of(pair, house, lanes)
    starts, ends = doors(lanes, 0), doors(lanes, 1)
    for pair, lane in lanes.items():
        upper, lower = pair
        top, bottom = upper.y - PLATE / 2, lower.y + PLATE / 2
        begin, end = (starts[pair], top), (ends[pair], bottom)
        first, last = top - (FLOOR - PLATE), bottom + (FLOOR - PLATE)
        if last >= first:  # of the floor below: nothing to pass by
            middle = (top + bottom) / 2
            yield MplPath([begin, (begin[0], middle), (end[0], middle), end], CURVE)
            continue
        turn, back = (top + first) / 2, (bottom + last) / 2
        yield MplPath(
            [begin, (begin[0], turn), (lane, turn), (lane, first),
             (lane, last), (lane, back), (end[0], back), end],
            [*CURVE, MplPath.LINETO, *CURVE[1:]],
        )  # fmt: skip


def lane_of(
    pair: tuple[Room, Room], house: list[list[Room]], lanes: dict[tuple[Room, Room], float]
) -> float:
    """Where an arrow goes down between its floors: nearest to both rooms of what is free."""
    upper, lower = pair
    between = [room for rooms in house for room in rooms if lower.y < room.y < upper.y]
    spans = [(room.x - room.width / 2 - LANE, room.x + room.width / 2 + LANE) for room in between]
    spans += [
        (lane - LANE, lane + LANE)
        for (over, under), lane in lanes.items()
        if over.y - under.y > 1.5 * FLOOR and under.y < upper.y - FLOOR and over.y > lower.y + FLOOR
    ]
    wanted = (upper.x + lower.x) / 2
    ways = [wanted, upper.x, lower.x, *(edge for span in spans for edge in span)]
    free = [way for way in ways if all(not low < way < high for low, high in spans)]
    return min(free, key=lambda way: (abs(way - upper.x) + abs(way - lower.x), way))


def doors(lanes: dict[tuple[Room, Room], float], side: int) -> dict[tuple[Room, Room], float]:
    """Where arrows leave their room (side 0) or enter it (side 1), spread over its edge."""
    found = {}
    for room in {pair[side] for pair in lanes}:
        own = [pair for pair in lanes if pair[side] == room]
        # An arrow from floor to floor goes straight; one that passes others goes by its lane.
        own.sort(key=lambda pair: lanes[pair] if _passes(pair) else pair[1 - side].x)
        for number, pair in enumerate(own, 1):
            found[pair] = room.x + room.width * (number / (len(own) + 1) - 0.5)
    return found


def _passes(pair: tuple[Room, Room]) -> bool:
    return pair[0].y - pair[1].y > 1.5 * FLOOR


def _draw_room(axes: Axes, room: Room, colour: str) -> None:
    corner = room.x - room.width / 2, room.y - PLATE / 2
    axes.add_patch(
        FancyBboxPatch(
            corner, room.width, PLATE, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour, edgecolor="0.35", linewidth=0.9, zorder=3,
        )
    )  # fmt: skip
    name, *rest = words_of(room)
    step = PLATE / (len(rest) + 2)
    axes.text(
        room.x, room.y + PLATE / 2 - step, name, ha="center", va="center", zorder=4,
        fontsize=11, weight="bold",
    )  # fmt: skip
    for line, words in enumerate(rest, 2):
        axes.text(
            room.x, room.y + PLATE / 2 - step * line, words, ha="center", va="center", zorder=4,
            fontsize=8, color="0.25",
        )  # fmt: skip


def sizes() -> list[str]:
    """Lines of text that say how large files and functions are."""
    files = [(file_length(path), shown(path)) for path in SOURCES]
    bodies = [
        (length(node), f"{shown(path)} {node.name}")
        for path in SOURCES
        for node in functions(parsed(path))
    ]
    folders = Counter(path.parent for path in SOURCES if not path.name.startswith("__"))
    fullest, modules = folders.most_common(1)[0]
    rooms = imports()
    arrows, drawn = (sum(map(len, graph.values())) for graph in (rooms, nearest(rooms)))
    return [
        f"files      {_spread(files)}, {sum(lines for lines, _ in files):,} lines in all",
        f"functions  {_spread(bodies)}",
        f"folders    {len(folders)}, the fullest {shown(fullest)} with {modules} modules",
        f"imports    {arrows} between rooms, {drawn} of them drawn",
    ]


def _spread(found: list[tuple[int, str]]) -> str:
    """How many there are, and their lines: the median and the most."""
    median = statistics.median(lines for lines, _ in found)
    most, where = max(found)
    return f"{len(found):,}, median {median:g} lines, longest {most} ({where})"


def main() -> None:
    """Write the picture and print the statistics."""
    draw(floors(), nearest(imports())).savefig(PICTURE, dpi=110, metadata={"Software": None})
    print("\n".join(sizes()))


if __name__ == "__main__":
    main()
