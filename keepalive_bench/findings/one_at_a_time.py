"""What kab noticed of a server that answers one connection at a time: kab's own are in its way."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import inf, isnan
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results import failure_kinds as failures
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run

_WAITED_FOR = {failures.READ_TIMEOUT.code, failures.CONNECT_TIMEOUT.code}
_LEAST, _MANY = 2, 3
_SOON, _SOON_S = 0.1, 0.02
"""How soon after another connection's end an answer comes that waited for it: of its wait, and at
least."""
_FAR_LONGER = 5.0

ONE_AT_A_TIME = FindingKind(
    code="one-at-a-time",
    title="The server answers one connection at a time",
    who="server",
    evidence=("count", "waited_s"),
    proof="Requests on new connections weren't answered while another of kab's was open, which was "
    "answered before and after; and none on a new one was. Or they were answered as soon as the "
    "server had closed the idle one.",
    text="The server seems to answer one connection at a time, as one with a single thread does: "
    "{count:request} on new connections weren't answered in {waited_s} while another connection of "
    "kab's was open, though it was idle. So the arms were in each other's way.",
    advice="Let the server have threads, or more workers (Python's http.server: "
    "ThreadingHTTPServer). --order sequential measures it as it is: kab closes an arm's "
    "connections before it begins the next.",
    cases={
        "until it was closed": Case(
            text="The server seems to answer one connection at a time, as one with a single thread "
            "does: {count:request} on new connections were answered, after {waited_s}, as soon as "
            "it had closed another connection of kab's that was idle. So the arms were in each "
            "other's way."
        ),
        "sequential already": Case(
            text="The server seems to answer one connection at a time, as one with a single thread "
            "does: {count:request} on new connections weren't answered in {waited_s} while another "
            "connection of kab's was open.",
            advice="Let the server have threads, or more workers (Python's http.server: "
            "ThreadingHTTPServer). As it is, measure it with --concurrency 1 in one process.",
        ),
    },
    provoked=Provoked("URL -n 6 -t 0.3 --keep-going", "--one-at-a-time"),
)


class _Fresh(NamedTuple):
    """A request that had a connection opened for it. Times in seconds, from the run's start."""

    began_s: float
    ended_s: float
    is_answered: bool
    is_late: bool
    """Whether it failed because its time was up."""


class _Open:
    """Connections that were open for some time after an answer, each from when to when."""

    def __init__(self, first_s: Iterable[float], last_s: Iterable[float]) -> None:
        spans = sorted(span for span in zip(first_s, last_s, strict=True) if span[1] > span[0])
        self._starts = [start for start, _ in spans]
        self._latest = [*accumulate((end for _, end in spans), max)]

    def held(self, it: _Fresh) -> bool:
        """Whether one of them was during all of a request; where it was late, nearly all.

        Of those that began at once, one is the first to be answered.
        """
        spared_s = _SOON * (it.ended_s - it.began_s) if it.is_late else 0.0
        earlier = bisect_right(self._starts, it.began_s + spared_s)
        return earlier > 0 and self._latest[earlier - 1] >= it.ended_s


def one_at_a_time_findings(run: Run) -> Iterator[Finding]:
    """That the server does so, where kab's own connections show it."""
    kinds = {failure.kind for failure in run.exchanges.failures.values}
    is_closed = not all(map(isnan, run.connections.closed_after_s))
    if not (kinds & _WAITED_FOR or is_closed):
        return
    first_s, last_s, fresh = _times(run)
    known = _Open(first_s, last_s)
    if any(it.is_answered and known.held(it) for it in fresh):
        return
    is_proven, held = _held(run, first_s, known, fresh)
    if is_proven:
        is_free = run.plan.experiment.is_paired and run.plan.experiment.threads == 1
        yield ONE_AT_A_TIME.found(
            count=len(held),
            waited_s=median(it.ended_s - it.began_s for it in held),
            case=None if is_free else "sequential already",
        )
        return
    waited = _until_closed(run, fresh, last_s) if is_closed else []
    if len(waited) >= _MANY:
        yield ONE_AT_A_TIME.found(
            count=len(waited), waited_s=median(waited), case="until it was closed"
        )


def _held(
    run: Run, first_s: array[float], known: _Open, fresh: list[_Fresh]
) -> tuple[bool, list[_Fresh]]:
    """Those that waited in vain while another connection was open, and whether it was for that.

    It was, where the other one was answered again afterwards; or where only kab closed it, and then
    new ones were answered.
    """
    last_s = (inf if ending == NONE else -inf for ending in run.connections.ending)
    to_the_end = _Open(first_s, last_s)
    late = [it for it in fresh if it.is_late]
    held = [it for it in late if known.held(it) or to_the_end.held(it)]
    is_known = sum(map(known.held, held)) >= _LEAST
    last_end_s = max((it.ended_s for it in held), default=inf)
    is_over = any(it.is_answered and it.began_s > last_end_s for it in fresh)
    return is_known or (is_over and len(held) >= _LEAST), held


def _times(run: Run) -> tuple[array[float], array[float], list[_Fresh]]:
    """When each connection's first and last answers had come, and the requests on new ones."""
    exchanges = run.exchanges
    late = {
        number
        for number, failure in enumerate(exchanges.failures.values)
        if failure.kind in _WAITED_FOR
    }
    first_s = array("d", [inf]) * len(run.connections)
    last_s = array("d", [-inf]) * len(run.connections)
    fresh = []
    columns = (
        *(exchanges.connection, exchanges.failure, exchanges.started_s),
        *(exchanges.began_s, exchanges.latency_s, exchanges.connect_s),
    )
    for row, failure, started_s, began_s, latency_s, connect_s in zip(*columns, strict=True):
        ended_s = began_s + latency_s
        if row >= 0 and failure < 0:
            first_s[row] = min(first_s[row], ended_s)
            last_s[row] = max(last_s[row], ended_s)
        if connect_s == connect_s:  # noqa: PLR0124  # it isn't NaN
            fresh.append(_Fresh(started_s, ended_s, failure < 0, failure in late))
    return first_s, last_s, fresh


def _until_closed(run: Run, fresh: list[_Fresh], last_s: array[float]) -> list[float]:
    """Waits of those that were answered once the server had closed an idle connection.

    None, where others on new connections usually took as long.
    """
    after_s = run.connections.closed_after_s
    pairs = zip(last_s, after_s, strict=True)
    closed = sorted((last + after, last) for last, after in pairs if after == after)  # noqa: PLR0124
    ends = [end for end, _ in closed]
    waited, others = [], []
    for it in fresh:
        wait_s = it.ended_s - it.began_s
        if not it.is_answered:
            continue
        place = bisect_left(ends, it.ended_s) - 1
        end, idle_since = closed[place] if place >= 0 else (-inf, inf)
        soon_s = max(_SOON * wait_s, _SOON_S)
        if it.ended_s - end <= soon_s < end - it.began_s and idle_since <= it.began_s:
            waited.append(wait_s)
        else:
            others.append(wait_s)
    if not waited or not others or median(waited) < _FAR_LONGER * median(others):
        return []
    return waited
