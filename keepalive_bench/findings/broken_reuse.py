"""That reuse breaks requests, or that one arm got error responses where another didn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.history import closer_of
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import NONE
from keepalive_bench.stats.distributions import hypergeometric_tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_CHANCE = 0.001
"""How probable it is at most that chance alone has reused connections fail so much more often."""
_SEVERAL = 3
"""Connections: what happened on fewer may have happened to these, as with a server that ended."""
_MOST = 0.5
"""Of an arm's responses: how many more of them are errors than of another arm's."""

REUSE_BREAKS = FindingKind(
    code="reuse-breaks",
    title="Requests fail on reused connections, and not on new ones",
    who="server",
    evidence=("count", "reused", "fresh_count", "fresh"),
    proof="A failure or an error response (4xx, 5xx) came to requests on reused connections whose "
    "first request went well, more often than to those on new connections: by rounds, more than "
    "chance does (Fisher's exact test, p < 0.001), and on three connections or at each reuse.",
    text="Reuse breaks requests here: {count} of {reused:request} on reused connections {did}, but "
    "{others} of {fresh} on new ones.",
    advice="The server, or a proxy in front of it, can't handle further requests on a connection: "
    "its log may say why. Until that is fixed, clients shouldn't reuse connections to it.",
    provoked=Provoked("URL -n 20", "--fault close-on-request --fault-requests 2-"),
)
ERRORS_DIFFER = FindingKind(
    code="errors-differ",
    title="One arm got error responses, and another didn't",
    who="server",
    evidence=("arm", "against", "count", "answered", "other_count", "other_answered"),
    proof="Of one arm's responses, the share of 4xx and 5xx is larger by more than a half.",
    text="{count} of {answered:response} to {arm} were errors ({statuses}), but {others} of "
    "{other_answered} to {against}, so their times can't be compared.",
    advice="Look in the server's log. A reused connection may lead to another server than new "
    "ones do.",
    is_in_sweeps=False,
    provoked=Provoked("URL -n 6 --seed 1", "--fault status=500 --fault-connections 3"),
)


class _Counts:
    """Of requests on connections of one sort, how many went wrong; and in which rounds."""

    def __init__(self) -> None:
        self.all = self.bad = self.failed = 0
        self.rounds: dict[int, bool] = {}
        self.good_on: set[int] = set()
        self.bad_on: set[int] = set()

    def add(self, number: int, connection: int, *, failed: bool, bad: bool) -> None:
        """Note one request, of a round and on a connection."""
        self.all += 1
        self.bad += bad
        self.failed += failed
        self.rounds[number] = self.rounds.get(number, False) or bad
        (self.bad_on if bad else self.good_on).add(connection)


def broken_reuse_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind; only where something went wrong is it looked for."""
    exchanges = run.exchanges
    if exchanges.failures.values or any(map(ERROR_FROM.__le__, exchanges.status)):
        fresh, reused = _counts(run, arms)
        if _is_by_reuse(fresh, reused):
            yield _told(run, fresh, reused)
        else:
            yield from _errors(run, arms)


def _counts(run: Run, arms: Sequence[ArmSummary]) -> tuple[_Counts, _Counts]:
    """Requests on new connections, and on reused ones whose first request went well.

    Of another one, nobody knows that reuse is to blame: its server may be another than others'.
    Where arms don't take turns, an outage is no matter of reuse: only those that reuse count.
    """
    exchanges, is_paired = run.exchanges, run.plan.experiment.is_paired
    fresh, reused = _Counts(), _Counts()
    for arm in arms:
        if not (is_paired or arm.traits.reuses):
            continue
        own = exchanges.ended_of_arm(arm.label)
        columns = (exchanges.round, exchanges.connection, exchanges.failure, exchanges.status)
        for is_own, number, row, failure, status, connect_s in zip(
            own, *columns, exchanges.connect_s, strict=True
        ):
            if not is_own:
                continue
            failed = failure != NONE
            bad = failed or status >= ERROR_FROM
            if row == NONE or connect_s == connect_s:  # noqa: PLR0124  # it isn't NaN
                fresh.add(number, row, failed=failed, bad=bad)
            elif row not in fresh.bad_on:
                reused.add(number, row, failed=failed, bad=bad)
    return fresh, reused


def _is_by_reuse(fresh: _Counts, reused: _Counts) -> bool:
    if not fresh.all or not (len(reused.bad_on) >= _SEVERAL or 0 < reused.bad == reused.all):
        return False
    hits, all_hits = sum(reused.rounds.values()), sum(fresh.rounds.values())
    chances = len(reused.rounds)
    both = hits + all_hits, chances + len(fresh.rounds)
    return hypergeometric_tail(hits, chances, *both) < _CHANCE


def _told(run: Run, fresh: _Counts, reused: _Counts) -> Finding:
    did = "failed"
    if reused.failed < reused.bad:
        did = "failed or got an error response" if reused.failed else "got an error response"
    return REUSE_BREAKS.found(
        count=reused.bad,
        reused=reused.all,
        fresh_count=fresh.bad,
        fresh=fresh.all,
        who=closer_of(run.plan).who,
        words={"did": did, "others": _few(fresh.bad)},
    )


def _errors(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """The arm that got the most of them, against the one that got the fewest."""
    answered = [arm for arm in arms if arm.status_codes]
    if len(answered) < 2:  # noqa: PLR2004  # to compare
        return
    most, least = max(answered, key=_share), min(answered, key=_share)
    if _share(most) - _share(least) > _MOST:
        counts = sorted(it for it in most.status_codes.items() if it[0] >= ERROR_FROM)
        yield ERRORS_DIFFER.found(
            most,
            against=least.label,
            count=_bad(most),
            answered=sum(most.status_codes.values()),
            other_count=_bad(least),
            other_answered=sum(least.status_codes.values()),
            who=closer_of(run.plan).who,
            words={
                "statuses": ", ".join(f"{count:,} × {status}" for status, count in counts),
                "others": _few(_bad(least)),
            },
        )


def _bad(arm: ArmSummary) -> int:
    return sum(count for status, count in arm.status_codes.items() if status >= ERROR_FROM)


def _share(arm: ArmSummary) -> float:
    return _bad(arm) / sum(arm.status_codes.values())


def _few(count: int) -> str:
    return f"only {count:,}" if count else "none"
