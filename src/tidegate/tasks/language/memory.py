"""Memory: whether a training step of a language model fits into it, known before it begins."""

from __future__ import annotations

from tidegate.data.language.streams import Streams
from tidegate.device import pick_device
from tidegate.heads import AdaptiveHead, MixtureHead
from tidegate.tasks.language.network import LanguageNetwork
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training.memory import check_room

_COPIES = 3  # of the scores: themselves, their softmax, their gradient


def step_bytes(network: LanguageNetwork, rows: int, steps: int) -> int:
    """Estimate what a training step keeps for its backward pass.

    Args:
        network: The network.
        rows: B streams.
        steps: T steps of each.

    Returns:
        Bytes.

    Example:
        >>> from tidegate.tasks.language.network import build_language_network
        >>> network = build_language_network(LanguageModelSettings(hidden_size=8), 67)
        >>> step_bytes(network, 2, 200) == 2 * step_bytes(network, 2, 100)
        True
    """
    head, width = network.head, network.embedding.num_embeddings
    if isinstance(head, AdaptiveHead):
        width = head.softmax.head_size
    elif isinstance(head, MixtureHead):
        width *= head.count
    kept = sum(stack.summary(steps, rows).activation_bytes for stack in network.layers)
    return kept + _COPIES * 4 * rows * steps * width


def check_memory(
    network: LanguageNetwork, streams: Streams, settings: LanguageModelSettings
) -> None:
    """Refuse pieces of text that one training step could not hold.

    Args:
        network: The network.
        streams: The training text.
        settings: The settings.

    Raises:
        InputError: If a step takes more memory than is free on the device that `settings` name.
    """
    steps = min(settings.bptt, streams.length)
    needed = step_bytes(network, streams.count, steps)
    got = f"{settings.bptt:,} steps of {streams.count} streams, about {{}}"
    remedy = "Lower bptt or batch_size"
    check_room(settings.owner, "bptt", got, needed, pick_device(settings.device), remedy)
