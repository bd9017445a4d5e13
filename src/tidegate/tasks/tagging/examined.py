"""What the doctor is told about a tagger: its tags, and how it read sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.sentences import Sentence
from tidegate.data.text.vocabulary import SPECIAL
from tidegate.explain.doctor.case import Case, TextSample
from tidegate.heads import TagHead


def told_of(
    case: Case, encoder: TagEncoder, head: TagHead, sentences: Sequence[Sentence] | None
) -> Case:
    """Add to a case what a tagger's encoder and head know.

    Args:
        case: The case.
        encoder: The fitted encoder.
        head: The network's head.
        sentences: What the doctor tries the tagger on, or None.

    Returns:
        The case: the tags are its classes.
    """
    case = replace(case, vocabulary=len(encoder.vocabulary) - len(SPECIAL), classes=encoder.tags)
    if sentences is None:
        return case

    def decode(scores: Tensor, batch: Batch) -> Tensor:
        return head.answer(scores, batch.lengths.to(scores.device))[batch.mask]

    reading = TextSample(
        lengths=torch.tensor([len(sentence.words) for sentence in sentences]),
        max_length=None,
        unknown=encoder.unknown(word for sentence in sentences for word in sentence.words),
    )
    return replace(case, decode=decode, reading=reading)
