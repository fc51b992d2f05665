"""What kab noticed of the addresses that connections led to."""

from __future__ import annotations

from math import fsum, isnan
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.analysis.comparison import distance
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.plan.values import time_text
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import NONE, optional
from keepalive_bench.stats.distributions import hypergeometric_tail
from keepalive_bench.units import duration, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_Change = tuple[float, list[int]]
"""When it was, and the rows of connections that look-ups led elsewhere since."""

_UNALIKE = 0.2
"""Of an arm's requests, what went to other addresses than another arm's did."""
_SHOWN = 4
_CHANCE = 0.001
"""How probable it is at most that look-ups give an address no more though its name has it."""
_GIVEN_UP = ": timed out"
"""What is said of an address that kab gave up; when the system does, it says more."""

_AT_ONCE_S = 0.001
"""What a connection may lose by it: so quickly refuses this machine, such as for its ::1."""

_PEERS = "Requests × median latency: {shares}."

FAILING_ADDRESS = FindingKind(
    code="failing-address",
    title="Connections were first tried at addresses that don't work",
    who="path",
    is_detail=True,
    evidence=("attempts", "connections", "lost_s"),
    proof="Each new connection loses that time.",
    text="{connections:connection} first tried other addresses, which failed ({attempts}). That "
    "took {lost_s} in all, as part of connect.{by_kab}",
    clauses={
        "by_kab": " kab divides what is left of {limit} between the addresses; urllib3 alone would "
        "wait for a silent one for all of that time."
    },
    advice="Repair that address, or remove it from DNS; -4, -6 or --resolve avoids it.",
    cases={"refused at once": Case(severity="info")},
    provoked=Provoked(test="tests/net/test_connection_counts.py"),
)
SEVERAL_PEERS = FindingKind(
    code="several-peers",
    title="Connections went to several addresses",
    who="path",
    severity="info",
    evidence=("addresses", "split"),
    proof="Requests and median latency of each, by arm.",
    text=f"Connections went to {{addresses!s}} addresses. {_PEERS}",
    advice="--resolve HOST:PORT:ADDRESS uses only one of them.",
    cases={
        "used differently by the arms": Case(
            severity="warning",
            text="Connections went to {addresses!s} addresses, in other shares from arm to arm, so "
            f"a difference between addresses looks like one between arms. {_PEERS}",
        )
    },
    provoked=Provoked(test="tests/findings/test_network.py"),
)
OLD_ADDRESS = FindingKind(
    code="old-address",
    title="A reused connection stayed on an address that DNS no longer returned",
    who="client",
    evidence=("arm", "address", "count", "lookups"),
    proof="From some moment on, look-ups led new connections to other addresses only, more often "
    "than chance would (Fisher's exact test, p < 0.001), and requests still went to the old one.",
    text="{count:request} of {arm} went to {address} after DNS had changed to {others} "
    "({lookups:later look-up}). A reused connection never looks its name up again, so the arms "
    "measured different servers.",
    advice="Limit the lifetime of connections in the client (urllib3: PoolManager.clear()) or on "
    "the server, so that clients follow such a change.",
    provoked=Provoked(test="tests/findings/test_old_address.py"),
)


def address_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _failing_addresses(run)
    yield from _several_peers(run, arms)
    if len(run.connections.peers.values) > 1:
        yield from _old_addresses(run, arms)


def _failing_addresses(run: Run) -> Iterator[Finding]:
    connections = run.connections
    for number, attempts in enumerate(connections.attempts.values):
        rows = [row for row, other in enumerate(connections.failed) if other == number]
        lost = fsum(optional(connections.lost_s[row]) or 0.0 for row in rows)
        yield FAILING_ADDRESS.found(
            attempts=attempts,
            connections=len(rows),
            lost_s=lost,
            case="refused at once" if lost < _AT_ONCE_S * len(rows) else None,
            clauses=["by_kab"] if _GIVEN_UP in attempts else [],
            words={"limit": _limit(run)},
        )


def _limit(run: Run) -> str:
    network = run.plan.network
    if network.connect_timeout_s is None:
        return f"--timeout {time_text(network.timeout_s)}"
    return f"--connect-timeout {time_text(network.connect_timeout_s)}"


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
    yield SEVERAL_PEERS.found(
        addresses=len(peers),
        split=split + more,
        case="used differently by the arms" if unlike else None,
        words={"shares": split + more},
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


def _old_addresses(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Addresses that a name had no longer, of which kept connections of an arm knew nothing."""
    peers, exchanges = run.connections.peers.values, run.exchanges
    changes = _changes(run)
    counts: dict[tuple[int, int], int] = {}
    columns = (exchanges.arm, exchanges.connection, exchanges.failure, exchanges.started_s)
    for arm, row, failure, started_s in zip(*columns, strict=True):
        peer = run.connections.peer[row] if failure < 0 <= row else NONE
        if peer in changes and started_s > changes[peer][0]:
            counts[arm, peer] = counts.get((arm, peer), 0) + 1
    for (number, peer), count in counts.items():
        rows = changes[peer][1]
        others = dict.fromkeys(printable(peers[run.connections.peer[row]]) for row in rows)
        shown = ", ".join([*others][:_SHOWN])
        yield OLD_ADDRESS.found(
            arms[number],
            address=peers[peer],
            count=count,
            lookups=len(rows),
            words={"others": shown if len(others) <= _SHOWN else f"{shown}, …"},
        )


def _changes(run: Run) -> dict[int, _Change]:
    """Addresses, by number, to which look-ups led up to some moment, and never afterwards."""
    connections, looked_up = run.connections, run.setups()["dns"]
    rows = [
        row
        for row, (failed, dns_s) in enumerate(zip(connections.failed, looked_up, strict=True))
        if failed == NONE and not isnan(dns_s)  # of others, the first address didn't answer
    ]
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(connections.peer[row], []).append(place)
    changes = {}
    for peer, its in places.items():
        before, after = its[-1] + 1, rows[its[-1] + 1 :]
        if after and hypergeometric_tail(len(its), before, len(its), len(rows)) < _CHANCE:
            changes[peer] = connections.opened_s[after[0]], after
    return changes
