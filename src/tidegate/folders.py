"""Folders: written whole or not at all, whatever kills the program, and held by one writer."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

if sys.platform != "win32":  # nobody can tell there whether a writer is still alive
    import fcntl

# What lies beside `NAME` while it is written: `.NAME.1f2e3d4c`, then with one of these behind.
_WHOLE, _REPLACED = ".new", ".old"
_SWAP = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_HERE = -100  # AT_FDCWD


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Write a folder beside and put it in its place when the block ends well.

    Where the system can exchange two folders (Linux, macOS), there is a folder at `path` at each
    moment; elsewhere `recover` finds it again after a crash.

    Args:
        path: The folder to make or replace.

    Yields:
        The empty folder to write to.

    Example:
        >>> with replacing_folder(Path("model")) as temporary:  # doctest: +SKIP
        ...     (temporary / "numbers.txt").write_text("1 2 3")
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    whole = temporary.with_name(temporary.name + _WHOLE)
    temporary.mkdir(parents=True)
    try:
        with held(temporary):
            yield temporary
            temporary.rename(whole)
            _put(whole, path)
    finally:
        for left in (temporary, whole):
            shutil.rmtree(left, ignore_errors=True)


def _put(whole: Path, path: Path) -> None:
    """Put one folder in the place of another, which may not be there."""
    if not path.exists():
        whole.rename(path)
    elif not exchange(whole, path):
        old = whole.with_suffix(_REPLACED)
        path.rename(old)
        try:
            whole.rename(path)
        finally:
            if not path.exists():
                old.rename(path)
        shutil.rmtree(old, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step.

    Args:
        one: A folder.
        other: Another one, on the same disk.

    Returns:
        Whether the system could.
    """
    if sys.platform == "win32":
        return False
    library = ctypes.CDLL(None)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        return bool(library.renameat2(_HERE, first, _HERE, second, _SWAP) == 0)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return bool(library.renamex_np(first, second, _SWAP) == 0)
    return False


def recover(path: Path, ours: Callable[[Path], bool]) -> str | None:
    """Tidy what a killed program left beside a folder, and put the folder back if it is gone.

    Args:
        path: The folder.
        ours: Says whether a folder holds nothing but what this program wrote.

    Returns:
        What was done, in a sentence; None if there was nothing to do.
    """
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}(\.new|\.old)?")
    try:
        left = [entry for entry in path.parent.iterdir() if name.fullmatch(entry.name)]
        left = [entry for entry in left if _abandoned(entry) and ours(entry)]
        found = None
        if not path.exists():
            # A whole new one was to replace the old one.
            kept = sorted(e for e in left if e.suffix in (_WHOLE, _REPLACED))
            back = next((e for e in kept if e.suffix == _WHOLE), kept[0] if kept else None)
            if back is not None:
                back.rename(path)
                left.remove(back)
                found = f"{path}: a save was cut short; the folder is back."
        for entry in left:
            shutil.rmtree(entry)
            found = found or f"{path}: what a save that was cut short had left beside is removed."
    except OSError:  # nothing can be changed there: then nothing is
        return None
    return found


def _abandoned(folder: Path) -> bool:
    """Whether nobody writes to a folder any more."""
    try:
        with held(folder):
            return sys.platform != "win32" and folder.is_dir() and not folder.is_symlink()
    except (OSError, HeldError):
        return False


class HeldError(Exception):
    """Another program writes there now."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder: no other program can, as long as the block, or this program, lives.

    Args:
        folder: A folder that is there.

    Raises:
        HeldError: If somebody else holds it.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HeldError(str(folder)) from error
        except OSError:  # a file system that knows no locks
            pass
        yield
    finally:
        os.close(handle)
