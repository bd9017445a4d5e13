"""What never changes within a series: numbers stay, texts become categories."""

from __future__ import annotations

from tidegate.data.windows.static import encode_static


def test_static_texts_become_categories():
    found = encode_static([("x", "z", "y"), (1, 2, 3)], [["x", "y"], None])
    assert found.tolist() == [[1, 0, 1], [0, 0, 2], [0, 1, 3]]
