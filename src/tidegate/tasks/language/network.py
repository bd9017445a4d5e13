"""LanguageNetwork: the network of a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data.language.batch import NOTHING, LanguageBatch
from tidegate.device import dropout
from tidegate.errors import InputError, message
from tidegate.heads import AdaptiveHead, LanguageHead, MixtureHead, SymbolHead
from tidegate.nn import Recurrent
from tidegate.tasks.core.settings.settings import build_layer
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training.network import Network, ParameterGroups, StackInput

Hidden = Tensor | tuple[Tensor, ...]
State = tuple[Hidden, ...]
"""What each stack takes as `hx`."""

_SPREAD = 0.1  # new tied vectors are drawn from -0.1 to 0.1
_BETWEEN = ("residual", "variational_dropout")  # layer options that need two layers


@dataclass(frozen=True, kw_only=True)
class Regularisation:
    """What keeps a language model from learning its text by heart (Merity et al. 2017).

    Attributes:
        embedding_dropout: Share of the symbols whose vector is zero throughout a piece of text.
        input_dropout: Share of the features dropped from the vectors.
        hidden_dropout: Share of the features dropped between two stacks.
        dropout: Share of the features dropped before the head.
        activation: Weight of the mean square of the features that the head reads.
        temporal: Weight of the mean square of their changes from step to step.
    """

    embedding_dropout: float = 0.0
    input_dropout: float = 0.0
    hidden_dropout: float = 0.0
    dropout: float = 0.0
    activation: float = 0.0
    temporal: float = 0.0


class LanguageNetwork(Network):
    """Embedding, recurrent stacks, head; the state goes on from batch to batch.

    Axis letters: B streams, T steps, F features, N steps that have a target.

    Args:
        embedding: Ids to vectors.
        stacks: Recurrent stacks on top of each other, `batch_first` and of one direction.
        head: From the features of the last one to the next symbol.
        rates: The regularisation.

    Example:
        >>> import torch
        >>> from tidegate.nn import recurrent_layer
        >>> layer = recurrent_layer("lstm", 4, 8, batch_first=True)
        >>> network = LanguageNetwork(nn.Embedding(9, 4), [layer], LanguageHead(8, 9))
        >>> features, state = network.read(torch.tensor([[5, 2, 7]]))
        >>> network.head.answer(features).shape
        torch.Size([1, 3, 9])
    """

    head: SymbolHead

    def __init__(
        self,
        embedding: nn.Embedding,
        stacks: Sequence[Recurrent],
        head: SymbolHead,
        rates: Regularisation | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.stacks = nn.ModuleList(stacks)
        self.head = head
        self.rates = rates or Regularisation()
        self._state: State | None = None

    @property
    def layers(self) -> list[Recurrent]:
        """The recurrent stacks, typed."""
        return [stack for stack in self.stacks if isinstance(stack, Recurrent)]

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        """Return the stacks, the lowest first, each by the name that its weights have."""
        return {f"stacks.{place}": stack for place, stack in enumerate(self.layers)}

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """Return what each stack reads of pieces of text that begin at a state of zero."""
        found: dict[str, StackInput] = {}
        features = self._embed(batch.values)
        for name, stack in self.recurrent_stacks().items():
            found[name] = StackInput(features, batch.lengths)
            features, _ = stack(features, lengths=batch.lengths)
        return found

    @property
    def recurrent(self) -> Recurrent:
        """The lowest stack: with weights tied to smaller vectors the last layer is another one."""
        return self.layers[0]

    def read(
        self,
        ids: Tensor,
        state: State | None = None,
        *,
        lengths: Tensor | None = None,
        reset_mask: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Read symbols from a state on.

        Args:
            ids: `[B, T]` int64.
            state: What an earlier call returned; None begins anew.
            lengths: Steps of each row, `[B]`; None if every row has T.
            reset_mask: `[B, T]` bool, True before which steps a row begins anew.

        Returns:
            The features that the head reads `[B, T, F]`, and the state after each row's last
            step: an item for each stack, what it takes as `hx`.
        """
        return self._run(self._embed(ids), state, lengths, reset_mask)

    def forward(self, batch: Batch) -> Tensor:
        """Say what each symbol that came cost, in nats, `[N]`; the state is carried over."""
        features, targets = self._kept(self._carry(batch), batch)
        return self.head.losses(self._drop(features, self.rates.dropout), targets)

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mean cost with the penalties on activations, and the costs."""
        raw, rates = self._carry(batch), self.rates
        dropped = self._drop(raw, rates.dropout)
        nats = self.head.losses(*self._kept(dropped, batch))
        loss = nats.mean()
        if rates.activation:
            loss = loss + rates.activation * dropped.square().mean()
        if rates.temporal and raw.shape[1] > 1:
            loss = loss + rates.temporal * raw.diff(dim=1).square().mean()
        return loss, nats

    def begin_pass(self) -> None:
        """Begin at zero with the next batch."""
        self._state = None

    def carried(self) -> dict[str, Tensor]:
        """Return the state that the next batch begins with, by stack and place."""
        return {
            f"{stack}.{place}": tensor
            for stack, part in enumerate(self._state or ())
            for place, tensor in enumerate(_tensors(part))
        }

    def take_carried(self, carried: Mapping[str, Tensor]) -> None:
        """Take back what `carried` returned."""
        if not carried:
            self._state = None
            return
        places: list[list[Tensor]] = [[] for _ in self.stacks]
        for name in sorted(carried):
            places[int(name.partition(".")[0])].append(carried[name])
        self._state = tuple(part[0] if len(part) == 1 else tuple(part) for part in places)

    def groups(self, learning_rate: float, weight_decay: float) -> ParameterGroups:
        """Let all matrices decay, and clip all gradients: most symbols occur in every step."""
        groups: ParameterGroups = []
        for decays in (True, False):
            found = [p for p in self.parameters() if p.requires_grad and (p.ndim > 1) == decays]
            decay = weight_decay if decays else 0.0
            groups.append(
                {"params": found, "lr": learning_rate, "weight_decay": decay, "clip": True}
            )
        return groups

    def _carry(self, batch: Batch) -> Tensor:
        """Read a batch from where the one before it ended; its gradient stops there."""
        resets = batch.resets if isinstance(batch, LanguageBatch) else None
        features, state = self._run(self._embed(batch.values), self._state, batch.lengths, resets)
        self._state = tuple(_detached(part) for part in state)
        return features

    def _embed(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(ids)
        rate = self.rates.embedding_dropout
        if self.training and rate:
            ones = vectors.new_ones(self.embedding.num_embeddings, 1)
            vectors = vectors * F.embedding(ids, dropout(ones, rate))
        return self._drop(vectors, self.rates.input_dropout)

    def _run(
        self, vectors: Tensor, state: State | None, lengths: Tensor | None, resets: Tensor | None
    ) -> tuple[Tensor, State]:
        features, states = vectors, []
        before = state or (None,) * len(self.stacks)
        for place, (stack, hx) in enumerate(zip(self.stacks, before, strict=True)):
            if place:
                features = self._drop(features, self.rates.hidden_dropout)
            features, after = stack(features, hx, lengths=lengths, reset_mask=resets)
            states.append(after)
        return features, tuple(states)

    def _drop(self, features: Tensor, rate: float) -> Tensor:
        """Drop features of a row from all of its steps at once (Gal & Ghahramani 2016)."""
        if not self.training or not rate:
            return features
        ones = features.new_ones(features.shape[0], 1, features.shape[2])
        return features * dropout(ones, rate)

    def _kept(self, features: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The features and targets of the steps that have one, `[N, F]` and `[N]`."""
        assert batch.targets is not None
        targets, flat = batch.targets.flatten(), features.flatten(0, 1)
        there = targets != NOTHING
        if bool(there.all()):
            return flat, targets
        return flat[there], targets[there]


