"""One setting: what passes, what is refused in which words, and what the command line can say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.tasks.core.settings.option import Option, changed, kinds, setting


def option(*accepted: Any, optional: bool = False, **data: Any) -> Option:
    default = {
        "name": "size", "default": 3, "help": "A size.", "choices": None, "minimum": None,
        "maximum": None, "structural": False, "group": "Model", "cli": True,
    }  # fmt: skip
    return Option(kinds=accepted, optional=optional, **(default | data))


def check(given: Any, *accepted: Any, **data: Any) -> Any:
    return option(*accepted, **data).check(given, "Toy")


@pytest.mark.parametrize(
    ("given", "accepted", "expected"),
    [
        (3, (int,), 3),
        (np.int64(3), (int,), 3),
        (3, (float,), 3.0),
        (np.float32(0.5), (float,), 0.5),
        (np.bool_(True), (bool,), True),
        (["a", "b"], (tuple,), ("a", "b")),
        ((), (tuple,), ()),
        ({"a": 1}, (dict, str), {"a": 1}),
        ("balanced", (dict, str), "balanced"),
        (len, (Callable,), len),
        (Path("model"), (str,), "model"),
    ],
)
def test_values_come_out_in_their_own_type(given, accepted, expected):
    found = check(given, *accepted)
    assert found == expected
    assert type(found) is type(expected)


def test_none_passes_only_where_it_may():
    assert check(None, int, optional=True) is None
    with pytest.raises(InputError, match="an integer; got None"):
        check(None, int)


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        (True, int),
        (False, float),
        (1, bool),
        (0.5, int),
        (3.0, int),
        ("3", int),
        (float("nan"), float),
        (float("inf"), float),
        ("abc", tuple),
        ([1, 2], tuple),
        ([("a", 1)], dict),
        ("len", Callable),
        (b"x", str),
    ],
)
def test_values_of_another_type_are_refused(given, accepted):
    with pytest.raises(InputError, match="Toy: `size` must be"):
        check(given, accepted)


@pytest.mark.parametrize("given", [0, 11, -(10**30)])
def test_the_range_is_told_and_the_default(given):
    rule = r"Toy: `size` must be an integer >= 1 and <= 10; got .* The default is 3\."
    with pytest.raises(InputError, match=rule):
        check(given, int, minimum=1, maximum=10)
    assert [check(edge, int, minimum=1, maximum=10) for edge in (1, 10)] == [1, 10]


def test_choices_are_told_and_the_likely_one_is_suggested():
    rule = r"one of 'lstm', 'gru' or None; got 'lsmt'. Did you mean 'lstm'\?"
    with pytest.raises(InputError, match=rule):
        check("lsmt", str, choices=("lstm", "gru"), optional=True)


@pytest.mark.parametrize(
    ("text", "accepted", "expected"),
    [
        ("3", (int,), 3),
        ("3", (float,), 3.0),
        ("1e-3", (float,), 0.001),
        ("true", (bool,), True),
        ("No", (bool,), False),
        ("html, urls", (tuple,), ("html", "urls")),
        ("", (tuple,), ()),
        ('{"spam": 5}', (dict, str), {"spam": 5}),
        ("balanced", (dict, str), "balanced"),
        ("0.5", (int, float), 0.5),
    ],
)
def test_texts_of_the_command_line_are_read(text, accepted, expected):
    found = option(*accepted).parse(text, "Toy")
    assert found == expected
    assert type(found) is type(expected)


def test_none_is_a_word_on_the_command_line():
    assert option(int, optional=True).parse("none", "Toy") is None
    assert option(str, optional=True).parse("None", "Toy") is None
    assert option(str).parse("none", "Toy") == "none"


@pytest.mark.parametrize(
    ("text", "accepted"), [("x", int), ("nan", float), ("maybe", bool), ("[1]", dict), ("0", int)]
)
def test_texts_that_are_no_value_are_refused(text, accepted):
    with pytest.raises(InputError, match="Toy: `size` must be"):
        option(accepted, minimum=1).parse(text, "Toy")


def test_kinds_come_from_type_hints():
    assert kinds(int) == ((int,), False)
    assert kinds(float | None) == ((float,), True)
    assert kinds(tuple[str, ...]) == ((tuple,), False)
    assert kinds(Mapping[str, float] | str | None) == ((dict, str), True)
    assert kinds(Callable[[str], list[str]] | None) == ((Callable,), True)


def test_a_setting_declared_again_keeps_everything_but_its_default():
    @dataclasses.dataclass
    class Base:
        size: int = setting(3, help="A size.", minimum=1, structural=True, group="Text")

    @dataclasses.dataclass
    class Derived(Base):
        size: int = changed(Base, "size", 7)

    (mine,), (theirs,) = dataclasses.fields(Derived), dataclasses.fields(Base)
    assert (mine.default, theirs.default) == (7, 3)
    assert mine.metadata == theirs.metadata


def test_a_setting_declared_again_can_be_kept_from_the_command_line():
    @dataclasses.dataclass
    class Base:
        size: int = setting(3, help="A size.")

    @dataclasses.dataclass
    class Derived(Base):
        size: int = changed(Base, "size", 3, cli=False)

    (mine,) = dataclasses.fields(Derived)
    (theirs,) = dataclasses.fields(Base)
    assert (mine.metadata["cli"], theirs.metadata["cli"]) == (False, True)
    assert mine.metadata["help"] == "A size."
