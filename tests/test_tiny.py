"""A tour of a few seconds: the layers learn, stream, show their gates and survive a file."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import tidegate.nn as tn


def parity(rows: int, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of signs of many lengths, and whether the first and the last sign of each differ."""
    x = torch.randint(0, 2, (rows, steps, 1)) * 2.0 - 1
    lengths = torch.randint(2, steps + 1, (rows,))
    last = x[torch.arange(rows), lengths - 1, 0]
    return x, lengths, (x[:, 0, 0] != last).float()


class Reader(nn.Module):
    def __init__(self, cell: str, **options: object) -> None:
        super().__init__()
        self.rnn = tn.recurrent_layer(cell, 1, 16, batch_first=True, **options)
        self.out = nn.Linear(16, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        _, state = self.rnn(x, lengths=lengths)
        h = state[0] if isinstance(state, tuple) else state
        return self.out(h[-1])[:, 0]


def train(model: Reader, steps: int) -> list[float]:
    torch.manual_seed(1)
    x, lengths, target = parity(128, 7)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    losses = []
    for _ in range(steps):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x, lengths), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {}),
        ("lstm", {"peephole": True, "layer_norm": True, "forget_bias": 1.0}),
        ("gru", {}),
        ("gru", {"reset_after": False, "init": "orthogonal"}),
        ("rnn", {"layer_norm": True}),
    ],
    ids=str,
)
def test_a_loss_falls(cell, options):
    losses = train(Reader(cell, **options), 60)
    assert losses[-1] < 0.5 * losses[0]


def test_a_run_repeats_bit_for_bit():
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        runs.append(train(Reader("lstm", zoneout=0.1, recurrent_dropout=0.1), 20))
    assert runs[0] == runs[1]
    assert runs[0][-1] < runs[0][0]


def test_the_tour(tmp_path):
    model = Reader("lstm", num_layers=2)
    train(model, 20)
    x, lengths, _ = parity(5, 7)
    expected = model(x, lengths)

    torch.save(model.state_dict(), tmp_path / "reader.pt")
    loaded = Reader("lstm", num_layers=2)
    loaded.load_state_dict(torch.load(tmp_path / "reader.pt", weights_only=True))
    assert torch.equal(loaded(x, lengths), expected)

    stack = tn.LSTM(1, 16, 2, batch_first=True)
    stack.load_state_dict(model.rnn.state_dict())
    theirs = stack.to_torch()
    output, (h, c) = stack(x[:1])
    torch.testing.assert_close(theirs(x[:1])[0], output)

    state = None
    for t in range(x.shape[1]):
        step, state = stack(x[:1, t : t + 1], state)
        torch.testing.assert_close(step[:, 0], output[:, t])
    torch.testing.assert_close(state, (h, c))

    gates = stack(x, lengths=lengths, return_gates=True)[2]
    assert list(gates) == ["input", "forget", "candidate", "output", "hidden", "cell"]
    assert gates["forget"].shape == (2, 5, 7, 16)
    assert stack.explain_backend(x, lengths=lengths).startswith(("native runs", "aten runs"))
    assert stack.summary(steps=7, rows=5).parameters == sum(p.numel() for p in stack.parameters())
