"""What never changes within a series: numbers stay, texts become categories."""

from __future__ import annotations

import numpy as np

from tidegate.data.windows.static import encode_static


def test_static_texts_become_categories():
    found = encode_static([("x", "z", "y"), (1, 2, 3)], [["x", "y"], None])
    assert found.tolist() == [[1, 0, 1], [0, 0, 2], [0, 1, 3]]


def test_what_is_missing_is_no_category_and_no_number():
    found = encode_static([[1, None], ["None", None]], [None, ["None", "b"]])
    np.testing.assert_array_equal(found, [[1, 1, 0], [np.nan, 0, 0]])
