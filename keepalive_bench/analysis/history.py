"""What happened to the connections of a run, from its columns: found out once, for all arms.

A run may have a million connections that serve one request each: no objects are made of them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from functools import cached_property
from itertools import chain, compress, filterfalse
from math import inf, isnan, nan
from operator import add
from typing import TYPE_CHECKING

from keepalive_bench.connections.deaths import died_under_request, hung
from keepalive_bench.connections.lives import AT_ONCE_S, Ends, EndsByKind, Fates, Uses
from keepalive_bench.connections.patterns import Pattern, closing_statuses, pattern_of
from keepalive_bench.connections.records import SERVER, Closer, LastExchange, Owner
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.failure_kinds import CLOSED_BEFORE_RESPONSE
from keepalive_bench.results.table import NONE, optional
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from keepalive_bench.plan.plan import Arm, Plan
    from keepalive_bench.plan.target import Target
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run

_SILENT = {ENDINGS.index("fin"), ENDINGS.index("rst")}
_FAILED, _ANNOUNCED = ENDINGS.index("failed"), ENDINGS.index("announced")


class History:
    """What was before each connection of a run, and what each came through."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.previous = _previous(run.connections)
        """By row: the row of the connection whose place each took; `NONE`: there was none."""
        self.last, self._before_unanswered = _last_exchanges(run)
        """By row: the row of the last exchange on each; `NONE`: there was none."""

    def last_answer(self, connection: int) -> Answer | None:
        """The last answer on a connection, to whichever exchange; `None`: there was none."""
        row, exchanges = self._last_answered(connection), self.run.exchanges
        return None if row == NONE else exchanges.answers.value(exchanges.answer[row])

    def last_exchange(self, connection: int) -> LastExchange | None:
        """The last exchange on a connection; `None`: there was none."""
        row = self.last[connection]
        if row == NONE:
            return None
        exchanges = self.run.exchanges
        failure, answered = exchanges.failure[row], self._last_answered(connection)
        return LastExchange(
            None if failure == NONE else exchanges.failures.values[failure].kind,
            not isnan(exchanges.phases["wait"][row]),
            self.last_answer(connection),
            None if answered == NONE else exchanges.status[answered],
            optional(self._course.idle_s[connection]),
        )

    def _last_answered(self, connection: int) -> int:
        """The row of the last exchange on a connection that has an answer, or `NONE`."""
        return self._before_unanswered.get(connection, self.last[connection])

    def age_s(self, connection: int) -> float:
        """How old a connection was when its last exchange ended."""
        row, exchanges = self.last[connection], self.run.exchanges
        until_s = exchanges.began_s[row] + exchanges.latency_s[row]
        return until_s - self.run.connections.opened_s[connection]

    def longest_survived_s(self, arm: str) -> float:
        """The longest time that a connection of an arm was idle and then answered."""
        return max(self._course.survived_s[self.run.exchanges.arms.index(arm)], default=0.0)

    @cached_property
    def shortest_s(self) -> float:
        """The shortest time from a request to its answer; a round trip takes no longer."""
        return min(filterfalse(isnan, self.run.exchanges.phases["wait"]), default=0.0)

    def survived_s(self, connection: int) -> float:
        """The longest time that a connection was idle before a request that was answered."""
        return self._course.longest_s[connection]

    def uses(self, arm: str) -> Uses:
        """What the connections of an arm came through, and how anybody's requests fared."""
        course, number = self._course, self.run.exchanges.arms.index(arm)
        return Uses(
            idle_s=course.all_survived_s,
            longest_s=course.all_longest_s,
            age_s=course.ages_s[number],
            kept_age_s=course.kept_ages_s[number],
            most_served=max(self.run.connections.exchanges, default=0),
            first=course.first,
            later=course.later,
        )

    def owner(self, arm: Arm, opened: bytes) -> Owner:
        """What the rules are to know of an arm, or of the pools of its processes together."""
        plan = self.run.plan
        experiment = plan.experiment
        if arm.is_single_use:
            return Owner(experiment.concurrency * experiment.processes, is_single_use=True)
        pattern = self._pattern(arm, opened)
        return Owner(
            experiment.pool_size_of(arm) * experiment.processes,
            closer=closer_of(plan),
            asks_to_close=plan.request.closing_header is not None and pattern.uses.most_served <= 1,
            sends_bodies=plan.sends_bodies,
            pattern=pattern,
        )

    def _pattern(self, arm: Arm, opened: bytes) -> Pattern:
        connections, last = self.run.connections, self.last
        ended = [
            row
            for row in compress(range(len(opened)), opened)
            if connections.ending[row] != NONE and last[row] != NONE
        ]
        if not any(connections.ending[row] in _TOLD for row in ended):
            return Pattern()
        ends, closed = EndsByKind(*(Ends() for _ in EndsByKind._fields)), Counter[int]()
        statuses = self.run.exchanges.status
        for row in ended:
            idle_s = self._note_end(row, ends)
            if idle_s is not None and idle_s < AT_ONCE_S:
                closed[statuses[last[row]]] += 1
        answered = Counter(compress(statuses, self.run.exchanges.of_arm(arm.label)))
        del answered[0]
        pattern = pattern_of(ends, self.uses(arm.label))
        return pattern._replace(closing_statuses=closing_statuses(closed, answered))

    def _note_end(self, row: int, ends: EndsByKind) -> float | None:
        """Note how a connection ended; return how long after its last answer at least that was."""
        connections = self.run.connections
        ending, opened_s = connections.ending[row], connections.opened_s[row]
        life = connections.exchanges[row], opened_s, self.age_s(row)
        if ending in _SILENT:
            after_s = optional(connections.closed_after_s[row])
            found_s = optional(connections.idle_s[row]) or 0.0
            if after_s is None:
                ends.closed.add(*life, found_s, survived_s=self.survived_s(row))
                return 0.0
            found_s = max(found_s, after_s)
            ends.closed.add(*life, after_s, found_s, survived_s=self.survived_s(row))
            return after_s
        if ending == _ANNOUNCED:
            ends.announced.add(*life)
            return 0.0
        exchange = self.last_exchange(row)
        if ending != _FAILED or exchange is None or exchange.after_idle_s is None:
            return None
        if hung(exchange):
            ends.hung.add(*life, exchange.after_idle_s)
        elif died_under_request(exchange):
            is_cut = exchange.failure == CLOSED_BEFORE_RESPONSE.code
            (ends.cut if is_cut else ends.reset).add(*life, exchange.after_idle_s)
        return None

    @cached_property
    def _course(self) -> _Course:
        return _Course(self.run)


