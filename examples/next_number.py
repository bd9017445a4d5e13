"""The next number: after 27, 28, 29, and after 100, 101, 102, which are outside the training range.

python examples/next_number.py

Trained on 0 to 29 alone, a net that reads the numbers as they are cannot know what follows 102:
its gates have never seen such inputs, and their answers flatten out. What makes it work is to let
it read each window relative to its own last value (`scaling="window"`, the default), for then
100, 101, 102 looks just like 0, 1, 2. `differencing=1` does it too: each change is 1.
"""

from __future__ import annotations

import numpy as np

import tidegate

QUESTIONS = ([27, 28, 29], [100, 101, 102], [-7, -6, -5])
WAYS = {
    "as they are": {"scaling": "standard"},
    "relative to the last value": {"scaling": "window"},
    "differences": {"scaling": "standard", "differencing": 1},
}


def main() -> None:
    """Train in three ways on 0 ... 29, and ask each what comes next."""
    numbers = np.arange(30.0)
    print(f"{'what the net reads':28}", *(f"{asked!s:>18}" for asked in QUESTIONS))
    for name, options in WAYS.items():
        model = tidegate.Forecaster(
            lookback=3 - options.get("differencing", 0),
            horizon=1,
            hidden_size=32,
            segment=1,
            linear=False,  # the net alone: a line through three points would be too easy
            epochs=200,
            learning_rate=1e-2,
            patience=None,
            verbose=False,
            **options,
        ).fit(numbers, validation=None)
        answers = [model.predict(np.array(asked, float)).mean.item() for asked in QUESTIONS]
        print(f"{name:28}", *(f"{answer:18.3f}" for answer in answers))


if __name__ == "__main__":
    main()
