"""A network counts beside its line as much as held-out texts prove a gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone

import tidegate
from tests.tasks.texts import small, texts
from tidegate.tasks.text.lean import SHARES, share_worth


def test_a_network_that_is_right_counts_and_one_that_guesses_stands_back():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 3, (201,), generator=generator)
    right = 3.0 * torch.nn.functional.one_hot(targets, 3)
    noise = torch.randn(201, 3, generator=generator)
    assert share_worth(noise, right, targets) == 1.0
    assert share_worth(right, 3 * noise, targets) == SHARES[0]


def test_too_few_texts_prove_nothing():
    right = torch.eye(2) * 9
    assert share_worth(torch.zeros(2, 2), right, torch.arange(2)) == SHARES[0]
    assert share_worth(torch.zeros(0, 2), torch.zeros(0, 2), torch.arange(0)) == SHARES[0]


def test_two_that_err_in_other_places_share():
    targets = torch.zeros(100, dtype=torch.int64)
    one = torch.tensor([[4.0, 0.0]] * 80 + [[-3.0, 0.0]] * 20)
    assert 0.1 < share_worth(one, one.flip(0), targets) < 1


@pytest.fixture(scope="module")
def fitted():
    rows = texts(60)
    return small(wide=1.0, epochs=1).fit(*rows), rows


def test_a_fit_tells_how_good_n_grams_alone_are(fitted):
    model, _ = fitted
    told = model.beside()
    assert [row[""] for row in told["figures"]][1:] == [
        "n-grams and logistic regression",
        "the commonest class",
    ]
    assert f"On {model.lean_.rows} held-out texts" in told["verdict"]
    assert model.metrics_["validation"]["accuracy"] > model.lean_.commonest


def test_it_learns_from_a_pass_of_few_texts_and_is_saved(fitted, tmp_path):
    model, (inputs, labels) = fitted
    assert model.score(inputs, labels) > 0.9
    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model")
    assert (again.predict_proba(inputs) == model.predict_proba(inputs)).all()
    assert float(again.network_.share) == float(model.network_.share)
    assert again.beside() == {}


def test_without_held_out_texts_both_count_alike_and_nothing_is_told(fitted):
    model, rows = fitted
    other = clone(model).fit(*rows, validation=None)
    assert float(other.network_.share) == 0.5
    assert other.beside() == {}


def test_without_a_wide_part_there_is_no_line():
    model = small(wide=0.0, epochs=1).fit(*texts(24))
    assert model.network_.line is None
    assert model.beside() == {}


def test_a_model_goes_on_with_its_line(fitted):
    model, rows = fitted
    line = model.network_.line.weights.clone()
    model = clone(model).fit(*rows).set_params(warm_start=True).fit(*rows)
    np.testing.assert_array_equal(model.network_.line.weights, line)


@pytest.mark.parametrize("line", [0.2, 1.1])
def test_the_verdict_says_when_the_linear_model_alone_is_better(fitted, monkeypatch, line):
    model, _ = fitted
    ours = model.metrics_["validation"]["accuracy"]
    monkeypatch.setattr(model, "lean_", replace(model.lean_, line=line))
    assert ("is better here" in model.beside()["verdict"]) == (line > ours)
