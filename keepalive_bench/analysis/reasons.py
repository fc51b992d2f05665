"""From a run's columns to the records that reasons are found from, and the reasons to columns.

A run may have a million connections that serve one request each: for those, no objects are made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.announcements import says_close
from keepalive_bench.connections.reason_kinds import BY_DESIGN
from keepalive_bench.connections.records import FOUND_IDLE, Before, Idle
from keepalive_bench.connections.rules import actor, reason_for, reason_for_one_more
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.history import History
    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.plan.plan import Arm
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.failure_kinds import Actor
    from keepalive_bench.results.run import Run


class Reason(NamedTuple):
    """Why a connection was opened."""

    kind: ReasonKind
    who: Actor
    """Who did it."""
    evidence: dict[str, object]
    previous: int | None = None
    """The row of the connection whose place it took."""
    exchange: int | None = None
    """The row of the exchange after which that one was of no more use."""

    @property
    def code(self) -> str:
        """Its kind's."""
        return self.kind.code

    @property
    def is_caused_by_interleaving(self) -> bool:
        """Whether only kab's other arm, in between, let the connection before go stale."""
        return bool(self.evidence.get("interleaved"))


class Reasons(Mapping[int, Reason]):
    """The reason for each connection of an arm, by row.

    Codes are kept; evidence is found anew when somebody asks for it.
    """

    def __init__(self, history: History, arm: Arm, opened: bytes) -> None:
        self._history, self.run, self._arm = history, history.run, arm
        self.owner = history.owner(arm, opened)
        """What is known of the arm, and of what the ends of its connections have in common."""
        self.column = array("b", [NONE]) * len(opened)
        """For each connection of the run, of any arm: which of the codes it has, or `NONE`."""
        self.caused_by_interleaving = array("i")
        """The rows of those that had to be opened only because of kab's other arm."""
        numbers: dict[str, int] = {}
        for row in compress(range(len(opened)), opened):
            if arm.is_single_use and self.previous[row] != NONE:
                self.column[row] = numbers.setdefault(BY_DESIGN.code, len(numbers))
                continue
            reason = self._explain(row)
            self.column[row] = numbers.setdefault(reason.code, len(numbers))
            if reason.is_caused_by_interleaving:
                self.caused_by_interleaving.append(row)
        self.codes = tuple(numbers)
        self._ended_last = Counter(self._last_ends(opened))
        seen = Counter(self.column).most_common()
        self.counts = {self.codes[it]: count for it, count in seen if it != NONE}
        """How many connections have which code, the most frequent first."""

    @property
    def previous(self) -> array[int]:
        """For each connection of the run: the row of the one whose place it took, or `NONE`."""
        return self._history.previous

    @property
    def survived_s(self) -> float:
        """The longest time that a connection was idle and then carried a request."""
        return self._history.longest_survived_s(self._arm.label)

    def last_answer(self, row: int) -> Answer | None:
        """The last answer on the connection whose place one took; `None`: there was none."""
        return self._history.last_answer(self.previous[row])

    def ended(self, code: str) -> int:
        """How many connections ended so that another one is opened for that reason.

        Those whose place nobody took are among them.
        """
        return len(self.rows(code)) + self._ended_last[code]

    def _last_ends(self, opened: bytes) -> Iterator[str]:
        """How connections ended whose place nobody took."""
        if self._arm.is_single_use:
            return
        taken = bytearray(len(opened))
        for row in compress(self.previous, opened):
            if row != NONE:
                taken[row] = 1
        for row in compress(range(len(opened)), opened):
            if not taken[row] and self._is_over(row):
                yield reason_for(self._before(row, None), self.owner)[0].code

    def _is_over(self, row: int) -> bool:
        """Whether a connection ended, or its last answer announced that, whoever noticed."""
        if self.run.connections.ending[row] != NONE:
            return True
        answer = self._history.last_answer(row)
        return answer is not None and says_close(answer)

    def __getitem__(self, row: int) -> Reason:
        if not 0 <= row < len(self.column) or self.column[row] == NONE:
            raise KeyError(row)
        return self._explain(row)

    def __iter__(self) -> Iterator[int]:
        return compress(range(len(self.column)), map(NONE.__ne__, self.column))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def rows(self, code: str) -> array[int]:
        """The connections opened for a reason, but for those that are `caused_by_interleaving`."""
        if code not in self.codes:
            return array("i")
        own, number = set(self.caused_by_interleaving), self.codes.index(code)
        found = compress(range(len(self.column)), map(number.__eq__, self.column))
        return array("i", (row for row in found if row not in own))

    def _explain(self, row: int) -> Reason:
        previous, slot = self.previous[row], self.run.connections.slot[row]
        if previous == NONE:
            # A slot is a new one where all before it are taken.
            kind = reason_for_one_more(slot, self.owner)
            return Reason(kind, actor(kind, self.owner), {"slot": slot})
        exchange = self._history.last[previous]
        kind, evidence = reason_for(self._before(previous, row), self.owner)
        who = actor(kind, self.owner)
        return Reason(kind, who, evidence, previous, None if exchange == NONE else exchange)

    def _before(self, row: int, opened: int | None) -> Before:
        """A connection whose place another one took, which was opened then."""
        connections, history = self.run.connections, self._history
        served, ending = connections.exchanges[row], connections.ending_of(row)
        last = history.last_exchange(row)
        if last is None:
            return Before(served, ending, None, None)
        idle = None
        if opened is not None and ending is not None and ending.kind in FOUND_IDLE:
            idle = _idle_between(self.run, self._arm.label, history.last[row], opened)
        return Before(
            served,
            ending,
            last,
            idle,
            age_s=history.age_s(row),
            survived_s=history.survived_s(row),
            round_trip_s=history.shortest_s,
        )


def _idle_between(run: Run, arm: str, last_row: int, opened: int) -> Idle:
    """From the end of an exchange to the opening of the connection that replaced its own.

    A pause that was asked for isn't kab's doing, though other arms ran in it.
    """
    exchanges = run.exchanges
    began = exchanges.began_s[last_row] + exchanges.latency_s[last_row]
    until = max(began, run.connections.opened_s[opened])
    others, number = _others(run, arm, last_row, (began, until))
    idle, load = until - began, run.plan.experiment
    pause = load.pause_before(number) if number is not None else load.load.think_s[0]
    return Idle(idle, min(others, max(0.0, idle - pause)))


def _others(
    run: Run, arm: str, last_row: int, span: tuple[float, float]
) -> tuple[float, int | None]:
    """How long other arms ran in a span, with the pauses of their own within a block.

    And the index of the arm's own next request, where it is met on the way.
    """
    exchanges, (reached, until) = run.exchanges, span
    number, busy, block, own = exchanges.arms.index(arm), 0.0, None, None
    for row in range(last_row + 1, len(exchanges)):
        start = exchanges.began_s[row]
        if start >= until:
            break
        if exchanges.arm[row] == number:
            own = exchanges.index[row]
            continue
        stop = min(until, start + exchanges.latency_s[row])
        here = exchanges.arm[row], exchanges.round[row]
        busy += max(0.0, stop - (reached if here == block else max(start, reached)))
        reached, block = max(reached, stop), here
    return busy, own
