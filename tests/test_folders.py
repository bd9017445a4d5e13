"""Folders that are there whole or not at all: killed at each step, held by others, tidied."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from pathlib import Path

import pytest

from tidegate import folders
from tidegate.folders import HeldError, exchange, held, recover, replacing_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and locks of POSIX")


def write(path: Path, text: str) -> None:
    with replacing_folder(path) as temporary:
        (temporary / "a.txt").write_text(text)
        (temporary / "b.txt").write_text(text)


def read(path: Path) -> str:
    a, b = (path / "a.txt").read_text(), (path / "b.txt").read_text()
    assert a == b
    return a


def ours(folder: Path) -> bool:
    return {entry.name for entry in folder.iterdir()} <= {"a.txt", "b.txt"}


STEPS = (
    (Path, "mkdir"), (Path, "write_text"), (Path, "rename"), (folders, "exchange"),
    (shutil, "rmtree"),
)  # fmt: skip


def killed(path: Path, step: int, *, after: bool) -> bool:
    """Write in a child that is killed at its n-th step; False where it has ended before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads that a fork leaves behind
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    count = 0

    def dying(original):
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count == step and not after:
                os._exit(9)
            found = original(*args, **kwargs)
            if count == step:
                os._exit(9)
            return found

        return call

    for owner, name in STEPS:
        setattr(owner, name, dying(getattr(owner, name)))
    try:
        write(path, "new")
    finally:
        os._exit(0)


@pytest.mark.parametrize("can", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("before", [True, False], ids=["replaced", "first"])
def test_whatever_the_kill_the_folder_is_whole_and_nothing_is_left(
    tmp_path, monkeypatch, can, before
):
    if not can:
        monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    found = set()
    for step in range(1, 20):
        for after in (False, True):
            path = tmp_path / f"{step}{after}" / "model"
            path.parent.mkdir()
            if before:
                write(path, "old")
            died = killed(path, step, after=after)
            assert path.exists() or not (before and can)
            left = {entry.name for entry in path.parent.iterdir()} != {"model"} or not before
            told = recover(path, ours)
            assert left or told is None
            assert [entry.name for entry in path.parent.iterdir()] == ["model"] * path.exists()
            assert path.exists() or not before
            found.add(read(path) if path.exists() else "none")
            assert recover(path, ours) is None
        if not died:
            break
    else:
        raise AssertionError("the child never came to its end")
    assert found == ({"old", "new"} if before else {"none", "new"})
    assert step > 4


def test_two_folders_change_places(tmp_path):
    write(tmp_path / "one", "1")
    write(tmp_path / "two", "2")
    if not exchange(tmp_path / "one", tmp_path / "two"):
        pytest.skip("this system cannot")
    assert (read(tmp_path / "one"), read(tmp_path / "two")) == ("2", "1")
    assert not exchange(tmp_path / "one", tmp_path / "three")
    assert read(tmp_path / "one") == "2"


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    write(tmp_path / "model", "old")

    def fail() -> None:
        with replacing_folder(tmp_path / "model") as temporary:
            (temporary / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert read(tmp_path / "model") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_what_somebody_writes_now_or_others_made_is_left_alone(tmp_path):
    busy, others = tmp_path / ".model.00000000", tmp_path / ".model.11111111.old"
    near = tmp_path / ".model.2222", tmp_path / ".models.22222222", tmp_path / "model.22222222"
    for folder in (busy, others, *near):
        folder.mkdir()
    (others / "thesis.tex").write_text("mine")
    (tmp_path / ".model.33333333").symlink_to(others)
    (tmp_path / ".model.44444444").write_text("a file")
    names = {entry.name for entry in tmp_path.iterdir()}
    with held(busy):
        assert recover(tmp_path / "model", ours) is None
    assert {entry.name for entry in tmp_path.iterdir()} == names
    told = recover(tmp_path / "model", ours)
    assert (
        told == f"{tmp_path / 'model'}: what a save that was cut short had left beside is removed."
    )
    assert {entry.name for entry in tmp_path.iterdir()} == names - {busy.name}


def test_a_folder_is_held_by_one_and_let_go_at_the_end(tmp_path):
    def take() -> None:
        with held(tmp_path):
            pass

    with held(tmp_path), pytest.raises(HeldError):
        take()
    take()
