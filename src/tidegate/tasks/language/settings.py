"""The settings of a LanguageModel."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.errors import InputError, message
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import Settings
from tidegate.tasks.core.settings.text import CleanedSettings

_CHARACTER_VECTOR = 64  # there are few characters, and little to say about each


@dataclass(frozen=True, kw_only=True)
class LanguageModelSettings(CleanedSettings):
    """The settings of a LanguageModel."""

    bidirectional: bool = changed(Settings, "bidirectional", False, cli=False)
    hidden_size: int = changed(Settings, "hidden_size", 512)
    num_layers: int = changed(Settings, "num_layers", 2)
    dropout: float = changed(Settings, "dropout", 0.4)
    epochs: int = changed(Settings, "epochs", 12)
    batch_size: int = changed(Settings, "batch_size", 32)
    learning_rate: float = changed(Settings, "learning_rate", 4e-3)
    patience: int | None = changed(Settings, "patience", None)
    lowercase: bool = changed(CleanedSettings, "lowercase", False)
    level: str = setting(
        "char",
        help="What is predicted: characters, words, pieces of words, or whatever stands between "
        "spaces in a text that is tokenised already.",
        choices=("char", "word", "bpe", "space"),
        structural=True,
        group="Text",
    )
    max_vocabulary: int | None = setting(
        None,
        help="Most symbols that are learned, the most frequent; none takes 4,000 pieces of words, "
        "30,000 of the others.",
        minimum=1,
        structural=True,
        group="Text",
    )
    embedding_size: int | None = setting(
        None,
        help="Numbers in the vector of a symbol; none takes 64 for characters, hidden_size for "
        "the others.",
        minimum=1,
        maximum=65536,
        structural=True,
    )
    tied: bool | None = setting(
        None,
        help="Use the vectors of the symbols as weights of the softmax too; the last layer then "
        "has embedding_size units. none does so unless symbols are characters or the softmax is "
        "adaptive.",
        structural=True,
    )
    softmax: str = setting(
        "full",
        help="What the probabilities come from: one softmax, one with clusters of rare symbols "
        "for large vocabularies, or a mixture of several.",
        choices=("full", "adaptive", "mixture"),
        structural=True,
    )
    mixtures: int = setting(
        10, help="Softmaxes in a mixture.", minimum=2, maximum=1000, structural=True
    )
    embedding_dropout: float = setting(
        0.0,
        help="Share of the symbols whose vector is zero throughout a piece of text.",
        minimum=0,
        maximum=0.95,
        group="Regularisation",
    )
    input_dropout: float = setting(
        0.0,
        help="Share of the features dropped from the vectors of a piece of text.",
        minimum=0,
        maximum=0.95,
        group="Regularisation",
    )
    hidden_dropout: float | None = setting(
        None,
        help="Share of the features dropped between layers; none takes dropout.",
        minimum=0,
        maximum=0.95,
        group="Regularisation",
    )
    activation_penalty: float = setting(
        0.0,
        help="Weight of the mean square of what the softmax reads (alpha of AWD-LSTM).",
        minimum=0,
        group="Regularisation",
    )
    temporal_penalty: float = setting(
        0.0,
        help="Weight of the mean square of its changes from step to step (beta of AWD-LSTM).",
        minimum=0,
        group="Regularisation",
    )
    bptt: int = setting(
        100,
        help="Steps that the gradient goes back; the state goes on from piece to piece.",
        minimum=1,
        group="Training",
    )
    vary_bptt: bool = setting(
        True, help="Let the length of the pieces vary around bptt.", group="Training"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bidirectional:
            rule, remedy = "False: what comes next must not be read", "Leave it out"
            raise InputError(message(self.owner, "bidirectional", rule, True, remedy))
        if self.softmax != "mixture" and self.mixtures != self.options()["mixtures"].default:
            rule, remedy = "left out without a mixture", "Add softmax='mixture'"
            raise InputError(message(self.owner, "mixtures", rule, self.mixtures, remedy))
        if self.tied and self.softmax == "adaptive":
            rule, remedy = "False with an adaptive softmax", "Its clusters have their own weights"
            raise InputError(message(self.owner, "tied", rule, True, remedy))

    @property
    def vector_size(self) -> int:
        """Numbers in the vector of a symbol."""
        if self.embedding_size is not None:
            return self.embedding_size
        return _CHARACTER_VECTOR if self.level == "char" else self.hidden_size

    @property
    def is_tied(self) -> bool:
        """Whether embedding and softmax share their weights."""
        if self.tied is None:
            return self.level != "char" and self.softmax != "adaptive"
        return self.tied

    @property
    def between(self) -> float:
        """Share of the features dropped between layers."""
        return self.dropout if self.hidden_dropout is None else self.hidden_dropout
