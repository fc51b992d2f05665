"""What kab noticed of opening connections: names that took long to look up, and SYNs sent again."""

from __future__ import annotations

from itertools import compress
from math import fsum, isnan
from operator import and_
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_RESOLVER_S = 5.0
"""Most resolvers ask again after that time, where nothing else is known (RES_TIMEOUT)."""
_TIMERS_VARY = 0.98
_LEAST_S = 1.0
"""What a resolver can be told to wait."""

LOST_SYN = FindingKind(
    code="lost-syn",
    title="Connections needed more than one SYN",
    who="path",
    evidence=("arm", "connections", "opened", "retransmissions", "connect_s", "usual_s"),
    proof="When their TCP handshake was done, the system had counted retransmissions (`TCP_INFO`, "
    "Linux). The time doesn't decide: a SYN is sent again after 1, 3 and 7 s, from Linux 6.5 on "
    "after 1, 2, 3 and 4 s.",
    text="{connections} of {opened:connection} of {arm} opened only after the SYN was sent again "
    "({times}). Connecting took {connect_s}{in_all}{usual}.",
    clauses={"usual": ", and {usual_s} otherwise"},
    advice="Packets get lost on the way, or the server drops them: its accept queue is full (ss "
    "-lnt shows it there; raise its backlog and net.core.somaxconn), or a firewall limits new "
    "connections. Reuse avoids that.",
    provoked=Provoked(test="tests/net/test_lost_syn.py"),
)
SLOW_LOOK_UP = FindingKind(
    code="slow-look-up",
    title="Name look-ups took as long as a resolver waits before it asks again",
    who="path",
    evidence=("arm", "count", "failed", "dns_s", "usual_s", "wait_s"),
    proof="The look-ups took about as long as a resolver waits before it asks again, or asks "
    "another nameserver, or longer: 5 s, or on Linux what `timeout` in /etc/resolv.conf or "
    "`RES_OPTIONS` says (up to 2 % less counts, too).",
    text="{count:name look-up} of {arm} took {least} or more, {dns_s} in all{usual}{in_vain}. "
    "{who} {wait} for an answer before asking again.",
    clauses={
        "usual": "; the others took {usual_s} each",
        "in_vain": "; {failed:request} failed after that",
        "or_sooner": ", or timeout:1",
        "sooner": ", or set options timeout:1 to ask the next one sooner",
    },
    advice="A nameserver doesn't answer in time, or answers only one of the queries for IPv4 and "
    "IPv6 (-4 sends only one). In /etc/resolv.conf, remove that nameserver, or try options "
    "single-request-reopen{or_sooner}. --resolve needs no look-up.",
    cases={
        "one version of IP": Case(
            advice="A nameserver doesn't answer in time. In /etc/resolv.conf, remove it{sooner}. "
            "--resolve needs no look-up."
        )
    },
    provoked=Provoked(test="tests/net/test_namespaces.py"),
)


def connecting_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    if any(map((0).__lt__, run.connections.retransmissions)):
        connects = run.setups()["connect"]
        for arm in arms:
            yield from _lost_syns(run, arm, connects)
    wait_s = run.environment.resolver_wait_s or _RESOLVER_S
    if any(map((_TIMERS_VARY * wait_s).__le__, run.exchanges.phases["dns"])):
        for arm in arms:
            yield from _slow_look_ups(run, arm, wait_s)


def _lost_syns(run: Run, arm: ArmSummary, connects: array[float]) -> Iterator[Finding]:
    connections = run.connections
    rows, again = connections.rows(arm.label), connections.retransmissions
    late = [row for row in rows if again[row] > 0]
    if not late:
        return
    # Attempts at other addresses before are told of by themselves.
    took = {row: connects[row] - _known(connections.lost_s[row]) for row in rows}
    others = [took[row] for row in rows if again[row] == 0 and not isnan(took[row])]
    resent = sum(again[row] for row in late)
    yield LOST_SYN.found(
        arm,
        connections=len(late),
        opened=len(rows),
        retransmissions=resent,
        connect_s=fsum(_known(took[row]) for row in late),
        usual_s=median(others) if others else None,
        clauses=["usual"] if others else [],
        words={
            "times": "once" if resent == 1 else f"{resent:,} times in all",
            "in_all": "" if len(late) == 1 else " in all",
        },
    )


def _slow_look_ups(run: Run, arm: ArmSummary, wait_s: float) -> Iterator[Finding]:
    exchanges, least_s = run.exchanges, _TIMERS_VARY * wait_s
    dns, mine = exchanges.phases["dns"], exchanges.of_arm(arm.label)
    is_slow = bytes(map(and_, mine, map(least_s.__le__, dns)))
    slow = list(compress(dns, is_slow))
    if not slow:
        return
    others = [it for it in compress(dns, mine) if it < least_s]
    failed = sum(map((0).__le__, compress(exchanges.failure, is_slow)))
    yield SLOW_LOOK_UP.found(
        arm,
        count=len(slow),
        failed=failed,
        dns_s=fsum(slow),
        usual_s=median(others) if others else None,
        wait_s=wait_s,
        case=None if run.plan.network.ip_version is None else "one version of IP",
        clauses=["usual"] * bool(others)
        + ["in_vain"] * bool(failed)
        + ["or_sooner", "sooner"] * (wait_s > _LEAST_S),
        words={
            "least": f"{least_s:g} s",
            "wait": f"{wait_s:g} s",
            "who": "This machine's resolver waits"
            if run.environment.resolver_wait_s
            else "Resolvers wait",
        },
    )


def _known(value: float) -> float:
    return 0.0 if isnan(value) else value
