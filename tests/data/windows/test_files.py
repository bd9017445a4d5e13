"""The files of a SeriesEncoder: every value is checked, and its file and name are told."""

from __future__ import annotations

import copy

import pytest

from tests.data.windows.test_encoder import FILES
from tidegate.data.windows.files import numbers, read_options, read_scales, read_scaling
from tidegate.errors import ArtifactError


def test_what_older_models_hold_is_read():
    assert read_options(FILES) == FILES["series.json"] | {"named": None}
    assert read_scales(FILES) == FILES["scales.json"] | {"floor": None}
    assert numbers([[1, 2]], (1, 2), "scale").tolist() == [[1.0, 2.0]]
    assert read_scaling([[0, 1], [2, 4]], 2, "others").scale.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("lookback", "12"), ("lookback", 0), ("lag", -1), ("scaling", "none at all"), ("log", 1),
     ("missing", ["mask"]), ("absent", 1.5), ("clock", None), ("targets", "sales"),
     ("static", []), ("categories", [["a", "a"]]), ("categories", [3]), ("named", 1)],
)  # fmt: skip
def test_damaged_options_are_named(name, wrong):
    files = copy.deepcopy(FILES)
    files["series.json"][name] = wrong
    with pytest.raises(ArtifactError, match=r"^series\.json: `(categories|" + name + ")` must be"):
        read_options(files)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("names", "ab"), ("names", [None]), ("shift", [[1e200]]), ("shift", [["1"]]),
     ("scale", [[0.0]]), ("scale", [[-1.0]]), ("spread", [[-1.0]]), ("offset", 0.0),
     ("others", [[1.0], [1.0, 2.0]]), ("statics", None)],
)  # fmt: skip
def test_damaged_scales_are_named(name, wrong):
    files = copy.deepcopy(FILES)
    files["scales.json"][name] = wrong
    with pytest.raises(ArtifactError, match=rf"^scales\.json: `{name}` must be"):
        read_scales(files)


def test_scales_of_another_shape_or_none_are_named():
    with pytest.raises(ArtifactError, match=r"^scales\.json: `shift` must be numbers of shape"):
        numbers([[1.0]], (2, 1), "shift")
    with pytest.raises(ArtifactError, match=r"^scales\.json: `others` must be scales > 0"):
        read_scaling([[1.0], [0.0]], 1, "others")
