"""Pretrained: a text classifier that begins as a language model (ULMFiT)."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from tidegate.data.subwords import Subwords
from tidegate.data.vocabulary import SPECIAL
from tidegate.errors import InputError, message
from tidegate.tasks.settings import Settings
from tidegate.tasks.text_network import TextNetwork
from tidegate.tasks.text_settings import TextClassifierSettings

if TYPE_CHECKING:
    from tidegate.tasks.language_model import LanguageModel

# What a classifier takes over from the settings of a language model: what its weights fit.
_SHARED = ("cell", "hidden_size", "num_layers", "level", "lowercase")


@dataclass(frozen=True)
class Pretrained:
    """What a classifier takes from a language model.

    Attributes:
        settings: Those of the language model.
        symbols: What it reads, as the classifier will: words or characters, or sub-words.
        vectors: The vectors of its symbols, `[V, E]`; the first is that of padding, zero.
        weights: Those of its recurrent stack, by name.
    """

    settings: Settings
    symbols: Subwords | list[str]
    vectors: Tensor
    weights: dict[str, Tensor]

    @classmethod
    def read(cls, path: str, owner: str) -> Pretrained:
        """Read a saved language model.

        Args:
            path: Its folder.
            owner: Who complains.

        Raises:
            InputError: If it is another kind of model, or one whose layers differ in size or
                whose symbols no text classifier reads.
            ArtifactError: If the folder is no model, or damaged.
        """
        from tidegate.tasks.saved import load_task

        model: Any = load_task(path, device="cpu")
        if model.task_name() != "language-model":
            rule = "the folder of a saved language model"
            raise InputError(message(owner, "pretrained", rule, f"a {model.task_name()}"))
        return cls._taken(model, path, owner)

    @classmethod
    def _taken(cls, model: LanguageModel, path: str, owner: str) -> Pretrained:
        network, encoder = model.network_, model.encoder_
        if len(network.stacks) > 1:
            rule = "a language model whose layers are of one size"
            remedy = "Fit one with embedding_size equal to hidden_size, or with tied=False"
            raise InputError(message(owner, "pretrained", rule, path, remedy))
        if encoder.level == "space":
            rule = "a language model of words, sub-words or characters"
            remedy = "Fit one with level='word'"
            raise InputError(message(owner, "pretrained", rule, "level='space'", remedy))
        vectors = network.embedding.weight.detach().clone()
        vectors[0] = 0  # what ends a document there is padding here
        symbols = encoder.subwords or encoder.vocabulary[len(SPECIAL) :]
        weights = {name: part.clone() for name, part in network.stacks[0].state_dict().items()}
        return cls(model.settings_, symbols, vectors, weights)

    def adapt(self, settings: TextClassifierSettings) -> TextClassifierSettings:
        """Give a classifier's settings the structure of the language model.

        Raises:
            InputError: If they ask for what the language model is not.
        """
        taken: dict[str, Any] = {name: getattr(self.settings, name) for name in _SHARED}
        taken |= {"embedding_size": self.vectors.shape[1], "bidirectional": False}
        defaults = {field.name: field.default for field in fields(settings)}
        for name, value in taken.items():
            asked = getattr(settings, name)
            if asked not in (value, defaults[name]):
                rule = f"left out, or {value!r} as in the language model"
                raise InputError(message(settings.owner, name, rule, repr(asked)))
        options = settings.layer_options or self.settings.layer_options
        taken |= {"max_vocabulary": len(self.vectors) - len(SPECIAL), "min_frequency": 1}
        return replace(settings, **taken, layer_options=options)


class FineTuned(TextNetwork):
    """A text network whose lower layers learn later and more slowly than its head.

    Howard & Ruder 2018: discriminative fine-tuning (section 3.2) divides the step size by a factor
    from each layer to the one below; gradual unfreezing (section 3.3) lets a layer learn from an
    epoch on, the top one first.

    Attributes:
        factor: What the step size is divided by from layer to layer.
        thaw: Epochs from the thawing of a layer to that of the one below.
    """

    factor: float = 2.6
    thaw: int = 1

    def groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Split the groups by depth, each with a step size and the epoch it learns from."""
        depths = {id(part): self._depth(name) for name, part in self.named_parameters()}
        found = []
        for group in super().groups(learning_rate, weight_decay):
            for depth in sorted({depths[id(part)] for part in group["params"]}):
                parts = [part for part in group["params"] if depths[id(part)] == depth]
                own = {"lr": group["lr"] / self.factor**depth, "thaw": self.thaw * depth}
                found.append(group | own | {"params": parts})
        return found

    def _depth(self, name: str) -> int:
        """Layers between a parameter and the head."""
        layers = self.recurrent.num_layers
        if name.startswith("embedding."):
            return layers + 1
        if not name.startswith("recurrent."):
            return 0
        number = re.search(r"_l(\d+)", name)
        return layers - (int(number[1]) if number else 0)
