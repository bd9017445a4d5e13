"""Changes of single tokens of an encoded text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from tidegate.batch import Batch
from tidegate.data.text.encoder import TextEncoder
from tidegate.data.text.ngrams import add_ngrams
from tidegate.errors import InputError, message
from tidegate.nn.trace.selection import pick

_OWNER = "what_if"


def put_tokens(
    encoder: TextEncoder, batch: Batch, tokens: Sequence[str], steps: Mapping[int, object]
) -> tuple[Batch, list[list[str]]]:
    """Put other tokens into a text.

    Args:
        encoder: What the text was encoded with.
        batch: The text, one row.
        tokens: Its tokens.
        steps: The new tokens by the number of the step.

    Returns:
        The changed row, n-grams around the new tokens included, and its tokens.

    Raises:
        InputError: If there is no such step, or a text is not one token.

    Example:
        >>> encoder = TextEncoder().fit(["a good film", "a bad film"])
        >>> batch = encoder.encode(["a good film"]).batch([0])
        >>> put_tokens(encoder, batch, ["a", "good", "film"], {1: "bad"})[1]
        [['a', 'bad', 'film']]
    """
    changed, values = list(tokens), batch.values.clone()
    for step, text in steps.items():
        pick(_OWNER, "steps", step, range(len(tokens)))
        found = encoder.tokens(text) if isinstance(text, str) else []
        if not isinstance(text, str) or len(found) != 1:
            got = f"{text!r}, {len(found)} tokens" if isinstance(text, str) else repr(text)
            remedy = "Pass another whole text as `other` instead"
            raise InputError(message(_OWNER, "steps", "one token each", got, remedy))
        changed[step] = found[0]
        words = values[0] if values.ndim == 2 else values[0, :, 0]
        words[step] = int(encoder.encode([text]).words[0])
    if values.ndim == 3:
        ids = values[0, :, 0].numpy()
        renewed = torch.from_numpy(add_ngrams(ids, np.array([0, len(ids)]), encoder.orders))
        for step in steps:
            # Only n-grams that span the step change; those of the text's other parts, its cut
            # middle among them, stay as they were.
            reach = slice(step, step + values.shape[-1])
            values[0, reach, 1:] = renewed[reach, 1:].to(values.dtype)
    return replace(batch, values=values), [changed]
