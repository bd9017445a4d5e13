"""Modules of torch.nn and their accelerated twins."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from torch import nn

from tests.helpers import PLAIN
from tidegate import accelerate

B, T, D, H = 4, 5, 3, 4


def module(case: str, **options: Any) -> nn.RNNBase:
    name, own = PLAIN[case]
    made: nn.RNNBase = getattr(nn, name)(D, H, **own, **options)
    return made


def pair(case: str, **options: Any) -> tuple[nn.RNNBase, nn.RNNBase]:
    """A module of torch.nn, and its accelerated twin."""
    theirs = module(case, **options)
    ours = copy.deepcopy(theirs)
    assert accelerate(ours).changed == ("",)
    return theirs, ours


STACKS = [
    {"num_layers": layers, "bidirectional": bidirectional, "bias": bias, "batch_first": batch_first}
    for layers, bidirectional, bias, batch_first in itertools.product(
        (1, 2), (False, True), (True, False), (False, True)
    )
]
