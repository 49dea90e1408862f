"""Text of others, such as of a model folder or a file name, as it may be shown on a terminal or a page."""

from __future__ import annotations

import unicodedata

_KEPT = "\n\t"
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""They turn the order of letters, so that a text reads as another."""


def printable(text: str) -> str:
    """A text without what commands a terminal or turns the order of its letters; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter
        for letter in text
        if letter in _KEPT or not (letter in _DIRECTIONS or unicodedata.category(letter) in ("Cc", "Cs"))
    )
