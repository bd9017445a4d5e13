"""Problems that only a memory solves: the answer hangs on steps long past, the length is yours.

Every class is one problem of a chosen length: `sample` draws as many rows of it as one likes,
`baseline` is the loss of the best answer that remembers nothing.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]


class MemoryProblem(ABC):
    """A supply of rows whose answer needs a memory.

    Axis letters: B rows, T steps, D features.

    Attributes:
        title: What the problem is called in the literature.
        inputs: D, or the number of symbols where `symbolic`.
        outputs: Numbers of an answer: 1 for a value, else classes.
        symbolic: Whether inputs are ids of symbols `[B, T]` rather than features `[B, T, D]`.
    """

    title: ClassVar[str]
    inputs: ClassVar[int]
    outputs: ClassVar[int]
    symbolic: ClassVar[bool]

    @property
    @abstractmethod
    def lag(self) -> int:
        """Steps from the first thing to remember to the answer, at most."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """Loss of the best answer without memory: a mean squared error, or a cross entropy."""

    @abstractmethod
    def sample(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows to learn from.

        Args:
            rows: B.
            rng: Where chance comes from.

        Returns:
            Inputs, `[B, T, D]` float32 or `[B, T]` int64; and targets, `[B]` float32 for a value,
            `[B]` int64 for a class, `[B, T]` int64 for a class at every step.
        """

    def held_out(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows to measure on, as `sample` does; made rows are never the same twice."""
        return self.sample(rows, rng)


@dataclass(frozen=True)
class AddingProblem(MemoryProblem):
    """Add two numbers out of T: one marked in the first half, one in the second.

    Hochreiter & Schmidhuber 1997, section 5.4, with the marks of Le, Jaitly & Hinton 2015. Feature
    0 is uniform on [0, 1), feature 1 is 1 at the two marks and 0 elsewhere; the answer, asked for
    after the last step, is the sum. Answering 1 always has the mean squared error 1/6.

    Args:
        steps: T, at least 2.

    Raises:
        InputError: If `steps` is no such number.

    Example:
        >>> values, sums = AddingProblem(6).sample(2, np.random.default_rng(0))
        >>> values.shape, bool((sums == (values[..., 0] * values[..., 1]).sum(1)).all())
        ((2, 6, 2), True)
    """

    steps: int
    title: ClassVar[str] = "adding problem"
    inputs: ClassVar[int] = 2
    outputs: ClassVar[int] = 1
    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check("AddingProblem", "steps", self.steps, 2)

    @property
    def lag(self) -> int:
        """T."""
        return self.steps

    @property
    def baseline(self) -> float:
        """1/6, the variance of the sum of two numbers uniform on [0, 1)."""
        return 1 / 6

    def sample(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows: values `[B, T, 2]` float32, sums `[B]` float32."""
        values = np.zeros((rows, self.steps, 2), np.float32)
        values[..., 0] = rng.random((rows, self.steps), np.float32)
        row, half = np.arange(rows), self.steps // 2
        first, second = rng.integers(half, size=rows), rng.integers(half, self.steps, rows)
        values[row, first, 1] = values[row, second, 1] = 1
        return values, values[row, first, 0] + values[row, second, 0]


@dataclass(frozen=True)
class CopyMemory(MemoryProblem):
    """Repeat symbols after a long blank.

    Hochreiter & Schmidhuber 1997 and Arjovsky, Shah & Bengio 2016, section 4.1: `symbols` ids from
    0 to 7, then blanks (8), the last of which is a signal (9), then one blank for each symbol. The
    answer is blank at every step until the signal has been read, and from then on the symbols in
    their order; T is `blanks` + 2 `symbols`. Guessing the symbols has the cross entropy
    `symbols` ln 8 / T.

    Args:
        blanks: Steps between the last symbol and the first answer, at least 1.
        symbols: How many symbols to remember, at least 1.

    Raises:
        InputError: If an argument is no such number.

    Example:
        >>> ids, answers = CopyMemory(3, symbols=2).sample(1, np.random.default_rng(0))
        >>> ids.tolist(), answers.tolist()
        ([[6, 5, 8, 8, 9, 8, 8]], [[8, 8, 8, 8, 8, 6, 5]])
    """

    blanks: int
    symbols: int = 10
    title: ClassVar[str] = "copy memory"
    categories: ClassVar[int] = 8
    inputs: ClassVar[int] = 10
    outputs: ClassVar[int] = 9
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check("CopyMemory", "blanks", self.blanks, 1)
        _check("CopyMemory", "symbols", self.symbols, 1)

    @property
    def lag(self) -> int:
        """`blanks` + `symbols`, the same for each of the symbols."""
        return self.blanks + self.symbols

    @property
    def baseline(self) -> float:
        """`symbols` ln 8 / T: the blanks are certain, the symbols a guess."""
        return self.symbols * math.log(self.categories) / (self.blanks + 2 * self.symbols)

    def sample(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows: ids `[B, T]` int64 below 10, answers `[B, T]` int64 below 9."""
        blank, signal = self.categories, self.categories + 1
        shown = rng.integers(self.categories, size=(rows, self.symbols))
        ids = np.full((rows, self.blanks + 2 * self.symbols), blank)
        answers = ids.copy()
        ids[:, : self.symbols] = answers[:, -self.symbols :] = shown
        ids[:, -self.symbols - 1] = signal
        return ids, answers


@dataclass(frozen=True)
class TemporalOrder(MemoryProblem):
    """Say in which order two signs came, long ago and far apart.

    Hochreiter & Schmidhuber 1997, section 5.6, task 6a, at any length: E, then symbols of a, b, c,
    d at random, then B (ids 6, 0 to 3, and 7). At one step of T/10 to T/5 and one of T/2 to 3T/5
    stands an X or a Y instead (ids 4 and 5); the answer, after the last step, is XX, XY, YX or YY
    (0 to 3). A guess has the cross entropy ln 4.

    Args:
        steps: T, at least 10.

    Raises:
        InputError: If `steps` is no such number.

    Example:
        >>> ids, order = TemporalOrder(10).sample(2, np.random.default_rng(0))
        >>> ids.tolist(), order.tolist()
        ([[6, 4, 2, 1, 1, 5, 0, 0, 0, 7], [6, 5, 2, 2, 3, 4, 2, 2, 2, 7]], [1, 2])
    """

    steps: int
    title: ClassVar[str] = "temporal order"
    inputs: ClassVar[int] = 8
    outputs: ClassVar[int] = 4
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check("TemporalOrder", "steps", self.steps, 10)

    @property
    def lag(self) -> int:
        """T, nearly."""
        return self.steps

    @property
    def baseline(self) -> float:
        """The natural logarithm of 4: four orders, all as likely."""
        return math.log(4)

    def sample(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows: ids `[B, T]` int64 below 8, orders `[B]` int64 below 4."""
        T, row = self.steps, np.arange(rows)
        ids = rng.integers(4, size=(rows, T))
        ids[:, 0], ids[:, -1] = 6, 7
        first = rng.integers(T // 10, T // 5, rows)
        second = rng.integers(T // 2, 3 * T // 5, rows)
        signs = rng.integers(2, size=(rows, 2))
        ids[row, first], ids[row, second] = 4 + signs.T
        return ids, 2 * signs[:, 0] + signs[:, 1]


@dataclass(frozen=True)
class SequentialDigits(MemoryProblem):
    """Name a handwritten digit that is shown pixel by pixel, line after line.

    The idea of Le, Jaitly & Hinton 2015 on the digits of scikit-learn (`load_digits`, 1,797 scans
    of 8 × 8 pixels, Alpaydin & Kaynak 1998): 64 steps of one feature from 0 to 1. Every fifth digit
    is held out, 360 in all. A guess has the cross entropy ln 10.

    Example:
        >>> pixels, digits = SequentialDigits().sample(2, np.random.default_rng(0))
        >>> pixels.shape, digits.shape
        ((2, 64, 1), (2,))
    """

    title: ClassVar[str] = "sequential digits"
    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 10
    symbolic: ClassVar[bool] = False

    @property
    def lag(self) -> int:
        """64."""
        return 64

    @property
    def baseline(self) -> float:
        """The natural logarithm of 10: ten digits, all about as frequent."""
        return math.log(10)

    def sample(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw training rows: pixels `[B, 64, 1]` float32, digits `[B]` int64."""
        pixels, digits = _digits()
        chosen = rng.integers(len(digits) * 4 // 5, size=rows)
        chosen += chosen // 4 + 1  # all but every fifth, which is 0, 5, 10, ...
        return pixels[chosen], digits[chosen]

    def held_out(self, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the held-out rows, at most as many as asked for, in random order."""
        pixels, digits = (part[::5] for part in _digits())
        chosen = rng.permutation(len(digits))[:rows]
        return pixels[chosen], digits[chosen]


@functools.cache
def _digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.data / 16).astype(np.float32)[..., None], found.target.astype(np.int64)


def _check(owner: str, name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(message(owner, name, f"an integer >= {least}", repr(value)))
