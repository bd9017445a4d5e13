"""Tags as numbers of names, and tags that cannot stand where they do."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.notation import Notation
from tidegate.data.tags.schemes import fault, read_spans
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.tagging.labels import read_labels, repair, warn_of_numbers, written_as

NAMES = ["O", "B-PER", "I-PER"]


@pytest.mark.parametrize("row", [[1, 2, 0], ("1", "2", "0"), np.array([1, 2, 0]), ["B-PER", 2, 0]])
def test_numbers_are_the_names_at_their_places(row):
    assert read_labels([row], "Tagger", NAMES) == [["B-PER", "I-PER", "O"]]


@pytest.mark.parametrize("wrong", [3, -1, -100, "3", "B-LOC", True, 1.0, None, ""])
def test_a_number_without_a_name_is_named_with_its_row(wrong):
    with pytest.raises(InputError, match="numbers from 0 to 2, those of tag_names") as error:
        read_labels([[0], [1, wrong]], "Tagger", NAMES)
    assert f"got {wrong!r} at word 2 of row 2" in str(error.value)


def test_numbers_whose_names_are_not_told_are_refused_with_the_remedy():
    for number in (1, np.int64(1)):
        with pytest.raises(InputError, match=r"got 1 at word 1 of row 1. Name them .*--tag-names"):
            read_labels([[number]], "Tagger")
    with pytest.warns(DataWarning, match="all tags are numbers, 0, 1, .*--tag-names"):
        warn_of_numbers([["0", "1"], ["0"]])
    warn_of_numbers([["0", "B-PER"]])


@pytest.mark.parametrize(
    ("names", "told"), [(["O", "X", "O"], "'O' twice"), (["1", "0"], "no numbers of others")]
)
def test_wrong_names_are_refused(names, told):
    with pytest.raises(InputError, match=told):
        read_labels([[0]], "Tagger", names)
    assert read_labels([[1, "0"]], "Tagger", ["0", "1"]) == [["1", "0"]]


@pytest.mark.parametrize(
    ("learned", "given", "expected", "count"),
    [
        (["B-P", "I-P", "O"], ["O", "I-P", "I-P"], ["O", "B-P", "I-P"], 1),
        (["B-P", "I-P", "O"], ["I-P", "I-Q", "B-P"], ["B-P", "B-Q", "B-P"], 2),
        (["I-P", "O", "I-Q"], ["O", "B-P", "O"], ["O", "I-P", "O"], 1),
        (["U_P", "o", "B_Q", "L_Q"], ["B_P", "o", "L_Q"], ["U_P", "o", "U_Q"], 2),
    ],
)
def test_what_cannot_stand_begins_a_span_as_conlleval_reads_it(learned, given, expected, count):
    encoder = TagEncoder().fit([["w"] * len(learned)], [learned])
    lines = [[], ["line 3", "line 4", "line 5"]]
    with pytest.warns(DataWarning, match=rf"^{count} tags? .* at word \d of sentence 2 \(line"):
        (_, found) = repair([[], given], encoder, lines)
    assert found == expected
    plain = [encoder.notation.read(tag) for tag in found]
    assert fault(plain, encoder.scheme) is None
    assert read_spans(plain) == read_spans([encoder.notation.read(tag) for tag in given])


def test_what_is_right_or_no_tag_of_a_span_is_left_as_it_is():
    encoder = TagEncoder().fit([["a", "b"]], [["B-P", "O"]])
    rows = [["B-P", "I-P"], ["I-P", "x"], []]
    assert repair(rows, encoder, None) == rows
    words = TagEncoder().fit([["a", "b"]], [["NOUN", "VERB"]])
    assert repair([["I-P"]], words, None) == [["I-P"]]


def test_spans_are_written_as_the_model_reads_tags():
    assert written_as(None, "auto") == written_as(None, "none") == ("bio", Notation())
    assert written_as(None, "iobes") == ("iobes", Notation())
    encoder = TagEncoder().fit([["a", "b"]], [["U-P", "O"]])
    assert written_as(encoder, "auto") == ("iobes", encoder.notation)
