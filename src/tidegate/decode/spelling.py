"""Spelling: written symbols as text, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.data.language.encoder import END, REPLACEMENT, LanguageEncoder

# Symbols before the last one that are spelled with it: it may depend on them how it is written.
_BEFORE = 8
_BYTES = 4  # of a character of UTF-8, at most


class Speller:
    """Turns symbols into text as they are written.

    Args:
        encoder: The encoder of the model.
        before: The ids that the text goes on from.
        stops: Texts at which it ends. Where symbols are pieces of words it may end within one.

    Attributes:
        done: Whether the text has ended: it has one of `stops`, or the model ended the document.

    Example:
        >>> from tidegate.data.language.documents import Document
        >>> encoder = LanguageEncoder(level="word").fit([Document("to be or not to be")])
        >>> speller = Speller(encoder, encoder.ids("to"), ["or"])
        >>> [speller.add(symbol) for symbol in encoder.ids("be or not")]
        [' be', ' or', '']
    """

    def __init__(
        self, encoder: LanguageEncoder, before: Sequence[int], stops: Sequence[str]
    ) -> None:
        self._encoder, self._stops = encoder, stops
        self._characters = encoder.level == "char"
        self._window = list(before[-_BEFORE:])
        self._spelled = encoder.decode(self._window)
        self._waiting = 0
        self._tail = ""
        self._longest = max(map(len, stops), default=0)
        self.done = False

    def add(self, symbol: int) -> str:
        """Write a symbol.

        Args:
            symbol: Its id.

        Returns:
            The text that it adds: nothing after the end, and nothing before a character of
            several symbols is whole.
        """
        if self.done:
            return ""
        if symbol == END and self._encoder.level != "space":
            self.done = True
            return ""
        piece = self._encoder.vocabulary[symbol] if self._characters else self._spell(symbol)
        return self._cut(piece) if self._stops else piece

    def _spell(self, symbol: int) -> str:
        self._window.append(symbol)
        text = self._encoder.decode(self._window)
        if text.endswith(REPLACEMENT) and self._waiting < _BYTES - 1:
            self._waiting += 1
            return ""
        piece = text[len(self._spelled) :]
        self._window, self._waiting = self._window[-_BEFORE:], 0
        self._spelled = self._encoder.decode(self._window)
        return piece

    def _cut(self, piece: str) -> str:
        """A piece up to the end of the first of the stops."""
        text = self._tail + piece
        ends = [place + len(stop) for stop in self._stops if (place := text.find(stop)) >= 0]
        if ends:
            self.done = True
            return text[len(self._tail) : min(ends)]
        self._tail = text[max(0, len(text) - self._longest + 1) :]
        return piece
