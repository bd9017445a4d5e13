"""Attribution: how much each step moved the answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.explain.figures import png
from tidegate.explain.text_plots import plot_bars, plot_text
from tidegate.nn.trace.selection import pick
from tidegate.nn.trace.trace import Labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Target = int | Sequence[int] | Tensor | None


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """What each step of each row gave to one output of a network.

    Axis letters: B rows, T steps, C outputs.

    Attributes:
        method: "integrated gradients", "occlusion" or "gates".
        scores: What each step gave, `[B, T]`; zero past a row's end.
        target: The output explained, `[B]` int64.
        output: Its value, before a softmax, `[B]`.
        baseline: Its value when the steps say nothing, `[B]`.
        lengths: Valid steps of each row, `[B]` int64.
        asked: How often the network was asked about each row, `[B]` int64.
        labels: The token or time of each valid step of each row, or None.
        names: What the C outputs are called, or None.

    Example:
        >>> row = [torch.tensor([value]) for value in (1, 2.0, 1.0, 3, 5)]
        >>> found = Attribution("occlusion", torch.tensor([[0.5, -0.25, 1.0]]), *row)
        >>> round(found.gap.item(), 2)
        -0.25
    """

    method: str
    scores: Tensor
    target: Tensor
    output: Tensor
    baseline: Tensor
    lengths: Tensor
    asked: Tensor
    labels: Labels | None = None
    names: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        method: str,
        scores: Tensor,
        target: Tensor,
        *,
        output: Tensor,
        baseline: Tensor,
        lengths: Tensor,
        asked: Tensor,
    ) -> Attribution:
        """Make an attribution out of tensors on any device: it is for people, on the CPU."""
        parts = (scores, target, output, baseline, lengths, asked)
        scores, target, output, baseline, lengths, asked = (part.detach().cpu() for part in parts)
        return cls(method, scores, target, output, baseline, lengths, asked)

    def __repr__(self) -> str:
        """Say what it is; the numbers would fill the screen."""
        return f"Attribution({self.method}, B {len(self.lengths)}, T {self.scores.shape[1]})"

    @property
    def gap(self) -> Tensor:
        """What the scores leave unexplained, `output - baseline - scores.sum(1)`, `[B]`."""
        return self.output - self.baseline - self.scores.sum(1)

    def name(self, row: int) -> str:
        """Return what the output explained in a row is called."""
        target = int(self.target[row])
        return f"output {target}" if self.names is None else self.names[target]

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a line for each valid step.

        Returns:
            The columns `row`, `step`, `label` if there are labels, `target` and `score`.
        """
        import numpy as np
        import pandas as pd

        valid = (torch.arange(self.scores.shape[1]) < self.lengths[:, None]).numpy()
        row, step = valid.nonzero()
        columns = {"row": row, "step": step}
        if self.labels is not None:
            columns["label"] = np.array(list(itertools.chain(*self.labels)), dtype=object)
        targets = [self.name(index) for index in range(len(self.lengths))]
        columns["target"] = np.array(targets, dtype=object)[row]
        columns["score"] = self.scores.numpy()[valid]
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def plot(self, row: int = 0) -> Figure:
        """Draw a row as running text, or as bars if its steps have no labels.

        Args:
            row: Its number, from 0.

        Returns:
            A figure: blue speaks for the output explained, orange against it.

        Raises:
            InputError: If there is no such row.
        """
        pick("Attribution.plot", "row", row, range(len(self.lengths)))
        values = self.scores[row, : int(self.lengths[row])].tolist()
        name = self.name(row)
        ends = f"from {self.baseline[row]:.2f} to {self.output[row]:.2f}"
        title = f"What moved the score of {name} {ends} ({self.method})".replace("-", "−")
        if self.labels is None:
            return plot_bars(values, title=title)
        against, towards = f"against {name}", f"for {name}"
        return plot_text(self.labels[row], values, title=title, against=against, towards=towards)

    def _repr_png_(self) -> bytes:
        return png(self.plot())


def read_target(target: Target, outputs: Tensor) -> Tensor:
    """Say which output of each row is explained.

    Args:
        target: One index for all rows, one for each, or None for each row's greatest output.
        outputs: `[B, C]`.

    Returns:
        `[B]` int64.

    Raises:
        InputError: If there is no such output.

    Example:
        >>> read_target(None, torch.tensor([[1.0, 3.0], [2.0, 0.0]])).tolist()
        [1, 0]
    """
    rows, count = outputs.shape
    if target is None:
        return outputs.argmax(1)
    rule = f"the number of an output, 0 to {count - 1}, or one for each of {rows} rows"
    wrong = InputError(message("attribution", "target", rule, repr(target)))
    try:
        found = torch.as_tensor(target)
    except (TypeError, ValueError, RuntimeError) as error:
        raise wrong from error
    whole = not (found.dtype.is_floating_point or found.dtype == torch.bool)
    if not whole or found.ndim > 1 or (found.ndim and len(found) != rows):
        raise wrong
    found = found.to(outputs.device, torch.int64).expand(rows)
    if rows and not 0 <= int(found.min()) <= int(found.max()) < count:
        raise wrong
    return found


def at_target(values: Tensor, target: Tensor) -> Tensor:
    """Take the output explained out of `[B, C]` or `[B, T, C]`: `[B]` or `[B, T]`."""
    index = target.view(-1, *[1] * (values.ndim - 1)).expand(*values.shape[:-1], 1)
    return values.gather(-1, index)[..., 0]


def join(parts: Sequence[Attribution], order: Sequence[int]) -> Attribution:
    """Put the attributions of several batches together, padded to the longest.

    Args:
        parts: Of one network and by one method.
        order: For each row of the parts, one after the other, its place in the result.

    Returns:
        One attribution, without labels.
    """
    places = torch.tensor(order).argsort()
    longest = max(part.scores.shape[1] for part in parts)
    pad = torch.nn.functional.pad
    padded = [pad(part.scores, (0, longest - part.scores.shape[1])) for part in parts]

    def joined(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])[places]

    return replace(
        parts[0],
        scores=torch.cat(padded)[places],
        target=joined("target"),
        output=joined("output"),
        baseline=joined("baseline"),
        lengths=joined("lengths"),
        asked=joined("asked"),
    )
