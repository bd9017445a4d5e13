"""The root of the command line: every error becomes one line and an exit code."""

from __future__ import annotations

import pytest
import typer

from tests.cli.conftest import one_line
from tidegate.cli.root import Root, report_bug, usage_message
from tidegate.errors import InputError, TidegateError, TrainingError


def ended(capsys, error: BaseException | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors of a program whose only command raises an error."""
    app = typer.Typer(cls=Root, add_completion=False)

    @app.command()
    def fit() -> None:
        print("begun")
        if error is not None:
            raise error

    @app.command()
    def other() -> None: ...

    with pytest.raises(SystemExit) as caught:
        typer.main.get_command(app).main(["fit"], prog_name="tidegate")
    return (int(caught.value.code or 0), *capsys.readouterr())


def test_what_ends_well_ends_with_0(capsys):
    assert ended(capsys) == (0, "begun\n", "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("fit: `x` must be there."), 2, "error: fit: `x` must be there.\n"),
        (TrainingError("The loss is nan."), 1, "error: The loss is nan.\n"),
        (TidegateError("a fault."), 1, "error: a fault.\n"),
        (OSError(28, "No space left", "/tmp/a.csv"), 1, "error: /tmp/a.csv: No space left.\n"),
        (MemoryError(), 1, "error: memory: there is not enough (none left). Close other programs"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried\n1"),
            1,
            "error: memory: there is not enough ([enforce fail] DefaultCPUAllocator",
        ),
        (ImportError("libx.so: failed to map segment from shared object"), 1, "error: memory: "),
        (OSError(12, "Cannot allocate memory"), 1, "error: standard output: Cannot allocate"),
        (OSError(5, "Input/output error"), 1, "error: standard output: Input/output error.\n"),
        (BrokenPipeError(), 0, ""),
        (KeyboardInterrupt(), 130, "note: stopped by Ctrl-C.\n"),
        (typer.BadParameter("no such thing"), 2, "no such thing"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_one_line_and_an_exit_code(capfd, monkeypatch, error, code, line):
    monkeypatch.setattr("tidegate.cli.root._silence", lambda: None)
    found, out, err = ended(capfd, error)
    assert (found, out) == (code, "begun\n")
    assert line in err
    assert err.count("\n") <= 1


def test_a_working_folder_that_is_gone_is_the_users_to_leave(capsys, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, out, err = ended(capsys)
    assert (code, out) == (2, "")
    assert err.startswith("error: working folder: `.` must be a folder that is there; got one that")
    assert err.count("\n") == 1


def test_an_exception_that_nobody_expected_is_not_swallowed(capsys):
    app = typer.Typer(cls=Root, add_completion=False)
    app.command("one")(lambda: 1 / 0)
    app.command("two")(lambda: None)
    with pytest.raises(ZeroDivisionError):
        typer.main.get_command(app).main(["one"])


def test_commands_stand_in_the_order_of_use_and_others_behind_them():
    app = typer.Typer(cls=Root)
    for name in ("bench", "echo", "predict", "fit"):
        app.command(name)(lambda: None)
    listed = typer.main.get_command(app).list_commands(None)
    assert listed == ["fit", "predict", "bench", "echo"]


def test_a_usage_error_without_a_command_is_told_as_it_is():
    assert usage_message(typer.BadParameter("not\nthis")) == "Invalid value: not this"


def test_an_unexpected_exception_is_one_line_and_a_traceback_only_when_asked(monkeypatch, capsys):
    error = ZeroDivisionError("by\nzero")
    monkeypatch.delenv("TIDEGATE_DEBUG", raising=False)
    report_bug(ZeroDivisionError, error, None)
    shown = capsys.readouterr().err
    assert shown.startswith("error: ZeroDivisionError: by zero ")
    assert shown.count("\n") == 1
    assert "TIDEGATE_DEBUG=1" in shown
    monkeypatch.setenv("TIDEGATE_DEBUG", "1")
    report_bug(ZeroDivisionError, error, None)
    assert capsys.readouterr().err.startswith("ZeroDivisionError: by")


def test_an_option_of_another_task_is_told_as_such(run):
    told = one_line(run("fit", "text-classifier", "a.csv", "--horizon", "3"))
    assert "--horizon is no option. It is one for an anomaly-detector and a forecaster." in told
    assert "Did you mean '--learning-rate'" in one_line(
        run("fit", "forecaster", "a.csv", "--lr", "0.1")
    )
    assert "Did you mean 'tagger'" in one_line(run("fit", "ner", "a.conll"))


def test_a_text_that_begins_with_a_dash_is_told_what_it_needs(run, model):
    done = run("predict", model, "-5 stars")
    assert done.exit_code == 2
    assert "Put -- before a text that begins with -" in done.stderr
    assert run("predict", model, "--", "-5 stars").exit_code == 0
