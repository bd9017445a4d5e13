"""Options are checked when they are given, and say what is wrong with them."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from tidegate.data.text.encoder import TextEncoder
from tidegate.data.text.options import TextOptions
from tidegate.errors import InputError


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("level", "words", "one of word, char, bpe; got 'words'. Did you mean 'word'"),
        ("level", None, "one of word, char, bpe; got None"),
        ("keep", "front", "one of head, tail, both; got 'front'"),
        ("clean", ("html", "url"), "got 'url'. Did you mean 'urls'"),
        ("clean", "html", "a sequence of strings; got 'html'. Pass a tuple, "),
        ("clean", None, "a sequence of strings; got None"),
        ("stop_words", [1], r"a sequence of strings; got \[1\]"),
        ("tokenizer", "split", "a function from a text to its tokens; got 'split'"),
        ("lowercase", 1, "True or False; got 1"),
        ("min_frequency", 0, "an integer from 1 to 2147483645; got 0"),
        ("max_vocabulary", 2.5, "an integer from 1 to 2147483645; got 2.5"),
        ("max_vocabulary", 2**31, "got 2147483648"),
        ("max_length", True, "got True"),
        ("max_length", "400", "got '400'"),
        ("max_ngrams", -1, "got -1"),
        ("ngrams", 17, "an integer from 1 to 16; got 17"),
    ],
)
def test_wrong_values_are_named(option, value, said):
    with pytest.raises(InputError, match=said) as caught:
        TextEncoder(**{option: value})
    assert str(caught.value).startswith(f"TextEncoder: `{option}` must be ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": "char", "tokenizer": str.split}, "`level` must be 'word' with a tokenizer"),
        ({"level": "bpe", "stop_words": ["the"]}, "`stop_words` must be empty; got 1 words"),
        ({"level": "bpe", "max_vocabulary": 255}, "`max_vocabulary` must be >= 256; got 255"),
    ],
)
def test_options_that_exclude_each_other(options, said):
    with pytest.raises(InputError, match=said):
        TextOptions(**options)


def test_sequences_become_tuples_and_sets_are_sorted():
    options = TextOptions(clean=["urls"], stop_words={"b", "a"})
    assert (options.clean, options.stop_words) == (("urls",), ("a", "b"))
    assert TextOptions(stop_words=(word for word in ("b", "a"))).stop_words == ("b", "a")


def test_the_encoder_has_the_same_options_and_defaults():
    parameters = inspect.signature(TextEncoder).parameters
    assert {name: one.default for name, one in parameters.items()} == {
        field.name: field.default for field in fields(TextOptions)
    }
    assert all(one.kind is one.KEYWORD_ONLY for one in parameters.values())
    assert TextEncoder().options == TextOptions()
