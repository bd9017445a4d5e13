"""Reading: how a task takes X and y out of tables and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tidegate.data.tables.complete import clean_rows
from tidegate.tasks.core.questions import Questions


class Reading(Questions):
    """What a task reads of a file; `Task` inherits it, and says what the attributes mean.

    Attributes:
        data_help: What the command line says about the file to learn from.
        data_example: The name of such a file, for commands that are suggested.
    """

    data_help: ClassVar[str] = "Table to learn from: .csv .tsv .jsonl .parquet."
    data_example: ClassVar[str] = "DATA.csv"
    roles: ClassVar[Mapping[str, str]] = {}
    input_role: ClassVar[str] = ""
    target_role: ClassVar[str | None] = None

    def read_file(self, path: Path, columns: Mapping[str, str]) -> tuple[Any, Any] | None:
        """Read a file that is no table.

        Args:
            path: The file.
            columns: The column of each role.

        Returns:
            `(X, y)`, or None when the file is to be read as a table.

        Raises:
            InputError: If something is wrong with the file.
        """
        return None

    def inputs(self, frame: Any, columns: Mapping[str, str]) -> tuple[Any, Any]:
        """Take X and y out of a table.

        Args:
            frame: A pandas DataFrame.
            columns: The column of each role, such as `{"text": "review", "label": "stars"}`.

        Returns:
            `(X, y)`; y is None when the target's role is not named.
        """
        targets = columns.get(self.target_role or "")
        return frame[columns[self.input_role]].tolist(), targets and frame[targets].tolist()

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Say which columns of a table to read, None for all, and which of them stay text."""
        return list(columns.values()), [columns[self.input_role]]

    def check_table(
        self, frame: Any, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[Any, int]:
        """Check the rows of a table that was just read.

        Args:
            frame: A pandas DataFrame.
            columns: The column of each role.
            drop_missing: Whether to leave out rows that lack something instead of complaining.
            source: The file, for messages.

        Returns:
            The rows that can be used, and how many were left out.

        Raises:
            InputError: If a row is wrong.
        """
        label = columns.get(self.target_role or "")
        return clean_rows(frame, columns[self.input_role], label, drop_missing, source)
