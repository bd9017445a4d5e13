"""Characters: the last states of both directions, whatever stands beside a word."""

from __future__ import annotations

import torch

from tidegate.nn.blocks.characters import Characters

WORDS = torch.tensor([[2, 3, 4, 5], [6, 0, 0, 0], [3, 3, 0, 0]])
LENGTHS = torch.tensor([4, 1, 2])


def test_it_is_what_torch_says_of_each_word_alone():
    torch.manual_seed(0)
    layer = Characters(9, 3, 5).eval()
    found = layer(WORDS, LENGTHS)
    assert found.shape == (3, layer.output_size) == (3, 10)
    plain = layer.recurrent.to_torch()
    for row, length in enumerate(LENGTHS):
        _, (hidden, _) = plain(layer.embedding(WORDS[row : row + 1, :length]))
        torch.testing.assert_close(found[row], hidden[:, 0].flatten(), rtol=1e-5, atol=1e-6)


def test_dropout_makes_characters_unknown_in_training_alone():
    torch.manual_seed(0)
    layer = Characters(9, 3, 5, dropout=0.9)
    unknown = torch.where(WORDS == 0, 0, 1)
    drawn = torch.stack([layer(WORDS, LENGTHS) for _ in range(30)])
    assert drawn.std(0).max() > 0
    layer.eval()
    assert any(torch.equal(each, layer(unknown, LENGTHS)) for each in drawn)
    assert torch.equal(layer(WORDS, LENGTHS), layer(WORDS, LENGTHS))


def test_no_words_at_all():
    layer = Characters(9, 3, 5)
    assert layer(torch.zeros(0, 1, dtype=torch.int64), torch.zeros(0).long()).shape == (0, 10)
