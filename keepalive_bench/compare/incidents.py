"""How often something went wrong in an arm, and how many incidents that takes.

One event goes wrong for many: a restart ends every open connection, and requests fail until the
server is back. So hits aren't independent, and a test that takes them so finds a change in every
restart. But each has a span in which its cause acted: from when all was last known to be well until
it was noticed. Hits whose spans share a moment may have one cause; the fewest moments that all
spans share one of are the incidents.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from heapq import heappush, heappushpop
from itertools import compress
from math import inf
from operator import add, and_, gt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary

LONGEST = 100
"""An event goes wrong for at most so many requests in a row on each connection."""

Span = tuple[float, float]
"""In which something went wrong, in seconds from the start of the run."""


class Recurrence(NamedTuple):
    """A reason that ended connections again and again."""

    reason: str
    is_announced: bool
    incidents: int
    least: int
    """So many show that it recurs."""


class Occurrences(NamedTuple):
    """How often something happened, of how many times it could."""

    hits: int
    chances: int
    """Requests, or answers."""
    incidents: int = 0
    first_uses: int = 0
    """How many of the chances are none, as there was no connection to reuse yet."""
    lasts: bool = False
    """Whether nothing ever went well, or not for longer than an event lasts."""
    by_ending: Mapping[bool, int] = {}
    """Ends of connections that were announced, and others, one after the other: whatever their
    reasons are taken for, the one is never taken for the other."""
    reasons: frozenset[str] = frozenset()
    """All that connections were opened for."""
    recurring: tuple[Recurrence, ...] = ()

    @property
    def could(self) -> int:
        """How often it really could."""
        return self.chances - self.first_uses


def of_all(runs: Sequence[Occurrences]) -> Occurrences:
    """What happened in runs of one system, taken together."""
    by_ending, recurring = Counter[bool](), dict[tuple[str, bool], Recurrence]()
    for run in runs:
        by_ending.update(run.by_ending)
        for it in run.recurring:
            before = recurring.get(it[:2], it._replace(incidents=0))
            recurring[it[:2]] = it._replace(incidents=before.incidents + it.incidents)
    return Occurrences(
        hits=sum(it.hits for it in runs),
        chances=sum(it.chances for it in runs),
        incidents=sum(it.incidents for it in runs),
        first_uses=sum(it.first_uses for it in runs),
        lasts=any(it.lasts for it in runs),
        by_ending=by_ending,
        reasons=frozenset().union(*(it.reasons for it in runs)),
        recurring=tuple(recurring.values()),
    )


def incidents(spans: Iterable[Span]) -> list[int]:
    """The fewest moments that every span has one of: how many spans each explains.

    The end of the span that ends first is always one of them (J. Kleinberg and E. Tardos,
    "Algorithm Design" (2005), section 4.1: there are as many spans that don't overlap).
    """
    found, moment_s = list[int](), -inf
    for since_s, until_s in sorted(spans, key=lambda span: span[1]):
        if since_s < moment_s:
            found[-1] += 1
        else:
            found.append(1)
            moment_s = until_s
    return found


def failed(arm: ArmSummary) -> Occurrences:
    """Requests without a whole answer."""
    if not arm.failed:
        return Occurrences(0, arm.sent)
    failures = arm.reasons.run.exchanges.failure
    return _of_exchanges(arm, arm.sent, bytes(map(NONE.__ne__, failures)))


def errors(arm: ArmSummary) -> Occurrences:
    """Answers that are errors."""
    answers = sum(arm.status_codes.values())
    if not any(status >= ERROR_FROM for status in arm.status_codes):
        return Occurrences(0, answers)
    statuses = arm.reasons.run.exchanges.status
    return _of_exchanges(arm, answers, bytes(map(ERROR_FROM.__le__, statuses)))


def _of_exchanges(arm: ArmSummary, chances: int, are_hit: bytes) -> Occurrences:
    """Of exchanges: all was well when one was sent that succeeded, and is no hit."""
    exchanges = arm.reasons.run.exchanges
    own = exchanges.ended_of_arm(arm.label)
    succeeded = bytes(map(NONE.__eq__, exchanges.failure))
    are_well = bytes(map(and_, map(gt, own, are_hit), succeeded))
    ended_s = array("d", map(add, exchanges.began_s, exchanges.latency_s))
    rows = exchanges.started_s, ended_s
    hits = sorted(compress(zip(*rows, strict=True), map(and_, own, are_hit)))
    well = compress(zip(*rows, strict=True), are_well)
    since_s = since_well([started_s for started_s, _ in hits], well, at_once(arm))
    sizes = incidents((since, until) for since, (_, until) in zip(since_s, hits, strict=True))
    has_lasted = lasts(arm, sizes, ever_well=1 in are_well)
    return Occurrences(len(hits), chances, len(sizes), lasts=has_lasted)


def since_well(times_s: Sequence[float], well: Iterable[Span], at_once: int) -> Iterator[float]:
    """For each of sorted times: since when things had last been well, on each connection.

    That is as many requests ago as there are connections, of those that went well until then: an
    event that meets each connection when that is used next isn't over while only some have met it.
    """
    found: list[list[float]] = [[] for _ in times_s]
    for started_s, ended_s in well:
        place = bisect_left(times_s, ended_s)
        if place < len(found):
            _keep_latest(found[place], started_s, at_once)
    latest_s: list[float] = []
    for each in found:
        for started_s in each:
            _keep_latest(latest_s, started_s, at_once)
        yield latest_s[0] if len(latest_s) == at_once else -inf


def _keep_latest(latest_s: list[float], time_s: float, count: int) -> None:
    """Add a time to a heap of the latest ones."""
    if len(latest_s) < count:
        heappush(latest_s, time_s)
    else:
        heappushpop(latest_s, time_s)


def at_once(arm: ArmSummary) -> int:
    """How many of an arm's requests are under way at once, at most."""
    experiment = arm.reasons.run.plan.experiment
    return experiment.concurrency * experiment.processes


def lasts(arm: ArmSummary, sizes: Sequence[int], *, ever_well: bool) -> bool:
    """Whether something is no event, by the sizes of an arm's incidents: it began and stayed so."""
    return max(sizes, default=0) > (LONGEST * at_once(arm) if ever_well else 1)
