"""TextEncoder: the whole way from texts to ids and back."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.encoder import TextEncoder
from tidegate.datasets import load_sms_spam
from tidegate.errors import InputError

TEXTS = [
    "I don't like it, not at all.",
    "I like it &amp; I like <b>her</b>!",
    "",
    "Not bad at all: see http://a.org/x for it",
    "Über den Wolken, 😀 naïve",
]

KINDS = {
    "word": {},
    "rare": {"min_frequency": 2, "max_vocabulary": 6},
    "char": {"level": "char", "clean": ()},
    "bpe": {"level": "bpe", "max_vocabulary": 270},
    "split": {"tokenizer": str.split, "lowercase": False},
    "cut": {"max_length": 5, "keep": "both", "ngrams": 3},
    "bpe-grams": {"level": "bpe", "max_vocabulary": 270, "ngrams": 2, "max_length": 7},
}  # fmt: skip


@pytest.fixture(params=KINDS, scope="module")
def encoder(request):
    return TextEncoder(**KINDS[request.param]).fit(TEXTS)


def rows(encoder: TextEncoder, texts: list[str]) -> list[list[object]]:
    encoded = encoder.encode(texts)
    bounds = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [encoded.ids[start:end].tolist() for start, end in bounds]


def test_ids_by_hand():
    encoder = TextEncoder().fit(["b a", "b c a b"])
    assert encoder.vocabulary == ["<pad>", "<unk>", "b", "a", "c"]
    assert encoder.size == 5
    assert rows(encoder, ["a b x", "", "C!"]) == [[3, 2, 1], [], [4, 1]]
    assert encoder.encode(["a b x", "y"]).unknown == 2
    assert encoder.encode(["a b x", "y"]).unknown_share == 0.5


def test_the_vocabulary_is_what_a_counter_says():
    # The simple pattern knows one apostrophe and takes control characters for tokens.
    raw = load_sms_spam()["text"].tolist()[:1000]
    texts = [re.sub("[\u2019\x92]", "'", text) for text in raw]
    counts = Counter(word for text in texts for word in re.findall(r"\w+(?:'\w+)*|[^\w\s]", text))
    encoder = TextEncoder(clean=(), lowercase=False, max_vocabulary=500, min_frequency=3).fit(raw)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    assert encoder.vocabulary[2:] == [word for word in ranked if counts[word] >= 3][:500]


def test_fitting_reads_a_generator_once():
    assert TextEncoder(ngrams=2).fit(text for text in TEXTS).vocabulary == (
        TextEncoder(ngrams=2).fit(TEXTS).vocabulary
    )


def test_all_at_once_is_one_by_one(encoder):
    together = rows(encoder, TEXTS)
    assert together == [row for text in TEXTS for row in rows(encoder, [text])]
    assert rows(encoder, list(reversed(TEXTS))) == together[::-1]


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_texts_can_be_encoded(texts):
    for options in ({}, {"level": "char"}, {"max_length": 3, "keep": "both", "ngrams": 2}):
        encoder = TextEncoder(**options).fit(TEXTS)
        encoded = encoder.encode(texts)
        assert len(encoded) == len(texts)
        assert encoded.lengths.max(initial=0) <= encoder.options.max_length
        assert encoded.words.max(initial=0) < encoder.size
        assert encoded.words.min(initial=1) >= 1
        for row, text in enumerate(texts):
            tokens = encoder.tokens(text)
            ids = encoded.take([row]).words.tolist()
            assert len(tokens) == len(ids)
            known = [encoder.vocabulary[index] for index in ids]
            assert all(a == b for a, b in zip(tokens, known, strict=True) if b != "<unk>")


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_decoding_gives_the_text_back(texts):
    for options in ({}, {"level": "char"}, {"level": "bpe"}, {"clean": (), "lowercase": False}):
        encoder = TextEncoder(**options, max_length=200)
        encoder.fit([*texts, "a"])  # texts of nothing but spaces have no token
        for text in texts:
            ids = encoder.encode([text]).ids
            back = encoder.decode(ids)
            tokens = encoder.tokens(text)
            if encoder.options.level == "word":
                assert back == " ".join(tokens)
            elif encoder.options.level == "char":
                assert back == "".join(tokens)
            if encoder.options.clean == ():
                assert encoder.encode([back]).ids.tolist() == ids.tolist()


def test_sub_words_and_characters_come_back_to_the_letter():
    text = "  Übrigens:\tso  etwas 😀\n"
    for level in ("char", "bpe"):
        encoder = TextEncoder(level=level, clean=(), lowercase=False).fit([text])
        assert encoder.decode(encoder.encode([text]).ids) == text
        assert encoder.decode(encoder.encode([text]).batch([0]).values[0].numpy()) == text


def test_unknown_tokens_are_marked_when_decoded():
    word = TextEncoder().fit(["a b"])
    assert word.decode([0, 2, 1, 3, 0]) == "a <unk> b"
    sub = TextEncoder(level="bpe", max_vocabulary=256).fit(["a b"])
    ids = sub.encode(["ab"]).ids.tolist()
    assert sub.decode([ids[0], 1, ids[1]]) == "a<unk>b"


@pytest.mark.parametrize(
    ("keep", "kept"), [("head", "a b c d e"), ("tail", "e f g h i"), ("both", "a b c h i")]
)
def test_long_texts_are_cut_and_counted(keep, kept):
    encoder = TextEncoder(max_length=5, keep=keep).fit(["a b c d e f g h i"])
    encoded = encoder.encode(["a b c d e f g h i", "a b c d e", "i"])
    assert encoder.decode(encoded.take([0]).ids) == kept
    assert encoder.tokens("a b c d e f g h i") == kept.split()
    assert encoded.truncated == 1
    assert encoded.lengths.tolist() == [5, 5, 1]


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_texts_can_be_encoded_longer_or_shorter_than_the_encoder_does(keep):
    text = "a b c d e f g h i"
    encoder = TextEncoder(max_length=5, keep=keep).fit([text])
    whole = encoder.encode([text, "i"], max_length=9)
    assert encoder.decode(whole.take([0]).ids) == text
    assert (whole.truncated, whole.lengths.tolist()) == (0, [9, 1])
    short = TextEncoder(max_length=3, keep=keep).fit([text]).encode([text])
    assert encoder.encode([text], max_length=3).ids.tolist() == short.ids.tolist()
    assert encoder.encode([text]).lengths.tolist() == [5]


def test_a_million_tokens_in_one_text():
    encoder = TextEncoder(max_length=7, keep="both").fit(["so it goes"])
    encoded = encoder.encode(["so " + "and on " * 500_000 + "it goes"])
    assert encoder.decode(encoded.ids) == "so <unk> <unk> <unk> <unk> it goes"
    assert (encoded.truncated, encoded.unknown) == (1, 4)


def test_ngrams_see_the_whole_text_and_stop_at_unknown_words():
    encoder = TextEncoder(ngrams=3, max_length=3, keep="tail").fit(["to be or not to be"] * 2)
    assert encoder.ngram_size == 1 + 4 + 4
    assert TextEncoder().fit(["a"]).ngram_size == 0
    (cut,) = rows(encoder, ["to be or not"])
    assert all(second > 0 for _, second, _ in cut)  # "to be" ends where the kept part begins
    assert [third > 0 for *_, third in cut] == [False, True, True]
    (broken,) = rows(encoder, ["be x or"])
    assert [row[1:] for row in broken] == [[0, 0]] * 3


def test_ngrams_that_occur_once_are_not_kept():
    assert TextEncoder(ngrams=2).fit(["a b c"]).ngram_size == 1
    assert TextEncoder(ngrams=2).fit(["a b c", "a b"]).ngram_size == 2
    assert TextEncoder(ngrams=2, min_frequency=3).fit(["a b", "a b", "a", "b"]).ngram_size == 1
    assert TextEncoder(ngrams=2, max_ngrams=1).fit(["a b c"] * 2).ngram_size == 2


def test_unknown_words_are_counted_in_whole_texts():
    encoder = TextEncoder(max_length=1).fit(["a b", "<unk> <pad>"])
    assert encoder.unknown(["a x y x", "", "X b"]) == Counter({"x": 3, "y": 1})
    assert TextEncoder(level="bpe").fit(["a"]).unknown(["anything ø"]) == Counter()


def test_what_is_saved_is_what_is_loaded(encoder):
    files = json.loads(json.dumps(encoder.to_files()))
    loaded = TextEncoder.from_files(files)
    assert loaded.to_files() == encoder.to_files()
    assert loaded.options == encoder.options
    assert loaded.vocabulary == encoder.vocabulary
    assert loaded.ngram_size == encoder.ngram_size
    other = ["Never seen: a cat", *TEXTS]
    assert rows(loaded, other) == rows(encoder, other)
    assert [loaded.tokens(text) for text in other] == [encoder.tokens(text) for text in other]
    assert loaded.decode(loaded.encode(TEXTS[:1]).ids) == encoder.decode(
        encoder.encode(TEXTS[:1]).ids
    )


def test_fitting_again_forgets_the_first_time():
    for options in ({"ngrams": 2}, {"level": "bpe"}):
        twice = TextEncoder(**options).fit(["x y x y"]).fit(TEXTS)
        assert twice.to_files() == TextEncoder(**options).fit(TEXTS).to_files()


def test_a_failed_fit_leaves_the_encoder_as_it_was():
    encoder = TextEncoder().fit(["a b"])
    with pytest.raises(InputError):
        encoder.fit([""])
    assert encoder.vocabulary == ["<pad>", "<unk>", "a", "b"]


def test_a_batch_has_ids_lengths_and_padding():
    batch = TextEncoder().fit(["a b"]).encode(["a", "b a"]).batch(np.array([1, 0]))
    assert batch.values.tolist() == [[3, 2], [2, 0]]
    assert batch.lengths.tolist() == [2, 1]


@pytest.mark.parametrize("method", ["encode", "decode", "tokens", "unknown", "to_files"])
def test_nothing_works_before_fit(method):
    argument = {"to_files": (), "tokens": ("a",), "decode": ([2],)}.get(method, (["a"],))
    with pytest.raises(InputError, match=f"TextEncoder.{method}: `vocabulary` must be fitted; got"):
        getattr(TextEncoder(), method)(*argument)
    assert TextEncoder().vocabulary == []
    assert TextEncoder().size == 0


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "at least one text; got none"),
        (["", " "], "texts with a token seen >= 1 times; got 0 tokens"),
        ("a text", "a sequence of strings; got the single text"),
        (["a", None], "got NoneType None in row 2"),
        (["\ud800"], r"lone surrogate U\+D800"),
        ([" ".join("joined twice, and nobody noticed it")] * 20, "joined letter by letter"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_one_line(texts, said):
    with pytest.raises(InputError, match=said) as caught:
        TextEncoder().fit(texts)
    assert str(caught.value).startswith("TextEncoder.fit: `texts` must be ")
    assert "\n" not in str(caught.value)


def test_too_rare_is_said():
    with pytest.raises(InputError, match="seen >= 2 times; got 2 tokens, all rarer"):
        TextEncoder(min_frequency=2).fit(["a b"])


@pytest.mark.parametrize("ids", [[2, 9], [-1], [0.5], [[[1]]]])
def test_ids_that_do_not_exist_are_refused(ids):
    with pytest.raises(InputError, match=r"TextEncoder\.decode: `ids` must be"):
        TextEncoder().fit(["a"]).decode(ids)


def test_encoding_no_texts_gives_no_rows(encoder):
    assert len(encoder.encode([])) == 0
    assert encoder.decode([]) == ""


def test_ngram_columns_are_what_a_counter_says():
    texts = load_sms_spam()["text"].tolist()[:400]
    encoder = TextEncoder(ngrams=3, max_ngrams=300, max_length=10**6, max_vocabulary=200).fit(texts)
    cut = [encoder.tokens(text) for text in texts]
    known = set(encoder.vocabulary[2:])
    counts = Counter(
        tuple(words[end - n : end])
        for words in cut
        for n in (2, 3)
        for end in range(n, len(words) + 1)
        if known.issuperset(words[end - n : end])
    )
    encoded = encoder.encode(texts)
    flat = [
        (*words[max(0, end - n) : end],)
        for n in (2, 3)
        for words in cut
        for end in range(1, len(words) + 1)
    ]
    ids = encoded.ids[:, 1:].T.reshape(-1).tolist()
    # Each id stands for one n-gram, and its occurrences are those that were counted.
    found = {gram: index for gram, index in zip(flat, ids, strict=True) if index}
    assert sorted(found.values()) == list(range(1, 301))
    occurrences = np.bincount(ids, minlength=301)
    assert all(counts[gram] == occurrences[index] for gram, index in found.items())
    assert min(counts[gram] for gram in found) >= sorted(counts.values(), reverse=True)[300]
