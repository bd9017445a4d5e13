"""The bar that appears when something takes long: only then, only on a terminal, and gone after."""

from __future__ import annotations

import io
import sys

import pytest

from tidegate import waiting as module
from tidegate.waiting import waiting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    times = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: times[0])
    return times


def walk(clock, seconds: float, stream, monkeypatch) -> list[int]:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    seen = []
    for item in waiting(range(4), "counting sheep"):
        seen.append(item)
        clock[0] += seconds
    return seen


def test_nothing_is_shown_before_two_seconds(clock, monkeypatch):
    stream = Terminal()
    assert walk(clock, 0.4, stream, monkeypatch) == [0, 1, 2, 3]
    assert stream.getvalue() == ""


def test_a_bar_appears_after_two_seconds(clock, monkeypatch):
    stream = Terminal()
    assert walk(clock, 0.9, stream, monkeypatch) == [0, 1, 2, 3]
    assert "counting sheep" in stream.getvalue()


def test_without_a_terminal_there_is_no_bar(clock, monkeypatch):
    stream = io.StringIO()
    assert walk(clock, 9.0, stream, monkeypatch) == [0, 1, 2, 3]
    assert stream.getvalue() == ""


def test_the_bar_ends_with_an_error(clock, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    bar = waiting(range(4), "counting sheep")
    next(bar)
    clock[0] = 9.0
    next(bar)
    bar.close()
    assert stream.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in stream.getvalue()


def test_nothing_is_shown_where_it_is_not_wanted(clock, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for _ in waiting(range(4), "counting sheep", shown=False):
        clock[0] += 9.0
    assert stream.getvalue() == ""
