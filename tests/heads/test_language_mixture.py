"""The mixture of softmaxes against its equation, written out in probabilities."""

from __future__ import annotations

import torch
from torch import nn

from tidegate.heads import LanguageHead, MixtureHead


def by_hand(head, x):
    """Equation 2 of Yang et al. 2018, without logarithms, one softmax after the other."""
    weights = torch.softmax(head.prior.weight @ x, 0)
    total = torch.zeros(len(head.bias))
    for k in range(head.count):
        rows = slice(k * head.width, (k + 1) * head.width)
        latent = torch.tanh(head.latent.weight[rows] @ x + head.latent.bias[rows])
        total = total + weights[k] * torch.softmax(head.table @ latent + head.bias, 0)
    return total


def test_probabilities_are_those_of_the_equation():
    head = MixtureHead(4, 9, count=3, width=5)
    head.bias.data.normal_()
    features, targets = torch.randn(6, 4), torch.randint(0, 9, (6,))
    wanted = torch.stack([by_hand(head, x) for x in features])
    torch.testing.assert_close(head.answer(features).exp(), wanted)
    nats = head.losses(features, targets)
    torch.testing.assert_close(nats, -wanted.log()[torch.arange(6), targets])
    assert head.answer(features.view(2, 3, 4)).shape == (2, 3, 9)


def test_its_rank_is_not_that_of_one_softmax():
    """Log-probabilities of one softmax have rank E + 2 at most; those of a mixture do not."""
    features = torch.randn(40, 4) * 3
    ranks = []
    for head in (LanguageHead(4, 30), MixtureHead(4, 30, count=4, width=4)):
        for parameter in head.parameters():
            nn.init.normal_(parameter)
        logs = head.answer(features).double()
        ranks.append(int(torch.linalg.matrix_rank(logs, rtol=1e-5)))
    assert ranks[0] <= 6 < ranks[1]


def test_it_ties_its_weights():
    embedding = nn.Embedding(9, 5)
    assert MixtureHead(4, 9, count=2, width=5, tied=embedding).table is embedding.weight
