"""The two descriptors of a cell, of Python and of the library, say the same."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from tests.kernels.native_cases import needs_native
from tidegate import cells
from tidegate.cells import GRU, LSTM, RNN, Cell
from tidegate.kernels import library
from tidegate.kernels.inputs import Inputs, describe, supports

NATIVE = Path(__file__).parents[2] / "native" / "cells"
CELLS = [cells.get(name) for name in cells.names() if cells.get(name).native is not None]

pytestmark = needs_native


def variants(kind: type[Cell], hidden_size: int = 5) -> Iterator[tuple[set[str], Cell]]:
    """The cell with every set of the library's options, by the descriptor of Python."""
    native = kind.native or {}
    for count in range(len(native) + 1):
        for chosen in itertools.combinations(native, count):
            given = dict(native[name] for name in chosen)
            yield set(chosen), kind(hidden_size=hidden_size, **given)


def test_both_sides_have_the_same_cells():
    assert set(library.FAMILIES) == {kind.name for kind in CELLS}
    assert [family.kind for family in library.FAMILIES.values()] == list(range(len(CELLS)))


def test_a_header_of_its_own_is_all_that_the_library_has_of_a_cell():
    text = (NATIVE / "families.h").read_text(encoding="utf-8")
    (listed,) = re.findall(r"using Families = List<(.*)>;", text)
    assert [name.strip().lower() for name in listed.split(",")] == list(library.FAMILIES)
    headers = {path.stem for path in NATIVE.glob("*.h")} - {"families"}
    assert headers == set(library.FAMILIES)


@pytest.mark.parametrize("kind", CELLS)
def test_both_sides_have_the_same_options(kind):
    # A cell may do without layer normalisation, which the library has for each.
    ours = {"layer_norm", *(kind.native or {})}
    assert library.FAMILIES[kind.name].options.keys() == ours
    known = {field.name: field.default for field in fields(kind)}
    for field, value in (kind.native or {}).values():
        assert known[field] != value, f"without the option {field} has its default"


@pytest.mark.parametrize("kind", CELLS)
def test_both_sides_say_the_same_of_every_variant(kind):
    for chosen, cell in variants(kind):
        number, options, *_ = describe(cell)
        bits = library.FAMILIES[kind.name].options
        assert options == sum(bits[name] for name in chosen)
        told = library.opened().tidegate_cell_of(number, options)
        assert told.name.decode() == kind.name
        assert tuple(told.blocks.decode().split()) == cell.blocks
        kept = told.gates.decode().split()
        derived = cell.derived_gates(dict.fromkeys(kept, 0))
        assert {*kept, *derived} == set(cell.gates)
        assert told.has_cell == ("cell" in cell.states)
        assert told.projects == ("proj_size" in {field.name for field in fields(kind)})
        shapes = cell.shapes(3)
        (peepholes,) = shapes.get("weight_ch", (0,))
        assert told.peepholes * cell.hidden_size == peepholes
        assert supports(number, options, cell.hidden_size, cell.output_size)


@pytest.mark.parametrize("kind", CELLS)
def test_numbers_lead_back_to_the_cell(kind):
    known = {field.name for field in fields(kind)}
    for _, cell in variants(kind):
        for name, value in {"bias": False, "proj_size": 2, "cell_clip": 0.5}.items():
            if name not in known:
                continue
            given = {field.name: getattr(cell, field.name) for field in fields(kind)}
            changed = kind(**(given | {name: value}))
            inputs = Inputs(*[None] * 8, *describe(changed), 0.0, 0.0, False, False)
            assert inputs.plan().cell == changed


@pytest.mark.parametrize("kind", CELLS)
def test_the_library_knows_no_option_that_python_does_not(kind):
    family = library.FAMILIES[kind.name]
    unknown = library.OWN << (len(family.options) - 1)
    assert library.opened().tidegate_cell_of(family.kind, unknown).name is None
    assert not supports(family.kind, unknown, 4, 4)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_a_subclass_has_equations_of_its_own(kind):
    assert kind.native is not None
    assert type("Other", (kind,), {}).native is None
