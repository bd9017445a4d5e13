"""The encoder of language models: what a symbol is, what an unknown one, and the way back."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.language import documents
from tidegate.data.language.documents import Document
from tidegate.data.language.encoder import END, UNKNOWN, LanguageEncoder
from tidegate.errors import ArtifactError, InputError

TEXT = "To be, or not to be:\n that is the question.\n\nTo die, to sleep; No more\n"
PTB = " no it was n't black monday \n but while <unk> did n't fall N points friday \n"


def fitted(level, text=TEXT, **options):
    return LanguageEncoder(level=level, **options).fit([Document(text)])


# A carriage return is a line end like any other, and comes back as one.
LETTERS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1
)


@given(LETTERS)
def test_characters_come_back_to_the_letter(text):
    encoder = fitted("char", text)
    assert encoder.decode(encoder.ids(text)) == text
    assert encoder.size == len(set(text)) + 2
    assert len(encoder.ids(text)) == len(text)


@given(LETTERS)
def test_sub_words_spell_any_text_to_the_letter(text):
    encoder = _subwords()
    assert encoder.decode(encoder.ids(text)) == text


def _subwords(made=[]):  # noqa: B006 - fitted once for all examples
    if not made:
        made.append(fitted("bpe", TEXT * 3, max_vocabulary=300))
    return made[0]


def test_the_most_frequent_symbols_have_the_smallest_ids():
    encoder = fitted("char", "banana!")
    assert encoder.vocabulary == ["<eos>", "<unk>", "a", "n", "!", "b"]
    assert encoder.ids("nab") == [3, 2, 5]


def test_unknown_characters_are_counted_and_shown_as_such():
    encoder = fitted("char", "banana")
    assert encoder.ids("nan§x§") == [3, 2, 3, UNKNOWN, UNKNOWN, UNKNOWN]
    assert encoder.unknown("nan§x§") == Counter({"§": 2, "x": 1})
    assert encoder.decode(encoder.ids("na§")) == "na\ufffd"
    assert encoder.encode([Document("nan§x§")]).unknown == Counter({"§": 2, "x": 1})


def test_penn_treebank_as_others_read_it():
    encoder = fitted("space", PTB)
    expected = PTB.replace("\n", " <eos> ").split()
    ids = encoder.ids(PTB)
    assert [encoder.vocabulary[index] for index in ids] == expected
    assert ids.count(END) == 2
    assert ids.count(UNKNOWN) == 1
    assert not encoder.unknown(PTB)
    assert encoder.unknown("black sheep") == Counter({"sheep": 1})
    assert encoder.size == len(set(expected))
    assert encoder.decode(ids) == PTB[1:].replace(" \n", "\n").replace("\n ", "\n")
    assert encoder.decode(encoder.ids("no \n \n no")) == "no\n\nno"


def test_words_are_cut_as_by_the_text_encoder():
    encoder = fitted("word", "Don't go, don't!", lowercase=True)
    assert encoder.vocabulary[2:] == ["don't", "!", ",", "go"]
    assert encoder.decode(encoder.ids("Go, don't!")) == "go , don't !"
    assert encoder.symbols("Go home!") == ["go", "home", "!"]


@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_what_is_named_is_cleaned_and_nothing_else(level):
    text = "A <br />tide &amp; a gate"
    encoder = fitted(level, text, clean=("html",))
    assert encoder.ids(text) == encoder.ids("A  tide & a gate")
    assert encoder.clean == ("html",)
    plain = fitted(level, text)
    assert plain.ids(text) != plain.ids("A  tide & a gate")


def test_limits_of_the_vocabulary():
    assert fitted("char", "aaabbc", max_vocabulary=2).vocabulary[2:] == ["a", "b"]
    assert fitted("char", "aaabbc", min_frequency=2).vocabulary[2:] == ["a", "b"]
    assert _subwords().size <= 302


@pytest.mark.parametrize("level", ["char", "word", "bpe", "space"])
def test_a_file_in_blocks_gives_what_the_text_gives(tmp_path, monkeypatch, level):
    path = tmp_path / "a.txt"
    path.write_text(TEXT * 5, newline="")
    whole = LanguageEncoder(level=level, max_vocabulary=280).fit([Document(TEXT * 5)])
    monkeypatch.setattr(documents, "BLOCK", 40)
    encoder = LanguageEncoder(level=level, max_vocabulary=280).fit([Document(path)])
    assert encoder.vocabulary == whole.vocabulary
    ids = encoder.encode([Document(path)]).ids
    assert ids.tolist() == whole.ids(TEXT * 5)


def test_documents_stand_between_end_marks():
    encoder = fitted("char", "ab")
    a, b = encoder.ids("ab")
    corpus = encoder.encode([Document("ab"), Document("b")], separate=True)
    assert corpus.ids.tolist() == [END, a, b, END, b, END]
    assert corpus.starts.tolist() == [0, 3]
    joined = encoder.encode([Document("ab"), Document("b")])
    assert joined.ids.tolist() == [a, b, b]
    assert not len(joined.starts)


@pytest.mark.parametrize("level", ["char", "word", "bpe", "space"])
def test_an_encoder_comes_back_from_its_files(level):
    encoder = fitted(level, TEXT * 3, max_vocabulary=280, lowercase=True, clean=["html"])
    files = json.loads(json.dumps(encoder.to_files()))
    twin = LanguageEncoder.from_files(files)
    assert twin.ids(TEXT + "ÄÖ") == encoder.ids(TEXT + "ÄÖ")
    assert twin.to_files() == encoder.to_files()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("vocabulary.json", ["<pad>", "<unk>", "a"], "first <eos> and <unk>"),
        ("vocabulary.json", ["<eos>", "<unk>", "ab"], "single characters"),
        ("vocabulary.json", ["<eos>", "<unk>", "a", "a"], "different from each other"),
        ("vocabulary.json", ["<eos>", "<unk>", 3], "strings"),
        ("vocabulary.json", None, "a list"),
    ],
)
def test_damaged_files_are_refused(name, value, told):
    files = fitted("char").to_files() | {name: value}
    with pytest.raises(ArtifactError, match=told):
        LanguageEncoder.from_files(files)


def test_forged_options_are_refused():
    files = fitted("char").to_files()
    for name, value in (("level", "bits"), ("version", 99), ("max_vocabulary", -1)):
        forged = files | {"encoder.json": files["encoder.json"] | {name: value}}
        with pytest.raises(ArtifactError, match=rf"^encoder\.json: `{name}` must be"):
            LanguageEncoder.from_files(forged)
    with pytest.raises(ArtifactError, match="`x` must be a known option"):
        LanguageEncoder.from_files(files | {"encoder.json": files["encoder.json"] | {"x": 1}})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"level": "chars"}, "Did you mean 'char'"),
        ({"level": "bpe", "max_vocabulary": 100}, "`max_vocabulary` must be >= 256; got 100"),
        ({"min_frequency": 0}, "`min_frequency` must be an integer from 1"),
        ({"clean": ("htm",)}, "Did you mean 'html'"),
        ({"lowercase": "yes"}, "`lowercase` must be True or False"),
    ],
)
def test_wrong_options_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        LanguageEncoder(**options)


def test_what_needs_a_vocabulary_says_so():
    for method in ("ids", "symbols", "unknown", "decode"):
        with pytest.raises(InputError, match="Call fit"):
            getattr(LanguageEncoder(), method)("")
    with pytest.raises(InputError, match="from 0 to"):
        fitted("char").decode([9999])


def test_letters_of_scripts_without_spaces_are_words(tmp_path):
    text = "the GPU 很快。 很 好"
    encoder = LanguageEncoder(level="word").fit([Document(text)])
    assert encoder.symbols("GPU很快。") == ["GPU", "很", "快", "。"]
    assert encoder.decode(encoder.ids(text)) == "the GPU 很快。很好"
    files = encoder.to_files()
    assert LanguageEncoder.from_files(files).symbols("很快") == ["很", "快"]
    del files["encoder.json"]["unspaced"]  # as models were saved before
    older = LanguageEncoder.from_files(files)
    assert older.symbols("很快") == ["很快"]
    assert older.decode(encoder.ids("很快")) == "很 快"


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_what_ends_lines_elsewhere_is_a_character_like_any_other(sign):
    text = f"to{sign}be\nor"
    for level in ("char", "bpe"):
        encoder = LanguageEncoder(level=level).fit([Document(text)])
        assert encoder.decode(encoder.ids(text)) == text
    words = LanguageEncoder(level="word").fit([Document(text)])
    assert words.symbols(text) == ["to", "be", "or"]
