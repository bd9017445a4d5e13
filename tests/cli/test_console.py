"""What is printed: one line for an error, whatever is in it; tables that show what they get."""

from __future__ import annotations

import sys
import warnings

import pytest
from rich.console import Console

from tidegate.cli import console
from tidegate.tasks.core.examples import DataWarning


def text_of(table) -> str:
    to = Console(width=200, color_system=None)
    with to.capture() as captured:
        to.print(table)
    return captured.get()


@pytest.mark.parametrize("label", ["error", "warning", "note"])
def test_a_message_is_one_line_whatever_is_in_it(capsys, label):
    getattr(console, label)("long " * 100 + "[bold]x[/bold]\nend")
    assert capsys.readouterr().err == f"{label}: {'long ' * 100}[bold]x[/bold] end\n"


def test_scores_have_a_row_for_each_part():
    shown = text_of(console.scores({"validation": {"loss": 0.5}, "test": {"loss": 1, "f1": 0.25}}))
    header, _, validation, test = (line.split() for line in shown.splitlines())
    assert header == ["loss", "f1"]
    assert validation == ["validation", "0.5000"]
    assert test == ["test", "1.0000", "0.2500"]


def test_a_confusion_matrix_has_true_classes_down():
    lines = text_of(console.confusion(["no", 1], [[12345, 0], [7, 8]])).splitlines()
    assert lines[0].split() == ["true", "\\", "predicted", "no", "1"]
    assert [line.split() for line in lines[2:]] == [["no", "12,345", "0"], ["1", "7", "8"]]


def test_mistakes_come_with_the_most_frequent_first():
    counts = [[9, 2, 0], [5, 9, 1], [0, 1, 9]]
    lines = text_of(console.mistakes(["a", "b", "c"], counts, most=3)).splitlines()
    assert lines[0].split() == ["true", "predicted", "rows;", "4", "pairs", "in", "all"]
    rows = [line.split() for line in lines[2:]]
    assert rows == [["b", "a", "5"], ["a", "b", "2"], ["b", "c", "1"]]


def test_every_table_keeps_a_name_with_line_ends_in_its_row():
    name, shown = "a\n\t\u2028\x1b[31mb", r"a\n\t\u2028\x1b[31mb"
    tables = [
        console.scores({name: {"loss": 1.0}}),
        console.per_class({name: {"recall": 0.5, "support": 3.0}}),
        console.confusion([name, "no"], [[1, 2], [3, 4]]),
        console.mistakes([name, "no"], [[1, 2], [0, 4]]),
        console.figures([{name: name, "more": "1"}]),
        console.pairs({name: name}),
    ]
    for table in tables:
        lines = [line for line in text_of(table).splitlines() if line.strip("─ ")]
        assert len(lines) == table.row_count + table.show_header
        assert shown in "".join(lines)


def test_labels_are_shown_as_they_are():
    to = console.out()
    with to.capture() as captured:
        to.print(console.confusion(["[red]", ":smile:"], [[1, 2], [3, 4]]))
    assert "[red]" in captured.get()
    assert ":smile:" in captured.get()


def test_support_is_a_count_and_scores_are_shares():
    shown = text_of(console.per_class({"no": {"recall": 0.5, "support": 3.0}}))
    assert shown.splitlines()[2].split() == ["no", "0.5000", "3"]


def test_a_program_that_is_not_on_the_path_is_named_by_its_own(tmp_path, monkeypatch):
    script = tmp_path / "bin dir" / "tidegate"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert console.program() == f"'{script}'"
    monkeypatch.setenv("PATH", str(script.parent))
    assert console.program() == "tidegate"
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert console.program() == "tidegate"
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "tidegate" / "__main__.py")])
    assert console.program() == "python -m tidegate"


def test_warnings_for_users_are_lines_and_others_are_not_shown(capsys):
    with console.plain_warnings():
        warnings.warn("cut\nshort", UserWarning, stacklevel=1)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: cut short\n"


def test_warnings_that_count_rows_are_added_up(capsys):
    sums = console.WarningSums()
    with sums.collected():
        for count in (2, 0, 3):
            sums.rows += 10
            if count:
                warnings.warn(DataWarning("texts were cut.", count, 10), stacklevel=1)
        warnings.warn(DataWarning("not about rows"), stacklevel=1)
    assert capsys.readouterr().err.splitlines() == [
        "warning: not about rows",
        "warning: 5 of 30 texts were cut.",
    ]
