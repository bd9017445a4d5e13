"""Histories made by hand, on both sides of each threshold."""

from __future__ import annotations

import pytest

from tests.explain.patients import HISTORY, case, found, why
from tidegate.explain.doctor import checks_history as checks

ALL = [checks.clipped, checks.overfitting, checks.undertraining]


def history(validation, train=None, **columns):
    """A row an epoch; training loss falls by a tenth an epoch unless it is given."""
    train = train or [0.9**epoch for epoch in range(len(validation))]
    rows = [
        {"epoch": epoch, "train_loss": one, "validation_loss": other}
        for epoch, (one, other) in enumerate(zip(train, validation, strict=True), 1)
    ]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def sick(check, rows, best, **settings):
    return check(case(batches=(), history=rows, best_epoch=best, settings=settings))


@pytest.mark.parametrize("check", [checks.overfitting, checks.undertraining])
def test_nothing_is_found_in_a_sound_history(check):
    assert check(case()) is None


@pytest.mark.parametrize("check", ALL)
def test_a_history_that_is_missing_is_said(check):
    assert why(sick(check, [], 0)).startswith("needs a history with")
    unvalidated = [{"epoch": 1, "train_loss": 0.5}]
    assert why(sick(check, unvalidated, 1)).startswith("needs a history with")


# ------------------------------------------------------------------ clipping


def clipped(shares, norms):
    rows = history([0.5] * len(shares), train_clipped=shares, train_gradient_norm=norms)
    return sick(checks.clipped, rows, 1, gradient_clip=1.0, learning_rate=0.003)


@pytest.mark.parametrize("shares", [[0.9, 0.1, 0.5], [0.5], [0.0, 0.0]])
def test_half_of_the_steps_clipped_is_usual(shares):
    assert clipped(shares, [3.0] * len(shares)) is None


def test_most_of_the_steps_clipped_is_not():
    seen = found(clipped([0.9, 0.6, 0.9], [9.0, 4.0, 5.0]))
    assert seen.severity == "warning"
    assert seen.evidence == "80 % of the steps were cut to 1; the usual norm was 5"
    assert "--gradient-clip 10" in seen.remedy
    assert "--learning-rate 0.001" in seen.remedy


def test_gradients_that_hardly_touch_the_bound_are_a_note():
    assert found(clipped([0.7], [1.4])).severity == "note"


def test_only_epochs_that_tell_of_clipping_count():
    """A model of an older version, or one gone on with."""
    rows = [*HISTORY, {"epoch": 4, "train_clipped": 0.8, "train_gradient_norm": 2.0}]
    assert found(sick(checks.clipped, rows, 1)).evidence.startswith("80 % of the steps were cut;")


# ------------------------------------------------------------------ over-fitting


@pytest.mark.parametrize(
    "losses",
    [
        [0.6, 0.4, 0.42, 0.435],  # 9 % above the lowest
        [0.6, 0.5, 0.4, 0.6],  # one bad epoch
        [0.6, 0.4, 0.8, 0.41],  # it came back
    ],
)
def test_a_validation_loss_that_wavers_is_no_over_fitting(losses):
    assert sick(checks.overfitting, history(losses), 2) is None


def test_a_rise_of_both_losses_is_no_over_fitting():
    rows = history([0.6, 0.4, 0.5, 0.6], [0.6, 0.4, 0.5, 0.6])
    assert sick(checks.overfitting, rows, 2) is None


def test_a_rising_validation_loss_is_a_note_where_the_lowest_epoch_was_kept():
    rows = history([0.6, 0.4, 0.43, 0.5])
    seen = found(sick(checks.overfitting, rows, 2, dropout=0.1, epochs=4, patience=None))
    assert seen.severity == "note"
    assert "rose from 0.400 in epoch 2 to 0.500 in epoch 4" in seen.evidence
    assert "training loss fell from 0.900 to 0.729" in seen.evidence
    assert seen.cost == "The epochs after 2 were in vain; epoch 2 was kept"
    assert "--dropout higher (now 0.1)" in seen.remedy
    assert "--word-dropout" not in seen.remedy
    assert "--patience 3" in seen.remedy


def test_it_is_a_warning_where_a_worse_epoch_was_kept():
    seen = found(sick(checks.overfitting, history([0.6, 0.4, 0.43, 0.5]), 4))
    assert seen.severity == "warning"
    assert "Epoch 4 was kept for its score" in seen.cost
    assert "--epochs 2" in seen.remedy


@pytest.mark.parametrize(("train", "finds"), [(0.94, False), (0.96, True)])
def test_accuracies_a_tenth_apart_are_over_fitting(train, finds):
    scores = {"train_accuracy": [0.7, train], "validation_accuracy": [0.7, 0.85]}
    outcome = sick(checks.overfitting, history([0.6, 0.5], **scores), 2)
    assert (outcome is not None) == finds
    if finds:
        seen = found(outcome)
        assert seen.severity == "warning"
        assert "0.960 in training and 0.850 in validation" in seen.evidence


def test_losses_of_zero_divide_nothing():
    rows = history([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert sick(checks.overfitting, rows, 3) is None
    assert sick(checks.undertraining, rows, 3) is None


# ------------------------------------------------------------------ under-training


def test_a_best_epoch_that_is_last_and_hardly_better_is_the_floor():
    assert sick(checks.undertraining, history([0.5, 0.4, 0.385]), 3, epochs=3) is None


def test_a_best_epoch_before_the_last_is_no_under_training():
    assert sick(checks.undertraining, history([0.5, 0.4, 0.3]), 2, epochs=3) is None


def test_a_loss_that_still_falls_in_the_last_epoch_is_a_note():
    seen = found(sick(checks.undertraining, history([0.5, 0.4, 0.3]), 3, epochs=3))
    assert seen.severity == "note"
    assert seen.evidence == (
        "Epoch 3, the last, is the best; validation loss still fell, from 0.400 to 0.300"
    )
    assert "--epochs 6" in seen.remedy


def test_a_training_that_was_stopped_is_a_warning():
    seen = found(sick(checks.undertraining, history([0.5, 0.4]), 2, epochs=10))
    assert seen.severity == "warning"
    assert "10 epochs were planned" in seen.evidence
    assert "--epochs 10" in seen.remedy


def test_one_epoch_shows_nothing_of_where_it_leads():
    assert found(sick(checks.undertraining, history([0.5]), 1, epochs=1)).severity == "warning"


def test_a_loss_below_zero_is_judged_by_its_size():
    """That of a density, whose logarithm may be of either sign."""

    def history(*losses):
        return [
            {"epoch": number, "train_loss": -number, "validation_loss": loss}
            for number, loss in enumerate(losses, 1)
        ]

    level = case(history=history(-0.5, -0.6, -0.59, -0.58), best_epoch=2)
    assert checks.overfitting(level) is None
    rising = found(checks.overfitting(case(history=history(-0.5, -0.6, -0.5, -0.3), best_epoch=2)))
    assert "rose from -0.600 in epoch 2 to -0.300" in rising.evidence
    assert checks.undertraining(case(history=history(-0.5, -0.51), best_epoch=2)) is None
    assert checks.undertraining(case(history=history(-0.5, -0.6), best_epoch=2)) is not None


def test_small_losses_are_told_apart():
    rows = [(1, 0.0031), (2, 0.0026), (3, 0.0029), (4, 0.0033)]
    history = [{"epoch": n, "train_loss": 0.01 / n, "validation_loss": loss} for n, loss in rows]
    told = found(checks.overfitting(case(history=history, best_epoch=2)))
    assert "rose from 0.0026 in epoch 2 to 0.0033 in epoch 4" in told.evidence
