"""What kab noticed of the way to the server: addresses, TLS sessions, bodies left unread."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from math import fsum
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kinds import (
    BODIES_CUT,
    FAILING_ADDRESS,
    NOT_RESUMED,
    SEVERAL_PEERS,
)
from keepalive_bench.results.masks import of_arm
from keepalive_bench.results.table import optional
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Finding
    from keepalive_bench.results.run import Run

_UNALIKE = 0.2
"""Of an arm's requests, what went to other addresses than another arm's did."""
_SHOWN = 4
_ENOUGH = 0.9
"""Of the handshakes that could resume: fewer make a mixture that is neither one nor the other."""


def network_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _failing_addresses(run)
    yield from _unread_bodies(run)
    yield from _several_peers(run, arms)
    for arm in arms:
        if arm.traits.needs_tls:
            yield from _unresumed(run, arm)


def _failing_addresses(run: Run) -> Iterator[Finding]:
    connections = run.connections
    for number, attempts in enumerate(connections.attempts.values):
        rows = [row for row, other in enumerate(connections.failed) if other == number]
        lost = fsum(optional(connections.lost_s[row]) or 0.0 for row in rows)
        yield FAILING_ADDRESS.found(attempts=attempts, connections=len(rows), lost_s=lost)


def _unread_bodies(run: Run) -> Iterator[Finding]:
    most = run.plan.request.max_body
    exchanges = run.exchanges
    cut = sum(1 for size in exchanges.body_bytes if most is not None and size >= most)
    if most is not None and cut:
        yield BODIES_CUT.found(max_body=most, exchanges=cut)


def _several_peers(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """One name, several addresses: what is measured is a mixture of what they are."""
    names = {arm.label: f"{arm.name} with" if arm.option else arm.label for arm in arms}
    latencies = {names[arm]: by_peer for arm, by_peer in _latencies_by_peer(run).items()}
    peers = sorted({peer for by_peer in latencies.values() for peer in by_peer})
    if len(peers) < 2:  # noqa: PLR2004  # several
        return
    shares = [
        [len(by_peer.get(peer, ())) / sum(map(len, by_peer.values())) for peer in peers]
        for by_peer in latencies.values()
    ]
    unlike = max(_distance(one, other) for one in shares for other in shares) > _UNALIKE
    split = "; ".join(f"{peer}: {_of_peer(latencies, peer)}" for peer in peers[:_SHOWN])
    more = "" if len(peers) <= _SHOWN else f"; and {len(peers) - _SHOWN:,} more"
    mixed = (
        ", and the arms didn't use them alike: a difference between addresses looks like one "
        "between arms"
    ) * unlike
    yield SEVERAL_PEERS.found(
        severity="warning" if unlike else "info",
        addresses=len(peers),
        split=split + more,
        text=f"Connections led to {len(peers)} addresses{mixed}. Requests, and their median "
        f"latency: {split}{more}.",
    )


def _latencies_by_peer(run: Run) -> dict[str, dict[str, list[float]]]:
    """Latencies of what succeeded, by arm and by address."""
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


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Half of the sum of the differences of two distributions: 0 alike, 1 nothing in common."""
    return sum(abs(left - right) for left, right in zip(one, other, strict=True)) / 2


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
    versions = _tls_versions(run, arm)
    chances = versions.total() - run.plan.experiment.threads
    if chances <= 0 or arm.resumed >= _ENOUGH * chances:
        return
    version = versions.most_common(1)[0][0]
    share = f"{arm.resumed:,} of {plural(chances, 'handshake')}" if arm.resumed else "none"
    meaning = (
        "so its times are of both kinds" if arm.resumed else "so it does what an unpooled one does"
    )
    yield NOT_RESUMED.found(
        arm,
        handshakes=chances,
        resumed=arm.resumed,
        tls_version=version,
        text=f"{arm.label} was to resume TLS sessions, and the server resumed {share} "
        f"({version}), {meaning}.",
    )


def _tls_versions(run: Run, arm: ArmSummary) -> Counter[str]:
    """How many handshakes succeeded with which version of TLS."""
    connections = run.connections
    numbers = Counter(compress(connections.cipher, of_arm(connections, arm.label)))
    versions: Counter[str] = Counter()
    for number, (version, _, _) in enumerate(connections.handshakes.values):
        versions[version] += numbers[number]
    return +versions