def build_language_network(settings: LanguageModelSettings, size: int) -> LanguageNetwork:
    """Build the network that settings ask for.

    Args:
        settings: The settings.
        size: V, the symbols.

    Returns:
        The untrained network.

    Raises:
        InputError: If the sizes do not allow tied weights.
    """
    embedding = nn.Embedding(size, settings.vector_size)
    if settings.is_tied:  # what suits the softmax too
        nn.init.uniform_(embedding.weight, -_SPREAD, _SPREAD)
    stacks = _build_stacks(settings)
    rates = Regularisation(
        embedding_dropout=settings.embedding_dropout,
        input_dropout=settings.input_dropout,
        hidden_dropout=settings.between,
        dropout=settings.dropout,
        activation=settings.activation_penalty,
        temporal=settings.temporal_penalty,
    )
    head = _build_head(settings, stacks[-1].output_size, size, embedding)
    return LanguageNetwork(embedding, stacks, head, rates)


def _build_stacks(settings: LanguageModelSettings) -> list[Recurrent]:
    """One stack of equal layers; or two, where tied weights give the last layer another size."""
    layers, width = settings.num_layers, settings.vector_size
    alike = not settings.is_tied or settings.softmax == "mixture" or width == settings.hidden_size
    if alike:
        return [_build_stack(settings, width, layers)]
    if layers == 1:
        rule = f"as embedding_size, {width}, for one layer with tied weights"
        remedy = "Set it so, set tied=False, or num_layers to 2"
        raise InputError(message(settings.owner, "hidden_size", rule, settings.hidden_size, remedy))
    below = _build_stack(settings, width, layers - 1)
    top = _build_stack(replace(settings, hidden_size=width), below.output_size, 1)
    return [below, top]


def _build_stack(settings: LanguageModelSettings, inputs: int, layers: int) -> Recurrent:
    options = dict(settings.layer_options or {})
    if layers == 1:  # what acts between layers only
        options = {name: value for name, value in options.items() if name not in _BETWEEN}
    elif settings.between:
        options.setdefault("variational_dropout", True)
    part = replace(
        settings, num_layers=layers, dropout=settings.between, layer_options=options or None
    )
    return build_layer(part, inputs)


def _build_head(
    settings: LanguageModelSettings, features: int, size: int, embedding: nn.Embedding
) -> SymbolHead:
    common = {
        "low_precision": (settings.layer_options or {}).get("precision") == "bfloat16",
        "characters": settings.level == "char",
    }
    if settings.softmax == "adaptive":
        return AdaptiveHead(features, size, **common)
    tied = embedding if settings.is_tied else None
    if settings.softmax == "mixture":
        count, width = settings.mixtures, settings.vector_size
        return MixtureHead(features, size, count=count, width=width, tied=tied, **common)
    return LanguageHead(features, size, tied, **common)


def _tensors(part: Hidden) -> tuple[Tensor, ...]:
    return part if isinstance(part, tuple) else (part,)


def _detached(part: Hidden) -> Hidden:
    return tuple(t.detach() for t in part) if isinstance(part, tuple) else part.detach()
