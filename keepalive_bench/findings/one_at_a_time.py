"""What kab noticed of a server that answers one connection at a time: kab's own are in its way."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import inf, isnan
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.lives import SURELY_LATER_S
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results import failure_kinds as failures
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import NONE
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis import Finding
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

_WAITED_FOR = {failures.READ_TIMEOUT.code, failures.CONNECT_TIMEOUT.code}
_LEAST, _MANY = 2, 3
_SEVERAL = 5
"""Requests that waited in vain, and answers that others got meanwhile: where nothing came later."""
_SOON, _SOON_S = 0.1, 0.02
"""How soon after another connection's end an answer comes that waited for it: of its wait, and at
least."""
_FAR_LONGER = 5.0
_NEARLY_ALL = 0.9
"""Of those that waited in vain: if others did so while nothing was open, there is another cause."""

ONE_AT_A_TIME = FindingKind(
    code="one-at-a-time",
    title="The server serves one connection at a time, or a few",
    who="server",
    evidence=("count", "waited_s", "at_a_time"),
    proof="While another of kab's connections was open (or as many as the server serves side by "
    "side), no request on a new connection was answered, although those on the open one were, "
    "before and after. Or requests on new connections were answered as soon as the server had "
    "closed the idle one. Where no new connection can be opened at all, the cause is another.",
    text="{count:request} on new connections got no response in {waited_s} while {others} of kab's "
    "{were} open, though idle. The server seems to serve {answered} at a time, as one with "
    "{threads} does, so the arms blocked each other.",
    advice="Give the server more threads or workers (Python's http.server: ThreadingHTTPServer), "
    "or use --order sequential: kab then closes an arm's connections before the next arm begins.",
    cases={
        "until it was closed": Case(
            text="{count:request} on new connections got a response, after {waited_s}, only when "
            "the server had closed another, idle connection of kab's. The server seems to serve "
            "one connection at a time, as one with a single thread does, so the arms blocked each "
            "other."
        ),
        "too many at a time": Case(
            text="{count:request} on new connections got no response in {waited_s} while {others} "
            "of kab's {were} open. The server seems to serve {answered} at a time, as one with "
            "{threads} does.",
            advice="Give the server more threads or workers (Python's http.server: "
            "ThreadingHTTPServer), or use --order sequential and --concurrency {at_a_time!s} in "
            "one process.",
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
    is_opened: bool
    """Whether the connection was: the system does that, before a server accepts it."""


class _Open:
    """Connections that were open for some time after an answer, each from when to when."""

    def __init__(self, first_s: Iterable[float], last_s: Iterable[float]) -> None:
        spans = [span for span in zip(first_s, last_s, strict=True) if span[1] > span[0]]
        self._starts = sorted(start for start, _ in spans)
        self._ends = sorted(end for _, end in spans)

    def holding(self, it: _Fresh) -> int:
        """How many of them, at least, were during all of a request; where it was late, nearly all.

        Of those that began at once, one is the first to be answered.
        """
        spared_s = _SOON * (it.ended_s - it.began_s) if it.is_late else 0.0
        begun = bisect_right(self._starts, it.began_s + spared_s)
        return begun - bisect_left(self._ends, it.ended_s)

    def most(self) -> int:
        """How many there were at once."""
        starts = enumerate(self._starts, start=1)
        return max((begun - bisect_left(self._ends, at) for begun, at in starts), default=0)


class _Waits(NamedTuple):
    """Requests on new connections, and what else was open meanwhile."""

    first_s: array[float]
    """When each connection's first answer had come."""
    last_s: array[float]
    answers_s: array[float]
    """When each answer had come."""
    fresh: list[_Fresh]
    ends_s: dict[int, float]
    """By arm, when kab closed what it had left open."""


def one_at_a_time_findings(run: Run) -> Iterator[Finding]:
    """That the server does so, where kab's own connections show it."""
    kinds = {failure.kind for failure in run.exchanges.failures.values}
    is_closed = not all(map(isnan, run.connections.closed_after_s))
    if not (kinds & _WAITED_FOR or is_closed):
        return
    waits = _waits(run)
    known = _Open(waits.first_s, waits.last_s)
    most = max(known.most(), 1)
    if any(it.is_answered and known.holding(it) >= most for it in waits.fresh):
        return
    held, at_a_time = _held(run, waits, known, most)
    if held:
        experiment, is_one = run.plan.experiment, at_a_time == 1
        is_free = experiment.is_paired and experiment.threads <= at_a_time
        yield ONE_AT_A_TIME.found(
            count=len(held),
            waited_s=median(it.ended_s - it.began_s for it in held),
            at_a_time=at_a_time,
            case=None if is_free else "too many at a time",
            words={
                "answered": "one connection" if is_one else f"{at_a_time:,} connections",
                "threads": "a single thread" if is_one else f"{at_a_time:,} threads",
                "others": "another connection" if is_one else f"{at_a_time:,} others",
                "were": "was" if is_one else "were",
            },
        )
        return
    waited = _until_closed(run, waits.fresh, waits.last_s) if is_closed else []
    if len(waited) >= _MANY:
        yield ONE_AT_A_TIME.found(
            count=len(waited), waited_s=median(waited), at_a_time=1, case="until it was closed"
        )


