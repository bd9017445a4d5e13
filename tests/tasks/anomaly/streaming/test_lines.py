"""Lines of values: where values and time stand in them, and what cannot be read."""

from __future__ import annotations

import math

import pytest

from tidegate.errors import InputError
from tidegate.tasks.anomaly.streaming.lines import LineLayout, LineWatch
from tidegate.tasks.anomaly.streaming.stream import Detection


class Recorder:
    """Stands for a stream: it keeps what it was given, and knows no time called noon."""

    def __init__(self) -> None:
        self.given: list[tuple[list[float], str | None]] = []

    def update(self, value: list[float], time: str | None = None) -> Detection:
        if time == "noon":
            raise InputError("no time")
        self.given.append((value, time))
        return Detection(0.0, False, "heat", "usual", value[0], 0.0, 0.0, True)


@pytest.fixture
def stream() -> Recorder:
    return Recorder()


def watch(stream: Recorder, *, clocked: bool = False) -> LineWatch:
    return LineWatch(stream, ("heat", "load"), clocked=clocked, time="when")  # type: ignore[arg-type]


def test_a_layout_reads_what_stands_in_a_line():
    plain = LineLayout.plain(2, clocked=True)
    assert plain.read(b"2024-01-01;3.5;\r")[:1] == ("2024-01-01",)
    assert plain.read(b"noon\t1\tx")[2] is False
    named = LineLayout.of_header(b'\xef\xbb\xbf"load","when",heat\r', ("heat", "load"), "when")
    assert named == LineLayout((2, 0), 1, 3)
    assert named.read(b"1,noon,2") == ("noon", [2.0, 1.0], True)
    assert LineLayout.of_header(b"1,2", ("heat",), None) is None


def test_a_header_says_where_the_values_stand_and_is_no_step(stream):
    found = list(watch(stream).scan([b"load,when,heat", b"1,8:00,2", b"load,when,heat"]))
    assert [number for number, _ in found] == [2, 3]
    assert stream.given[0] == ([2.0, 1.0], "8:00")
    assert all(map(math.isnan, stream.given[1][0]))  # a header in the middle is rubbish


def test_lines_are_numbered_and_what_cannot_be_read_is_counted(stream):
    watched = watch(stream, clocked=True)
    lines = [b"8:00,1,2", b"rubbish", b"noon,3,4", None, b"8:03,,5"]
    assert [number for number, _ in watched.scan(lines)] == [1, 2, 3, 3, 4]
    assert stream.given[0] == ([1.0, 2.0], "8:00")
    assert stream.given[2] == ([3.0, 4.0], None)  # the clock goes on by itself
    assert stream.given[4][1] == "8:03"
    assert math.isnan(stream.given[4][0][0])  # an empty field is missing, and no fault
    assert (watched.unreadable, watched.silences) == (2, 1)
    assert watched.remarks() == [
        "2 lines were not as they should be: what could not be read was scored as missing.",
        "1 times nothing came; it was scored as missing.",
    ]


def test_of_whole_lines_nothing_is_remarked(stream):
    watched = watch(stream)
    list(watched.scan([b"1,2", b"3,4"]))
    assert watched.remarks() == []


def test_a_header_of_other_columns_is_refused_with_what_was_probably_meant(stream):
    told = r"header that names heat, load; got when, Heat, load. Did you mean 'Heat'"
    with pytest.raises(InputError, match=told):
        list(watch(stream).scan([b"when,Heat,load", b"noon,1,2"]))
    nameless = LineWatch(stream, ("0", "1"), clocked=False, time=None, named=False)  # type: ignore[arg-type]
    assert [number for number, _ in nameless.scan([b"heat,load", b"1,2"])] == [2]
    assert stream.given == [([1.0, 2.0], None)]
