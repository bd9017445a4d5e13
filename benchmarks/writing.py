"""Characters written a second, one text at a time, beside the usual loop in plain PyTorch.

When nothing is left to chance, ours writes what is likeliest for the other one, too. The limit is
what a processor core could write if it did nothing but read the weights of the layers, which every
character needs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.common import machine, parser, write
from tidegate import LanguageModel
from tidegate.datasets import load_tiny_shakespeare

MODELS = {
    "1 layer of 512": {"num_layers": 1, "hidden_size": 512},
    "1 layer of 512, bfloat16": {
        "num_layers": 1,
        "hidden_size": 512,
        "layer_options": {"precision": "bfloat16"},
    },
    "2 layers of 512": {"num_layers": 2, "hidden_size": 512},
    "1 layer of 128": {"num_layers": 1, "hidden_size": 128},
}
PROMPT = "To be"
CHECKED = 200  # characters that must be the same
_PART = 4  # of the text is enough to time torch


def main(arguments: list[str]) -> None:
    """Print a line a model, and write all into results/writing.json."""
    options = parser(__doc__, data=False)
    options.add_argument("--length", type=int, default=4000, help="characters of a text")
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args(arguments)
    print(machine())
    rows = {}
    for name, settings in MODELS.items():
        rows[name] = measured(settings, chosen.length, chosen.rounds)
        print(f"{name:<25}{told(rows[name])}", flush=True)
    write(chosen.out, "writing", {"unit": "characters a second", "rows": rows})


def measured(settings: dict[str, Any], length: int, rounds: int) -> dict[str, float]:
    """Time all ways to write in turn.

    Args:
        settings: Of the model.
        length: Characters of a text.
        rounds: How often; the medians count.

    Returns:
        Characters a second by way, how many times faster ours is, and the limit.

    Raises:
        AssertionError: If ours writes what is not likeliest for the plain loop, though nothing is
            left to chance.
    """
    model = fitted(settings)
    plain = PlainLoop(model)
    same = model.generate(PROMPT, length=CHECKED, temperature=0)
    assert plain.shortfall(same) < (0.1 if is_low(model) else 1e-4), "the loops disagree"
    ways: dict[str, Callable[[], object]] = {
        "tidegate": lambda: model.generate(PROMPT, length=length, seed=0),
        "tidegate, temperature and top_p": lambda: model.generate(
            PROMPT, length=length, seed=0, temperature=0.8, top_p=0.95
        ),
        "torch": lambda: plain.write(length // _PART),
        "torch, 1 thread": lambda: plain.write(length // _PART, threads=1),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            seconds[name].append(_seconds(run))
    found = {
        name: length / (_PART if "torch" in name else 1) / statistics.median(times)
        for name, times in seconds.items()
    }
    texts = [PROMPT] * 32
    batch = statistics.median(_seconds(lambda: model.generate(texts, length=200)) for _ in range(3))
    found["tidegate, 32 texts at once"] = 32 * 200 / batch
    found["times"] = found["tidegate"] / max(found["torch"], found["torch, 1 thread"])
    found["limit"] = 1 / reading_seconds(model)
    return {name: round(value, 2) for name, value in found.items()}


def told(row: dict[str, float]) -> str:
    """A row in words."""
    share = row["tidegate"] / row["limit"]
    return (
        f"{row['tidegate']:>8,.0f} a second ({share:.0%} of the limit), with temperature and top_p "
        f"{row['tidegate, temperature and top_p']:,.0f}, 32 at once "
        f"{row['tidegate, 32 texts at once']:,.0f}; torch {row['torch']:,.0f}, with 1 thread "
        f"{row['torch, 1 thread']:,.0f}: {row['times']:.1f} times faster"
    )


def fitted(settings: dict[str, Any]) -> LanguageModel:
    """A model that knows the characters of Shakespeare; how well it writes takes no time."""
    text = load_tiny_shakespeare()
    model = LanguageModel(**settings, epochs=1, batch_size=4, verbose=False)
    return model.fit("".join(sorted(set(text))) + text[:2000], validation=None)


def reading_seconds(model: LanguageModel) -> float:
    """Seconds in which one core reads as many bytes as the layers of a model have, best of many."""
    count = sum(weight.numel() for layer in model.network_.layers for weight in layer.parameters())
    array = np.ones(count // 2 if is_low(model) else count, np.float32)
    return min(_seconds(lambda: np.dot(array, array)) for _ in range(200))


def is_low(model: LanguageModel) -> bool:
    """Whether a model computes in bfloat16."""
    return model.network_.layers[0].options.precision == "bfloat16"


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class PlainLoop:
    """The usual way to write with torch.nn: one character, its state, a draw, and again.

    Args:
        model: The model whose weights it takes.
    """

    def __init__(self, model: LanguageModel) -> None:
        network = model.network_
        (ours,) = network.layers
        self.encoder, self.embedding = model.encoder_, network.embedding
        self.lstm = nn.LSTM(ours.input_size, ours.hidden_size, ours.num_layers, batch_first=True)
        self.lstm.load_state_dict(ours.state_dict())
        size, features = network.head.table.shape
        self.linear = nn.Linear(features, size)
        self.linear.load_state_dict({"weight": network.head.table, "bias": network.head.bias})
        self.banned = torch.tensor([0, 1])

    @torch.inference_mode()
    def shortfall(self, text: str) -> float:
        """By how much a symbol of a text is less likely than the likeliest at its place, at most.

        Args:
            text: What follows the prompt.

        Returns:
            Nats; 0 if the text is what this loop would have written without chance.
        """
        ids = self.encoder.ids(text)
        before = torch.tensor([[*self.encoder.ids(PROMPT), *ids[:-1]]])
        scores = self.linear(self.lstm(self.embedding(before))[0])[0, -len(ids) :]
        scores[:, self.banned] = -torch.inf
        chosen = scores.gather(-1, torch.tensor(ids)[:, None])[:, 0]
        return float((scores.amax(-1) - chosen).max())

    def write(self, length: int, *, threads: int | None = None) -> str:
        """Write so many characters.

        Args:
            length: How many.
            threads: Of torch; None for as many as it takes.

        Returns:
            The text.
        """
        usual = torch.get_num_threads()
        torch.set_num_threads(threads or usual)
        try:
            return self._write(length)
        finally:
            torch.set_num_threads(usual)

    @torch.inference_mode()
    def _write(self, length: int) -> str:
        output, state = self.lstm(self.embedding(torch.tensor([self.encoder.ids(PROMPT)])))
        scores, written = self.linear(output[0, -1]), []
        for _ in range(length):
            scores[self.banned] = -torch.inf
            chosen = torch.multinomial(torch.softmax(scores, -1), 1)
            written.append(self.encoder.vocabulary[int(chosen)])
            output, state = self.lstm(self.embedding(chosen[None]), state)
            scores = self.linear(output[0, 0])
        return "".join(written)
