"""TagEncoder and the batches of its sentences: worked by hand, saved, and refused."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from tidegate.data import TagEncoder
from tidegate.data.tags.affixes import affixes
from tidegate.errors import ArtifactError, InputError

X = [["Ann", "rows"], ["Bob", "sees", "Ann", "Reed", "in", "2024"], []]
Y = [["I-PER", "O"], ["I-PER", "O", "I-PER", "I-PER", "O", "O"], []]


def fitted(**options):
    return TagEncoder(**options).fit(X, Y)


def test_words_are_looked_up_small_and_without_their_digits():
    encoder = fitted()
    assert encoder.vocabulary[:3] == ["<pad>", "<unk>", "ann"]
    assert "0000" in encoder.vocabulary
    batch = encoder.encode([["ANN", "1999", "who"]]).batch([0])
    ids = batch.values[0, :, 0].tolist()
    assert [encoder.vocabulary[index] for index in ids] == ["ann", "0000", "<unk>"]
    exact = fitted(lowercase=False, zero_digits=False)
    assert {"Ann", "2024"} <= set(exact.vocabulary)
    assert exact.encode([["ANN"]]).batch([0]).values[0, 0, 0] == 1


def test_a_batch_spells_each_different_word_once():
    encoder = fitted()
    batch = encoder.encode(X, Y).batch([1, 2, 0])
    assert batch.lengths.tolist() == [6, 0, 2]
    assert batch.characters.shape == (7, 4)
    for row, sentence in ((0, X[1]), (2, X[0])):
        for place, word in enumerate(sentence):
            which = batch.spelled[row, place]
            length = batch.character_lengths[which]
            letters = batch.characters[which, :length].tolist()
            assert "".join(encoder.characters[index] for index in letters) == word
            assert not batch.characters[which, length:].any()
    tags = [encoder.tags[index] for index in batch.targets[0].tolist()]
    assert tags == ["S-PER", "O", "B-PER", "E-PER", "O", "O"]
    assert not batch.values[1].any()
    assert not batch.values[2, 2:].any()


def test_affixes_that_two_words_share_have_ids():
    encoder = fitted()
    known = [["Ann", "Anna"]]
    values = encoder.encode(known).batch([0]).values[0]
    listed = [None, *encoder.to_files()["affixes.json"]]
    assert encoder.affix_size == len(listed)
    for word, ids in zip(known[0], values[:, 1:].tolist(), strict=True):
        expected = [affix if affix in listed else None for affix in affixes(word)]
        assert [listed[index] for index in ids] == expected
    assert "Xxx" in listed
    assert "4<bob" not in listed
    plain = fitted(affixes=False)
    assert plain.affix_size == 0
    assert plain.encode(X).batch([0]).values.shape == (1, 2)


def test_long_words_keep_head_and_tail():
    encoder = TagEncoder(max_characters=5).fit([["abcdefgh", "x"]], [["N", "V"]])
    batch = encoder.encode([["abcdefgh"]]).batch([0])
    assert [encoder.characters[index] for index in batch.characters[0]] == list("abcgh")


@pytest.mark.parametrize("learned", ["bio", "iobes"])
@pytest.mark.parametrize("scheme", ["iob1", "bio", "iobes"])
def test_tags_are_answered_as_they_were_written(scheme, learned):
    rows = {
        "iob1": [["I-X", "I-X", "B-X", "O", "I-Y"]],
        "bio": [["B-X", "I-X", "B-X", "O", "B-Y"]],
        "iobes": [["B-X", "E-X", "S-X", "O", "S-Y"]],
    }[scheme]
    encoder = TagEncoder(learned_scheme=learned).fit([list("abcde")], rows)
    assert encoder.scheme == scheme
    assert encoder.labels == ["X", "Y"]
    ids = encoder.tag_ids(rows)
    learned_tags = {"bio": "B-X I-X B-X O B-Y", "iobes": "B-X E-X S-X O S-Y"}[learned]
    assert [encoder.tags[index] for index in ids] == learned_tags.split()
    assert encoder.written(ids.tolist()) == rows[0]


def test_tags_that_are_no_spans_stay_as_they_are():
    encoder = TagEncoder().fit([["a", "b"]], [["VERB", "NOUN"]])
    assert encoder.tags == encoder.labels == ["NOUN", "VERB"]
    assert encoder.scheme == encoder.learned_scheme == "none"
    assert encoder.allowed.all()


def test_it_comes_back_from_its_files():
    encoder = fitted(max_characters=7, learned_scheme="bio")
    files = json.loads(json.dumps(encoder.to_files()))
    found = TagEncoder.from_files(files)
    assert found.to_files() == encoder.to_files()
    assert found.encode(X, Y).fingerprint() == encoder.encode(X, Y).fingerprint()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("encoder.json", {"scheme": "auto"}),
        ("encoder.json", {"scheme": "made up"}),
        ("encoder.json", {"scheme": "bio", "learned_scheme": "bio", "evil": 1}),
        ("vocabulary.json", ["a", "b"]),
        ("vocabulary.json", ["<pad>", "<unk>", "a", "a"]),
        ("vocabulary.json", {"a": 1}),
        ("characters.json", ["<pad>", "<unk>", 5]),
        ("affixes.json", ["a", "a"]),
        ("tags.json", None),
        ("tags.json", ["O", 1]),
    ],
)
def test_forged_files_are_refused(file, content):
    files = copy.deepcopy(fitted().to_files()) | {file: content}
    with pytest.raises(ArtifactError, match=rf"^{file}: "):
        TagEncoder.from_files(files)
    missing = fitted().to_files()
    del missing[file]
    with pytest.raises(ArtifactError, match=rf"^{file}: `file` must be there"):
        TagEncoder.from_files(missing)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ([["I-PER", "O"], ["I-ORG"]], "tags seen in training, PER; got 'I-ORG' at word 1 of sent"),
        ([["O", "B-PER"]], "in IOB1 a B- only parts"),
        ([["O", "NOUN"]], "got 'NOUN' at word 2 of sentence 1"),
    ],
)
def test_tags_that_were_never_seen_or_are_wrong_are_named(tags, told):
    with pytest.raises(InputError, match=told):
        fitted().tag_ids(tags)


def test_one_tag_alone_is_nothing_to_learn():
    with pytest.raises(InputError, match="at least two different tags; got only 'X'"):
        TagEncoder().fit([["a"]], [["X"]])
    with pytest.raises(InputError, match="at least two different tags; got none"):
        TagEncoder().fit([[]], [[]])
    with pytest.raises(InputError, match=r"`scheme` must be one of .* got 'bioes'"):
        TagEncoder(scheme="bioes")


def test_fingerprints_see_everything():
    encoder = fitted(affixes=False)
    one = encoder.encode([["Ann"]], [["O"]]).fingerprint()
    assert one != encoder.encode([["ann"]], [["O"]]).fingerprint()
    assert one != encoder.encode([["Ann"]], [["I-PER"]]).fingerprint()
    assert one != encoder.encode([["Ann"]]).fingerprint()


def test_nothing_at_all_can_be_encoded():
    batch = fitted().encode([[], []]).batch([0, 1])
    assert batch.lengths.tolist() == [0, 0]
    assert batch.values.shape[:2] == (2, 1)
    assert torch.equal(batch.to("cpu").spelled, batch.spelled)


def test_words_in_the_place_of_tags_are_refused():
    words = [[f"word{number}" for number in range(5)]] * 8
    tags = [[f"{row}{place}" for place in range(5)] for row in range(8)]
    with pytest.raises(InputError, match="tags that come again and again; got 40 different ones"):
        TagEncoder().fit(words, tags)


def test_many_kinds_of_real_tags_are_learned():
    words = [[f"word{number}" for number in range(40)]]
    tags = [[f"Case={number % 30}|Gender=Fem" for number in range(40)]]
    assert len(TagEncoder().fit(words, tags).tags) == 30
    with pytest.raises(InputError, match="tags that come again and again; got 35 different"):
        TagEncoder().fit(words * 1, [["ba" * (1 + number % 35) for number in range(40)]])
