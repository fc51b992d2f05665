"""A tracer's recording → how the program used its connections. No clock, no file, no system."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from math import fsum, inf
from typing import TYPE_CHECKING

from keepalive_bench.stats.descriptive import mean, quantile
from keepalive_bench.trace.analysis.call_sites import Calls
from keepalive_bench.trace.analysis.lives import Scope
from keepalive_bench.trace.analysis.openings import Openings
from keepalive_bench.trace.analysis.patterns import pattern_at
from keepalive_bench.trace.analysis.processes import Peers, Routes, Traced
from keepalive_bench.trace.analysis.programs import programs, untraced
from keepalive_bench.trace.analysis.reasons import Forks, Reason, Reasons
from keepalive_bench.trace.analysis.sentence import sentence_of
from keepalive_bench.trace.usage import (
    ConnectionUsage,
    OriginUsage,
    ProcessUsage,
    Times,
    Usage,
)

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

    from keepalive_bench.trace.analysis.call_sites import Call
    from keepalive_bench.trace.analysis.lives import Life, Peer, Route
    from keepalive_bench.trace.recording import Process, Recording

__all__ = ["analyse"]

_CERTAIN = {"first-use", "forked", "redirect"}
"""Reasons for connections that took no other's place: those are counted by what was under way."""


def analyse(
    recording: Recording,
    *,
    since_s: float = -inf,
    until_s: float = inf,
    who: int | None = None,
) -> Usage:
    """How a program used its connections.

    Only exchanges that began in that time count, and connections that were opened in it, of one
    thread, greenlet or task, if `who` says which. What was before is known, and counted nowhere.
    """
    peers, routes, calls = Peers(), Routes(), Calls()
    scope = Scope(since_s, until_s, who)
    traced = [
        Traced(process, number, peers, routes, calls, scope)
        for number, process in enumerate(programs(recording))
    ]
    start_s = min((it.started_s for it in recording.processes), default=0.0)
    at: dict[Peer, list[Life]] = defaultdict(list)
    on: dict[Route, list[Life]] = defaultdict(list)
    forks = Forks(recording.processes)
    for one in traced:
        for life in one.lives:
            at[life.peer].append(life)
            on[life.route].append(life)
            if life.is_opened:
                forks.note(life, one.clients)
    why = {it: Reasons(it, pattern_at(it, on[it], start_s), forks) for it in routes.values()}
    origins: list[OriginUsage] = []
    reasons: dict[int, tuple[Reason, Call]] = {}
    for peer in peers.values():
        found = _Found(peer)
        for life in at[peer]:
            one = traced[life.process]
            if one.counts(life):
                reasons[id(life)] = found.add(life, one, why[life.route].of(life, one))
        origins.append(found.usage())
    origins.sort(key=lambda it: (-it.avoidable, -it.connections, -it.requests, it.origin))
    processes = tuple(_process(it) for it in traced)
    return Usage(
        sentence=sentence_of(origins, processes),
        started_at=_moment(recording.processes),
        processes=processes,
        untraced=tuple(untraced(recording)),
        damaged=recording.damaged,
        origins=tuple(origins),
        connections=tuple(_connections(traced, reasons, start_s)),
    )


class _Found:
    """What is found out of one origin."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._openings = Openings(peer)
        self._connections = self._avoidable = 0
        self._saving_s: list[float] = []
        self._setup_s: list[float] = []
        self._unavoidable: dict[int, int] = defaultdict(int)
        """By process: how many connections took the place of one that no client could keep."""

    def add(self, life: Life, traced: Traced, reason: Reason) -> tuple[Reason, Call]:
        """Note a connection that counts; return why and where it was opened."""
        self._connections += 1
        if life.setup_s is not None and life.failure is None:
            self._setup_s.append(life.setup_s)
        if reason.is_avoidable:
            self._avoidable += 1
            if life.setup_s is not None:
                self._saving_s.append(life.setup_s)
        elif life.before is not None or reason.kind.code not in _CERTAIN:
            self._unavoidable[traced.number] += 1
        return reason, self._openings.add(life, traced, reason)

    def usage(self) -> OriginUsage:
        """All of it."""
        peer = self._peer
        origin = peer.origin
        needed = sum(it.most_at_once() for it in peer.under_way.values())
        needed += sum(self._unavoidable.values())
        return OriginUsage(
            origin=f"{origin.scheme}://{origin.name}",
            via=origin.via,
            requests=peer.requests,
            failed=peer.failed,
            connections=self._connections,
            failed_connections=peer.failed_connections,
            would_do=min(needed, self._connections - self._avoidable),
            reused=peer.reused,
            reuse=peer.reused / peer.requests if peer.requests else None,
            latency_reused=_times(peer.latency_reused),
            latency_opened=_times(peer.latency_opened),
            setup_s=mean(self._setup_s),
            avoidable=self._avoidable,
            saving_s=fsum(self._saving_s) if self._saving_s or not self._avoidable else None,
            openings=self._openings.all(),
        )


def _times(latencies: array[float]) -> Times | None:
    if not latencies:
        return None
    ordered = sorted(latencies)
    p50, p95 = (quantile(ordered, it) for it in (50, 95))
    return Times(
        len(ordered),
        fsum(ordered) / len(ordered),
        ordered[-1] if p50 is None else p50,
        ordered[-1] if p95 is None else p95,
    )


def _process(traced: Traced) -> ProcessUsage:
    process = traced.process
    return ProcessUsage(
        pid=process.pid,
        parent=process.parent,
        python=".".join(map(str, process.python)),
        requests=traced.requests,
        connections=sum(map(traced.counts, traced.lives)),
        lost=process.lost,
        troubles=process.troubles,
        is_running=process.ended_s is None,
    )


def _moment(processes: Sequence[Process]) -> str | None:
    wall_s = min((it.wall_s for it in processes), default=None)
    if wall_s is None:
        return None
    return datetime.fromtimestamp(wall_s, timezone.utc).isoformat(timespec="milliseconds")


def _connections(
    traced: Sequence[Traced], reasons: dict[int, tuple[Reason, Call]], start_s: float
) -> Iterator[ConnectionUsage]:
    lives = (life for one in traced for life in one.lives if id(life) in reasons)
    ends = {
        one.number: one.process.ended_s if one.process.ended_s is not None else _latest(one)
        for one in traced
    }
    for life in sorted(lives, key=lambda it: it.began_s):
        reason, call = reasons[id(life)]
        origin = life.peer.origin
        spans = () if life.busy is None else life.busy.spans(start_s, ends[life.process])
        yield ConnectionUsage(
            process=life.process,
            origin=f"{origin.scheme}://{origin.name}",
            via=origin.via,
            opened_s=max(0.0, life.began_s - start_s),
            setup_s=life.setup_s,
            ended_s=None if life.ended_s is None else max(0.0, life.ended_s - start_s),
            ending=life.ending,
            requests=life.requests,
            reason=reason.kind.code,
            site=call.site,
            busy=spans,
        )


def _latest(traced: Traced) -> float:
    """The last time that is known of a process that didn't end in order."""
    known = [traced.process.started_s]
    for life in traced.lives:
        known += [life.began_s, life.ended_s or 0.0]
        known += [life.used_until_s] * (life.used_until_s < inf)
    return max(known)
