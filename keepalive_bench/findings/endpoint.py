"""What kab noticed of the endpoint, and of the way to it."""

from __future__ import annotations

import re
from collections import Counter
from math import fsum
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.analysis.comparison import distance
from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.results.table import optional
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_MOST = 0.5
_SOME = 0.05
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_OVERLOADED = (429, 503)
_HIT = r"(?i)hit|stale|updating|revalidated|^age$"
"""What X-Cache and its like say of an answer that a cache had stored."""
_WHOSE = r"(?i)\bfrom\s+[^\s,]+"
"""And which cache says so: its name may be anything."""
_NOT_CONDITIONAL = "Without If-None-Match and If-Modified-Since the server sends the whole page."


def endpoint_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    for arm in arms:
        yield from _redirects(arm)
        rejected = sum(arm.status_codes.get(status, 0) for status in _OVERLOADED)
        if rejected:
            yield kinds.SERVER_OVERLOADED.found(arm, count=rejected)
    yield from _caches(run, arms)
    yield from _failing_addresses(run)
    most, sizes = run.plan.request.max_body, run.exchanges.body_bytes
    cut = 0 if most is None else sum(map(most.__le__, sizes))
    if cut:
        yield kinds.BODIES_CUT.found(max_body=most, exchanges=cut)
    yield from _several_peers(run, arms)
    for arm in arms:
        if arm.traits.needs_tls:
            yield from _unresumed(run, arm)


def _redirects(arm: ArmSummary) -> Iterator[Finding]:
    answered = sum(arm.status_codes.values())
    count = sum(
        number
        for status, number in arm.status_codes.items()
        if status in _REDIRECTS and status != _NOT_MODIFIED
    )
    if count > _MOST * answered:
        yield kinds.REDIRECTS_MEASURED.found(arm, count=count, answered=answered)


def _caches(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Answers of a cache, by their own account; a 304 says that the client's own copy will do."""
    answered = sum(sum(arm.status_codes.values()) for arm in arms)
    cached = sum(
        count
        for arm in arms
        for answer, count in arm.answers.items()
        if answer.cache and re.search(_HIT, re.sub(_WHOSE, "", answer.cache))
    )
    not_modified = sum(arm.status_codes.get(_NOT_MODIFIED, 0) for arm in arms)
    if max(cached, not_modified) <= _SOME * answered:
        return
    said = [f"{cached:,} came from a cache, by their Age or X-Cache field"] * bool(cached)
    said += [f"{not_modified:,} were 304 Not Modified, without a body"] * bool(not_modified)
    yield kinds.CACHE_ANSWERED.found(
        cached=cached,
        not_modified=not_modified,
        answered=answered,
        text=f"Of {plural(answered, 'answer')}, {' and '.join(said)}: that is what was measured, "
        "and not the server behind it.",
        advice=_past_caches(run) if cached > not_modified else _NOT_CONDITIONAL,
    )


def _past_caches(run: Run) -> str:
    variation = run.plan.request.variation
    if not (variation.counter or variation.unique):
        how = "With --vary NAME" if variation.varies else "Without --no-vary"
        return f"{how}, each request has a parameter of its own, which passes most caches by."
    return (
        "This cache leaves the varying parameter out of account, or keeps what another arm asked "
        "for; -H 'Cache-Control: no-cache' asks it not to."
    )


_UNALIKE = 0.2
"""Of an arm's requests, what went to other addresses than another arm's did."""
_SHOWN = 4
_ENOUGH = 0.9
"""Of the handshakes that could resume: fewer make a mixture that is neither one nor the other."""


def _failing_addresses(run: Run) -> Iterator[Finding]:
    connections = run.connections
    for number, attempts in enumerate(connections.attempts.values):
        rows = [row for row, other in enumerate(connections.failed) if other == number]
        lost = fsum(optional(connections.lost_s[row]) or 0.0 for row in rows)
        yield kinds.FAILING_ADDRESS.found(attempts=attempts, connections=len(rows), lost_s=lost)


def _several_peers(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """One name, several addresses: what is measured is a mixture of what they are."""
    names = {arm.label: f"{arm.name} with" if arm.option else arm.label for arm in arms}
    latencies = {names[arm]: by_peer for arm, by_peer in _latencies_by_peer(run).items()}
    peers = sorted({peer for by_peer in latencies.values() for peer in by_peer})
    if len(peers) < 2:  # noqa: PLR2004  # several
        return
    counts = [{peer: len(them) for peer, them in each.items()} for each in latencies.values()]
    unlike = max(distance(one, other) for one in counts for other in counts) > _UNALIKE
    split = "; ".join(f"{peer}: {_of_peer(latencies, peer)}" for peer in peers[:_SHOWN])
    more = "" if len(peers) <= _SHOWN else f"; and {len(peers) - _SHOWN:,} more"
    mixed = (
        ", and the arms didn't use them alike: a difference between addresses looks like one "
        "between arms"
    ) * unlike
    yield kinds.SEVERAL_PEERS.found(
        severity="warning" if unlike else "info",
        addresses=len(peers),
        split=split + more,
        text=f"Connections led to {len(peers)} addresses{mixed}. Requests, and their median "
        f"latency: {split}{more}.",
    )


def _latencies_by_peer(run: Run) -> dict[str, dict[str, list[float]]]:
    exchanges, connections = run.exchanges, run.connections
    if len(connections.peers.values) == 1:
        return {}
    found: dict[str, dict[str, list[float]]] = {}
    columns = (exchanges.arm, exchanges.failure, exchanges.connection, exchanges.latency_s)
    for arm, failure, connection, latency in zip(*columns, strict=True):
        if failure < 0 <= connection:
            peer = printable(connections.peers.values[connections.peer[connection]])
            found.setdefault(exchanges.arms[arm], {}).setdefault(peer, []).append(latency)
    return found


def _of_peer(latencies: Mapping[str, Mapping[str, Sequence[float]]], peer: str) -> str:
    return ", ".join(
        f"{arm} {len(by_peer[peer]):,} × {duration(median(by_peer[peer]))}"
        for arm, by_peer in latencies.items()
        if peer in by_peer
    )


def _unresumed(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """An arm that was to resume sessions and often could not.

    The first handshake of each thread has none to offer: it is no chance.
    """
    versions = Counter[str]()
    for handshake, count in arm.handshakes.items():
        versions[handshake.version] += count
    chances = versions.total() - run.plan.experiment.threads
    if chances <= 0 or arm.resumed >= _ENOUGH * chances:
        return
    version = versions.most_common(1)[0][0]
    share = f"{arm.resumed:,} of {plural(chances, 'handshake')}" if arm.resumed else "none"
    meaning = (
        "so its times are of both kinds" if arm.resumed else "so it does what an unpooled one does"
    )
    yield kinds.NOT_RESUMED.found(
        arm,
        handshakes=chances,
        resumed=arm.resumed,
        tls_version=version,
        text=f"{arm.label} was to resume TLS sessions, and the server resumed {share} "
        f"({version}), {meaning}.",
    )
