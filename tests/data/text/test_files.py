"""Saved encoders: every way in which a file can be wrong is refused, and names the file."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.encoder import TextEncoder
from tidegate.errors import ArtifactError

TEXTS = ["to be or not to be", "to be or not, that is it"]
WORD = TextEncoder(ngrams=3).fit(TEXTS).to_files()
SUB = TextEncoder(level="bpe", max_vocabulary=262).fit(TEXTS).to_files()
CHAR = TextEncoder(level="char").fit(TEXTS).to_files()


def changed(files, file, path, value):
    """Return a copy of the files with one value at `path` replaced, or removed for `...`."""
    files = copy.deepcopy(files)
    place = files
    *way, last = (file, *path)
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return files


OPTIONS = [
    ("version", 3, "`version` must be 2; got 3. Load it with the tidegate that wrote it"),
    ("version", "1", "`version` must be 2; got '1'"),
    ("version", True, "`version` must be 2; got True"),
    ("version", ..., "`version` must be 2; got None"),
    ("level", ..., "`level` must be there; got nothing"),
    ("level", "words", "`level` must be one of word, char, bpe; got 'words'"),
    ("level", ["word"], "`level` must be one of"),
    ("shell", "rm", "`shell` must be a known option"),
    ("lowercase", "yes", "`lowercase` must be True or False"),
    ("lowercase", None, "`lowercase` must be True or False"),
    ("max_length", -4, "`max_length` must be an integer from 1"),
    ("max_length", 4.0, "`max_length` must be an integer from 1"),
    ("max_length", 10**30, "`max_length` must be an integer from 1"),
    ("max_vocabulary", {}, "`max_vocabulary` must be an integer from 1"),
    ("clean", "html", "`clean` must be a sequence of strings"),
    ("clean", ["html", 3], "`clean` must be a sequence of strings"),
    ("stop_words", ["a b"], "`stop_words` must be words of one token each"),
    ("stop_words", ["\ud800"], "`stop_words` must be"),
    ("keep", "middle", "`keep` must be one of"),
    ("tokenizer", 3, "`tokenizer` must be the import name of a function"),
]


@pytest.mark.parametrize(("option", "value", "said"), OPTIONS)
def test_damaged_options(option, value, said):
    with pytest.raises(ArtifactError, match=said) as caught:
        TextEncoder.from_files(changed(WORD, "encoder.json", [option], value))
    assert str(caught.value).startswith("encoder.json: ")
    assert "\n" not in str(caught.value)


CONTENTS = [
    (WORD, "vocabulary.json", [], ..., "`file` must be there"),
    (WORD, "vocabulary.json", [], {"a": 1}, "`content` must be a list; got dict"),
    (WORD, "encoder.json", [], [], "`content` must be an object; got list"),
    (WORD, "encoder.json", [], ..., "`file` must be there"),
    (WORD, "vocabulary.json", [0], "pad", "first <pad> and <unk>"),
    (WORD, "vocabulary.json", [3], 7, "strings, first <pad>"),
    (WORD, "vocabulary.json", [3], ["to"], "strings, first <pad>"),
    (WORD, "vocabulary.json", [2], "to", "different from each other"),
    (WORD, "vocabulary.json", [3], "\udfff", "valid Unicode"),
    (WORD, "vocabulary.json", [], ["<pad>", "<unk>"], "1 to 30000 besides the special ones; got 0"),
    (WORD, "encoder.json", ["max_vocabulary"], 3, "1 to 3 besides the special ones; got"),
    (CHAR, "vocabulary.json", [2], "ab", "single characters"),
    (WORD, "ngrams.json", [], ..., "`file` must be there"),
    (WORD, "ngrams.json", [0], ..., "`lengths` must be 2 objects; got 1"),
    (WORD, "ngrams.json", [1], [], "`lengths` must be 2 objects"),
    (WORD, "ngrams.json", [0, "prefix", 0], 1, "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "prefix", 0], 10**9, "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "prefix", 0], 10**40, "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "word", 0], 2.0, "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "word", 0], True, "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "word"], ..., "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "word"], "2", "lists of ids from 2 to"),
    (WORD, "ngrams.json", [0, "word"], [2], "pairs that differ"),
    (WORD, "ngrams.json", [0], {"prefix": [2, 2], "word": [3, 3]}, "pairs that differ"),
    (WORD, "ngrams.json", [1], {"prefix": [9], "word": [2]}, "lists of ids from 1 to"),
    (WORD, "encoder.json", ["max_ngrams"], 1, "`n-grams` must be at most 1"),
    (SUB, "merges.json", [], ..., "`file` must be there"),
    (SUB, "merges.json", [0], ["t"], "pairs of tokens that make a token"),
    (SUB, "merges.json", [0], ["t", "never"], "pairs of tokens that make a token"),
    (SUB, "merges.json", [0], ["t", 5], "pairs of tokens that make a token"),
    (SUB, "merges.json", [0], "to", "pairs of tokens that make a token"),
    (SUB, "vocabulary.json", [9], ..., "sub-words that cover all bytes"),
]


@pytest.mark.parametrize(("files", "file", "path", "value", "said"), CONTENTS)
def test_damaged_contents(files, file, path, value, said):
    with pytest.raises(ArtifactError, match=said) as caught:
        TextEncoder.from_files(changed(files, file, path, value))
    assert ".json: `" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("files", [WORD, SUB, CHAR], ids=["word", "bpe", "char"])
def test_files_are_plain_json_and_others_are_left_alone(files):
    text = json.dumps(files, allow_nan=False)
    loaded = TextEncoder.from_files({**json.loads(text), "config.json": {"other": 1}})
    assert loaded.to_files() == files


def test_special_words_in_the_vocabulary_survive():
    encoder = TextEncoder(tokenizer=str.split, clean=()).fit(["<pad> <unk> <pad>"])
    loaded = TextEncoder.from_files(encoder.to_files())
    assert loaded.encode(["<unk> <pad> x"]).ids.tolist() == [3, 2, 1]


def test_ids_in_memory_do_not_alias_the_files():
    files = copy.deepcopy(WORD)
    loaded = TextEncoder.from_files(files)
    files["ngrams.json"][0]["prefix"][0] = 99
    files["vocabulary.json"][2] = "changed"
    assert np.array_equal(loaded.encode(TEXTS).ids, TextEncoder.from_files(WORD).encode(TEXTS).ids)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def places(value, way=()):
    """Every way that leads to a value inside nested lists and dicts."""
    yield way
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*way, name))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*way, index))


WAYS = {id(files): [way for way in places(files) if way] for files in (WORD, SUB, CHAR)}


@given(st.sampled_from([WORD, SUB, CHAR]), st.data())
def test_whatever_is_changed_either_loads_or_names_the_file(files, data):
    file, *way = data.draw(st.sampled_from(WAYS[id(files)]))
    changed_files = changed(files, file, way, data.draw(JSON | st.just(...)))
    try:
        encoder = TextEncoder.from_files(changed_files)
    except ArtifactError as error:
        assert re.search(r"(encoder|vocabulary|merges|ngrams)\.json: ", str(error))  # noqa: PT017
    else:
        encoded = encoder.encode(["To be, or not?", ""])
        assert encoded.words.max(initial=0) < encoder.size
        assert encoded.ids.min(initial=0) >= 0
        assert isinstance(encoder.decode(encoded.ids), str)


def test_options_of_version_1_mean_what_they_meant():
    encoder = TextEncoder(clean=("angles",), unspaced=False).fit(["a<user> 中文"])
    files = encoder.to_files()
    options = {**files["encoder.json"], "version": 1, "clean": ["html"]}
    del options["unspaced"]
    again = TextEncoder.from_files({**files, "encoder.json": options})
    assert again.tokens("b<user> 中文") == encoder.tokens("b<user> 中文") == ["b", "中文"]
