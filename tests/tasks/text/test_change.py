"""Tokens put into an encoded text, against the encoding of the text written anew."""

from __future__ import annotations

import pytest
import torch

from tests.tasks.texts import texts
from tidegate.data.text.encoder import TextEncoder
from tidegate.errors import InputError
from tidegate.tasks.text.change import put_tokens

TEXTS, _ = texts(60)


@pytest.mark.parametrize("ngrams", [1, 2, 4])
@pytest.mark.parametrize("steps", [{0: "calm"}, {3: "tide"}, {2: "gate", 3: "the"}, {5: "zzz"}])
def test_it_is_the_encoding_of_the_changed_text(ngrams, steps):
    encoder = TextEncoder(ngrams=ngrams).fit(TEXTS)
    text = max(TEXTS, key=len)
    batch = encoder.encode([text]).batch([0])
    words = text.split()
    changed, tokens = put_tokens(encoder, batch, words, steps)
    for step, word in steps.items():
        words[step] = word
    assert tokens == [words]
    assert torch.equal(changed.values, encoder.encode([" ".join(words)]).batch([0]).values)
    assert torch.equal(batch.values, encoder.encode([text]).batch([0]).values)


def test_a_token_is_read_as_the_encoder_reads():
    encoder = TextEncoder().fit(TEXTS)
    batch = encoder.encode(["the tide"]).batch([0])
    changed, tokens = put_tokens(encoder, batch, ["the", "tide"], {1: "<b>GATE</b>"})
    assert tokens == [["the", "gate"]]
    assert encoder.decode(changed.values[0].numpy()) == "the gate"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({2: "gate"}, "`steps` must be from 0 to 1; got 2"),
        ({-1: "gate"}, "`steps` must be from 0 to 1; got -1"),
        ({"1": "gate"}, "`steps` must be from 0 to 1; got '1'"),
        ({1: "the gate"}, "one token each; got 'the gate', 2 tokens. Pass another whole text"),
        ({1: ""}, "one token each; got '', 0 tokens"),
        ({1: 3}, "one token each; got 3"),
    ],
)
def test_what_is_no_step_or_no_token_is_refused(steps, words):
    encoder = TextEncoder().fit(TEXTS)
    batch = encoder.encode(["the tide"]).batch([0])
    with pytest.raises(InputError, match=words):
        put_tokens(encoder, batch, ["the", "tide"], steps)
