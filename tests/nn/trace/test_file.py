"""A trace on disk: it comes back as it was, and a damaged or hostile file is one clear error."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import tidegate.nn as tn
from tests.helpers import VARIANTS, make
from tidegate.errors import ArtifactError, InputError
from tidegate.nn import Trace

LENGTHS = [3, 0, 2]


def traced(case: str = "lstm", **options) -> Trace:
    layer = make(case, num_layers=2, bidirectional=True, batch_first=True, **options)
    return layer.trace(torch.randn(3, 3, 3, dtype=torch.float64), lengths=LENGTHS)


def same(one: Trace, other: Trace) -> bool:
    fields = ("family", "rows", "units", "labels", "zoneout", "projected")
    arrays, others = one.numpy(), other.numpy()
    return (
        all(getattr(one, name) == getattr(other, name) for name in fields)
        and list(arrays) == list(others)
        and all((arrays[name] == others[name]).all() for name in arrays)
    )


@pytest.fixture
def path(tmp_path) -> Path:
    """A good file, to be damaged."""
    path = tmp_path / "pass.safetensors"
    traced().labelled([["a", "b", "c"], [], ["d", "e"]]).save(path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ArtifactError) as caught:
        Trace.load(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, about: dict | None = None, **tensors: torch.Tensor | None) -> None:
    """Write the file anew with other facts or tensors; None leaves one out."""
    with safe_open(path, framework="pt") as handle:
        facts = json.loads(handle.metadata()["tidegate"]) | (about or {})
    kept = {n: t for n, t in (load_file(path) | tensors).items() if t is not None}
    save_file(kept, path, metadata={"tidegate": json.dumps(facts)})


@pytest.mark.parametrize("case", VARIANTS)
def test_it_comes_back_as_it_was(case, tmp_path):
    trace = traced(case, zoneout=0.25).select(units=[3, 1], layers=1)
    trace.save(tmp_path / "pass.safetensors")
    assert same(Trace.load(tmp_path / "pass.safetensors"), trace)


def test_gates_that_lie_in_one_piece_of_memory(tmp_path):
    trace = tn.LSTM(3, 4).trace(torch.randn(5, 2, 3))  # of the native library, where there is one
    trace.save(tmp_path / "pass.safetensors")
    assert same(Trace.load(tmp_path / "pass.safetensors"), trace)


@settings(max_examples=25)
@given(
    labels=st.tuples(
        st.lists(st.text(), min_size=3, max_size=3),
        st.just([]),
        st.lists(st.text(st.characters()), min_size=2, max_size=2),
    )
)
def test_labels_of_any_characters(labels, tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "pass.safetensors"
    trace = traced().labelled(labels)
    trace.save(path)
    assert Trace.load(path).labels == tuple(map(tuple, labels))


def test_an_old_file_is_replaced_and_a_bad_place_is_named(path, tmp_path):
    trace = traced("gru")
    trace.save(path)
    assert same(Trace.load(path), trace)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with pytest.raises(InputError, match="a place that can be written to"):
        trace.save(tmp_path / "no" / "such" / "folder")


def test_missing_and_other_files(path, tmp_path):
    assert "nothing" in refused(tmp_path / "none.safetensors")
    refused(tmp_path)
    (tmp_path / "text").write_text("gates")
    refused(tmp_path / "text")
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights")
    assert "a safetensors file of something else" in refused(tmp_path / "weights")


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"extra": 1}, "something else"),
        ({"family": "lstn"}, "a cell that is known"),
        ({"family": ["lstm"]}, "a cell that is known"),
        ({"family": "gru"}, "the gates and states of the GRU alone"),
        ({"rows": ["layer 0 forward"]}, "a name for each layer"),
        ({"rows": 4}, "a name for each layer"),
        ({"rows": ["layer 0 forward"] * 4}, "rows such as"),
        (
            {"rows": ["layer 0 sideways", "layer 0 backward", "layer 1 forward", "x"]},
            "rows such as",
        ),
        ({"units": [0, 1, 2]}, "of shape [4, 3, 3, 3]"),
        ({"units": [0, 1, 2, 2]}, "numbers of units"),
        ({"units": [0, 1, 2, -3]}, "numbers of units"),
        ({"units": [0, 1, 2, True]}, "numbers of units"),
        ({"zoneout": 2}, "a share of zoneout"),
        ({"zoneout": "0"}, "a share of zoneout"),
        ({"projected": 1}, "projected true or false"),
    ],
)
def test_facts_that_no_trace_has(path, about, said):
    change(path, about)
    assert said in refused(path)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"hidden": None}, "hidden and lengths"),
        ({"lengths": None}, "hidden and lengths"),
        ({"hidden": torch.zeros(3, dtype=torch.float64)}, "hidden states [N, B, T, P]"),
        ({"forget": torch.zeros(4, 3, 3, 4)}, "one floating-point type"),
        ({"cell": torch.zeros(4, 3, 2, 4, dtype=torch.float64)}, "cell of shape"),
        ({"update": torch.zeros(4, 3, 3, 4, dtype=torch.float64)}, "the LSTM alone"),
        ({"lengths": torch.tensor([3, 0, 4])}, "a length a row"),
        ({"lengths": torch.tensor([3, 0, -1])}, "a length a row"),
        ({"lengths": torch.tensor([3.0, 0.0, 2.0])}, "a length a row"),
        ({"labels": torch.zeros(3)}, "labels in bytes"),
        ({"labels": torch.tensor([255], dtype=torch.uint8)}, "labels in JSON"),
        ({"labels": torch.tensor([91] * 100_000, dtype=torch.uint8)}, "JSON"),
        ({"labels": torch.tensor(list(b"[[],[],[]]"), dtype=torch.uint8)}, "a label a step"),
        (
            {"labels": torch.tensor(list(b"[[1,2,3],[],[1,2]]"), dtype=torch.uint8)},
            "a label a step",
        ),
        ({"labels": torch.tensor(list(b"{}"), dtype=torch.uint8)}, "labels of each row"),
    ],
)
def test_tensors_that_no_trace_has(path, tensors, said):
    change(path, **tensors)
    assert said in refused(path)


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_happens_to_its_bytes_it_is_read_or_refused(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("bytes") / "pass.safetensors"
    tn.GRU(2, 2).trace(torch.zeros(2, 1, 2)).labelled([["a", "b"]]).save(path)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 4)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(ArtifactError):
        trace = Trace.load(path)
        assert trace.hidden.shape[2] >= int(trace.lengths.max())
        trace.to_frame()
