"""Networks and their heads: what the loop trains, measures and looks into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from tidegate.batch import Batch
from tidegate.nn import Recurrent

Metrics = dict[str, float]

_KNOWN = ("torch", "tidegate")

ParameterGroups = list[dict[str, Any]]
"""Groups of parameters with their options, the type that `torch.optim` takes them in."""


class StackInput(NamedTuple):
    """What a recurrent stack reads in a pass.

    Attributes:
        values: `[B, T, D]`.
        lengths: Valid steps of each row, `[B]` int64.
        state: The state it begins with, as `Recurrent` takes it; None for zeros.
    """

    values: Tensor
    lengths: Tensor
    state: Tensor | tuple[Tensor, ...] | None = None


class Meter(Protocol):
    """Sums up batches to a loss and scores."""

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add one batch."""

    def result(self) -> Metrics:
        """Return `loss` and the scores over everything added."""

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums."""


class Head(Protocol):
    """From the outputs of a network to a loss in training, and to an answer afterwards."""

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the scalar to minimise, a mean over rows or steps."""

    def meter(self) -> Meter:
        """Return a new, empty meter of such outputs."""

    @property
    def answer(self) -> Callable[..., object]:
        """What outputs mean: a function of them, and of what else a head needs to say it."""


class Network(nn.Module):
    """What the loop trains: a module that maps a Batch to outputs, with a head that knows the loss.

    A subclass writes `forward(batch) -> Tensor` and sets `head`; one that carries something from
    batch to batch, or learns in its own way, overrides what says so.

    Attributes:
        head: What outputs mean.
    """

    if TYPE_CHECKING:

        @property
        def head(self) -> Head:
            """What outputs mean."""

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        """Return the recurrent stacks by name, in the order in which a row passes them.

        Where nothing else is said it is the one called `recurrent`, if there is one.
        """
        stack = getattr(self, "recurrent", None)
        return {"recurrent": stack} if isinstance(stack, Recurrent) else {}

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """Return what each of the recurrent stacks reads of a batch, by name.

        A stack that is left out cannot be traced. Where nothing else is said it is what `embed`
        makes of the batch, if there is such a method.
        """
        embed = getattr(self, "embed", None)
        return {} if embed is None else {"recurrent": StackInput(embed(batch), batch.lengths)}

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the scalar to minimise, a mean over rows: the head's."""
        return self.head.loss(outputs, batch)

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch and the outputs, for a training step."""
        outputs = self(batch)
        return self.loss(outputs, batch), outputs

    def meter(self) -> Meter:
        """Return a new, empty meter: the head's."""
        return self.head.meter()

    def begin_pass(self) -> None:
        """Forget what was kept of earlier batches: a pass over the rows begins or has ended."""

    def carried(self) -> dict[str, Tensor]:
        """Return what is kept of earlier batches for the next one, for a checkpoint."""
        return {}

    def take_carried(self, carried: Mapping[str, Tensor]) -> None:
        """Take back what `carried` returned."""

    def groups(self, learning_rate: float, weight_decay: float) -> ParameterGroups:
        """Sort the trained parameters for AdamW into embeddings, weight matrices and the rest.

        Only matrices decay: an embedding would shrink in all the steps its word is not in. And
        embeddings stay out of the gradient's norm (`clip`), which they would rule.

        Args:
            learning_rate: The step size of all groups.
            weight_decay: Decay of the matrices.

        Returns:
            Groups as torch.optim takes them; `clip` says whether gradient clipping sees a group.
        """
        tables = {id(layer.weight) for layer in self.modules() if isinstance(layer, nn.Embedding)}
        groups: dict[tuple[float, bool], list[Tensor]] = {}
        for parameter in self.parameters():
            if parameter.requires_grad:
                embedding = id(parameter) in tables
                decay = weight_decay if parameter.ndim > 1 and not embedding else 0.0
                groups.setdefault((decay, not embedding), []).append(parameter)
        return [
            {"params": found, "lr": learning_rate, "weight_decay": decay, "clip": clip}
            for (decay, clip), found in groups.items()
        ]


def draws_from_torch(network: nn.Module) -> bool:
    """Say whether a network may draw from torch's own generators: torch's dropout, foreign parts.

    Args:
        network: Any; what of it this package made draws from `tidegate.device.generator`.
    """
    for module in network.modules():
        package = type(module).__module__.partition(".")[0]
        if (package == "torch" and isinstance(module, _DropoutNd)) or package not in _KNOWN:
            return True
    return False


class InspectableNetwork(Network):
    """A front end, one recurrent stack, and what makes an answer of it.

    A subclass writes `embed` and `decide`, and sets `recurrent`.

    Attributes:
        recurrent: The stack.
    """

    if TYPE_CHECKING:

        @property
        def recurrent(self) -> Recurrent:
            """The stack."""

    def forward(self, batch: Batch) -> Tensor:
        """Return the outputs of a batch."""
        return self.decide(self.embed(batch), batch)

    def embed(self, batch: Batch) -> Tensor:
        """Return what the stack reads, `[B, T, D]`."""
        raise NotImplementedError

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the outputs of rows whose steps are these vectors, `[B, T, D]`."""
        raise NotImplementedError

    def direct(self, batch: Batch) -> Tensor | None:
        """Return what each step adds to the outputs past the stack, `[B, T, C]`; by default none.

        It is exact: without these shares the outputs depend on the steps through `embed` alone.
        """
        return None
