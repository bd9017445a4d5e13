"""Examples: rows as they were given, with all they have."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tidegate.tasks.core.examples import (
    DataWarning,
    Examples,
    names_are_texts,
    tell_lone_letters,
    warn_of_names,
)


def test_examples_are_taken_with_all_they_have():
    examples = Examples(["a", "b", "c"], np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0]))
    taken = examples.take(np.array([2, 0]))
    assert taken.inputs == ["c", "a"]
    assert taken.targets is not None
    assert taken.weights is not None
    assert taken.targets.tolist() == [2, 0]
    assert taken.weights.tolist() == [3.0, 1.0]
    assert len(Examples(["a"]).take(np.array([0]))) == 1


def test_weights_say_ratios():
    examples = Examples(["a", "b"], None, np.array([1.0, 3.0]))
    assert examples.normalised().weights.tolist() == [0.5, 1.5]
    plain = Examples(["a"])
    assert plain.normalised() is plain


@pytest.mark.parametrize(
    ("counts", "said"), [((3, 1200), "3 of 1,200 texts are empty."), ((), "texts are empty.")]
)
def test_a_warning_counts_rows_where_it_is_about_rows(counts, said):
    assert str(DataWarning("texts are empty.", *counts)) == said


def test_nothing_but_names_of_files_is_told():
    told = "2 of 2 texts look like names of files and are read as texts: read the files first."
    with pytest.warns(DataWarning, match=told):
        warn_of_names(["a.csv", "./b"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for texts in ([], ["a.csv", "a fine film"], ["and/or"], [3], ["a.csv\n"]):
            warn_of_names(texts)
        with names_are_texts():
            warn_of_names(["a.csv"])


def test_letters_that_are_words_are_told():
    with pytest.warns(DataWarning, match=r"\(很, 快, \.\.\.\) is .* own: 2 of the 3 words learned"):
        tell_lone_letters(["GPU", "很", "快"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_lone_letters(["GPU", "fast"])
