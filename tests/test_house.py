"""The picture of the house: every room and every import, and nothing drawn over anything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from docs import generate_house as house
from tests.test_architecture import reachable


@pytest.fixture(scope="module")
def floors():
    return house.floors()


def test_every_module_is_in_one_room(floors):
    rooms = [room for rooms in floors for room in rooms]
    assert sum(room.files for room in rooms) == len(house.SOURCES)
    assert len({room.name for room in rooms}) == len(rooms)
    assert set(house.imports()) == {room.name for room in rooms}
    inner = {room.name: room.inner for room in rooms}
    assert {"text", "series", "tags"} <= set(inner["data"])


def test_arrows_go_down(floors):
    heights = {room.name: room.y for rooms in floors for room in rooms}
    for name, others in house.imports().items():
        assert all(heights[other] < heights[name] for other in others), name


def test_the_arrows_that_are_drawn_say_as_much_as_all_of_them():
    whole = house.imports()
    drawn = house.nearest(whole)
    assert all(reachable(name, drawn) == reachable(name, whole) for name in whole)
    for name, others in drawn.items():
        for other in others:
            less = {**drawn, name: others - {other}}
            assert reachable(name, less) != reachable(name, whole)


def test_rooms_have_their_place_and_no_arrow_runs_through_one(floors):
    boxes = [
        (room.x - room.width / 2, room.x + room.width / 2, room.y)
        for rooms in floors
        for room in rooms
    ]
    assert all(low >= 0 and high <= house.WIDTH for low, high, _ in boxes)
    for (_, high, floor), (low, _, other) in itertools.pairwise(boxes):
        assert floor != other or high < low
    half = house.PLATE / 2 - 1e-6
    for path in house.routes(floors, house.nearest(house.imports())):
        along = sampled(path)
        for low, high, y in boxes:
            inside = (low < along[:, 0]) & (along[:, 0] < high) & (abs(along[:, 1] - y) < half)
            assert not inside.any()


def sampled(path):
    """Points along a path of curves and lines."""
    points = [
        np.stack([piece(t) for t in np.linspace(0, 1, 40)]) for piece, _ in path.iter_bezier()
    ]
    return np.concatenate(points)


def test_the_statistics_are_those_of_the_sources():
    text = "\n".join(house.sizes())
    assert f"files      {len(house.SOURCES)}, median" in text
    assert "functions  " in text
