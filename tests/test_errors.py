"""The one sentence that every error speaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate import errors
from tidegate.errors import message, quoted, suggest


def test_the_sentence_names_owner_argument_rule_and_value():
    assert message("LSTM", "hidden_size", "an integer >= 1", 0) == (
        "LSTM: `hidden_size` must be an integer >= 1; got 0."
    )


def test_the_remedy_is_a_sentence_of_its_own():
    assert message("a.csv", "label", "a column", "'lable'", "Did you mean 'label'") == (
        "a.csv: `label` must be a column; got 'lable'. Did you mean 'label'?"
    )


@pytest.mark.parametrize(("length", "shown"), [(120, 120), (121, 120), (10_000, 120)])
def test_long_values_are_cut(length, shown):
    text = message("LSTM", "input", "short", "x" * length)
    value = text.removeprefix("LSTM: `input` must be short; got ").removesuffix(".")
    assert len(value) == shown
    assert value.endswith("..." if length > 120 else "x")


def test_values_are_shown_as_they_print_and_texts_in_quotes():
    values = [np.float64(1.5), np.int64(5), pd.Timestamp("2024-03-01 06:00"), np.str_("5"), "a'b"]
    assert [quoted(value) for value in values] == [
        "1.5", "5", "2024-03-01 06:00:00", "'5'", '"a\'b"',
    ]  # fmt: skip


def test_a_near_name_is_suggested_and_else_all_are_listed():
    known = ["peephole", "coupled", "layer_norm"]
    assert suggest("peephol", known) == "Did you mean 'peephole'"
    assert suggest("zzz", known) == "Known: coupled, layer_norm, peephole"
    assert suggest("zzz", iter(known)) == "Known: coupled, layer_norm, peephole"
    assert suggest("zzz", known, listed=True) == ""
    assert suggest("peephol", known, listed=True) == "Did you mean 'peephole'"


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        ("InputError", (ValueError,)),
        ("ArtifactError", (errors.InputError, ValueError)),
        ("BackendError", (RuntimeError,)),
        ("TrainingError", (RuntimeError,)),
    ],
)
def test_errors_are_tidegate_s_and_of_the_kind_that_python_expects(error, bases):
    kind = getattr(errors, error)
    assert issubclass(kind, (errors.TidegateError, *bases))
    assert all(issubclass(kind, base) for base in bases)
    assert kind.__doc__
    with pytest.raises(errors.TidegateError, match="told so"):
        raise kind("told so")


def test_no_wrong_input_is_a_failed_program():
    assert not issubclass(errors.BackendError, errors.InputError)
    assert not issubclass(errors.TrainingError, errors.InputError)


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("--lr", ["--learning-rate", "--epochs"], "--learning-rate"),
        ("units", ["hidden_size", "num_layers"], "hidden_size"),
        ("ner", ["tagger", "forecaster"], "tagger"),
        ("lm", ["language-model", "tagger"], "language-model"),
        ("Hidden-Size", ["hidden_size"], "hidden_size"),
        ("lr", ["epochs"], None),
        ("--horizon", ["--precision", "--epochs"], None),
        ("translation", ["tagger", "text-classifier"], None),
    ],
)
def test_what_others_call_it_is_known(name, known, meant):
    told = suggest(name, known)
    assert told == (f"Did you mean '{meant}'" if meant else f"Known: {', '.join(sorted(known))}")
