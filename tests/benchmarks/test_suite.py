"""The benchmark of the kernels: its peers agree, its targets judge, every group runs on toys."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.kernels")

from benchmarks import imdb_epoch, kernels
from benchmarks.peers import OURS, PEERS, TITLES, Run, UnableError
from benchmarks.suite import measure as measuring
from benchmarks.suite.case import INFERENCE, TRAINING, VARIANTS, Case, Problem
from benchmarks.suite.chart import draw
from benchmarks.suite.layers import BASE, shares
from benchmarks.suite.measure import Row, Session, compare
from benchmarks.suite.report import document, duration, summary, table, verdicts
from benchmarks.suite.target import Group, at_least, at_most

ROOT = Path(__file__).parents[2]
TOY = Case("LSTM", 2, 4, 3, 5)
QUICK = Session(rounds=1, quick=True)


def needed(name: str) -> str:
    """A peer, or the reason to skip its test."""
    if PEERS[name].missing:
        pytest.skip(f"{', '.join(PEERS[name].missing)} not installed")
    return name


@pytest.fixture(scope="module")
def apart():
    """A process for the peers: JAX starts threads, and warns of every fork from then on."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("phase", [TRAINING, INFERENCE])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("name", ["jax", "keras", "onnxruntime", "openvino", "loop"])
def test_a_peer_computes_what_torch_does(apart, name, kind, phase):
    case, peers = Case(kind, 2, 4, 3, 5), ("torch", needed(name))
    row = apart.submit(QUICK.measure, case, phase, peers).result()
    assert not row.wrong
    if name in row.skipped:
        assert row.skipped[name] in (
            "runs models, does not train them",
            "there is no loop for the RNN",
        )
    else:
        assert row.seconds.keys() == {OURS, "torch", name}
        assert row.differences[name]["output"] < 1e-5


@pytest.mark.parametrize("phase", [TRAINING, INFERENCE])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loop_computes_what_every_variant_does(variant, phase):
    case = Case("GRU" if variant == "reset before" else "LSTM", 3, 6, 2, 4, variant=variant)
    row = QUICK.measure(case, phase, ("loop", "plain"))
    assert not row.wrong
    assert row.seconds.keys() == {OURS, "loop", "plain"}
    assert row.differences.keys() == {OURS}, "the plain cell computes something else"


def test_ragged_rows_are_compared_with_packed_ones():
    case = Case("LSTM", 3, 8, 2, 4, layers=2, bidirectional=True, shortest=2)
    row = QUICK.measure(case, TRAINING, ("torch", "packed", "equal"))
    assert row.seconds.keys() == {OURS, "packed", "equal"}
    assert row.differences.keys() == {OURS}
    assert "past the end" in row.skipped["torch"]
    lengths = case.lengths()
    assert int(lengths.max()) == 8
    assert case.useful_steps == int(lengths.sum())


def test_work_is_counted_in_useful_steps():
    # 4 gates of 5 units, 2 rows, 4 steps: multiply and add of 3 + 5 numbers; 3 passes in training.
    assert TOY.flops(INFERENCE) == 2 * 20 * 8 * 2 * 4
    assert TOY.flops(TRAINING) == 3 * TOY.flops(INFERENCE)
    ragged = replace(TOY, B=8, T=9, shortest=1)
    assert ragged.flops(INFERENCE) == 2 * 20 * 8 * ragged.useful_steps


def test_who_computes_something_else_is_told_and_not_timed(monkeypatch):
    right = measuring._prepare

    def wrong(name: str, problem: Problem, phase: str) -> Run:
        run = right(name, problem, phase)
        if name != "loop":
            return run
        return replace(run, results=lambda value: {"output": run.results(value)["output"] + 1e-3})

    monkeypatch.setattr(measuring, "_prepare", wrong)
    row = QUICK.measure(TOY, INFERENCE, ("torch", "loop"))
    assert row.wrong["loop"].startswith("output ")
    assert row.seconds.keys() == {OURS, "torch"}
    assert "WRONG: torch loop in LSTM 2×4×3×5" in table(Group("g", "title", [row], []))


def test_a_result_that_is_missing_is_infinitely_far():
    one = torch.ones(1)
    assert compare({"output": one}, {"output": one}) == {"output": 0, "gradient": 0}
    assert compare({"output": one}, {"output": one, "grad x": one})["gradient"] == float("inf")


def test_a_peer_that_breaks_is_one_fewer(monkeypatch):
    def broken(problem: Problem, phase: str) -> Run:
        raise TypeError("no such argument\nand more")

    monkeypatch.setattr("benchmarks.peers.torch_layer.prepare", broken)
    row = QUICK.measure(TOY, INFERENCE, ("torch", "loop"))
    assert row.skipped == {"torch": "failed: TypeError: no such argument"}
    assert row.seconds.keys() == {OURS, "loop"}


