"""Which files a task reads itself, and which are tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tidegate import LanguageModel, TextClassifier


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.parquet"])
def test_files_are_tables_unless_a_task_says_otherwise(name):
    assert TextClassifier().read_file(Path(name), {"text": "text"}) is None


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "shakespeare", "a.md", "tables.csv.txt"])
def test_a_language_model_reads_plain_text_itself(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a tide") if name.endswith(".gz") else b"a tide")
    assert LanguageModel().read_file(path, {"text": "text"}) == (path, None)


@pytest.mark.parametrize("name", ["a.csv", "a.TSV", "a.jsonl.gz", "a.parquet"])
def test_a_language_model_reads_tables_of_documents(name):
    assert LanguageModel().read_file(Path(name), {"text": "text"}) is None
