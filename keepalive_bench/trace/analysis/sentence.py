"""The first sentence of a report: whether connections are reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import FIRST_USE, REASON_KINDS
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.trace.usage import OriginUsage, ProcessUsage

_WELL = 0.9
"""A share of requests that reuse a connection, from which on there is nothing to tell first."""
_NOTHING = (
    "Nothing was traced: this was no Python program, or its environment didn't reach it (-I, -E, "
    "-S), or there was no room for records (a full disk, a low --max-records)"
)
_TITLES = {it.code: it.title for it in (*REASON_KINDS, *PROGRAM_REASONS)}


def sentence_of(origins: Sequence[OriginUsage], processes: Sequence[ProcessUsage]) -> str:
    """The answer, of the origin that is worst; and whether it is all that happened."""
    lost = sum(it.lost for it in processes)
    said = _answer(origins) if processes else _NOTHING
    return (
        f"{said}. {plural(lost, 'record')} didn't fit, so this isn't all." if lost else f"{said}."
    )


def _answer(origins: Sequence[OriginUsage]) -> str:
    asked = [it for it in origins if it.requests]
    if not asked:
        tried = sum(it.failed_connections for it in origins)
        failed = f": {plural(tried, 'connection')} failed" if tried else ""
        return f"No request was seen{failed}"
    worst = asked[0]
    if worst.avoidable:
        return f"{_opened(worst)} opened a connection; {worst.would_do:,} would do"
    told = [it for it in asked if _opened_share(it) > 1 - _WELL and (_reasons(it) or _spare(it))]
    if not told:
        return _well(asked)
    worst = max(told, key=lambda it: it.requests - it.reused)
    if _spare(worst):
        return f"{_opened(worst)} opened a connection; {worst.would_do:,} would do"
    title = _TITLES[_reasons(worst)[0]]
    return f"{_opened(worst)} opened a connection: {title[0].lower()}{title[1:]}"


def _reasons(origin: OriginUsage) -> list[str]:
    """Why connections were opened that weren't the first ones, the commonest first."""
    return [it.reason for it in origin.openings if it.reason != FIRST_USE.code]


def _spare(origin: OriginUsage) -> int:
    """How many connections too many there were, whyever."""
    return origin.connections - origin.would_do


def _well(asked: Sequence[OriginUsage]) -> str:
    requests = sum(it.requests for it in asked)
    reused = sum(it.reused for it in asked)
    opened = requests - reused
    where = _name(asked[0]) if len(asked) == 1 else f"{len(asked):,} origins"
    to = f"{plural(requests, 'request')} to {where}"
    if not opened:
        return f"All {to} reused a connection" if requests > 1 else f"The only {_only(to)}"
    if reused:
        return f"All but {opened:,} of {to} reused a connection"
    what = "a connection" if opened == 1 else "connections"
    return f"{to} opened {what}, as there was none to reuse"


def _only(to: str) -> str:
    return f"{to.partition(' ')[2]} reused a connection"


def _opened(origin: OriginUsage) -> str:
    opened = origin.requests - origin.reused
    return f"{opened:,} of {plural(origin.requests, 'request')} to {_name(origin)}"


def _opened_share(origin: OriginUsage) -> float:
    return 1 - origin.reused / origin.requests


def _name(origin: OriginUsage) -> str:
    return printable(origin.origin.partition("://")[2])
