"""Missing values of windows: filled as pandas would, from the window alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tidegate.data.windows.missing import fill


def test_missing_values_are_filled_from_the_window_alone():
    window = np.array([[np.nan, 1.0, np.nan, np.nan, 4.0, np.nan]])[..., None]
    found, missing = fill(window, "mask")
    assert found.ravel().tolist() == [1, 1, 1, 1, 4, 4]
    assert missing.ravel().tolist() == [1, 0, 1, 1, 0, 1]
    assert fill(window, "interpolate")[0].ravel().tolist() == [1, 1, 2, 3, 4, 4]
    assert fill(np.full((1, 3, 1), np.nan), "mask")[0].ravel().tolist() == [0, 0, 0]


def test_filling_agrees_with_pandas():
    random = np.random.default_rng(0)
    window = random.normal(size=(20, 30, 2))
    window[random.random(window.shape) < 0.4] = np.nan
    for method, expected in (
        ("mask", lambda s: s.ffill().bfill()),
        ("interpolate", lambda s: s.interpolate(limit_direction="both")),
    ):
        found, _ = fill(window, method)
        for row in range(20):
            wanted = expected(pd.DataFrame(window[row])).to_numpy()
            np.testing.assert_allclose(found[row], wanted)
