"""What the reason for a connection is found from: plain records, whoever opened it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer, Ending


class Idle(NamedTuple):
    """How long a connection was idle before another one took its place, in seconds."""

    total_s: float
    by_kab_s: float
    """The part of it in which kab was busy with other requests, which nobody asked it to wait
    for."""


class LastExchange(NamedTuple):
    """The last exchange on a connection; one that was cut off says nothing of its peer."""

    failure: str | None
    """The code of its `FailureKind`; `None`: it didn't fail."""
    has_answer: bool
    """Whether a byte of an answer came."""
    answer: Answer | None
    """What the answer announced."""


class Before(NamedTuple):
    """The connection whose place another one took."""

    served: int
    """How many responses it carried."""
    ending: Ending | None
    """What ended it, and how that was seen; `None`: nobody saw an end."""
    last: LastExchange | None
    idle: Idle | None
    """`None`: it wasn't found out while it was idle (`FOUND_IDLE`)."""


class Opened(NamedTuple):
    """A connection that was opened."""

    slot: int
    """Which of the places that its owner had connections open at, at once, from 0."""
    kept: int
    """How many connections its owner keeps open."""
    is_single_use: bool
    """Whether its owner uses each connection once, by design."""
    before: Before | None
    """`None`: it was the first in its slot."""


class FoundClosed(NamedTuple):
    """A connection that was found closed without a word."""

    served: int
    idle_s: float


FOUND_IDLE = frozenset({"fin", "rst", "data"})
"""Endings that are met when an idle connection is looked at, so that its idle time tells."""
