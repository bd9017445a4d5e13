"""Affixes: how a word begins and ends, and where it has capitals and digits."""

from __future__ import annotations

LONGEST = 4  # letters of a prefix or a suffix
COUNT = 2 * LONGEST + 1


def affixes(word: str) -> list[str]:
    """List the prefixes and suffixes of one to four letters, and the shape of a word.

    Args:
        word: The word as it is written.

    Returns:
        Nine texts that tell each other apart; of a short word the longer ones are the whole word.

    Example:
        >>> affixes("Hull")[2:]
        ['3<hul', '4<hull', '1>l', '2>ll', '3>ull', '4>hull', 'Xxx']
    """
    small, lengths = word.lower(), range(1, LONGEST + 1)
    starts = [f"{length}<{small[:length]}" for length in lengths]
    ends = [f"{length}>{small[-length:]}" for length in lengths]
    return [*starts, *ends, shape(word)]


def shape(word: str) -> str:
    """Write capitals as X, small letters as x, digits as d, at most two of a kind in a row.

    Example:
        >>> shape("McDonald"), shape("B-52s"), shape("1996-08-22")
        ('XxXxx', 'X-ddx', 'dd-dd-dd')
    """
    found = ""
    for sign in word:
        kind = "X" if sign.isupper() else "x" if sign.islower() else "d" if sign.isdigit() else sign
        if not found.endswith(2 * kind):
            found += kind
    return found[:10]
