"""LazyField: made once, when first read, and then let go."""

from __future__ import annotations

import functools
import weakref
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from tidegate.nn.trace.lazy import LazyField


@dataclass(frozen=True)
class Box:
    content: object


setattr(Box, "content", LazyField("content"))  # noqa: B010


class Heavy:
    """Something that can be watched."""


def test_a_function_is_called_once_and_not_before_it_is_read():
    calls = []
    box = Box(lambda: calls.append(1) or "made")
    assert not calls
    assert (box.content, box.content) == ("made", "made")
    assert len(calls) == 1


def test_what_it_was_made_from_can_go():
    heavy = Heavy()
    box, watched = Box(functools.partial(id, heavy)), weakref.ref(heavy)
    del heavy
    assert watched() is not None
    assert box.content
    assert watched() is None


def test_the_class_is_a_frozen_dataclass_still():
    box = Box(3)
    assert box == Box(lambda: 3)
    assert replace(box, content=4).content == 4
    with pytest.raises(FrozenInstanceError):
        box.content = 5
    with pytest.raises(AttributeError):
        _ = Box.content