def test_a_peer_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setitem(PEERS, "torch", replace(PEERS["torch"], needs=("no_such_package",)))
    with pytest.raises(UnableError, match="no_such_package not installed"):
        PEERS["torch"].prepare(Problem(TOY), INFERENCE)


def test_targets_judge():
    assert at_least("a", 2, 2.0).met is True
    assert at_least("a", 2, 1.99).met is False
    assert at_most("a", 1.25, 1.25).met is True
    assert at_most("a", 3, 3.2, " µs").measured == "3.20 µs"
    unknown = at_most("a", 3, None)
    assert (unknown.met, unknown.measured, unknown.verdict) == (None, "not measured", "–")
    group = Group("g", "title", [], [at_least("first", 2, 1.0), at_least("second", 2, 3.0)])
    assert summary([group]).startswith("1 targets met, 1 missed, 0 not judged.")
    assert "second" not in summary([group])
    assert "met    second    ≥ 2.00×  3.00×" in verdicts(group.targets)


def test_the_share_of_the_peak_is_that_of_both_measurements():
    row = Row(BASE, TRAINING, {OURS: [BASE.flops(TRAINING) / 200e9]})
    group = Group("training", "title", [row, Row(TOY, TRAINING, {OURS: [1.0]})], [], [], [200, 300])
    assert row.gflops == pytest.approx(200)
    assert group.share(row) == pytest.approx(0.8)
    (target,) = shares(group)
    assert (target.rule, target.measured, target.met) == ("≥ 80.0 %", "80.0 %", True)
    assert shares(replace(group, name="ragged")) == []


def test_times_read_well():
    assert [duration(s) for s in (2.5e-6, 5e-4, 0.0274, 1.5)] == [
        "2.50 µs",
        "0.50 ms",
        "27.4 ms",
        "1,500 ms",
    ]


def test_every_peer_has_a_title():
    assert PEERS.keys() == TITLES.keys()


@pytest.mark.parametrize("name", kernels.GROUPS)
def test_every_group_runs_on_toys(name):
    session = replace(QUICK, peers=frozenset({OURS, "torch", "packed", "loop", "equal", "plain"}))
    group = kernels.GROUPS[name](session)
    assert group.name == name
    assert group.rows
    assert group.targets
    assert all(row.case.H <= 16 for row in group.rows)
    assert not any(row.wrong for row in group.rows)
    assert all(row.case.name in table(group) for row in group.rows)
    json.dumps(document([group]), allow_nan=False)


def test_the_chart_leaves_out_what_has_nobody_to_compare_with(tmp_path):
    rows = [Row(TOY, TRAINING, {OURS: [1.0], "torch": [2.0], "jax": [0.5]}), Row(TOY, INFERENCE)]
    assert draw([Group("training", "title", rows, [])], tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert not draw([Group("busy", "title", rows, [])], tmp_path / "none.png")
    assert not draw([Group("training", "title", rows[1:], [])], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_the_command_line_measures_prints_and_keeps(tmp_path):
    words = "--quick --repeats 1 --threads 1 --only streaming --peers torch --out".split()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words, tmp_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},  # a terminal that knows no ×
    )
    assert done.returncode == 0, done.stderr
    assert "one streaming step" in done.stdout
    kept = json.loads((tmp_path / "kernels.json").read_text(encoding="utf-8"))
    assert kept["machine"]["threads"] == 1
    (group,) = kept["groups"]
    assert group["rows"][0]["milliseconds"].keys() == {OURS, "torch"}
    assert (tmp_path / "kernels.png").exists()


def test_an_epoch_of_reviews_is_compared_and_scaled(tmp_path, capsys):
    texts = [f"a film with {count} words" + " more" * count for count in range(10)]
    frame = pd.DataFrame({"text": [*texts, "not read"], "label": [0, 1] * 5 + [1]})
    frame["split"] = ["train"] * 10 + ["test"]
    frame.to_parquet(tmp_path / "imdb.parquet")
    words = f"--data {tmp_path} --out {tmp_path} --batch-size 4 --max-length 8 --slice 1"
    imdb_epoch.main(words.split())
    assert "an epoch of IMDb against packed PyTorch" in capsys.readouterr().out
    kept = json.loads((tmp_path / "imdb_epoch.json").read_text(encoding="utf-8"))
    assert (kept["reviews"], kept["batches"], kept["torch_batches"]) == (10, 3, 1)
    assert kept["tokens"] == sum(min(8, 5 + count) for count in range(10))
    scale = kept["tokens"] / kept["torch_tokens"]
    assert kept["torch_epoch_seconds"] == pytest.approx(kept["torch_seconds"] * scale, abs=0.3)


def test_the_benchmarks_are_listed_and_a_wrong_name_is_one_line():
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "benchmarks", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    listed = run("list").stdout
    names = "kernels imdb_epoch encode footprint imdb latency memory sms tutorial"
    for name in names.split():
        assert f"python -m benchmarks {name} " in listed
    wrong = run("kernals")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1
    assert "Did you mean 'kernels'" in wrong.stderr
