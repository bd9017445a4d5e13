"""Terminals: nothing out of data steers one, and files keep it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.terminal import Screen, cell, one_line, visible


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\x9b31m", r"a\rb\x9b31m"),
        ("one\ttwo\n", "one\ttwo\n"),
        ("caf\u00e9 \u4e2d\u6587 \U0001f600", "caf\u00e9 \u4e2d\u6587 \U0001f600"),
        ("\u202eexe.txt", r"\u202eexe.txt"),
    ],
)
def test_control_characters_are_shown(text, wanted):
    assert visible(text) == wanted


@given(st.text())
def test_nothing_is_left_that_steers(text):
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in visible(text))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("kind", "wanted"), [(Terminal, r"\x1bc"), (io.StringIO, "\x1bc")])
def test_files_keep_what_terminals_show(kind, wanted):
    handle = kind()
    Screen(handle).write("\x1bc")
    assert handle.getvalue() == wanted


@given(st.text())
def test_a_cell_has_one_line_and_one_column(text):
    shown = cell(text)
    assert len(shown.splitlines()) <= 1
    assert "\t" not in shown
    assert visible(shown) == shown


@given(st.text())
def test_one_line_keeps_what_parts_nothing(text):
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(f"\x1b{text}")[0] == "\x1b"  # on a terminal a Screen shows it
