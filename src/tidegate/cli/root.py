"""The root of the command line: where every error becomes one line and an exit code.

0 done, 1 the program failed, 2 the user's input is wrong, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from tidegate.cli import console
from tidegate.errors import InputError, TidegateError, a, suggest

_ORDER = (
    "demo", "tasks", "fit", "evaluate", "predict", "generate", "watch", "explain", "doctor",
    "info", "bench",
)  # fmt: skip
# The root of typer's usage errors; the module it lives in depends on typer's version.
_UsageError: type[Exception] = typer.BadParameter.__mro__[2]

_GONE = (
    "working folder: `.` must be a folder that is there; got one that was removed. "
    "Go to another one with cd."
)
_NO_MEMORY = re.compile(
    r"can't allocate memory|cannot allocate memory|out of memory|not enough memory"
    r"|failed to map segment|std::bad_alloc",
    re.IGNORECASE,
)

# How newer versions of typer tell of a value that is no number, or out of range.
_BARE = re.compile(r"Invalid value for '([^']+)': Input should be (.+?)(?:, unable to parse.*)?$")


class Root(TyperGroup):
    """The group of all commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in the order in which a user needs them."""
        names = super().list_commands(ctx)
        return sorted(names, key=(*_ORDER, *names).index)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its exit code, errors told in one line each."""
        kwargs["standalone_mode"] = False
        try:
            if _homeless():
                raise InputError(_GONE)
            with console.plain_warnings():
                code = super().main(*args, **kwargs) or 0
        except _UsageError as error:
            console.error(usage_message(error))
            code = 2
        except InputError as error:
            console.error(str(error))
            code = 2
        except TidegateError as error:
            console.error(str(error))
            code = 1
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its reader, or its user, may have had enough before its end."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _silence()  # nobody listens any more
            return 0
        except (MemoryError, RuntimeError, ImportError) as error:
            if not out_of_memory(error):
                raise
            said = " ".join(str(error).split())[:200]
            remedy = "Close other programs, or give it less at once: fewer rows, a smaller model"
            lack = f"memory: there is not enough ({said or 'none left'})"
            raise TidegateError(f"{lack}. {remedy}.") from error
        except OSError as error:
            _silence()
            if error.errno == errno.ENOENT and _homeless():
                raise InputError(_GONE) from error
            where = error.filename or "standard output"
            raise TidegateError(f"{where}: {error.strerror or error}.") from error
        except KeyboardInterrupt:
            console.note("stopped by Ctrl-C.")
            raise typer.Exit(130) from None
        return result


def _homeless() -> bool:
    """Whether the working folder is gone, in which every name that is not absolute stands."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def out_of_memory(error: BaseException) -> bool:
    """Say whether an error tells that memory has run out: Python's own, torch's, the linker's.

    Example:
        >>> out_of_memory(MemoryError()), out_of_memory(RuntimeError("shapes differ"))
        (True, False)
    """
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def _silence() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not stumble over it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def usage_message(error: Any) -> str:
    """Put a mistyped command line in one sentence, with the name that was probably meant.

    Args:
        error: One of typer's usage errors.

    Returns:
        One line.
    """
    text = _BARE.sub(r"`\1` must be \2", " ".join(error.format_message().split()))
    context = getattr(error, "ctx", None)
    if context is None:
        return text
    unknown = getattr(error, "option_name", None)
    if unknown is not None and "--" + unknown.lstrip("-") == unknown:
        known = [name for option in context.command.get_params(context) for name in option.opts]
        remedy = suggest(unknown, [name for name in known if name.startswith("--")])
        subject = getattr(context.command, "subject", "")
        text = f"{unknown} is no option{subject and f' for {subject}'}."
        others = _elsewhere(unknown, str(context.command.name))
        if remedy.startswith("Did") and not others:
            return f"{context.command_path}: {text} {remedy}?"
        if others:
            text = f"{text} It is one for {' and '.join(map(a, others))}."
    elif unknown is not None:  # a single dash: perhaps no option at all
        text += ". Put -- before a text that begins with -"
    return f"{context.command_path}: {text.rstrip('.')}. See {context.command_path} --help"


def _elsewhere(option: str, command: str) -> list[str]:
    """The other tasks that can be fitted with an option which this one, the command, lacks."""
    from tidegate import tasks

    if command not in tasks.names():
        return []
    name = option.lstrip("-").replace("-", "_")
    found = []
    for task in tasks.names():
        with contextlib.suppress(Exception):  # a plug-in that is broken is told of elsewhere
            kind = tasks.get(task)
            if name in {*kind.settings_class.options(), *kind.roles}:
                found.append(task)
    return found


def report_bug(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Tell of an exception that nobody expected: one line, and the traceback when asked for.

    Args:
        kind: Its class.
        error: The exception.
        at: Where it was raised.
    """
    if issubclass(kind, KeyboardInterrupt):
        console.error("stopped by Ctrl-C.")
        return
    if os.environ.get("TIDEGATE_DEBUG") == "1":
        traceback.print_exception(kind, error, at)
    said = " ".join(str(error).split())
    console.error(
        f"{kind.__name__}: {said} This is a fault of tidegate, not yours: please report it on the "
        "project's issue page, with what the same command prints after TIDEGATE_DEBUG=1."
    )
