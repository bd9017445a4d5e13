"""Methods: the ways to say how much each step moved an answer, by name."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.batch import Batch
from tidegate.errors import InputError, message, suggest
from tidegate.explain.attribution.attribution import Attribution, Target
from tidegate.explain.attribution.gate_contributions import gate_contributions
from tidegate.explain.attribution.integrated import integrated_gradients
from tidegate.explain.attribution.occlusion import occlusion
from tidegate.explain.network import Inspectable

METHODS: dict[str, Callable[[Inspectable, Batch, Target], Attribution]] = {
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
    "gates": gate_contributions,
}


def read_method(owner: str, name: str) -> Callable[[Inspectable, Batch, Target], Attribution]:
    """Return the method of a name.

    Args:
        owner: Who complains.
        name: "integrated gradients", "occlusion" or "gates".

    Raises:
        InputError: If there is none.

    Example:
        >>> read_method("attribute", "occlusion").__name__
        'occlusion'
    """
    if name not in METHODS:
        rule = "one of " + ", ".join(repr(known) for known in METHODS)
        raise InputError(
            message(owner, "method", rule, repr(name), suggest(str(name), METHODS, listed=True))
        )
    return METHODS[name]
