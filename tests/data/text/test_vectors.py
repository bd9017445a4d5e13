"""Pretrained vectors, from every form, and what can be wrong with a file of them."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.data.text.vectors import load_vectors
from tidegate.errors import InputError

VOCABULARY = ["<pad>", "<unk>", "the", "sea", "naïve", "missing", ". . ."]
GLOVE = "the 0.5 -1 2e-1\nof 9 9 9\nsea 1 2 3\nnaïve 4 5 6\n. . . 7 8 9\nsea 0 0 0\n<pad> 3 3 3\n"
TABS = GLOVE.replace(". . .", "._._.")
WANTED = [[0, 0, 0], [0, 0, 0], [0.5, -1, 0.2], [1, 2, 3], [4, 5, 6], [0, 0, 0], [7, 8, 9]]


def written(path, text, packed=False):
    data = text.encode("utf-8")
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("glove.txt", GLOVE),
        ("glove.vec", "7 3\n" + GLOVE),
        ("spaces.txt", GLOVE.replace("\n", " \n")),
        ("windows.txt", GLOVE.replace("\n", "\r\n")),
        ("tabs.txt", TABS.replace(" ", "\t").replace("_", " ")),
        ("tabs.vec", "7\t3\n" + TABS.replace(" ", "\t").replace("_", " ")),
        ("one_tab.txt", re.sub("(?m)^([^ ]*) ", "\\1\t", TABS).replace("_", " ")),
        ("glove.txt.gz", GLOVE),
    ],
)
def test_text_files(tmp_path, name, text):
    path = written(tmp_path / name, text, packed=name.endswith(".gz"))
    vectors, found = load_vectors(path, VOCABULARY)
    np.testing.assert_array_equal(vectors, np.array(WANTED, np.float32))
    assert vectors.dtype == np.float32
    assert found == 4


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_npz_files(tmp_path, dtype):
    words = np.array(["the", "of", "sea", "sea", "<pad>"])
    values = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 9]], dtype)
    np.savez(tmp_path / "some.npz", words=words, vectors=values)
    vectors, found = load_vectors(str(tmp_path / "some.npz"), ["<pad>", "<unk>", "sea", "the", "x"])
    assert vectors.tolist() == [[0, 0], [0, 0], [5, 6], [1, 2], [0, 0]]
    assert (vectors.dtype, found) == (np.float32, 2)


def test_a_word_that_the_vocabulary_has_twice_counts_once(tmp_path):
    path = written(tmp_path / "v.txt", "<unk> 1\na 2\n")
    vectors, found = load_vectors(path, ["<pad>", "<unk>", "<unk>", "a"])
    assert vectors.tolist() == [[0], [1], [0], [2]]
    assert found == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the 1 2 3\nof 1 2\n", r"`line 2` must be a word and 3 numbers; got 2: 'of 1 2'"),
        ("the 1 2 3\nof 1 2 3 4\n", "`line 2` must be a word and 3 numbers; got 4"),
        ("2 3\nthe 1 2\n", "`line 2` must be a word and 3 numbers; got 2"),
        ("the\n", "`line 1` must be a word and its numbers; got 0"),
        ("the 1 2\n\nsea 1 2\n", "`line 2` must be a word and 2 numbers"),
        ("the 1 x\n", "`line 1` must be numbers; got could not convert"),
        ("of 1 2\nthe nan 2\n", "`vectors` must be finite numbers; got others for the word 'the'"),
        ("the 1 1e99\n", "`vectors` must be finite numbers"),
        ("of 1 2\n", "`words` must be in the vocabulary; got none of 7. Check that the words are"),
        (
            "2 2\nthe 1 2 3\nsea 4 5 6\n",
            "`line 1` must be how many numbers each line has; got 2",
        ),
        ("2 1\n. . . 1 2\nthe 4 5\n", "`line 1` must be how many numbers each line has; got 1"),
        ("3 2\nthe\t1\t2\t3\n", "`line 2` must be a word and 2 numbers; got 3"),
        ("the\t1\t2\nsea\t1\n", "`line 2` must be a word and 2 numbers; got 1"),
        ("the\t1\t\t2\n", "`line 1` must be numbers"),
        ("400000 300\n", "must be word vectors; got a header alone"),
        ("", "an empty file"),
    ],
)
def test_damaged_text_files(tmp_path, text, said):
    path = written(tmp_path / "v.txt", text)
    with pytest.raises(InputError, match=said) as caught:
        load_vectors(path, VOCABULARY)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arrays",
    [
        {"words": np.array(["a"])},
        {"words": np.array(["a"]), "vectors": np.ones(3)},
        {"words": np.array(["a"]), "vectors": np.ones((2, 3))},
        {"words": np.array([1]), "vectors": np.ones((1, 3))},
        {"words": np.array(["a"]), "vectors": np.array([["x"]])},
        {"words": np.array(["a", None]), "vectors": np.ones((2, 3))},
    ],
)
def test_npz_files_of_another_form(tmp_path, arrays):
    np.savez(tmp_path / "v.npz", **arrays)
    with pytest.raises(InputError, match=r"v\.npz: `(file|arrays)` must be") as caught:
        load_vectors(tmp_path / "v.npz", ["a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"no zip", b"PK\x03\x04 cut", b"\x93NUMPY"])
def test_damaged_npz_files(tmp_path, data):
    (tmp_path / "v.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"v\.npz: `file` must be an \.npz with the arrays"):
        load_vectors(tmp_path / "v.npz", ["a"])


def test_an_npz_from_a_later_kind_of_zip(tmp_path):
    np.savez(tmp_path / "v.npz", words=np.array(["a"]), vectors=np.ones((1, 1)))
    data = bytearray((tmp_path / "v.npz").read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 99  # the version that is needed to unpack it
    (tmp_path / "v.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"v\.npz: `file` must be an \.npz with the arrays"):
        load_vectors(tmp_path / "v.npz", ["a"])


def test_missing_folder_and_cut_gzip(tmp_path):
    with pytest.raises(InputError, match="`file` must be an existing one; got no such file"):
        load_vectors(tmp_path / "none.txt", ["a"])
    with pytest.raises(InputError, match="`file` must be a file; got a folder"):
        load_vectors(tmp_path, ["a"])
    whole = gzip.compress(GLOVE.encode() * 100)
    (tmp_path / "cut.txt.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="`file` must be a whole gzipped file"):
        load_vectors(tmp_path / "cut.txt.gz", VOCABULARY)


def test_only_the_words_that_are_needed_are_kept(tmp_path):
    lines = "".join(f"word{number} {number} {-number}\n" for number in range(20_000))
    vectors, found = load_vectors(written(tmp_path / "v.txt", lines), ["<pad>", "<unk>", "word7"])
    assert vectors.tolist() == [[0, 0], [0, 0], [7, -7]]
    assert found == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(GLOVE.encode())), st.integers(0, 9), st.binary(max_size=6))
def test_damaged_bytes_give_finite_vectors_or_one_line(tmp_path, at, cut, put_in):
    seed = GLOVE.encode()
    path = tmp_path / "v.txt"
    path.write_bytes(seed[:at] + put_in + seed[at + cut :])
    try:
        vectors, found = load_vectors(path, VOCABULARY)
    except InputError as error:
        assert str(error).startswith(f"{path}: `")  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert np.isfinite(vectors).all()
        assert 1 <= found <= len(VOCABULARY)
        assert not vectors[0].any()


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff2 3\nthe 0.1 0.2 0.3\nboat 0.4 0.5 0.6\n",
        "\ufeffthe 0.1 0.2 0.3\nboat 0.4 0.5 0.6\n\n",
        "3 3\nthe 0.1 0.2 0.3\nat 3 0.7 0.8 0.9\nboat 0.4 0.5 0.6\n \n",
    ],
)
def test_marks_headers_and_empty_lines_are_no_vectors(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_bytes(text.encode("utf-8"))
    vectors, found = load_vectors(path, ["<pad>", "<unk>", "the", "boat"])
    assert found == 2
    np.testing.assert_allclose(vectors[2:], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], rtol=1e-6)
