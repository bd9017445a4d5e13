"""The files of a SeriesEncoder: what they hold, and how it is read, trusting nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import Field, Fields, damaged, read_fields
from tidegate.data.scaling import METHODS, Scaling
from tidegate.data.schema import Each, Labels, Numbers, array
from tidegate.data.series.saved import CLOCK
from tidegate.files import FoundJson

OPTIONS_FILE, SCALES_FILE = "series.json", "scales.json"
_OPTIONS: Fields = {
    "lookback": Field(int, minimum=1),
    "scaling": Field(str, METHODS),
    "lag": Field(int, minimum=0),
    "log": Field(bool),
    "calendar": Field(bool),
    "missing": Field(str, ("mask", "interpolate")),
    "absent": Field(int, minimum=0),
    "clock": CLOCK,
    "targets": Field(str, many=True),
    "past": Field(str, many=True),
    "known": Field(str, many=True),
    "static": Field(str, many=True),
    "named": Field(bool, optional=True),
    "categories": Each(Field(str, many=True, optional=True)),
}
_SCALES: Fields = {
    "names": Labels(optional=True),
    "shift": Numbers(2),
    "scale": Numbers(2, minimum=1e-300),
    "spread": Numbers(2, minimum=0),
    "offset": Numbers(1),
    "floor": Numbers(1, optional=True),
    "others": Numbers(2),
    "statics": Numbers(2),
}


def read_options(files: FoundJson) -> dict[str, Any]:
    """Read what an encoder is.

    Args:
        files: The documents by file name.

    Returns:
        The values by name; `named` is None where an older version wrote them.

    Raises:
        ArtifactError: If something is not there, or is not what it may be.
    """
    found = read_fields(files, OPTIONS_FILE, _OPTIONS, absent={"named": None})
    categories = found["categories"]
    if len(categories) != len(found["static"]):
        rule = "a list for each static column"
        raise damaged(OPTIONS_FILE, "categories", rule, repr(categories))
    for values in categories:
        if values is not None and len(set(values)) != len(values):
            raise damaged(OPTIONS_FILE, "categories", "different from each other", repr(values))
    return found


def read_scales(files: FoundJson) -> dict[str, Any]:
    """Read what an encoder has measured; whether the shapes fit, `numbers` checks.

    Args:
        files: The documents by file name.

    Returns:
        The values by name; `floor` is None where it is the usual one.

    Raises:
        ArtifactError: If something is not there, or is not what it may be.
    """
    return read_fields(files, SCALES_FILE, _SCALES, absent={"floor": None})


def numbers(values: Any, shape: tuple[int, ...], name: str) -> Array:
    """Return some of the scales as an array of this shape.

    Raises:
        ArtifactError: If they have another.
    """
    found: Array = array(values, shape, SCALES_FILE, name).astype(np.float64)
    return found


def read_scaling(pair: Any, columns: int, name: str) -> Scaling:
    """Return centre and scale of so many columns.

    Raises:
        ArtifactError: If they are of another number, or a scale is none.
    """
    centre, scale = numbers(pair, (2, columns), name)
    if not (scale > 0).all():
        raise damaged(SCALES_FILE, name, "scales > 0", scale)
    return Scaling(centre, scale)
