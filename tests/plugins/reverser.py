"""A task written by the steps of CONTRIBUTING.md alone: a sentence for a sentence.

It learns to say words backwards (Sutskever et al. 2014 fed their translator so): an encoder reads
the source, a decoder writes the target symbol by symbol. Two encoders of text, two recurrent
stacks: the form that translation, questions and summaries have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data import Buckets, Encoded, Rows, TextEncoder
from tidegate.data.fingerprint import fingerprint
from tidegate.errors import InputError, message
from tidegate.nn import Recurrent
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import Settings, build_layer
from tidegate.tasks.core.task import Task
from tidegate.training.network import Network, StackInput

EDGE = 0  # padding, which no text has: where a target begins and ends


@dataclass(frozen=True, kw_only=True)
class ReverserSettings(Settings):
    """The settings of a Reverser."""

    hidden_size: int = changed(Settings, "hidden_size", 32)
    bidirectional: bool = changed(Settings, "bidirectional", False, cli=False)
    embedding_size: int = setting(
        16, help="Numbers in the vector of a word.", minimum=1, structural=True
    )


class Pairs:
    """Texts and what is to be said of each, as `Rows` serves them."""

    def __init__(self, source: Encoded, target: Encoded | None) -> None:
        self.source, self.target = source, target

    def __len__(self) -> int:
        return len(self.source)

    @property
    def lengths(self) -> np.ndarray:
        return self.source.lengths

    def batch(self, indices: np.ndarray) -> Batch:
        batch = self.source.batch(indices)
        if self.target is None:
            return batch
        target = self.target.batch(indices)
        return replace(batch, targets=target.values, target_lengths=target.lengths)

    def fingerprint(self) -> str:
        target = "" if self.target is None else self.target.fingerprint()
        return fingerprint(self.source.fingerprint() + target)


class SymbolMeter:
    """Adds up the loss of symbols, and counts symbols and whole targets that are right."""

    def __init__(self, head: SymbolsHead) -> None:
        self.head, self.sums = head, torch.zeros(5, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        truth, valid = with_end(batch)
        right = (outputs.argmax(-1) == truth) | ~valid
        count = valid.sum().cpu()
        told = [self.head.loss(outputs, batch).cpu() * count, (right & valid).sum().cpu(), count]
        told += [right.all(1).sum().cpu(), torch.tensor(len(batch))]
        self.sums += torch.stack([number.double() for number in told])

    def result(self) -> dict[str, float]:
        loss, symbols, count, rows, total = self.sums.tolist()
        return {"loss": loss / count, "accuracy": symbols / count, "exact": rows / total}

    def state(self) -> dict[str, Tensor]:
        return {"sums": self.sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        self.sums = state["sums"].cpu()


class SymbolsHead(nn.Linear):
    """The scores of each symbol that may come next."""

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        truth, valid = with_end(batch)
        return F.cross_entropy(outputs[valid], truth[valid])

    def meter(self) -> SymbolMeter:
        return SymbolMeter(self)

    def answer(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(-1)


class ReverserNetwork(Network):
    """An encoder whose last state a decoder begins with."""

    def __init__(self, encoder: Recurrent, decoder: Recurrent, words: tuple[int, int]) -> None:
        super().__init__()
        self.source = nn.Embedding(words[0], encoder.input_size)
        self.target = nn.Embedding(words[1], decoder.input_size)
        self.encoder, self.decoder = encoder, decoder
        self.head = SymbolsHead(decoder.output_size, words[1])

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        return {"encoder": self.encoder, "decoder": self.decoder}

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """What the decoder reads is the target, or what it wrote itself."""
        read = StackInput(self.source(batch.values), batch.lengths)
        state = self.encoder(read.values, lengths=read.lengths)[1]
        if batch.targets is None:
            symbols = self.write(batch)
            batch = replace(batch, targets=symbols, target_lengths=(symbols != EDGE).sum(1))
        before = F.pad(batch.targets, (1, 0), value=EDGE)
        return {
            "encoder": read,
            "decoder": StackInput(self.target(before), batch.target_lengths + 1, state),
        }

    def forward(self, batch: Batch) -> Tensor:
        read = self.stack_inputs(batch)["decoder"]
        return self.head(self.decoder(read.values, read.state, lengths=read.lengths)[0])

    def write(self, batch: Batch) -> Tensor:
        """Say the likeliest symbol again and again, `[B, U]`, up to twice as many as were read.

        Nothing comes after the end.
        """
        _, state = self.encoder(self.source(batch.values), lengths=batch.lengths)
        last = torch.full((len(batch), 1), EDGE, device=batch.values.device)
        said, most = [], 2 * batch.lengths[:, None]
        ended = most < 1
        for step in range(1, int(most.max()) + 1):
            output, state = self.decoder(self.target(last), state)
            last = self.head.answer(self.head(output)).masked_fill(ended, EDGE)
            ended = ended | (last == EDGE) | (most <= step)
            said.append(last)
            if ended.all():
                break
        return torch.cat([last[:, :0], *said], 1)


class Reverser(Task):
    """Says the words of a sentence in another order, which it learns from pairs.

    Attributes:
        source_encoder_: Of what is read.
        target_encoder_: Of what is said.
    """

    settings_class = ReverserSettings
    roles: ClassVar[Mapping[str, str]] = {
        "source": "Column of the sentences.",
        "target": "Column of what is to be said of each.",
    }
    input_role = "source"
    target_role = "target"
    answers = "sequence"
    encoders: ClassVar[Encoders] = {
        "source_encoder_": TextEncoder,
        "target_encoder_": TextEncoder,
    }

    settings_: ReverserSettings
    network_: ReverserNetwork
    source_encoder_: TextEncoder
    target_encoder_: TextEncoder

    def predict(self, X: Sequence[str]) -> list[str]:
        """Answer a sentence for each sentence."""
        self._check_fitted()
        loader = self._loader(self._examples(X, None, None), training=False)
        found = [""] * len(loader)
        device = next(self.network_.parameters()).device
        for rows in loader.in_order():
            batch = loader.batch(rows).to(device)
            with torch.inference_mode():
                symbols = self.network_.write(batch)
            for row, ids in zip(rows, symbols, strict=True):
                found[row] = self.target_encoder_.decode(ids[ids != EDGE].numpy())
        return found

    def score(self, X: Sequence[str], y: Sequence[str] | None = None, sample_weight=None) -> float:
        """Return the share of sentences that are right throughout."""
        return self.evaluate(X, y)["exact"]

    def _examples(self, X, y, sample_weight) -> Examples:
        for row, text in enumerate(X):
            if not isinstance(text, str):
                rule, got = "made of sentences", f"{text!r:.40} in row {row}"
                raise InputError(message("Reverser", "X", rule, got))
        return Examples(list(X), None if y is None else np.asarray(y))

    def _learn(self, examples: Examples) -> None:
        if examples.targets is None:
            raise InputError(message("Reverser", "y", "given: a sentence for each", None))
        self.source_encoder_ = TextEncoder().fit(examples.inputs)
        self.target_encoder_ = TextEncoder().fit(examples.targets.tolist())

    def _loader(self, examples: Examples, *, training: bool) -> Rows[Pairs]:
        target = None
        if examples.targets is not None:
            target = self.target_encoder_.encode(examples.targets.tolist())
        pairs = Pairs(self.source_encoder_.encode(examples.inputs), target)
        settings = self.settings_
        order = Buckets(pairs.lengths, settings.batch_size, seed=settings.random_state)
        return Rows(pairs, order)

    def _build(self) -> ReverserNetwork:
        size = self.settings_.embedding_size
        layers = (build_layer(self.settings_, size) for _ in range(2))
        return ReverserNetwork(*layers, (self.source_encoder_.size, self.target_encoder_.size))

    def _step_labels(self, examples: Examples) -> list[list[str]]:
        return [self.source_encoder_.tokens(text) for text in examples.inputs]


def with_end(batch: Batch) -> tuple[Tensor, Tensor]:
    """The targets with their ends, `[B, U + 1]`, and which of these steps there are."""
    truth = F.pad(batch.targets, (0, 1), value=EDGE)
    steps = torch.arange(truth.shape[1], device=truth.device)
    return truth, steps <= batch.target_lengths[:, None]
