"""What kab noticed of the endpoint, and of the way to it."""

from __future__ import annotations

import re
from collections import Counter
from math import fsum
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.analysis.comparison import distance
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import optional
from keepalive_bench.units import duration, printable

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
_UNALIKE = 0.2
"""Of an arm's requests, what went to other addresses than another arm's did."""
_SHOWN = 4
_ENOUGH = 0.9
"""Of the handshakes that could resume: fewer make a mixture that is neither one nor the other."""

_PEERS = "Requests, and their median latency: {shares}."

REDIRECTS_MEASURED = FindingKind(
    code="redirects-measured",
    title="Most answers were redirects, which aren't followed",
    who="client",
    evidence=("arm", "count", "answered"),
    text="{arm} measured redirects ({count} of {answered} answers), which kab doesn't follow.",
    advice="Give the URL that they lead to.",
    provoked=Provoked("URL -n 6", "--status 302"),
)
SERVER_OVERLOADED = FindingKind(
    code="server-overloaded",
    title="The server rejected requests (429, 503)",
    who="server",
    evidence=("arm", "count"),
    text="The server rejected {count:request} of {arm} (429 or 503): it limits the rate, or is "
    "overloaded.",
    advice="Fewer --requests, or a lower --concurrency, stays below its limit.",
    provoked=Provoked("URL -n 6", "--status 503"),
)
CACHE_ANSWERED = FindingKind(
    code="cache-answered",
    title="A cache answered",
    who="path",
    evidence=("cached", "not_modified", "answered"),
    proof="More than 5 % of the answers came from a cache, by their `Age`, `X-Cache`, "
    "`X-Cache-Status` or `CF-Cache-Status`, or were a 304: that was measured, not the server.",
    text="Of {answered:answer}, {by_field}{both}{by_status}: that is what was measured, and not "
    "the server behind it.",
    clauses={
        "by_field": "{cached} came from a cache, by their Age or X-Cache field",
        "both": " and ",
        "by_status": "{not_modified} were 304 Not Modified, without a body",
    },
    advice="With --vary NAME, each request has a parameter of its own, which passes most caches "
    "by.",
    cases={
        "--no-vary": Case(
            advice="Without --no-vary, each request has a parameter of its own, which passes most "
            "caches by."
        ),
        "a parameter that varies": Case(
            advice="This cache leaves the varying parameter out of account, or keeps what another "
            "arm asked for; -H 'Cache-Control: no-cache' asks it not to."
        ),
        "mostly 304s": Case(
            advice="Without If-None-Match and If-Modified-Since the server sends the whole page."
        ),
    },
    provoked=Provoked("URL -n 6", "-H 'X-Cache: HIT'"),
)
BODIES_CUT = FindingKind(
    code="bodies-cut",
    title="Bodies reached `--max-body`",
    who="client",
    evidence=("max_body", "exchanges"),
    proof="A rest left unread closes the connection.",
    text="The body of {exchanges:response} reached --max-body {max_body}: a rest that is left "
    "unread closes the connection, in every arm.",
    advice="Without --max-body, bodies are read to the end and connections can be reused.",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)
FAILING_ADDRESS = FindingKind(
    code="failing-address",
    title="Addresses tried first don't answer",
    who="path",
    evidence=("attempts", "connections", "lost_s"),
    proof="That costs each new connection.",
    text="{connections:connection} tried other addresses in vain first ({attempts}), which took "
    "{lost_s} in all and is part of connect.",
    advice="Mend that address or take it from the name's; -4, -6 or --resolve avoids it.",
    provoked=Provoked(test="tests/net/test_connection_counts.py"),
)
SEVERAL_PEERS = FindingKind(
    code="several-peers",
    title="Connections led to several addresses",
    who="path",
    severity="info",
    evidence=("addresses", "split"),
    proof="Requests and median latency of each, by arm.",
    text=f"Connections led to {{addresses!s}} addresses. {_PEERS}",
    advice="--resolve HOST:PORT:ADDRESS keeps to one of them.",
    cases={
        "used differently by the arms": Case(
            severity="warning",
            text="Connections led to {addresses!s} addresses, and the arms didn't use them alike: "
            f"a difference between addresses looks like one between arms. {_PEERS}",
        )
    },
    provoked=Provoked(test="tests/findings/test_network.py"),
)
NOT_RESUMED = FindingKind(
    code="not-resumed",
    title="The server resumed few TLS sessions, or none",
    who="server",
    evidence=("arm", "handshakes", "resumed", "tls_version"),
    proof="An arm of kind resumed offered them.",
    text="{label} was to resume TLS sessions, and the server resumed {resumed} of "
    "{handshakes:handshake} ({tls_version}), so its times are of both kinds.",
    advice="Let the server give session tickets, or keep a cache of sessions (nginx: "
    "ssl_session_tickets, ssl_session_cache); all servers behind the name need the same keys.",
    cases={
        "none": Case(
            text="{label} was to resume TLS sessions, and the server resumed none ({tls_version}), "
            "so it does what an unpooled one does."
        )
    },
    provoked=Provoked(test="tests/net/test_resumption.py"),
)


def endpoint_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    for arm in arms:
        yield from _redirects(arm)
        rejected = sum(arm.status_codes.get(status, 0) for status in _OVERLOADED)
        if rejected:
            yield SERVER_OVERLOADED.found(arm, count=rejected)
    yield from _caches(run, arms)
    yield from _failing_addresses(run)
    most, sizes = run.plan.request.max_body, run.exchanges.body_bytes
    cut = 0 if most is None else sum(map(most.__le__, sizes))
    if cut:
        yield BODIES_CUT.found(max_body=most, exchanges=cut)
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
        yield REDIRECTS_MEASURED.found(arm, count=count, answered=answered)


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
    clauses = ["by_field"] * bool(cached) + ["by_status"] * bool(not_modified)
    yield CACHE_ANSWERED.found(
        cached=cached,
        not_modified=not_modified,
        answered=answered,
        case=_past_caches(run) if cached > not_modified else "mostly 304s",
        clauses=[*clauses, "both"] if cached and not_modified else clauses,
    )


def _past_caches(run: Run) -> str | None:
    variation = run.plan.request.variation
    if variation.counter or variation.unique:
        return "a parameter that varies"
    return None if variation.varies else "--no-vary"


def _failing_addresses(run: Run) -> Iterator[Finding]:
    connections = run.connections
    for number, attempts in enumerate(connections.attempts.values):
        rows = [row for row, other in enumerate(connections.failed) if other == number]
        lost = fsum(optional(connections.lost_s[row]) or 0.0 for row in rows)
        yield FAILING_ADDRESS.found(attempts=attempts, connections=len(rows), lost_s=lost)


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
    yield NOT_RESUMED.found(
        arm,
        handshakes=chances,
        resumed=arm.resumed,
        tls_version=versions.most_common(1)[0][0],
        case=None if arm.resumed else "none",
        words={"label": arm.label},
    )
