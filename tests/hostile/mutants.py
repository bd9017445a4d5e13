"""Mutants: the files of a saved model with something wrong in one place, drawn at random."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

# What stands for a text that JSON reads as a number and Python's own writer never writes.
_RAW = {"@inf": "1e999", "@-inf": "-1e999", "@long": "1" + "0" * 400, "@nan": "NaN"}
_RAW |= {"@digits": "9" * 5000, "@deep": "[" * 3000 + "]" * 3000}
_VALUES: list[Any] = [
    *_RAW, None, True, False, 0, 1, -1, 2, 7, 0.5, -0.5, 1e-320, 1e308, -1e308, 2**31, 2**63,
    -(2**63), 2**64, 10**30, "", "x", "0", "1e5", "NaN", "\ud800", "\x00", "../x", "os:system",
    "a" * 70_000,
    [], {}, [[]], [None], [1], ["x"], [True], {"x": 1}, [[1, 2], [3]],
]  # fmt: skip
_CELLS = ["", "x", "NaN", "inf", "1e999", "-1", "٣", "9" * 5000, "x" * 200_000, '"', "\x00", "²"]

Places = list[tuple[Any, Any]]


def mutants(files: dict[str, bytes], rng: random.Random) -> Iterator[tuple[str, bytes, str]]:
    """Yield mutants for ever: the name of a file, its new content, and what was done to it."""
    names = sorted(name for name in files if not name.endswith((".md", ".png")))
    while True:
        name = rng.choice(names)
        kinds = [_cut, _flip]
        if name.endswith(".json"):
            kinds += [_json] * 10
        elif name.endswith(".csv"):
            kinds += [_cells] * 4
        else:
            kinds += [_header] * 2
        kind: Callable[..., tuple[bytes, str]] = rng.choice(kinds)
        content, done = kind(files[name], rng)
        yield name, content, done


def _cut(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    end = rng.randrange(len(content))
    return content[:end], f"cut at {end}"


def _flip(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    place, value = rng.randrange(len(content)), rng.randrange(256)
    return content[:place] + bytes([value]) + content[place + 1 :], f"byte {place} is {value}"


def _json(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Put another value somewhere, or take one away, or have one twice."""
    tree = copy.deepcopy(json.loads(content))
    places = list(_places(tree))
    # Each level gets its turn, or a long list would be all that is ever changed.
    depth = rng.choice(sorted({depth for depth, _, _ in places}))
    _, inside, key = rng.choice([place for place in places if place[0] == depth])
    kind = rng.choice(["other", "other", "other", "text", "near", "gone", "twice"])
    value = inside[key]
    if kind == "gone":
        del inside[key]
    elif kind == "twice" and isinstance(inside, list):
        inside.insert(key, value)
    elif kind == "twice":
        inside[f"{key}_"] = value
    elif kind == "text":
        inside[key] = json.dumps(value)
    elif kind == "near" and isinstance(value, int | float):
        inside[key] = rng.choice([-value, value + 1, value * 1e9, float(value), value / 3])
    else:
        inside[key] = value = rng.choice(_VALUES)
    text = json.dumps(tree)
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode(), f"{kind} at {key!r} of depth {depth}: {str(inside)[:80]}"


def _places(tree: Any, depth: int = 0) -> Iterator[tuple[int, Any, Any]]:
    """Every value of a JSON tree: its depth, what it stands in, and where."""
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield depth, tree, key
            yield from _places(tree[key], depth + 1)


def _cells(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Put another cell into a table, or a further one, or leave one or a line out."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    row = rng.choice(rows)
    place, cell = rng.randrange(len(row)), rng.choice(_CELLS)
    kind = rng.choice(["other", "other", "more", "gone", "line"])
    if kind == "other":
        row[place] = cell
    elif kind == "more":
        row.insert(place, cell)
    elif kind == "gone":
        del row[place]
    else:
        rows.remove(row)
    return "\n".join(map(",".join, rows)).encode() + b"\n", f"{kind} cell {place}: {cell[:20]}"


def _header(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Change what a safetensors file says of one of its tensors."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    name = rng.choice(sorted(header))
    key = rng.choice(sorted(header[name]))
    value = rng.choice([[], [2**62], [-1], [1, 1], [0, 4], "F64", "BOOL", "F32", "X", 3, None, {}])
    header[name][key] = value
    told = json.dumps(header).encode()
    return len(told).to_bytes(8, "little") + told + content[8 + size :], f"{name} {key}: {value}"
