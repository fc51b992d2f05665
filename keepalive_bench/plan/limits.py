"""Bounds of numbers that a plan may have, and the sentence about one beyond them."""

from __future__ import annotations

from keepalive_bench.errors import UsageError
from keepalive_bench.units import shortened

LARGEST_BODY = 2**28
"""Bytes of a body: it is kept whole, and sent by every thread."""
LONGEST_S = 1e6
"""Seconds that a run, or a wait, may last: 11 days. A socket's timeout ends at 2**31 ms."""


def within_s(name: str, seconds: float) -> None:
    """Refuse a time that is none, or too long to wait for.

    Raises:
        UsageError: it is.
    """
    if not 0 < seconds <= LONGEST_S:
        raise UsageError(
            f"{name} must be above 0 s and at most {LONGEST_S:,.0f} s, not {seconds:,.12g} s."
        )


def within(least: int, most: int, name: str, value: int) -> None:
    """Refuse a number out of bounds.

    Raises:
        UsageError: it is.
    """
    if not least <= value <= most:
        shown = shortened(f"{value:,}")
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {shown}.")
