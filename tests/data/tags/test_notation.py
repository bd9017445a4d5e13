"""Notations: the tags of one scheme in the ways that people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.notation import Notation, find_notation, read_scheme
from tidegate.data.tags.schemes import TagError

WORDS = [["Ann", "May", "Reed", "rows", "to", "Hull"]]
NOTATIONS = {
    "bio": "B-PER I-PER I-PER O O B-LOC",
    "iobes": "B-PER I-PER E-PER O O S-LOC",
    "bilou": "B-PER I-PER L-PER O O U-LOC",
    "bmewo": "B-PER M-PER E-PER O O W-LOC",
    "bmes": "B-PER M-PER E-PER O O S-LOC",
    "underscore": "B_PER I_PER I_PER O O B_LOC",
    "suffix": "PER-B PER-I PER-I O O LOC-B",
    "small": "b-per i-per i-per o o b-loc",
    "small o": "B-PER I-PER I-PER o o B-LOC",
    "bare": "B I I O O B",
    "colon": "B:PER I:PER I:PER O O B:LOC",
    "dot": "B.PER I.PER I.PER O O B.LOC",
    "plus at the end": "PER+B PER+I PER+I O O LOC+B",
    "segments": "B M E S S S",
    "small segments": "b m e s s s",
    "nought for O": "B-PER I-PER I-PER 0 0 B-LOC",
    "a word for O": "B_PER I_PER I_PER OTHER OTHER B_LOC",
    "a line for O": "B-PER I-PER I-PER _ _ B-LOC",
    "bare with a word for O": "B I I none none B",
    "dash in a label": "B-work-of-art I-work-of-art I-work-of-art O O B-LOC",
    "underscore in a label": "B-GRP_A I-GRP_A I-GRP_A O O B-LOC_B",
}


@pytest.mark.parametrize("written", NOTATIONS.values(), ids=list(NOTATIONS))
def test_every_notation_is_read_as_spans_and_written_again(written):
    tags = [written.split()]
    encoder = TagEncoder().fit(WORDS, tags)
    ids = encoder.tag_ids(tags).tolist()
    learned = [encoder.tags[number].partition("-")[0] for number in ids]
    assert learned[:3] == ["B", "I", "E"]
    assert learned[3:] in (["O", "O", "S"], ["S", "S", "S"])
    assert encoder.written(ids) == tags[0]
    again = TagEncoder.from_files(encoder.to_files())
    assert again.written(again.tag_ids(tags).tolist()) == tags[0]


@pytest.mark.parametrize(
    "tags",
    [
        "NOUN VERB",
        "NN NNS VBZ",
        "O",
        "NOUN",
        "walk-B run-fast O",
        "B-PER NOUN VERB ADJ",
        "N V O E S",
        "S O S",
        "PER O LOC",
    ],
)
def test_tags_that_are_no_spans_have_no_notation(tags):
    assert find_notation([tags.split()]) is None


@pytest.mark.parametrize("tags", ["B I", "B O", "I O", "S B E"])
def test_bare_letters_are_spans_without_a_label(tags):
    assert find_notation([tags.split()]) == Notation("BIES", "", False, "O")


@pytest.mark.parametrize(
    ("usual", "odd", "named"),
    [
        ("B-PER I-PER O B-LOC", "U-LOC O", "U-LOC"),
        ("B-PER I-PER O B-LOC", "B-LOC E-LOC", "E-LOC"),
        ("B-PER I-PER O B-LOC", "S-LOC", "S-LOC"),
        ("B-PER I-PER O B-LOC", "M-PER O", "M-PER"),
        ("B-PER I-PER O B-LOC", "B_PER O", "B_PER"),
        ("B-PER I-PER O B-LOC", "b-PER O", "b-PER"),
        ("B-PER I-PER O B-LOC", "OTHER O", "OTHER"),
        ("B-PER L-PER O U-LOC", "B-LOC O", "B-LOC"),
    ],
)
@pytest.mark.parametrize("times", [2, 20])
def test_tags_of_another_notation_are_named_as_they_stand_there(usual, odd, named, times):
    tags = [usual.split()] * times + [odd.split()]
    with pytest.raises(TagError, match=rf"got .*'{named}'.* of sentence {times + 1}"):
        TagEncoder().fit([["a"] * len(row) for row in tags], tags)


@pytest.mark.parametrize("other", ["B_PER O", "b-PER O", "B-PER 0"])
def test_two_notations_in_turn_are_no_tags_of_their_own(other):
    tags = [row.split() for row in ("B-PER O", other)] * 5
    with pytest.raises(TagError, match=f"got '{other.split()['0' in other]}' at word . of sent"):
        TagEncoder().fit([["a"] * 2] * 10, tags)


@pytest.mark.parametrize("others", ["O O O 0", "0 0 0 o", "O NONE NONE NONE", "0 0 0 X-PER"])
def test_other_signs_for_o_are_mistakes_however_few_spans_there_are(others):
    tags = [["B-PER", *others.split()]]
    with pytest.raises(TagError, match=r"got '(0|NONE|X-PER)' at word . of sentence 1|got 'o'"):
        TagEncoder().fit(tags, tags)


def test_a_scheme_that_is_given_is_taken():
    assert read_scheme([["B_PER", "O"]], "iob1") == ("iob1", Notation(separator="_"))
    assert read_scheme([["B-PER", "O"]], "none") == ("none", Notation())
    assert read_scheme([["NN", "O"]], "auto") == ("none", Notation())


@pytest.mark.parametrize("typo", ["0", "B-", "-PER", "X-PER", "PER", "OO"])
def test_a_mistake_among_many_tags_is_named(typo):
    tags = [["B-PER", "I-PER", "O", "O"]] * 20 + [["O", typo, "O"]]
    with pytest.raises(TagError, match=f"got '{typo}' at word 2 of sentence 21.*scheme none"):
        TagEncoder().fit([["a"] * len(row) for row in tags], tags)


def test_mistakes_can_be_learned_as_they_are():
    tags = [["B-PER", "O"]] * 20 + [["0", "O"]]
    encoder = TagEncoder(scheme="none").fit([["a", "b"]] * 21, tags)
    assert encoder.written(encoder.tag_ids(tags).tolist()[-2:]) == ["0", "O"]


@given(
    st.sampled_from([Notation(), Notation("BILU"), Notation("bmew", "_", True, "o")]),
    st.sampled_from(["O", "B-x", "I-x", "E-x-y", "S-x_y"]),
)
def test_reading_undoes_writing(notation, tag):
    assert notation.read(notation.write(tag)) == tag
