"""Cleaning texts: what is named is done, nothing else."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator

from tidegate.data.text.markup import strip_markup
from tidegate.errors import InputError, message

WITHOUT_SURROGATES = "Decode the source with errors='replace'"
CHUNK_ROWS = 4096
CHUNK_CHARACTERS = 4_000_000  # bounds the memory of a chunk when its texts are long

# What models of older versions took for markup: all that starts with a letter. A comment or script
# must not hold the start of another one: that keeps the search linear on hostile texts.
_ANGLES = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<script\b(?:(?!<script).)*?</script\s*>"
    r"|<style\b(?:(?!<style).)*?</style\s*>|<[!/]?[a-z][^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_URL = re.compile(r"\b(?:https?://|ftp://|www\.)[^\s<>\"]*[^\s<>\".,;:!?')\]]", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def _clean_angles(text: str) -> str:
    """Drop whatever stands between < and >, text as well; then resolve entities, whole or not."""
    if "<" in text:
        text = _ANGLES.sub(" ", text)
    return html.unescape(text)


def _clean_urls(text: str) -> str:
    """Write each address as the word "url": that there is one often says more than which."""
    if "://" in text or "www." in text.lower():
        return _URL.sub(" url ", text)
    return text


def _clean_digits(text: str) -> str:
    """Write every digit as 0, so that numbers are known by their shape."""
    return _DIGIT.sub("0", text)


# The order here is the order in which they run, whatever order they are asked for.
CLEANERS: dict[str, Callable[[str], str]] = {
    "html": strip_markup,
    "angles": _clean_angles,
    "urls": _clean_urls,
    "digits": _clean_digits,
}


def clean_text(text: str, names: Collection[str], *, lowercase: bool) -> str:
    """Apply the named cleaners, then lower-case, then compose accents (Unicode NFC).

    Args:
        text: The text.
        names: Which cleaners to run: "html" drops the tags, comments and scripts of HTML and
            resolves entities; "angles" drops whatever stands between < and >, as "html" did in
            models of version 1; "urls" writes addresses as the word url; "digits" writes digits
            as 0.
        lowercase: Whether to lower-case.

    Returns:
        The cleaned text.

    Example:
        >>> clean_text("<b>Tom &amp; Ann</b> at www.example.org!", ["html", "urls"], lowercase=True)
        ' tom & ann  at  url !'
    """
    for name, cleaner in CLEANERS.items():
        if name in names:
            text = cleaner(text)
    if lowercase:
        text = text.lower()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def text_chunks(texts: object, owner: str) -> Iterator[list[str]]:
    """Check texts and hand them out in lists of bounded size.

    Args:
        texts: Any iterable of strings, read once.
        owner: Who complains about a bad one.

    Yields:
        Lists of at most `CHUNK_ROWS` texts; none when there are no texts.

    Raises:
        InputError: If `texts` is one string or a table, or an element is not valid text.

    Example:
        >>> list(text_chunks(("a", "b"), "Encoder"))
        [['a', 'b']]
    """
    rule, remedy = "a sequence of strings", "Pass a list of texts"
    if isinstance(texts, str | bytes):
        got = f"the single text {texts[:40]!r}"
        raise InputError(message(owner, "texts", rule, got, f"{remedy}, [text] for one"))
    if getattr(texts, "ndim", 1) != 1:
        got = f"a {type(texts).__name__} with {getattr(texts, 'ndim', 0)} axes"
        raise InputError(message(owner, "texts", rule, got, "Pass one column of it"))
    if not isinstance(texts, Iterable):
        raise InputError(message(owner, "texts", rule, type(texts).__name__, remedy))
    first, rows, size = 0, list[str](), 0
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            got = f"{type(text).__name__} {text!r} in row {row + 1}"
            remedy = "Convert it to text or drop the row"
            raise InputError(message(owner, "texts", "strings", got, remedy))
        rows.append(text)
        size += len(text)
        if len(rows) == CHUNK_ROWS or size >= CHUNK_CHARACTERS:
            _refuse_surrogates(rows, first, owner)
            yield rows
            first, rows, size = row + 1, [], 0
    if rows:
        _refuse_surrogates(rows, first, owner)
        yield rows


def _refuse_surrogates(rows: list[str], first: int, owner: str) -> None:
    """Refuse half a surrogate pair, which is no character and cannot be written to any file."""
    for row, text in enumerate(rows, first):
        if found := lone_surrogate(text):
            got = f"{found} in row {row + 1}"
            raise InputError(message(owner, "texts", "valid Unicode", got, WITHOUT_SURROGATES))


def lone_surrogate(text: str) -> str:
    """Name half a surrogate pair, which is no character and cannot be written to any file.

    Args:
        text: A text.

    Returns:
        Which it is, and where, counted from 1; nothing where there is none.

    Example:
        >>> lone_surrogate("a" + chr(0xD800)), lone_surrogate("fine")
        ('the lone surrogate U+D800 at character 2', '')
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = f"U+{ord(text[error.start]):04X}"
        return f"the lone surrogate {code} at character {error.start + 1}"
    return ""
