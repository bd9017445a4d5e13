"""A text classifier that begins as a language model (ULMFiT)."""

from __future__ import annotations

import re
from dataclasses import fields, replace

from tidegate.data.text.vocabulary import SPECIAL
from tidegate.errors import InputError, a, message
from tidegate.tasks import load
from tidegate.tasks.core.pretrained import Pretrained, Teacher
from tidegate.tasks.core.settings.option import Value
from tidegate.tasks.text.network import TextNetwork
from tidegate.tasks.text.settings import TextClassifierSettings
from tidegate.training.network import ParameterGroups

# What a classifier takes over from the settings of a language model: what its weights fit.
_SHARED = ("cell", "hidden_size", "num_layers", "level", "lowercase")


def read_pretrained(path: str, owner: str) -> Pretrained:
    """Read a saved language model.

    Args:
        path: Its folder.
        owner: Who complains.

    Raises:
        InputError: If it is another kind of model, or one whose layers differ in size or whose
            symbols no text classifier reads.
        ArtifactError: If the folder is no model, or damaged.
    """
    model = load(path, device="cpu")
    if not isinstance(model, Teacher):
        rule = "the folder of a saved language model"
        raise InputError(message(owner, "pretrained", rule, a(model.task_name())))
    found: Pretrained = model.pretrained()
    return found


def adapt(settings: TextClassifierSettings, pretrained: Pretrained) -> TextClassifierSettings:
    """Give a classifier's settings the structure of the language model.

    Raises:
        InputError: If they ask for what the language model is not.
    """
    taken: dict[str, Value] = {name: getattr(pretrained.settings, name) for name in _SHARED}
    taken |= {"embedding_size": pretrained.vectors.shape[1], "bidirectional": False}
    defaults = {field.name: field.default for field in fields(settings)}
    for name, value in taken.items():
        asked = getattr(settings, name)
        if asked not in (value, defaults[name]):
            rule = f"left out, or {value!r} as in the language model"
            raise InputError(message(settings.owner, name, rule, repr(asked)))
    options = settings.layer_options or pretrained.settings.layer_options
    taken |= {"max_vocabulary": len(pretrained.vectors) - len(SPECIAL), "min_frequency": 1}
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

    def groups(self, learning_rate: float, weight_decay: float) -> ParameterGroups:
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
