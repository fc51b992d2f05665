"""What makes the result of a probe doubtful, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.analysis.closings import evicted_of, is_ended_by_reuse
from keepalive_bench.probe.analysis.drops import are_others_lost
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.probe.probed import SilentDrop
    from keepalive_bench.probe.record import ProbeRecord, Seen

_IDLE = {"watched", "reused", "narrowed"}


def doubts_of(record: ProbeRecord, drop: SilentDrop) -> Iterator[str]:
    """What else happened to connections than what is looked for."""
    seen = [it for it in record.connections if it.part in _IDLE]
    yield from _of_deaths(record, drop)
    yield from _of_later(seen, drop)
    strays = sum(it.ended is not None and it.ended.kind == "data" for it in seen)
    if 0 < strays < len(seen):
        yield (
            f"The server sent data that nobody had asked for on {plural(strays, 'connection')}: "
            "urllib3 and others drop such a connection."
        )
    evicted = len(evicted_of(seen))
    if evicted:
        yield (
            f"{plural(evicted, 'connection')} ended just when others were opened: the number of "
            "connections is limited, of each client or of all. They don't count as idle timeouts."
        )
    reused = sum(not it.closes and is_ended_by_reuse(it) for it in seen)
    if reused:
        yield (
            f"{plural(reused, 'connection')} ended right after the second response: there may be a "
            "limit of requests (--scan-requests looks for it)."
        )
    announced = sum(it.closes for it in seen)
    if 0 < announced < len(seen):
        yield (
            f"{announced:,} of {plural(len(seen), 'connection')} were closed as announced, after a "
            "response: now and then, or by some backends."
        )


def _of_deaths(record: ProbeRecord, drop: SilentDrop) -> Iterator[str]:
    """Reuses that got no response, where that proves no limit of time."""
    if drop.died_s is not None or not drop.deaths or drop.is_every_reuse:
        return
    failed = f"{plural(drop.deaths, 'reuse')} of {drop.reuses:,} got no response"
    if are_others_lost(record.connections, record.info.wall_s):
        yield (
            f"{failed}, but neither did new connections at that time: the server or the path was "
            "down. Probe again."
        )
    elif drop.deaths == 1:
        yield f"{failed}, though no end had been seen: that may be chance. Probe again to know."
    else:
        yield (
            f"{failed}, and others were answered after longer: that is no matter of idle time. "
            "Backends may differ, or one of them fails."
        )


def _of_later(seen: Sequence[Seen], drop: SilentDrop) -> Iterator[str]:
    if drop.died_s is None:
        return
    later = [
        it.idle_s
        for connection in seen
        for it in connection.exchanges[1:]
        if it.failure is None and it.idle_s is not None and it.idle_s > drop.died_s
    ]
    if later:
        yield (
            f"A reuse after {duration(max(later))} was answered all the same: there may be several "
            "ways, or several backends."
        )
