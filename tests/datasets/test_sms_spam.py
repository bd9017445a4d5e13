"""The data set that ships: what its authors say about it, and its licence."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources

from tidegate.datasets import load_sms_spam

FOLDER = resources.files("tidegate.datasets") / "data"


def test_the_messages_are_those_of_the_authors():
    frame = load_sms_spam()
    assert list(frame) == ["text", "label"]
    assert frame["label"].value_counts().to_dict() == {"ham": 4827, "spam": 747}
    assert frame["text"][0].startswith("Go until jurong point, crazy.. Available only in bugis")
    assert frame["text"].str.len().min() > 0
    assert not frame.isna().any().any()


def test_the_file_is_unchanged_since_it_was_packed():
    data = gzip.decompress((FOLDER / "sms_spam.tsv.gz").read_bytes())
    assert len(data) == 477_907
    assert data.count(b"\n") == data.count(b"\t") == 5574
    assert hashlib.sha256(data).hexdigest() == DIGEST


def test_lists_are_the_columns():
    frame = load_sms_spam()
    texts, labels = load_sms_spam(return_X_y=True)
    assert type(texts) is type(labels) is list
    assert texts == frame["text"].tolist()
    assert labels == frame["label"].tolist()


def test_every_data_file_has_a_licence_beside_it():
    names = [file.name for file in FOLDER.iterdir()]
    for name in names:
        stem = name.split(".")[0]
        assert f"{stem}.LICENSE.txt" in names
    licence = (FOLDER / "sms_spam.LICENSE.txt").read_text(encoding="utf-8")
    assert all(word in licence for word in ("Almeida", "Yamakami", "UCI", "CC BY 4.0", "2011"))


DIGEST = "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
