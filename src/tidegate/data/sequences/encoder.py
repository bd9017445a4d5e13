"""SequenceEncoder: sequences of numbers, channels of one size, missing values marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.codec import LARGEST, Field, damaged, read_fields
from tidegate.data.fingerprint import fingerprint
from tidegate.data.scaling import Scaling, rounding
from tidegate.errors import InputError, message

Method = Literal["standard", "robust", "sequence", "none"]
Missing = Literal["mask", "interpolate"]

ENCODER_FILE = "sequences.json"
_FIELDS = {
    "scaling": Field(str, get_args(Method)),
    "missing": Field(str, get_args(Missing)),
    "centres": Field(float, minimum=-LARGEST, maximum=LARGEST, many=True),
    "scales": Field(float, minimum=0, maximum=LARGEST, many=True),
    "masked": Field(int, minimum=0, many=True),
}
# Values this many deviations off are cut: one broken value must not drown a whole sequence.
_LIMIT = 100.0


@dataclass(frozen=True, eq=False)
class EncodedSequences:
    """Sequences, or windows of them, as spans of one flat array; windows may overlap.

    Axis letters: N steps of all sequences, D features.

    Attributes:
        values: The steps of all sequences, one after the other, `[N, D]` float32.
        starts: First step of each row, `[rows]` int64.
        lengths: Steps of each row, `[rows]` int64.

    Example:
        >>> steps = np.arange(4, dtype=np.float32)[:, None]
        >>> rows = EncodedSequences(steps, np.array([0, 1]), np.array([3, 3]))
        >>> rows.batch([1]).values.flatten().tolist()
        [1.0, 2.0, 3.0]
    """

    values: Array
    starts: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.starts)

    def fingerprint(self) -> str:
        """Return a text that differs when the rows do."""
        return fingerprint(self.values, self.starts, self.lengths)

    def batch(self, indices: ArrayLike) -> Batch:
        """Pad the rows at `indices` to the longest of them.

        Args:
            indices: Positions `[B]`, integers.

        Returns:
            A batch whose values are `[B, T, D]` float32.
        """
        rows = np.asarray(indices, np.int64)
        lengths = self.lengths[rows]
        within = np.arange(max(1, int(lengths.max(initial=0))))
        steps = np.minimum(self.starts[rows, None] + within, len(self.values) - 1)
        values = self.values[steps]
        values[within >= lengths[:, None]] = 0.0
        return Batch(torch.from_numpy(values), torch.from_numpy(lengths))

    def windows(self, length: int, ends: Sequence[Array] | None) -> EncodedSequences:
        """Cut the rows into windows, without a copy.

        Args:
            length: Steps of a window; one that ends earlier in its row is shorter.
            ends: For each row the steps at which windows end, from 0; None for its last step.

        Returns:
            The windows, those of row 0 first.
        """
        last = [np.array([steps - 1]) for steps in self.lengths] if ends is None else list(ends)
        counts = [len(row) for row in last]
        end = np.concatenate([*last, np.zeros(0, np.int64)]).astype(np.int64)
        lengths = np.minimum(end + 1, length)
        return EncodedSequences(
            self.values, np.repeat(self.starts, counts) + end + 1 - lengths, lengths
        )


@dataclass(frozen=True)
class SequenceEncoder:
    """Scales channels by what the training sequences are like, and deals with missing values.

    Axis letters: T steps, C channels, D features.

    Each channel becomes (x - centre) / scale. "standard" measures by mean and standard deviation,
    "robust" by median and quartiles (in units of a normal distribution's deviation), both over
    all steps of the training sequences; "sequence" measures every sequence by its own mean and
    deviation, so that only its shape is left; "none" leaves the values as they are. Scaled values
    are cut at 100 on either side.

    Missing values become 0, the centre, and with "mask" each channel that had any in training
    brings one more feature, 1 where its value is missing; with "interpolate" they lie on the line
    between their neighbours in time.

    Args:
        scaling: How channels are scaled.
        missing: What becomes of missing values.
        centres: Centre of each channel, learned by `fit`.
        scales: Scale of each channel, learned by `fit`.
        masked: The channels that had missing values in training, learned by `fit`.

    Raises:
        InputError: If an option is unknown.

    Example:
        >>> encoder = SequenceEncoder().fit([np.array([[1.0], [3.0]])])
        >>> encoder.encode([np.array([[5.0]])]).values.tolist()
        [[3.0]]
    """

    files: ClassVar[tuple[str, ...]] = (ENCODER_FILE,)

    scaling: Method = "standard"
    missing: Missing = "mask"
    centres: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()
    masked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("scaling", "missing"):
            _FIELDS[name].check(getattr(self, name), "SequenceEncoder", name)

    @property
    def channels(self) -> int:
        """C."""
        return len(self.centres)

    @property
    def size(self) -> int:
        """D: the channels, and the masks."""
        return self.channels + len(self.masked)

    def fit(self, sequences: Sequence[Array]) -> SequenceEncoder:
        """Learn the size of each channel.

        Args:
            sequences: Training sequences as `read_sequences` gives them, `[T, C]` each.

        Returns:
            A fitted encoder with the same options.

        Raises:
            InputError: If there is no sequence, or none has two different values in a channel.
        """
        if not len(sequences):
            raise InputError(message("SequenceEncoder", "X", "at least one sequence", "none"))
        channels = sequences[0].shape[1]
        found = [self._measure([row[:, c] for row in sequences]) for c in range(channels)]
        if not any(varies for _, _, varies, _ in found):
            remedy = "Check that these are the right columns"
            got = "the same value everywhere"
            raise InputError(message("SequenceEncoder", "X", "not constant", got, remedy))
        return SequenceEncoder(
            self.scaling,
            self.missing,
            tuple(centre for centre, _, _, _ in found),
            tuple(scale for _, scale, _, _ in found),
            tuple(c for c, (*_, gaps) in enumerate(found) if gaps and self.missing == "mask"),
        )

    def _measure(self, parts: list[Array]) -> tuple[float, float, bool, bool]:
        """Return centre and scale of a channel, whether it varies, and whether values miss."""
        whole = np.concatenate(parts).astype(np.float64)
        values = whole[~np.isnan(whole)]
        gaps = len(values) < len(whole)
        if not len(values):
            return 0.0, 1.0, False, gaps
        grain = np.max([rounding(part[:, None]) for part in parts], axis=0)
        varies = bool(np.ptp(values) > grain[0])
        method = "none" if self.scaling == "sequence" else self.scaling
        found = Scaling.fit(values[:, None], method, grain=grain)
        return float(found.centre[0]), float(found.scale[0]) if varies else 1.0, varies, gaps

    def encode(self, sequences: Sequence[Array]) -> EncodedSequences:
        """Scale sequences.

        Args:
            sequences: As `read_sequences` gives them, `[T, C]` each.

        Returns:
            One row a sequence.

        Raises:
            InputError: If their channels are not as many as in training.
        """
        self._check_channels(sequences)
        lengths = np.array([len(row) for row in sequences], np.int64)
        starts = np.cumsum(lengths) - lengths
        values = np.zeros((int(lengths.sum()), self.size), np.float32)
        for start, row in zip(starts, sequences, strict=True):
            self._write(row, values[start : start + len(row)])
        return EncodedSequences(values, starts, lengths)

    def _check_channels(self, sequences: Sequence[Array]) -> None:
        for number, row in enumerate(sequences, 1):
            if row.shape[1] != self.channels:
                rule = f"sequences of {self.channels} channels, as in training"
                got = f"{row.shape[1]} in row {number}"
                remedy = "An array is [rows, steps, channels], a sequence [steps, channels]"
                raise InputError(message("SequenceEncoder", "X", rule, got, remedy))

    def _write(self, row: Array, features: Array) -> None:
        """Put the features of one sequence, `[T, D]`, where they belong."""
        values = (row - np.array(self.centres)) / np.array(self.scales)
        gone = np.isnan(values)
        if self.scaling == "sequence":
            values = Scaling.fit(values, "standard", grain=rounding(row)).usable().forward(values)
        if gone.any():
            features[:, self.channels :] = gone[:, list(self.masked)]
            values = _filled(values, gone) if self.missing == "interpolate" else values
            values[np.isnan(values)] = 0.0
        features[:, : self.channels] = values.clip(-_LIMIT, _LIMIT)

    def unpractised(self, sequences: Sequence[Array]) -> int:
        """Count the sequences that miss values in a channel that had all of them in training."""
        self._check_channels(sequences)
        if self.missing != "mask":
            return 0
        whole = [channel for channel in range(self.channels) if channel not in self.masked]
        return sum(bool(np.isnan(row[:, whole]).any()) for row in sequences)

    def to_files(self) -> dict[str, object]:
        """Return what `from_files` needs, as JSON-able values by file name."""
        learned = {name: list(getattr(self, name)) for name in ("centres", "scales", "masked")}
        return {ENCODER_FILE: {"scaling": self.scaling, "missing": self.missing, **learned}}

    @classmethod
    def from_files(cls, files: Mapping[str, object]) -> SequenceEncoder:
        """Take back what `to_files` gave, trusting nothing in it.

        Args:
            files: Parsed JSON by file name.

        Raises:
            ArtifactError: If it is damaged.
        """
        found = read_fields(files, ENCODER_FILE, _FIELDS)
        centres, scales = (tuple(map(float, found[name])) for name in ("centres", "scales"))
        channels = len(centres)
        if channels != len(scales) or not channels or not all(scales):
            rule, got = "a number for each channel, not 0", repr(found["scales"])
            raise damaged(ENCODER_FILE, "scales", rule, got)
        if found["masked"] != sorted(set(found["masked"]) & set(range(channels))):
            rule = "numbers of channels, ascending"
            raise damaged(ENCODER_FILE, "masked", rule, repr(found["masked"]))
        return cls(found["scaling"], found["missing"], centres, scales, tuple(found["masked"]))


def _filled(values: Array, gone: Array) -> Array:
    """Put missing values on the line between their neighbours, or level with the only one."""
    steps = np.arange(len(values))
    filled: Array = values.copy()
    for channel in np.nonzero(gone.any(0) & ~gone.all(0))[0]:
        there = ~gone[:, channel]
        filled[:, channel] = np.interp(steps, steps[there], values[there, channel])
    return filled
