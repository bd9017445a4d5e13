"""SequenceEncoder against numbers worked by hand; what was fitted is of training rows alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.data.sequences.encoder import ENCODER_FILE, EncodedSequences, SequenceEncoder
from tidegate.errors import ArtifactError, InputError

NAN = float("nan")


def column(*values):
    return np.array(values, np.float64)[:, None]


def features(encoder, *rows):
    return encoder.encode(list(rows)).values.tolist()


def test_standard_scaling_is_by_mean_and_deviation_of_all_steps():
    encoder = SequenceEncoder().fit([column(1, 2), column(6)])
    mean, deviation = 3.0, np.sqrt((4 + 1 + 9) / 3)
    assert encoder.centres == (mean,)
    assert encoder.scales == pytest.approx((deviation,))
    assert features(encoder, column(10)) == [[pytest.approx(7 / deviation)]]


def test_robust_scaling_does_not_see_an_outlier():
    values = np.arange(101.0)
    values[-1] = 1e9
    encoder = SequenceEncoder("robust").fit([values[:, None]])
    assert encoder.centres == (50.0,)
    assert encoder.scales == pytest.approx((50 / 1.349,))


def test_robust_scaling_of_mostly_one_value_falls_back_to_the_deviation():
    encoder = SequenceEncoder("robust").fit([column(*[0.0] * 9, 10.0)])
    assert encoder.scales == pytest.approx((3.0,))


def test_scaling_by_sequence_leaves_only_the_shape():
    encoder = SequenceEncoder("sequence").fit([column(1, 2, 3)])
    near, far = features(encoder, column(1, 2, 3)), features(encoder, column(1000, 2000, 3000))
    assert np.ravel(near) == pytest.approx(np.ravel(far))
    root = np.sqrt(1.5)
    assert np.ravel(near) == pytest.approx([-root, 0, root])
    assert np.ravel(features(encoder, column(5, 5))).tolist() == [0, 0]


def test_no_scaling_leaves_the_values():
    assert features(SequenceEncoder("none").fit([column(1, 9)]), column(-3)) == [[-3.0]]


def test_channels_are_scaled_one_by_one_and_a_constant_one_is_centred():
    rows = [np.array([[0.0, 7.0], [2.0, 7.0]])]
    assert features(SequenceEncoder().fit(rows), *rows) == [[-1.0, 0.0], [1.0, 0.0]]


def test_values_far_off_are_cut():
    assert features(SequenceEncoder("none").fit([column(1, 2)]), column(1e9, -1e9)) == [
        [100.0],
        [-100.0],
    ]


def test_missing_values_become_the_centre_and_a_mask():
    rows = [np.array([[1.0, NAN], [3.0, 4.0], [NAN, 6.0], [2.0, 8.0]])]
    encoder = SequenceEncoder().fit(rows)
    assert encoder.masked == (0, 1)
    assert encoder.size == 4
    found = encoder.encode(rows).values
    assert found[:, 2:].tolist() == [[0, 1], [0, 0], [1, 0], [0, 0]]
    assert found[0, 1] == found[2, 0] == 0
    assert encoder.centres == (2.0, 6.0)


def test_a_mask_is_only_for_channels_that_missed_something_in_training():
    whole = SequenceEncoder().fit([column(1, 3)])
    assert whole.size == 1
    assert features(whole, column(NAN, 3)) == [[0.0], [1.0]]
    assert whole.unpractised([column(1, 2), column(NAN, 3)]) == 1
    assert SequenceEncoder().fit([column(1, NAN, 3)]).unpractised([column(NAN, 3)]) == 0


def test_interpolation_puts_missing_values_on_a_line():
    encoder = SequenceEncoder("none", "interpolate").fit([column(1, 2)])
    assert np.ravel(features(encoder, column(NAN, 1, NAN, NAN, 4, NAN))).tolist() == [
        1, 1, 2, 3, 4, 4,
    ]  # fmt: skip
    assert encoder.size == 1
    two = SequenceEncoder("none", "interpolate").fit([np.array([[1.0, 2.0]])] * 2 + [np.eye(2)])
    assert features(two, np.array([[1.0, NAN], [2.0, NAN]])) == [[1.0, 0.0], [2.0, 0.0]]


def test_encoding_does_not_touch_what_was_given():
    row = np.array([[1.0], [NAN], [9.0]])
    before = row.copy()
    SequenceEncoder("sequence", "interpolate").fit([row]).encode([row])
    np.testing.assert_array_equal(row, before)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([], "at least one sequence; got none"),
        ([column(2, 2), column(2)], "not constant; got the same value everywhere"),
    ],
)
def test_sequences_nothing_can_be_learned_from_are_refused(rows, what):
    with pytest.raises(InputError, match=what):
        SequenceEncoder().fit(rows)


def test_other_channels_than_in_training_are_refused():
    encoder = SequenceEncoder().fit([column(1, 2)])
    with pytest.raises(InputError, match=r"1 channels, as in training; got 2 in row 2"):
        encoder.encode([column(1), np.zeros((3, 2))])


def test_unknown_options_are_refused():
    with pytest.raises(InputError, match="Did you mean 'standard'"):
        SequenceEncoder("standart")


def test_batches_are_padded_with_zeros_and_keep_their_order():
    encoded = SequenceEncoder("none").fit([column(1, 2)])
    encoded = encoded.encode([column(1, 2, 3), column(4), column(5, 6)])
    batch = encoded.batch([2, 0])
    assert batch.values[..., 0].tolist() == [[5, 6, 0], [1, 2, 3]]
    assert batch.lengths.tolist() == [2, 3]
    assert encoded.fingerprint() != encoded.windows(2, None).fingerprint()


def test_windows_share_the_memory_of_the_sequences():
    steps = np.arange(6, dtype=np.float32)[:, None]
    rows = EncodedSequences(steps, np.array([0, 4]), np.array([4, 2]))
    found = rows.windows(3, [np.array([0, 1, 3]), np.array([1])])
    assert found.values is steps
    assert found.lengths.tolist() == [1, 2, 3, 2]
    shown = [found.batch([k]).values.flatten().tolist() for k in range(4)]
    assert shown == [[0], [0, 1], [1, 2, 3], [4, 5]]
    last = rows.windows(3, None)
    assert [last.batch([k]).values.flatten().tolist() for k in (0, 1)] == [[1, 2, 3], [4, 5]]


def test_it_comes_back_from_json_as_it_was():
    encoder = SequenceEncoder("robust").fit([column(1, NAN, 5, 9)])
    assert SequenceEncoder.from_files(json.loads(json.dumps(encoder.to_files()))) == encoder


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"scaling": "magic"}, "scaling"),
        ({"centres": ["1"]}, "centres"),
        ({"centres": [float("inf")]}, "finite"),
        ({"centres": [True]}, "centres"),
        ({"scales": [0.0]}, "scales"),
        ({"scales": [1.0, 1.0]}, "scales"),
        ({"masked": [3]}, "masked"),
        ({"masked": [0, 0]}, "masked"),
        ({"more": 1}, "`more` must be a known option"),
    ],
)
def test_damaged_json_is_refused_by_name(change, what):
    (told,) = SequenceEncoder().fit([column(1, 2)]).to_files().values()
    told = json.loads(json.dumps(told)) | change
    with pytest.raises(ArtifactError, match=what):
        SequenceEncoder.from_files({ENCODER_FILE: told})
    with pytest.raises(ArtifactError, match="content"):
        SequenceEncoder.from_files({ENCODER_FILE: []})
