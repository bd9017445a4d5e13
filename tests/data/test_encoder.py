"""Every encoder keeps the contract: fit, encode, files and back; and trusts no file."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data import Encoded, Encoder, SequenceEncoder, TagEncoder, TextEncoder
from tidegate.data.classes import ClassEncoder
from tidegate.data.language.documents import Document
from tidegate.data.language.encoder import LanguageEncoder
from tidegate.errors import ArtifactError

TEXTS = ["to be or not to be", "that is it", "to"]
WORDS = [text.split() for text in TEXTS]
TAGS = [["B-X" if len(word) > 2 else "O" for word in row] for row in WORDS]
SERIES = [np.array([[1.0, 2.0], [np.nan, 3.0]]), np.array([[4.0, 0.0]]), np.zeros((3, 2))]
DOCUMENTS = [Document(text) for text in TEXTS]

ENCODERS = {
    "text": (TextEncoder(ngrams=2).fit(TEXTS), TEXTS),
    "tags": (TagEncoder().fit(WORDS, TAGS), WORDS),
    "sequences": (SequenceEncoder().fit(SERIES), SERIES),
    "language": (LanguageEncoder(level="word").fit(DOCUMENTS), DOCUMENTS),
    "classes": (ClassEncoder().fit(np.array(TEXTS)), np.array(TEXTS)),
}
ROWS = ("text", "tags", "sequences")


@pytest.mark.parametrize("name", ENCODERS)
def test_it_is_an_encoder_and_comes_back_from_its_files(name):
    encoder, raw = ENCODERS[name]
    assert isinstance(encoder, Encoder)
    files = json.loads(json.dumps(encoder.to_files(), allow_nan=False))
    again = type(encoder).from_files({**files, "other.json": {}})
    assert again.to_files() == encoder.to_files()
    found, wanted = again.encode(raw), encoder.encode(raw)
    if name == "classes":
        assert found.tolist() == wanted.tolist()
    else:
        assert found.fingerprint() == wanted.fingerprint()


@pytest.mark.parametrize("name", ROWS)
def test_encoded_rows_are_what_was_given(name):
    encoder, raw = ENCODERS[name]
    encoded = encoder.encode(raw)
    assert isinstance(encoded, Encoded)
    assert len(encoded) == len(raw)
    counts = [len(row.split()) if isinstance(row, str) else len(row) for row in raw]
    assert encoded.lengths.tolist() == counts
    batch = encoded.batch(np.array([2, 0]))
    assert batch.lengths.tolist() == [counts[2], counts[0]]
    assert batch.values.shape[:2] == (2, max(counts[2], counts[0]))
    assert not batch.values[~batch.mask].any()
    alone = encoded.batch(np.array([0])).values[0]
    assert np.array_equal(batch.values[1, : counts[0]], alone, equal_nan=False)
    assert encoder.encode(raw[:2]).fingerprint() != encoded.fingerprint()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["tags", "sequences", "language"])
@given(data=st.data())
def test_whatever_is_changed_either_loads_or_names_the_file(name, data):
    encoder, raw = ENCODERS[name]
    files = copy.deepcopy(encoder.to_files())
    file = data.draw(st.sampled_from(sorted(files)))
    content = files[file]
    places = list(content) if isinstance(content, dict) else list(range(len(content)))
    place = data.draw(st.sampled_from([None, *places]))
    value = data.draw(JSON)
    if place is None:
        files[file] = value
    else:
        content[place] = value
    try:
        changed = type(encoder).from_files(files)
    except ArtifactError as error:
        assert re.match(r"[a-z]+\.json: `", str(error))  # noqa: PT017
    else:
        changed.encode(raw)
