"""Spelling piece by piece: the pieces together are the text, whatever the symbols are."""

from __future__ import annotations

import pytest

from tidegate.data.language.documents import Document
from tidegate.data.language.encoder import END, LanguageEncoder
from tidegate.decode.spelling import Speller

TEXT = "“Tide!” said the café-owner, and 潮 came in 🌊 …\nto be or not to be\n\nwas it to be?"


def fitted(level):
    size = 270 if level == "bpe" else None
    return LanguageEncoder(level=level, max_vocabulary=size).fit([Document(TEXT)])


def spelled(encoder, before, ids, stops=()):
    speller = Speller(encoder, before, stops)
    return [speller.add(symbol) for symbol in ids], speller.done


@pytest.mark.parametrize("level", ["char", "bpe"])
def test_pieces_are_the_text_to_the_letter(level):
    encoder = fitted(level)
    ids = encoder.ids(TEXT)
    for cut in (0, 1, 2, 7, len(ids) - 1):
        pieces, done = spelled(encoder, ids[:cut], ids[cut:])
        assert encoder.decode(ids[:cut]) + "".join(pieces) == TEXT or "\ufffd" in encoder.decode(
            ids[:cut]
        )
        assert not done


@pytest.mark.parametrize("level", ["word", "space"])
def test_pieces_of_words_are_what_all_of_them_decode_to(level):
    encoder = fitted(level)
    ids = encoder.ids(TEXT) * 3
    for cut in (1, 5, 30):
        pieces, _ = spelled(encoder, ids[:cut], ids[cut:])
        assert encoder.decode(ids[:cut]) + "".join(pieces) == encoder.decode(ids)


def test_a_character_of_several_symbols_comes_when_it_is_whole():
    encoder = fitted("bpe")
    waves = encoder.ids("🌊")
    assert len(waves) == 4
    assert spelled(encoder, [], waves)[0] == ["", "", "", "🌊"]


def test_bytes_that_never_become_a_character_do_not_hold_up_the_text():
    encoder = fitted("bpe")
    broken = encoder.ids("🌊")[:1] * 6 + encoder.ids(" to be")
    assert "".join(spelled(encoder, [], broken)[0]).endswith(" to be")


@pytest.mark.parametrize("level", ["char", "bpe", "word"])
def test_the_end_of_a_document_ends_the_text(level):
    encoder = fitted(level)
    ids = encoder.ids("to be")
    pieces, done = spelled(encoder, ids, [*ids, END, *ids])
    assert "".join(pieces).strip() == "to be"
    assert done


def test_the_end_of_a_line_is_one_where_lines_have_ends():
    encoder = fitted("space")
    ids = encoder.ids("not to")
    pieces, done = spelled(encoder, ids, [END, *ids])
    assert "".join(pieces) == "\nnot to"
    assert not done


@pytest.mark.parametrize("level", ["char", "bpe"])
@pytest.mark.parametrize(
    ("stops", "text"),
    [
        (["\n\n"], TEXT[: TEXT.index("\n\n") + 2]),
        (["or n"], TEXT[: TEXT.index("or n") + 4]),
        (["nowhere"], TEXT),
        (["not", "to be", "or"], TEXT[: TEXT.index("to be") + 5]),
    ],
)
def test_the_text_ends_with_the_first_of_the_stops(level, stops, text):
    encoder = fitted(level)
    pieces, done = spelled(encoder, [], encoder.ids(TEXT), stops)
    assert "".join(pieces) == text
    assert done == (text != TEXT)


def test_a_stop_is_not_found_in_what_stood_before():
    encoder = fitted("char")
    ids = encoder.ids("to be")
    pieces, done = spelled(encoder, ids[:4], ids[4:], ["be"])
    assert ("".join(pieces), done) == ("e", False)
