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
from itertools import accumulate, compress
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
    """Incidents of connections whose end was announced, and of others: whatever their reasons are
    taken for, the one is never taken for the other."""
    reasons: frozenset[str] = frozenset()
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
    sizes = incidents(_since_well(hits, well))
    has_lasted = lasts(arm, sizes, ever_well=1 in are_well)
    return Occurrences(len(hits), chances, len(sizes), lasts=has_lasted)


def _since_well(hits: Sequence[Span], well: Iterable[Span]) -> Iterator[Span]:
    """For each hit: from when the last one was sent that went well and had ended before it."""
    starts_s = [started_s for started_s, _ in hits]
    last_s = [-inf] * (len(hits) + 1)
    for started_s, ended_s in well:
        place = bisect_left(starts_s, ended_s)
        last_s[place] = max(last_s[place], started_s)
    for since_s, (_, until_s) in zip(accumulate(last_s, max), hits, strict=False):
        yield since_s, until_s


def lasts(arm: ArmSummary, sizes: Sequence[int], *, ever_well: bool) -> bool:
    """Whether something is no event, by the sizes of an arm's incidents: it began and stayed so."""
    experiment = arm.reasons.run.plan.experiment
    most = LONGEST * experiment.concurrency * experiment.processes
    return max(sizes, default=0) > (most if ever_well else 1)
