"""Schemes of tags against seqeval's reading of them, and rules worked by hand."""

from __future__ import annotations

import pickle
import random
import re

import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import get_entities

from tidegate.data.tags import schemes
from tidegate.data.tags.schemes import Span, TagError
from tidegate.errors import InputError

SPANNED = ("iob1", "bio", "iobes")


def spans(rng, words):
    found, place = [], 0
    while place < words:
        last = min(place + rng.randrange(3), words - 1)
        if rng.random() < 0.6:
            found.append(Span(place, last, rng.choice("XY")))
        place = last + 1
    return found


@pytest.mark.parametrize("scheme", SPANNED)
def test_spans_come_back_from_every_scheme(scheme):
    rng = random.Random(0)
    for _ in range(300):
        words = rng.randrange(9)
        given = spans(rng, words)
        tags = schemes.write_spans(given, words, scheme)
        assert schemes.fault(tags, scheme) is None
        assert schemes.read_spans(tags) == given
        for other in SPANNED:
            assert schemes.convert(schemes.convert(tags, other), scheme) == tags


def test_the_three_schemes_by_hand():
    given = [Span(0, 1, "X"), Span(2, 2, "X"), Span(4, 4, "Y")]
    written = {scheme: " ".join(schemes.write_spans(given, 5, scheme)) for scheme in SPANNED}
    assert written == {
        "iob1": "I-X I-X B-X O I-Y",
        "bio": "B-X I-X B-X O B-Y",
        "iobes": "B-X E-X S-X O S-Y",
    }


def test_any_row_of_tags_is_read_as_seqeval_reads_it():
    rng = random.Random(1)
    tags = ["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in "XY")]
    for _ in range(3000):
        row = rng.choices(tags, k=rng.randrange(1, 8))
        expected = [Span(first, last, label) for label, first, last in get_entities(row)]
        assert schemes.read_spans(row) == expected, row


VALID = {
    "bio": r"(O|B:X(I:X)*|B:Y(I:Y)*)*",
    "iobes": r"(O|S:X|S:Y|B:X(I:X)*E:X|B:Y(I:Y)*E:Y)*",
    # A B- of IOB1 comes straight after a tag of its own label.
    "iob1": r"(O|(I:X)+(B:X(I:X)*)*|(I:Y)+(B:Y(I:Y)*)*)*",
}


@pytest.mark.parametrize("scheme", SPANNED)
def test_faults_are_what_a_regular_expression_does_not_match(scheme):
    rng = random.Random(2)
    prefixes = "BIES" if scheme == "iobes" else "BI"
    tags = ["O", *(f"{prefix}-{label}" for prefix in prefixes for label in "XY")]
    for _ in range(3000):
        row = rng.choices(tags, k=rng.randrange(6))
        valid = re.fullmatch(VALID[scheme], "".join(row).replace("-", ":")) is not None
        assert (schemes.fault(row, scheme) is None) == valid, row


@pytest.mark.parametrize("scheme", [*SPANNED, "none"])
def test_transitions_are_the_steps_that_have_no_fault(scheme):
    tags = ["NOUN", "VERB"] if scheme == "none" else schemes.tags_of(["X", "Y"], scheme)
    allowed = schemes.transitions(tags, scheme)
    assert allowed.shape == (len(tags) + 1,) * 2
    assert allowed.dtype == bool
    for place, tag in enumerate(tags):
        assert allowed[-1, place] == (schemes.fault([tag], scheme) != 0)
        ends = schemes.fault([tag], scheme) in {None, 0}
        assert allowed[place, -1] == (ends if tag[:2] not in {"I-", "E-"} else scheme != "iobes"
                                      or tag[0] == "E")  # fmt: skip
    assert allowed.all() == (scheme == "none")


@pytest.mark.parametrize(
    ("rows", "scheme"),
    [
        ([["B-X", "I-X"], ["O"]], "bio"),
        ([["O", "I-X"], ["B-X"]], "iob1"),
        ([["S-X"], ["B-Y", "E-Y"]], "iobes"),
        ([["NOUN", "O"]], "none"),
        ([["O", "O"]], "none"),
        ([["B", "I-X"]], "none"),
        ([["B-ADJ-X", "I-ADJ-X"]], "bio"),
        ([[]], "none"),
        ([["B-X"], ["O", "B-Y"], ["O", "I-X"]], "bio"),  # one mistake in a file of BIO
        ([["I-X"], ["O", "I-Y"], ["O", "B-X"]], "iob1"),
    ],
)
def test_the_scheme_is_found_out(rows, scheme):
    assert schemes.detect(rows) == scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "told"),
    [
        (["O", "I-X"], "bio", r"in BIO a span starts with B-.*'I-X' after 'O' at word 2"),
        (["B-X", "I-Y"], "bio", r"'I-Y' after 'B-X' at word 2 of sentence 2"),
        (["O", "B-X"], "iob1", r"in IOB1 a B- only parts .*'B-X' after 'O' at word 2"),
        (["O", "B-X"], "iobes", r"the end after 'B-X' at word 2"),
        (["I-X"], "iobes", r"'I-X' after the start at word 1"),
        (["O", "NOUN"], "bio", r"O, or B- or I- with a label \(B-PER, say\), in bio; got 'NOUN'"),
        (["NOUN"], "iobes", r"O, or B-, I-, E- or S- with a label \(B-PER, say\), in iobes"),
        (["S-X"], "bio", r"got 'S-X' at word 1 of sentence 2"),
    ],
)
def test_wrong_tags_are_named_with_their_place(tags, scheme, told):
    with pytest.raises(InputError, match=rf"Tagger: `y` must be .*{told}") as caught:
        schemes.check([["O"], tags], scheme, "Tagger")
    assert 'scheme="none" (--scheme none)' in str(caught.value)
    schemes.check([["O"], tags], "none", "Tagger")


def test_a_wrong_tag_is_found_by_the_number_that_its_sentence_was_given():
    with pytest.raises(TagError, match="at word 2 of sentence 8") as caught:
        schemes.check([["O"], ["O", "I-X"]], "bio", "Tagger", [4, 7])
    assert (caught.value.sentence, caught.value.word) == (7, 1)
    assert caught.value.where in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).where == caught.value.where


def test_no_row_of_constrained_tags_is_a_dead_end():
    for scheme in SPANNED:
        allowed = schemes.transitions(schemes.tags_of(["X", "Y"], scheme), scheme)
        reached = allowed[-1, :-1].copy()
        for _ in range(4):
            assert (reached & allowed[:-1, -1]).any()
            reached = np.array([(reached & allowed[:-1, tag]).any() for tag in range(len(reached))])


def test_repaired_tags_are_those_of_the_spans_that_conlleval_reads():
    rng = random.Random(5)
    for scheme, prefixes in (("bio", "BI"), ("iob1", "BI"), ("iobes", "BIES")):
        tags = ["O", *(f"{prefix}-{label}" for prefix in prefixes for label in "XY")]
        for _ in range(300):
            row = rng.choices(tags, k=rng.randrange(6))
            found = schemes.repaired(row, scheme)
            assert schemes.fault(found, scheme) is None
            assert schemes.read_spans(found) == schemes.read_spans(row)
            if schemes.fault(row, scheme) is None:
                assert found == row
    assert schemes.repaired(["O", "I-X", "X"], "bio") == ["O", "I-X", "X"]