_TOLD = {*_SILENT, _FAILED, _ANNOUNCED}
"""Endings that somebody else than kab brought about."""


class _Course:
    """What connections came through, in one pass over a run's exchanges."""

    def __init__(self, run: Run) -> None:
        exchanges, opened_s = run.exchanges, run.connections.opened_s
        arms = range(len(exchanges.arms))
        self.survived_s = [array("d") for _ in arms]
        """By arm: how long connections were idle before a request that was answered."""
        self.ages_s, self.kept_ages_s = [0.0 for _ in arms], [0.0 for _ in arms]
        self.idle_s = array("d", [nan]) * len(run.connections)
        """By connection: how long it was idle before its last exchange; NaN: it had only one."""
        self.longest_s = array("d", [0.0]) * len(run.connections)
        """By connection: the longest of these times after which it was answered."""
        free_since = array("d", [inf]) * len(run.connections)
        first, later = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
        until_s = map(add, exchanges.began_s, exchanges.latency_s)
        columns = (exchanges.arm, exchanges.connection, exchanges.started_s, until_s)
        for arm, connection, started, until, failure, status in zip(
            *columns, exchanges.failure, exchanges.status, strict=True
        ):
            if connection == NONE:
                continue
            since = free_since[connection]
            if since == inf:
                first[failure, status] += 1
            else:
                later[failure, status] += 1
                self.idle_s[connection] = idle_s = started - since
                if status:
                    self.survived_s[arm].append(idle_s)
                    self.longest_s[connection] = max(self.longest_s[connection], idle_s)
                    opened = opened_s[connection]
                    self.ages_s[arm] = max(self.ages_s[arm], started - opened)
                    self.kept_ages_s[arm] = max(self.kept_ages_s[arm], since - opened)
            free_since[connection] = until
        self.first, self.later = _fates(exchanges, first), _fates(exchanges, later)
        self.all_survived_s = array("d", sorted(chain.from_iterable(self.survived_s)))
        self.all_longest_s = array("d", sorted(filter(None, self.longest_s)))


def _fates(exchanges: ExchangeColumns, counts: Counter[tuple[int, int]]) -> Fates:
    """How exchanges fared, from how many had which failure (by number) and which status."""
    lost = timed_out = 0
    statuses = Counter[int | str]()
    for (number, status), count in counts.items():
        if status:
            statuses[status] += count
            continue
        if number == NONE:  # a file that says neither
            continue
        code = exchanges.failures.values[number].kind
        exchange = LastExchange(code, has_answer=False, answer=None)
        lost += count * died_under_request(exchange)
        timed_out += count * hung(exchange)
        statuses[code] += count
    return Fates(counts.total(), lost, timed_out, statuses)


def closer_of(plan: Plan) -> Closer:
    """Who can have closed a connection: what is forwarded goes no further than to the proxy."""
    proxy = plan.network.proxy
    if proxy is None:
        return SERVER
    if plan.target.scheme == "http":
        return Closer("proxy", f"The proxy {_authority(proxy)}")
    return Closer("server", f"The server, or the tunnel through {_authority(proxy)},")


def _authority(proxy: Target) -> str:
    return printable(proxy.origin.partition("://")[2])


def _previous(connections: ConnectionColumns) -> array[int]:
    previous = array("i")
    before: dict[tuple[int, int], int] = {}
    for row, place in enumerate(zip(connections.arm, connections.slot, strict=True)):
        previous.append(before.get(place, NONE))
        before[place] = row
    return previous


def _last_exchanges(run: Run) -> tuple[array[int], dict[int, int]]:
    """By connection: the row of its last exchange; and of the one before, where that has no answer.

    One that was interrupted says nothing of what the server did.
    """
    exchanges, cut_off = run.exchanges, run.exchanges.cut_off
    last, before = array("i", [NONE]) * len(run.connections), dict[int, int]()
    columns = zip(exchanges.connection, exchanges.failure, exchanges.answer, strict=True)
    for row, (connection, failure, answer) in enumerate(columns):
        if connection != NONE and failure not in cut_off:
            if answer == NONE:
                before[connection] = last[connection]
            last[connection] = row
    return last, before
