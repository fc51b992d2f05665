"""Why connections were opened, as findings: the words that every dialect sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis import Finding
from keepalive_bench.trace.naming import site_name
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from keepalive_bench.trace.usage import Opening

_ENDS = ".!?:;"
_BEGINNINGS = {
    *("A", "All", "Connections", "Each", "It", "Its", "More", "No", "Nobody", "One", "Only"),
    *("Responses", "Something", "The", "There", "Their", "These", "What", "Your"),
}
"""Words that sentences begin with which are no names."""


def finding_of(opening: Opening, origin: str, folder: str) -> Finding:
    """Why connections to an origin were opened, with what to do about it.

    `origin`: what it is called; empty: that is said already.
    """
    return Finding(
        code=opening.reason,
        severity="warning" if opening.is_avoidable else "info",
        evidence={**opening.evidence, "origin": origin, "connections": opening.connections},
        text=sentence(": ".join(filter(None, (origin, told(opening, folder))))),
        advice=advice(opening),
        who=opening.who,
    )


def told(opening: Opening, folder: str) -> str:
    """`app.py:31 in sync: 214 requests, 214 connections: requests.get makes a Session each time`.

    Without a full stop.
    """
    counts = f"{plural(opening.requests, 'request')}, {plural(opening.connections, 'connection')}"
    parts = (place(opening, folder), counts, uncapitalised(printable(opening.text).rstrip(".")))
    return ": ".join(part for part in parts if part)


def uncapitalised(words: str) -> str:
    """A sentence as it stands behind a colon; names keep their letters."""
    first, _, rest = words.partition(" ")
    return f"{first.lower()} {rest}" if first in _BEGINNINGS else words


def place(opening: Opening, folder: str) -> str:
    """Where in the program's own code, and what is called there; empty: nobody knows."""
    calls = printable(opening.calls)
    is_said = not calls or calls in opening.text
    if opening.site is None:
        return "" if is_said else calls
    where = site_name(opening.site, folder)
    return where if is_said else f"{where}, {calls}"


def advice(opening: Opening) -> str:
    """The cure with its line of code, and what it saves at least; empty where there is none."""
    cure = ": ".join(filter(None, (opening.cure, opening.code)))
    return " ".join(filter(None, (sentence(printable(cure)), saving(opening))))


def remedy(opening: Opening) -> str:
    """The same without the line of code, which stands below."""
    return advice(opening._replace(code=""))


def saving(opening: Opening) -> str:
    """What the cure saves, as a sentence; empty where that isn't known."""
    if not opening.is_avoidable or opening.saving_s is None:
        return ""
    return f"Saves at least {duration(opening.saving_s)}."


def first_use(connections: int, busy: object) -> str:
    """Why there was no connection to reuse, as nothing was wrong.

    `busy`: for how many of them all others were busy.
    """
    first = f"{'Its client' if connections == 1 else 'Their clients'} had none yet"
    if not busy:
        return first
    return "All others were busy" if busy == connections else f"{first}, or all others were busy"


def sentence(words: str) -> str:
    """With a full stop, unless it ends, or there is nothing."""
    return f"{words}." if words and words[-1] not in _ENDS else words
