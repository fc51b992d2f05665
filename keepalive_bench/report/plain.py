"""The characters of a terminal that knows ASCII only."""

from __future__ import annotations

_IN_ASCII = str.maketrans({"–": "-", "×": "x", "…": "...", "→": "->"})


def for_terminal(text: str, *, plain_ascii: bool) -> str:
    """Text in the characters that a terminal has."""
    return text.translate(_IN_ASCII) if plain_ascii else text
