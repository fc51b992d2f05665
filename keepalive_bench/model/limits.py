"""Bounds of numbers that a plan may have, and the sentence about one beyond them."""

from __future__ import annotations

from keepalive_bench.errors import UsageError
from keepalive_bench.units import shortened

LARGEST_BODY = 2**28
"""Bytes of a body: it is kept whole, and sent by every thread."""


def within(least: int, most: int, name: str, value: int) -> None:
    """Refuse a number out of bounds.

    Raises:
        UsageError: it is.
    """
    if not least <= value <= most:
        shown = shortened(f"{value:,}")
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {shown}.")