def why_incomparable(plan: Plan, findings: Iterable[Finding]) -> str | None:
    """Why the times of arms that take turns can't be compared then; `None`: nothing says so."""
    if not plan.experiment.is_paired:
        return None
    found = next((it for it in findings if it.code == ONE_AT_A_TIME.code), None)
    if found is None:
        return None
    number = int(found.evidence["at_a_time"])
    answered = "one connection" if number == 1 else plural(number, "connection")
    return (
        f"The arms blocked each other, because the server seems to serve {answered} at a time, so "
        "their times can't be compared. Use --order sequential."
    )


def _held(run: Run, waits: _Waits, known: _Open, most: int) -> tuple[list[_Fresh], int]:
    """Those that waited in vain while others were open, if it was for that, and how many others.

    It was, where those were answered again afterwards; or where only kab closed them, and then new
    ones were answered; or where they got answers while others, that had been sent before, didn't,
    and from then on nobody did: a server that hangs at some moment has answered these by then.
    """
    arms = run.connections.arm
    last_s = (
        waits.ends_s.get(arm, -inf) if ending == NONE else -inf
        for arm, ending in zip(arms, run.connections.ending, strict=True)
    )
    to_the_end = _Open(waits.first_s, last_s)
    holding = {
        it: max(known.holding(it), to_the_end.holding(it)) for it in waits.fresh if it.is_late
    }
    held = [it for it, others in holding.items() if others >= most]
    if len(held) < max(_LEAST, _NEARLY_ALL * len(holding)) or not any(it.is_opened for it in held):
        return [], 0
    is_known = sum(known.holding(it) >= most for it in held) >= _LEAST
    last_end_s = max(it.ended_s for it in held)
    is_over = any(
        it.is_answered and it.began_s > last_end_s and to_the_end.holding(it) < most
        for it in waits.fresh
    )
    if not (is_known or is_over or _is_overtaken(waits, held, to_the_end, most)):
        return [], 0
    return held, min(holding[it] for it in held)


def _is_overtaken(waits: _Waits, held: list[_Fresh], open_: _Open, most: int) -> bool:
    if len(held) < _SEVERAL:
        return False
    if any(it.is_answered and open_.holding(it) >= most for it in waits.fresh):
        return False
    answers_s = sorted(waits.answers_s)
    return any(
        bisect_left(answers_s, it.ended_s) - bisect_right(answers_s, it.began_s) >= _SEVERAL * most
        for it in held
    )


def _waits(run: Run) -> _Waits:
    exchanges = run.exchanges
    late = {
        number
        for number, failure in enumerate(exchanges.failures.values)
        if failure.kind in _WAITED_FOR
    }
    first_s = array("d", [inf]) * len(run.connections)
    last_s = array("d", [-inf]) * len(run.connections)
    answers_s, fresh = array("d"), []
    ends_s: dict[int, float] = {}
    columns = (
        *(exchanges.arm, exchanges.connection, exchanges.failure, exchanges.started_s),
        *(exchanges.began_s, exchanges.latency_s, exchanges.connect_s),
    )
    for arm, row, failure, started_s, began_s, latency_s, connect_s in zip(*columns, strict=True):
        ended_s = began_s + latency_s
        ends_s[arm] = max(ends_s.get(arm, -inf), ended_s)
        if row >= 0 and failure < 0:
            first_s[row] = min(first_s[row], ended_s)
            last_s[row] = max(last_s[row], ended_s)
            answers_s.append(ended_s)
        if connect_s == connect_s:  # noqa: PLR0124  # it isn't NaN
            fresh.append(_Fresh(started_s, ended_s, failure < 0, failure in late, row >= 0))
    if run.plan.experiment.is_paired:  # kab closes no arm's connections before the end
        ends_s = dict.fromkeys(ends_s, inf)
    return _Waits(first_s, last_s, answers_s, fresh, ends_s)


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
        place = bisect_right(ends, it.ended_s + SURELY_LATER_S) - 1  # it may seem to come before
        end, idle_since = closed[place] if place >= 0 else (-inf, inf)
        soon_s = max(_SOON * wait_s, _SOON_S)
        if it.ended_s - end <= soon_s < end - it.began_s and idle_since <= it.began_s:
            waited.append(wait_s)
        else:
            others.append(wait_s)
    if not waited or not others or median(waited) < _FAR_LONGER * median(others):
        return []
    return waited
