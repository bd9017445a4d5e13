"""Texts: a vocabulary of other texts, vectors that never learned, evidence that is cut off."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from tests.explain.patients import case, found, why
from tidegate.batch import Batch
from tidegate.explain.doctor import checks_text as checks
from tidegate.explain.doctor.case import TextSample

ALL = [checks.vocabulary, checks.unpractised, checks.truncation]
SETTINGS = {"min_frequency": 1, "max_vocabulary": 1000, "word_dropout": 0.1, "level": "word"}


@pytest.mark.parametrize("check", ALL)
def test_a_task_that_reads_no_words_has_no_such_checks(check):
    assert why(check(case(vocabulary=0))) == "reads no words"


@pytest.mark.parametrize("check", [checks.vocabulary, checks.truncation])
def test_they_need_data(check):
    assert why(check(case())) == "needs data"


# ------------------------------------------------------------------ vocabulary


def with_unknown(count, **settings):
    """A thousand tokens, so many of them unknown."""
    unknown = Counter({"tide": count - 5, "gate": 3, "sluice": 2}) if count else Counter()
    read = TextSample(lengths=torch.full((100,), 10), max_length=10, unknown=unknown)
    return checks.vocabulary(case(reading=read, settings=settings))


@pytest.mark.parametrize("count", [0, 99])
def test_a_few_unknown_words_are_usual(count):
    assert with_unknown(count) is None


@pytest.mark.parametrize(("count", "severity"), [(100, "warning"), (300, "serious")])
def test_a_tenth_of_the_tokens_unknown_is_not(count, severity):
    seen = found(with_unknown(count))
    assert seen.severity == severity
    assert f"{count // 10} % of 1,000 tokens" in seen.evidence
    assert "3 different ones" in seen.evidence
    assert f"'tide' ({count - 5}), 'gate' (3), 'sluice' (2)" in seen.evidence


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"max_vocabulary": 58, "min_frequency": 1}, "--max-vocabulary 116"),
        ({"max_vocabulary": 900, "min_frequency": 3}, "--min-frequency 1 (now 3)"),
        ({"max_vocabulary": 900, "min_frequency": 1, "level": "word"}, "--level bpe"),
        ({"level": "word"}, "--level bpe"),
        ({}, "Train on texts like these"),
    ],
)
def test_the_remedy_is_what_left_the_words_out(settings, remedy):
    assert remedy in found(with_unknown(200, **settings)).remedy


# ------------------------------------------------------------------ <unk>


def test_a_vector_that_no_step_has_used_is_found():
    seen = found(checks.unpractised(case(settings=SETTINGS | {"word_dropout": 0.0})))
    assert "--word-dropout 0.1" in seen.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"word_dropout": 0.1},
        {"word_dropout": 0.0, "min_frequency": 2},
        {"word_dropout": 0.0, "max_vocabulary": 58},
        {"word_dropout": 0.0, "level": "char"},
    ],
)
def test_a_vector_that_was_used_is_not(changed):
    assert checks.unpractised(case(settings=SETTINGS | changed)) is None


def test_a_model_that_has_no_levels_reads_words():
    settings = {name: value for name, value in SETTINGS.items() if name != "level"}
    settings["word_dropout"] = 0.0
    assert found(checks.unpractised(case(settings=settings)))
    assert checks.unpractised(case(settings=settings | {"rare_word_dropout": 0.5})) is None


def test_where_no_length_is_set_nothing_is_cut():
    told = "reads to the end, however long"
    assert why(checks.truncation(case(settings=SETTINGS))) == told


def test_without_settings_nobody_knows():
    assert why(checks.unpractised(case())) == "needs the settings of the training"


# ------------------------------------------------------------------ truncation


class LastWord(nn.Module):
    """Answers with the class that the last word names: 2 is "no", 3 is "yes"."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, batch):
        last = batch.values[torch.arange(len(batch)), batch.lengths - 1]
        return nn.functional.one_hot(last - 2, 2) * self.weight


def cut_short(cut, kept=40, *, told=True, deceives=True, whole=True, labels=True):
    """Texts of 6 and of 10 tokens, of which 6 are read; the last word of each tells its class.

    The sixth word of a long text says "no" if it deceives, else what the last one says.
    """
    truth = torch.arange(cut + kept) % 2
    ends = truth + 2
    long = ends[:cut, None].repeat(1, 10)
    if deceives:
        long[:, :9] = 2
    if not told:
        long[:, 9] = 2
    values = torch.cat([long[:, :6], ends[cut:, None].repeat(1, 6)])
    read = TextSample(
        lengths=torch.tensor([10] * cut + [6] * kept),
        max_length=6,
        unknown=Counter(),
        longer=range(cut) if whole else (),
        whole=[Batch(long, torch.full((cut,), 10))] if whole else (),
    )
    rows = Batch(values, torch.full((cut + kept,), 6), truth if labels else None)
    return checks.truncation(
        case(LastWord(), batches=[rows], reading=read, settings={"keep": "head"})
    )


def test_evidence_that_is_cut_off_is_found_by_reading_to_the_end():
    seen = found(cut_short(40))
    assert seen.severity == "warning"
    assert "40 of 80 texts (50 %) have more than max_length=6 tokens" in seen.evidence
    assert "25 % of all tokens are not read" in seen.evidence  # 40 * 4 of 40 * 10 + 40 * 6
    assert "they score 0.500, the others 1.000" in seen.evidence
    assert "50 % of 40 get another answer and accuracy goes from 0.500 to 1.000" in seen.evidence
    assert "--max-length 10" in seen.remedy
    assert "--keep both (now head)" in seen.remedy


def test_it_is_found_by_the_scores_of_cut_texts_alone():
    seen = found(cut_short(40, whole=False))
    assert seen.severity == "warning"
    assert "read to their end" not in seen.evidence


def test_without_labels_changed_answers_tell():
    seen = found(cut_short(40, labels=False))
    assert seen.severity == "warning"
    assert "50 % of 40 get another answer" in seen.evidence
    assert "score" not in seen.evidence


@pytest.mark.parametrize("labels", [True, False])
def test_texts_that_say_it_at_once_may_be_cut(labels):
    assert cut_short(30, deceives=False, labels=labels) is None


def test_most_texts_cut_is_a_note_even_where_it_does_no_harm():
    seen = found(cut_short(60, deceives=False))
    assert seen.severity == "note"
    assert "60 of 100 texts (60 %)" in seen.evidence


def test_a_few_cut_texts_show_nothing():
    assert cut_short(19, 200) is None
    assert cut_short(1, 200) is None


def test_reading_on_that_changes_nothing_is_no_evidence():
    """The long texts score worse, by chance perhaps: not by two standard errors."""
    assert cut_short(20, 20, deceives=False, told=True) is not None  # half of them: a note
    assert cut_short(20, 40, deceives=False, told=True) is None
