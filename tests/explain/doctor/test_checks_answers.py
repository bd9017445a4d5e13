"""Answers: networks into which padding leaks, that know one answer, that miss a class."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from tests.explain.patients import HISTORY, batch, case, found, network, why
from tidegate.batch import Batch
from tidegate.explain.doctor import checks_answers as checks
from tidegate.tasks.text.network import TextNetwork

ALL = [checks.padding, checks.constant, checks.neglected, checks.empty]


@pytest.mark.parametrize("check", ALL)
def test_nothing_is_found_in_a_sound_network(check):
    assert check(case()) is None


# ------------------------------------------------------------------ padding


class MeanOfAll(TextNetwork):
    """Forgets where a row ends when it averages."""

    def forward(self, batch):
        output, _ = self.recurrent(self.embedding(batch.values), lengths=batch.lengths)
        return self.head(torch.cat([output.mean(1), output.amax(1)], 1))


class NoLengths(TextNetwork):
    """Lets the backward direction start in the padding."""

    def forward(self, batch):
        output, _ = self.recurrent(self.embedding(batch.values))
        return self.head(self.pooling(output, batch.lengths))


def leaking(kind):
    made = network()
    made.__class__ = kind
    return made


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_no_padding_leaks_in_a_network_of_ours(cell, pooling):
    base = network(cell)
    made = TextNetwork(base.embedding, base.recurrent, pooling, 2).eval()
    rows = batch(shortest=0)
    assert int((rows.lengths == 0).sum()) > 0
    assert checks.padding(case(made, batches=[rows])) is None


@pytest.mark.parametrize("kind", [MeanOfAll, NoLengths])
def test_padding_that_leaks_is_measured(kind):
    made, rows = leaking(kind), batch(12)
    seen = found(checks.padding(case(made, batches=[rows])))
    assert seen.severity == "serious"
    assert "what follows the recurrent layer" in seen.remedy

    def answer(row, steps):
        values = torch.zeros(1, steps, dtype=torch.int64)
        values[0, : rows.lengths[row]] = rows.values[row, : rows.lengths[row]]
        with torch.no_grad():
            return made(Batch(values, rows.lengths[row : row + 1]))[0]

    longest = int(rows.lengths.max()) + 7
    alone = torch.stack([answer(row, int(rows.lengths[row])) for row in range(12)])
    among = torch.stack([answer(row, longest) for row in range(12)])
    expected = float((alone - among).abs().max() / (1 + alone.abs().max()))
    assert f"change by up to {expected:.2g}" in seen.evidence
    changed = int((alone.argmax(1) != among.argmax(1)).sum())
    assert (f"({changed} get another class)" in seen.evidence) == (changed > 0)
    assert f"padded to {longest} steps" in seen.evidence


def test_a_layer_that_is_not_told_the_lengths_is_named(monkeypatch):
    made = network()
    forward = made.recurrent.forward
    monkeypatch.setattr(made.recurrent, "forward", lambda x, **_: forward(x))
    seen = found(checks.padding(case(made)))
    assert "Mend the recurrent layer: pass lengths=batch.lengths" in seen.remedy


def test_padding_is_tried_on_features_and_on_ngrams_too():
    rows = batch()
    ngrams = Batch(torch.stack([rows.values, rows.values * 0], 2), rows.lengths)
    assert checks.padding(case(batches=[ngrams])) is None

    class Sums(torch.nn.Module):
        """Adds up features, and counts the steps, padded ones too."""

        def __init__(self, leak):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))
            self.leak = leak

        def forward(self, batch):
            return batch.values.sum(1) * self.weight + self.leak * batch.values.shape[1]

    features = Batch(torch.randn(9, 5, 2) * rows.mask[:9, :5, None], rows.lengths[:9].clamp(max=5))
    assert checks.padding(case(Sums(0.0), batches=[features], classes=())) is None
    found(checks.padding(case(Sums(0.1), batches=[features], classes=())))


# ------------------------------------------------------------------ one answer to all


def answering(share, rows=200, truth=None):
    """A case whose network answers "yes" to a share of the rows."""
    made = case(batches=[batch(rows)])
    yes = torch.arange(rows) < share * rows
    made.__dict__["outputs"] = torch.stack([(~yes).float(), yes.float()], 1)
    if truth is not None:
        made.__dict__["targets"] = truth
    return made


def test_a_network_with_a_head_of_zeros_answers_always_the_same():
    made = network()
    with torch.no_grad():
        made.head.linear.weight.zero_()
        made.head.linear.bias.copy_(torch.tensor([0.0, 1.0]))
    seen = found(checks.constant(case(made)))
    assert seen.severity == "serious"
    assert seen.evidence == "100 % of 41 rows are answered 'yes', which is right for 49 %"
    assert why(checks.neglected(case(made))) == "all answers are the same"
    rows = batch(40)
    unlabelled = case(made, batches=[Batch(rows.values, rows.lengths)])
    assert found(checks.constant(unlabelled)).severity == "warning"


@pytest.mark.parametrize(("share", "finds"), [(0.99, False), (0.995, True), (1.0, True)])
def test_the_same_answer_to_nearly_all_is_enough(share, finds):
    assert (checks.constant(answering(share)) is not None) == finds


def test_the_same_answer_may_be_right():
    truth = (torch.arange(200) < 192).long()
    assert checks.constant(answering(1.0, truth=truth)) is None


def scored(truth, answers, part="validation"):
    scores = {
        "accuracy": accuracy_score(truth, answers),
        "macro_f1": f1_score(truth, answers, average="macro", zero_division=0),
    }
    names = [str(label) for label in np.unique(truth)]
    return case(batches=(), metrics={part: scores}, classes=names)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_scores_alone_tell_of_a_constant_answer(classes, part):
    truth = np.random.default_rng(classes).integers(0, classes, 300)
    assert found(checks.constant(scored(truth, np.zeros(300), part))).severity == "serious"
    answers = np.zeros(300)
    answers[truth == 1] = np.arange((truth == 1).sum()) % 2
    assert checks.constant(scored(truth, answers, part)) is None


def test_scores_of_the_training_rows_tell_nothing_of_new_ones():
    made = case(batches=(), metrics={"train": {"accuracy": 0.5, "macro_f1": 1 / 3}})
    assert why(checks.constant(made)) == "needs data of at least 20 rows"
    assert why(checks.constant(case(batches=()))) == "needs data of at least 20 rows"


def test_a_task_without_classes_has_no_such_checks():
    for check in (checks.constant, checks.neglected):
        assert why(check(case(classes=()))) == "answers with no classes"


# ------------------------------------------------------------------ missed classes


def missing(rare, found_of_rare, found_of_common=90, **more):
    """100 common rows and some rare ones, of which some are found."""
    truth = torch.tensor([0] * 100 + [1] * rare)
    answers = torch.tensor(
        [0] * found_of_common + [1] * (100 - found_of_common)
        + [1] * found_of_rare + [0] * (rare - found_of_rare)
    )  # fmt: skip
    made = case(batches=[batch(len(truth))], **{"settings": {"class_weight": None}} | more)
    made.__dict__["outputs"] = torch.eye(2)[answers]
    made.__dict__["targets"] = truth
    return checks.neglected(made)


def test_a_rare_class_that_is_missed_is_found():
    seen = found(missing(40, 10))
    assert seen.name == "class imbalance ignored"
    assert seen.evidence.startswith(
        "Found are 25 % of the 40 rows of 'yes', but 90 % of the 100 of 'no'"
    )
    assert seen.remedy.startswith("--class-weight balanced")


@pytest.mark.parametrize(
    "arguments",
    [
        (40, 20),  # half of it is found
        (51, 10),  # it is not rare
        (9, 1),  # too few rows to say
        (40, 10, 70),  # the common class is missed as well
    ],
)
def test_other_faults_are_not_the_balances(arguments):
    assert missing(*arguments) is None


def test_weighted_classes_are_not_ignored():
    assert missing(40, 10, settings={"class_weight": "balanced"}) is None
    assert missing(40, 10, settings={"class_weight": None}) is not None


@pytest.mark.parametrize(("macro", "finds"), [(0.82, False), (0.78, True)])
def test_scores_alone_tell_of_a_missed_class(macro, finds):
    metrics = {"validation": {"accuracy": 0.95, "macro_f1": macro}}
    outcome = checks.neglected(case(batches=(), metrics=metrics))
    assert (outcome is not None) == finds
    if finds:
        assert "accuracy is 0.950 but macro F1 only 0.780" in found(outcome).evidence
    assert why(checks.neglected(case(batches=()))) == "needs labelled data"


# ------------------------------------------------------------------ empty rows


@pytest.mark.parametrize(("count", "severity"), [(1, "note"), (20, "warning")])
def test_rows_with_nothing_to_read_are_counted(count, severity):
    rows = batch(120)
    rows.lengths[:count] = 0
    seen = found(checks.empty(case(batches=[rows], history=HISTORY)))
    assert seen.severity == severity
    assert seen.evidence.startswith(f"{count} of 120 rows")


@pytest.mark.parametrize("check", [checks.padding, checks.empty])
def test_they_need_data(check):
    assert why(check(case(batches=()))) == "needs data"
