"""Notations: the tags of one scheme in the ways that people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.notation import Notation, find_notation
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
    "dash in a label": "B-work-of-art I-work-of-art I-work-of-art O O B-LOC",
    "underscore in a label": "B-GRP_A I-GRP_A I-GRP_A O O B-LOC_B",
}


@pytest.mark.parametrize("written", NOTATIONS.values(), ids=list(NOTATIONS))
def test_every_notation_is_read_as_spans_and_written_again(written):
    tags = [written.split()]
    encoder = TagEncoder().fit(WORDS, tags)
    ids = encoder.tag_ids(tags).tolist()
    learned = [encoder.tags[number].partition("-")[0] for number in ids]
    assert learned == ["B", "I", "E", "O", "O", "S"]
    assert encoder.written(ids) == tags[0]
    again = TagEncoder.from_files(encoder.to_files())
    assert again.written(again.tag_ids(tags).tolist()) == tags[0]


@pytest.mark.parametrize(
    "tags", ["NOUN VERB", "B I", "NN NNS VBZ", "O", "walk-B run-fast O", "B-PER NOUN VERB ADJ"]
)
def test_tags_that_are_no_spans_have_no_notation(tags):
    if tags == "B I":  # bare letters, both of them: spans without a label
        assert find_notation([tags.split()]) == Notation("BIES", "", False, "O")
    else:
        assert find_notation([tags.split()]) is None


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
