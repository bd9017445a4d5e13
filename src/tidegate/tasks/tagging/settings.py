"""The settings of a Tagger."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.data.tags.schemes import SCHEMES
from tidegate.tasks.core.settings.option import Option, changed, setting
from tidegate.tasks.core.settings.text import WordSettings

# What can be said to an evaluation.
EVALUATE_OPTIONS = {
    "repair": Option.told(
        "repair",
        bool,
        help="Read a tag that cannot stand where it does as conlleval does, I-PER after O as the "
        "beginning of a span, and say how many there are.",
    )
}


@dataclass(frozen=True, kw_only=True)
class TaggerSettings(WordSettings):
    """The settings of a Tagger."""

    bidirectional: bool = changed(WordSettings, "bidirectional", True)
    hidden_size: int = changed(WordSettings, "hidden_size", 200)
    dropout: float = changed(WordSettings, "dropout", 0.5)
    epochs: int = changed(WordSettings, "epochs", 10)
    batch_size: int = changed(WordSettings, "batch_size", 32)
    learning_rate: float = changed(WordSettings, "learning_rate", 3e-3)
    weight_averaging: float = changed(WordSettings, "weight_averaging", 0.999)
    patience: int | None = changed(WordSettings, "patience", None)
    max_vocabulary: int = changed(WordSettings, "max_vocabulary", 100_000)
    word_dropout: float = changed(WordSettings, "word_dropout", 0.05)
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
    tag_names: tuple[str, ...] = setting(
        (),
        help="What tags that are numbers mean, in their order from 0, such as O,B-PER,I-PER.",
        structural=True,
        group="Text",
    )
    lowercase: bool = changed(
        WordSettings,
        "lowercase",
        True,
        help="Look words up in small letters; their characters keep the capitals.",
    )
    zero_digits: bool = setting(
        True, help="Look words up with each digit as 0.", structural=True, group="Text"
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
