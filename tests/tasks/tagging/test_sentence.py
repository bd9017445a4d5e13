"""TaggedSentence: in JSON's types, with few digits."""

from __future__ import annotations

import json

from tidegate.tasks.tagging.sentence import TaggedSentence, TaggedSpan


def test_it_is_json():
    span = TaggedSpan(0, 3, "PER", "Ann", 0.123456789)
    sentence = TaggedSentence("Ann rows", ("Ann", "rows"), ("B-PER", "O"), (0.5, 1 / 3), (span,))
    told = json.loads(json.dumps(sentence.to_json()))
    assert told == {
        "text": "Ann rows",
        "tokens": ["Ann", "rows"],
        "tags": ["B-PER", "O"],
        "confidences": [0.5, 0.333333],
        "spans": [{"start": 0, "end": 3, "label": "PER", "text": "Ann", "confidence": 0.123457}],
    }
    assert len(sentence) == 2
    assert sentence == TaggedSentence(*vars(sentence).values())


def test_it_is_printed_in_a_line():
    words, tags = ("Ann", "rows"), ("B-PER", "O")
    assert repr(TaggedSentence("Ann rows", words, tags, (), ())) == (
        "TaggedSentence(Ann/B-PER rows/O)"
    )
    long = repr(TaggedSentence("", words * 50, tags * 50, (), ()))
    assert long.endswith("rows/O … 88 words more)")
    assert len(long) < 200
