"""Occlusion: how the answer changes when a step is taken out."""

from __future__ import annotations

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.explain.attribution.attribution import Attribution, Target, at_target, read_target
from tidegate.explain.network import Inspectable, portions, silent, still, take_rows


def occlusion(network: Inspectable, batch: Batch, target: Target = None) -> Attribution:
    """Measure how much an output falls when each step alone says nothing.

    score_t = F(row) - F(row without what step t says) (Zeiler & Fergus 2014, section 2.2)

    The step stays, its word becomes the unknown one and its n-grams vanish; a feature of a series
    becomes 0 (`silent`). Every number is an answer of the network itself. The scores need not add
    up: two words that say the same are each worth little without the other (`Attribution.gap`).

    Args:
        network: The network; it runs in evaluation mode.
        batch: The rows.
        target: The output to explain: one index for all rows, one for each row, or None for each
            row's greatest.

    Returns:
        The attribution, on the CPU. T times the cost of an answer.

    Raises:
        InputError: If the network is not inspectable, or there is no such output.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = recurrent_layer("gru", 4, 3, batch_first=True)
        >>> network = TextNetwork(Embedding(9, 4), layer, "mean", 2)
        >>> batch = Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))
        >>> occlusion(network, batch).scores.shape
        torch.Size([1, 3])
    """
    with still(network) as device, torch.no_grad():
        batch = batch.to(device)
        outputs, blank = _ask(network, batch), _ask(network, silent(batch))
        found = read_target(target, outputs)
        output, mask = at_target(outputs, found), batch.mask
        rows, steps = mask.nonzero().unbind(1)
        scores = torch.zeros(mask.shape, dtype=output.dtype, device=device)
        for part in portions(len(rows), mask.shape[1]):
            row, step = rows[part], steps[part]
            gone = torch.arange(mask.shape[1], device=device) == step[:, None]
            without = at_target(_ask(network, silent(take_rows(batch, row), gone)), found[row])
            scores[row, step] = output[row] - without
        lengths, baseline = batch.lengths, at_target(blank, found)
        parts = {"output": output, "baseline": baseline, "lengths": lengths, "asked": 2 + lengths}
        return Attribution.of("occlusion", scores, found, **parts)


def _ask(network: Inspectable, batch: Batch) -> Tensor:
    return network.decide(network.embed(batch), batch)
