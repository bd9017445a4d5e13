"""The glossary: a term for all that a page names, in words that fit on it."""

from __future__ import annotations

from tests.helpers import VARIANTS, make
from tidegate import cells
from tidegate.explain.attribution.methods import METHODS as ASKED
from tidegate.explain.report.glossary import METHODS, TERMS


def test_every_gate_and_state_of_every_cell_has_its_term():
    named = set()
    for case in VARIANTS:
        cell = make(case).cell
        named |= {*cell.gates, *cell.states}
    assert named == set(TERMS)
    assert {cells.get(name)(hidden_size=1).keep_gate for name in ("lstm", "gru")} <= set(TERMS)


def test_a_gate_is_called_by_its_name():
    for name, term in TERMS.items():
        assert term.title.split()[0] == name
        assert 0 < len(term.short) <= 40
        assert term.long.endswith(".")


def test_every_method_is_explained():
    assert len(METHODS) == len(ASKED)
    for name, words in METHODS.items():
        assert words.lower().startswith(name)
        assert words.endswith(".")
