"""Words: what gates, states and methods are, in a sentence for someone who meets them here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tidegate.explain.report.excerpt import Excerpt


class Term(NamedTuple):
    """A gate or state, put into words.

    Attributes:
        title: What it is called.
        short: What it says, in a few words.
        long: The same in a sentence or two.
    """

    title: str
    short: str = ""
    long: str = ""


# By the name that cells give to a gate or state.
TERMS = {
    "input": Term(
        "input gate",
        "how much is written",
        "How much of the candidate a unit writes into its memory at this token: 0 nothing, 1 all.",
    ),
    "forget": Term(
        "forget gate",
        "how much is kept",
        "How much of its memory a unit keeps at this token: 1 all, 0 nothing. Misnamed: it is open "
        "when the unit remembers.",
    ),
    "candidate": Term(
        "candidate",
        "what could be written",
        "What the unit would write into its memory, from −1 to 1; the input gate decides whether.",
    ),
    "output": Term(
        "output gate",
        "how much is shown",
        "How much of its memory a unit shows to the rest of the net at this token.",
    ),
    "reset": Term(
        "reset gate",
        "how much of the past the new value sees",
        "How much of what all units said before is used to work out the new value.",
    ),
    "update": Term(
        "update gate",
        "how much is kept",
        "How much of its old value a unit keeps at this token: 1 all, 0 nothing. Some papers swap "
        "the two.",
    ),
    "new": Term(
        "new value",
        "what could be written",
        "What the unit would become, from −1 to 1, if it kept nothing.",
    ),
    "cell": Term(
        "cell state",
        "the memory",
        "The memory itself: what was kept of it, plus what was written. Only gates touch it, which "
        "is why it lasts.",
    ),
    "hidden": Term(
        "hidden state",
        "what the unit says",
        "What a unit says to the next layer, and to all units of its own at the next token.",
    ),
}

# By the name that an attribution has for its method.
METHODS = {
    "integrated gradients": "Integrated gradients: the text is faded in, from tokens that say "
    "nothing to the ones that are there, and each token gets what the score owes to it on the "
    "way. The contributions add up to the change of the score.",
    "occlusion": "Occlusion: each token in turn is made to say nothing, and its contribution is by "
    "how much the score falls. Tokens that say the same thing twice cover for each other, so "
    "these need not add up.",
    "gates": "Gates: what each token wrote into the memory, times the share of it that the later "
    "gates kept until the answer read it. The gates are taken as they were: a token that opened a "
    "gate for another one gets no credit for it.",
}


def worded(sentence: str, excerpt: Excerpt) -> str:
    """Put a sentence about texts into the words for what was read.

    Args:
        sentence: About a text and its tokens.
        excerpt: How the input was read; it says what a step and all of them are called.

    Returns:
        The sentence.

    Example:
        >>> from tidegate.explain.report.excerpt import Excerpt
        >>> worded("Each token of the text.", Excerpt(unit="step", whole="sequence"))
        'Each step of the sequence.'
    """
    if excerpt.unit == "token":
        return sentence
    words = {"token": excerpt.unit, "text": excerpt.whole, "word": "value"}

    def other(found: re.Match[str]) -> str:
        new = words[found[1].lower()]
        return (new.capitalize() if found[1][0].isupper() else new) + found[2]

    return re.sub(r"\b(token|text|word)(s?)\b", other, sentence, flags=re.IGNORECASE)
