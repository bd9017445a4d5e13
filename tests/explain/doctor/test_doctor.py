"""The doctor as a whole: nothing to say about a sound network, the worst first about another."""

from __future__ import annotations

import json

import pytest
import torch

from tests.explain.patients import HISTORY, batch, case, network
from tidegate.explain.doctor.case import Finding
from tidegate.explain.doctor.doctor import CHECKS, Diagnosis, diagnose


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_sound_network_has_no_findings(cell):
    seen = diagnose(case(network(cell)))
    assert seen.findings == ()
    assert set(seen.passed) | set(seen.skipped) == set(CHECKS)
    assert len(seen.passed) >= 8
    assert str(seen).startswith(f"Nothing found in {len(seen.passed)} checks: ")


def test_the_worst_comes_first():
    rising = [*HISTORY, *({"epoch": e, "train_loss": 0.1, "validation_loss": 0.9} for e in (4, 5))]
    net = network(forget_bias=30.0)
    seen = diagnose(case(net, history=rising, best_epoch=3))
    assert [finding.severity for finding in seen.findings] == ["serious", "note"]
    assert seen.findings[0].name == "saturated forget gates"
    assert seen.findings[1].name == "over-fitting"
    assert "saturated gates" not in seen.passed


def test_without_data_it_says_what_needs_it():
    seen = diagnose(case(batches=()))
    needs = {name for name, reason in seen.skipped.items() if reason == "needs data"}
    assert needs >= {"exploding state", "padding that leaks", "unknown words", "truncation"}
    assert "padding that leaks" in str(seen).split("Not checked: ")[1]
    assert "(needs data)" in str(seen)


def test_a_model_may_have_a_better_reason_why_a_check_is_left_out():
    reasons = {"needs data": "reads no data", "another": "never said"}
    seen = diagnose(case(batches=(), reasons=reasons))
    assert seen.skipped["exploding state"] == "reads no data"
    assert not {"needs data", "never said"} & set(seen.skipped.values())


def test_a_network_is_left_as_it_was():
    net = network().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    dropout = torch.nn.Dropout(0.5)
    net.dropout = dropout
    first, second = diagnose(case(net)), diagnose(case(net))
    assert str(first) == str(second)  # dropout was off
    assert net.training
    assert dropout.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_a_network_that_nobody_knows_anything_about_can_be_asked():
    seen = diagnose(case(torch.nn.Linear(2, 2), batches=(), history=(), best_epoch=0, classes=()))
    assert seen.findings == seen.passed == ()
    assert set(seen.skipped) == set(CHECKS)


def test_a_cell_of_another_package_is_examined(mgu):
    seen = diagnose(case(network("mgu")))
    assert seen.findings == ()
    assert "dead units" in seen.passed


@pytest.mark.parametrize("options", [{"proj_size": 6}, {"merge": "sum"}, {"layer_norm": True}])
def test_variants_are_examined(options):
    assert diagnose(case(network(**options))).findings == ()
    assert diagnose(case(network(**options), batches=())).findings == ()


def test_rows_of_no_step_alone_are_told_of_and_nothing_breaks():
    rows = batch(12)
    rows.lengths[:] = 0
    names = [finding.name for finding in diagnose(case(batches=[rows])).findings]
    assert names == ["rows with nothing to read"]


FOUND = Finding("dead units", "note", "3 of 16 units", "Time", "--hidden-size 13")


def test_a_diagnosis_reads_well():
    seen = Diagnosis((FOUND,), ("truncation", "over-fitting"), {"empty": "needs data"})
    assert str(seen) == (
        "note: dead units\n"
        "  seen    3 of 16 units.\n"
        "  costs   Time.\n"
        "  change  --hidden-size 13.\n"
        "\n"
        "Nothing else found in 2 checks: truncation, over-fitting.\n"
        "Not checked: empty (needs data)."
    )
    assert repr(seen) == str(seen)


def test_a_diagnosis_is_json():
    seen = Diagnosis((FOUND,), ("truncation",), {"empty": "needs data"})
    told = json.loads(json.dumps(seen.to_json()))
    assert told == {
        "findings": [
            {
                "name": "dead units",
                "severity": "note",
                "evidence": "3 of 16 units",
                "cost": "Time",
                "remedy": "--hidden-size 13",
            }
        ],
        "passed": ["truncation"],
        "skipped": {"empty": "needs data"},
    }


def test_a_finding_is_a_line_and_printed_whole_and_escaped_in_a_notebook():
    finding = Finding("stuck <gate>", "note", "a < b", "time", "train")
    assert repr(finding) == "Finding(note: stuck <gate>)"
    assert str(finding).startswith("note: stuck <gate>\n  seen    a < b.\n")
    assert "stuck &lt;gate&gt;" in finding._repr_html_()
    assert "stuck &lt;gate&gt;" in Diagnosis((finding,), (), {})._repr_html_()
