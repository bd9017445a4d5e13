"""Documents are read in blocks of any size, and say exactly what is wrong with a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tidegate.data.language import documents
from tidegate.data.language.documents import Document, as_documents, split_documents
from tidegate.errors import InputError

TEXT = "Élan vital — to be,\r\nor not\n\n  to be? 深い川\n"


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_file_is_read_to_the_letter_whatever_the_block(tmp_path, monkeypatch, block, name):
    monkeypatch.setattr(documents, "BLOCK", block)
    path, read = put(tmp_path / name, TEXT.encode()), TEXT.replace("\r\n", "\n").replace("\r", "\n")
    for source in (path, TEXT):
        for first, last in ((0, None), (3, None), (0, 9), (4, 30), (11, 11)):
            part = Document(source, first, last)
            assert "".join(part.blocks()) == read[first:last]
            assert "".join(part.words()) == read[first:last]
            assert part.length() == len(read[first:last])


def test_no_word_is_cut(monkeypatch):
    monkeypatch.setattr(documents, "BLOCK", 4)
    text = "some words, and alongwordwithoutanyend here\nand there"
    blocks = list(Document(text).words())
    assert "".join(blocks) == text
    assert len(blocks) > 4
    assert [word for block in blocks for word in block.split()] == text.split()


def test_blocks_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "BLOCK", 50)
    path = put(tmp_path / "a.txt", b"abc d\n" * 100)
    assert max(map(len, Document(path).blocks())) <= 50
    assert max(map(len, Document(path).words())) <= 100


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = put(tmp_path / "a.txt", b"\xef\xbb\xbfabc\xef\xbb\xbf")
    assert "".join(Document(path).blocks()) == "abc\ufeff"


@pytest.mark.parametrize("block", [1, 2, 5, 1000])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_byte_that_is_not_utf8_is_named_with_its_place(tmp_path, monkeypatch, block, name):
    monkeypatch.setattr(documents, "BLOCK", block)
    data = "né\nça\nv".encode() + b"\xff tail"
    path = put(tmp_path / name, data)
    place = data.index(b"\xff")
    rule = rf"must be UTF-8; got byte 0xff at position {place} \(line 3\)\. Convert it"
    with pytest.raises(InputError, match=rule):
        list(Document(path).blocks())


def test_a_text_that_breaks_off_within_a_character_is_refused(tmp_path):
    path = put(tmp_path / "a.txt", "né".encode()[:-1])
    with pytest.raises(InputError, match=r"byte 0xc3 at position 1 \(line 1\)"):
        list(Document(path).blocks())


def test_what_a_user_may_give(tmp_path):
    path = put(tmp_path / "a.txt", b"abc")
    assert as_documents(path, "T") == ([Document(path)], False)
    assert as_documents([path, path], "T") == ([Document(path)] * 2, True)
    assert as_documents("a\nb", "T") == ([Document("a\nb")], False)
    assert as_documents(("a", "b"), "T") == ([Document("a"), Document("b")], True)
    assert as_documents([], "T") == ([], True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (3, "`X` must be a text, a Path, or a list of texts or of Paths; got int"),
        (["a", 3], "got int"),
        (b"abc", "got int|got bytes"),
        (["a", "\ud800"], "lone surrogate"),
        (Path("none.txt"), "none.txt: `file` must be an existing one"),
    ],
)
def test_what_a_user_may_not_give(given, told):
    with pytest.raises(InputError, match=told):
        as_documents(given, "T")


def test_the_name_of_a_file_is_no_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "a.txt", b"abc")
    with pytest.raises(InputError, match=r"'a.txt', the name of a file. Pass pathlib.Path"):
        as_documents("a.txt", "T")


@pytest.mark.parametrize("name", ["./a", "/no/b", "../b", "~/c", "data/", "gone.CSV.gz", "here"])
def test_what_can_only_be_a_name_is_no_text(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for given in (name, [name], [name, "./more"]):
        with pytest.raises(InputError, match=r"the name of a file\. Pass pathlib"):
            as_documents(given, "T")
    assert as_documents([name], "T", names=True)[0] == [Document(name)]
    assert as_documents(f"{name}\n", "T")[0] == [Document(f"{name}\n")]


@pytest.mark.parametrize("text", ["and/or", "/r/python is nice", "see ./a", "1/2", "", "\0/x"])
def test_a_text_with_signs_of_a_path_is_a_text(text):
    assert as_documents(text, "T")[0] == [Document(text)]


def test_a_name_among_texts_is_a_text_and_is_told():
    with pytest.warns(UserWarning, match="1 of 3 texts look like names of files .* '/s', for ex"):
        documents, _ = as_documents(["to be", "/s", "or not"], "T")
    assert documents[1] == Document("/s")


def test_an_empty_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="must be a text; got an empty file"):
        as_documents(put(tmp_path / "a.txt", b""), "T")
    with pytest.raises(InputError, match="got a folder"):
        as_documents(tmp_path, "T")


def test_a_text_is_split_at_the_share_of_its_characters():
    text = "".join(chr(97 + n % 26) for n in range(1115))
    before, after = split_documents([Document(text)], 0.1, whole=False)
    assert "".join(before[0].blocks()) == text[: int(1115 * 0.9)]
    assert "".join(after[0].blocks()) == text[int(1115 * 0.9) :]


def test_a_text_in_parts_is_split_within_one_of_them():
    parts = [Document("abcd"), Document("efgh", first=1), Document("ij")]
    before, after = split_documents(parts, 0.5, whole=False)
    assert ["".join(part.blocks()) for part in before] == ["abcd"]
    assert ["".join(part.blocks()) for part in after] == ["fgh", "ij"]
    before, after = split_documents(parts, 0.3, whole=False)
    assert ["".join(part.blocks()) for part in before] == ["abcd", "fg"]
    assert ["".join(part.blocks()) for part in after] == ["h", "ij"]


def test_documents_are_held_out_whole_and_from_the_end():
    texts = [Document("x" * 10), Document("x" * 5), Document("x" * 5)]
    assert split_documents(texts, 0.1, whole=True) == (texts[:2], texts[2:])
    assert split_documents(texts, 0.26, whole=True) == (texts[:1], texts[1:])
    assert split_documents(texts[:1], 0.1, whole=True) == ([], texts[:1])


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("where", ["text", "file"])
def test_line_ends_of_every_system_are_line_feeds(end, where, tmp_path):
    text = "".join(f"line {number}{end}" for number in range(200_000))  # more than a block
    if where == "file":
        (tmp_path / "a.txt").write_bytes(text.encode())
    document = Document(text if where == "text" else tmp_path / "a.txt")
    assert "".join(document.blocks()) == text.replace(end, "\n")
    assert document.length() == len(text.replace(end, "\n"))
