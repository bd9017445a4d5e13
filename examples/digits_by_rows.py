"""Handwritten digits, read row by row: how much of a digit must be seen before it is known?

python examples/digits_by_rows.py

The 1,797 digits that come with scikit-learn, each a sequence of 8 steps with 8 channels: a row of
pixels a step. One model is trained on whole digits and on beginnings of them, for sequences need
not be of one length; then it reads the test digits from the top. A straight line on all pixels
(logistic regression) stands beside it.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import tidegate


def main() -> None:
    """Train, and score beginnings of digits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15, help="passes over the digits; default 15")
    options = parser.parse_args()

    digits, labels = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        digits.reshape(-1, 8, 8), labels, test_size=0.3, stratify=labels, random_state=0
    )

    # Every digit whole, and once more cut off after some row.
    rows = np.random.default_rng(0).integers(1, 8, len(X))
    beginnings = [digit[:end] for digit, end in zip(X, rows, strict=True)]
    model = tidegate.SequenceClassifier(epochs=options.epochs, random_state=0)
    model.fit([*X, *beginnings], [*y, *y], validation=None)

    print("\nrows read   accuracy   mean probability of the answer")
    for read in range(1, 9):
        probabilities = model.predict_proba(X_test[:, :read])
        right = model.classes_[probabilities.argmax(1)] == y_test
        print(f"{read:9}   {right.mean():8.3f}   {probabilities.max(1).mean():8.3f}")

    line = LogisticRegression(max_iter=1000).fit(X.reshape(-1, 64) / 16, y)
    accuracy = line.score(X_test.reshape(-1, 64) / 16, y_test)
    print(f"all pixels at once, logistic regression: {accuracy:.3f}")


if __name__ == "__main__":
    main()
