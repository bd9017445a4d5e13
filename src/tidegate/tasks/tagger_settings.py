"""The settings of a Tagger."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.data.schemes import SCHEMES
from tidegate.errors import InputError, message
from tidegate.tasks.option import changed, setting
from tidegate.tasks.settings import Settings


@dataclass(frozen=True, kw_only=True)
class TaggerSettings(Settings):
    """The settings of a Tagger."""

    bidirectional: bool = changed(Settings, "bidirectional", True)
    hidden_size: int = changed(Settings, "hidden_size", 200)
    dropout: float = changed(Settings, "dropout", 0.5)
    epochs: int = changed(Settings, "epochs", 10)
    batch_size: int = changed(Settings, "batch_size", 32)
    learning_rate: float = changed(Settings, "learning_rate", 3e-3)
    weight_averaging: float = changed(Settings, "weight_averaging", 0.999)
    patience: int | None = changed(Settings, "patience", None)
    scheme: str = setting(
        "auto",
        help="How the tags are written: as spans in bio, iob1 or iobes, or none for tags that are "
        "no spans, such as parts of speech; auto finds out.",
        choices=("auto", *SCHEMES),
        structural=True,
        group="Text",
    )
    learned_scheme: str = setting(
        "iobes",
        help="How spans are written for the network to learn; answers are written as the data.",
        choices=("iobes", "bio"),
        structural=True,
        group="Text",
    )
    lowercase: bool = setting(
        True,
        help="Look words up in small letters; their characters keep the capitals.",
        structural=True,
        group="Text",
    )
    zero_digits: bool = setting(
        True, help="Look words up with each digit as 0.", structural=True, group="Text"
    )
    min_frequency: int = setting(
        1,
        help="Fewest occurrences of a word that is learned.",
        minimum=1,
        structural=True,
        group="Text",
    )
    max_vocabulary: int = setting(
        100_000,
        help="Most words that are learned, the most frequent.",
        minimum=1,
        structural=True,
        group="Text",
    )
    max_characters: int = setting(
        32,
        help="Most characters of a word that are read; of a longer one its head and tail.",
        minimum=2,
        structural=True,
        group="Text",
    )
    affixes: bool = setting(
        True,
        help="Add to the vector of a word those of its prefixes, suffixes and shape.",
        structural=True,
        group="Text",
    )
    embedding_size: int = setting(
        100,
        help="Numbers in the vector of a word; pretrained vectors bring their own.",
        minimum=1,
        maximum=65536,
        structural=True,
    )
    vectors: str | None = setting(
        None,
        help="File of pretrained word vectors: GloVe or word2vec text, or .npz with the arrays "
        "words and vectors.",
        structural=True,
        group="Text",
    )
    freeze_vectors: bool = setting(
        False, help="Keep the pretrained vectors as they are.", structural=True
    )
    character_size: int = setting(
        30, help="Numbers in the vector of a character.", minimum=1, maximum=65536, structural=True
    )
    character_units: int = setting(
        50,
        help="Units, in each direction, of the layer that spells words; 0 reads no characters.",
        minimum=0,
        maximum=65536,
        structural=True,
    )
    crf: bool = setting(
        True,
        help="Learn which tags follow which, and answer with the best row of tags.",
        structural=True,
    )
    word_dropout: float = setting(
        0.05, help="Share of words replaced by <unk> in training.", minimum=0, maximum=0.95
    )
    rare_word_dropout: float = setting(
        0.5,
        help="How often rare words are, besides: a word seen n times with probability a / (a + n); "
        "this is a.",
        minimum=0,
        maximum=1000,
    )
    affix_dropout: float = setting(
        0.2, help="Share of affixes left out in training.", minimum=0, maximum=0.95
    )
    character_dropout: float = setting(
        0.0, help="Share of characters replaced by <unk> in training.", minimum=0, maximum=0.95
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.freeze_vectors and self.vectors is None:
            remedy = "Name a file of vectors, or leave freeze_vectors out"
            rule = "False without vectors"
            raise InputError(message(self.owner, "freeze_vectors", rule, True, remedy))
