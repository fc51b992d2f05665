"""The one loop: a schedule, and a transport for each arm, become exchanges."""

from __future__ import annotations

import threading
from bisect import bisect_left
from math import inf
from typing import TYPE_CHECKING, Protocol

from keepalive_bench.experiment.pacing import Turn
from keepalive_bench.model.exchange import Exchange, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keepalive_bench.experiment.pacing import Clock, Pacing
    from keepalive_bench.experiment.schedule import Block
    from keepalive_bench.model.plan import Plan

FAILURES_TO_STOP = 5
INTERRUPTED = "interrupted"
_POLL_S = 0.2
_GRACE_S = 1.0
_LATEST_S = 1.0
"""After the time of an arm is over, how long what was due before is still sent."""


class Transport(Protocol):
    """One arm's way of making an exchange; a failure is an outcome, not an exception."""

    def exchange(self, path: str) -> Outcome:
        """Send one request and read its response to the end."""
        ...

    def pause(self) -> None:
        """Before a pause that is kab's, not the traffic's: do what would have been done next."""
        ...


class Engine:
    """Threads that work through a schedule, all on one arm at a time.

    The threads meet between blocks, and between the beats of one that has them. They are not the
    main thread, so that Ctrl-C never falls into the middle of an exchange or of its record: it
    stops the claiming of further requests, those under way have a moment to end, and what has not
    ended by then is recorded as interrupted. `pacing` has what an arm waits for, by label; the
    others send as soon as they can.
    """

    def __init__(
        self,
        plan: Plan,
        transports: Mapping[str, Transport],
        record: Callable[[Exchange], None],
        clock: Clock,
        pacing: Mapping[str, Pacing] | None = None,
    ) -> None:
        self._plan, self._transports, self._record, self._clock = plan, transports, record, clock
        self._pacing, self._now_s = pacing or {}, clock.now_s
        self._lock = threading.Lock()
        self._meeting = threading.Barrier(plan.experiment.concurrency, action=self._advance)
        self._blocks: Iterable[Block] = iter(())
        self._block: Block | None = None
        self._next_index, self._block_ends_s = 0, inf
        self._began_s = self._lasts_to_s = 0.0
        self._rested_s: float | None = None
        self._arm_ended_s: dict[str, float] = {}
        self._reached, self._timed_arm = dict.fromkeys(transports, 0), ""
        self._halted = self._closed = False
        self._given_up = threading.Event()
        self._working, self._ended = plan.experiment.concurrency, threading.Event()
        self._under_way: dict[int, tuple[str, int, int, float]] = {}
        self._failed_first = dict.fromkeys(transports, 0)
        self._answered: set[str] = set()
        self._stopped: set[str] = set()
        self._error: BaseException | None = None
        experiment = plan.experiment
        self._threads = {arm.label: experiment.threads_of(arm) for arm in experiment.arms}
        self._pauses = experiment.sweep is not None and not self._pacing

    @property
    def reached(self) -> dict[str, int]:
        """How many requests of each arm were due before time, or a rule, ended the run."""
        timed = {self._timed_arm: self._next_index} if self._timed_arm else {}
        return {**self._reached, **timed}

    def run(self, blocks: Iterable[Block]) -> bool:
        """Work through the blocks; whether Ctrl-C ended that early.

        Raises:
            BaseException: what a transport or the record raised, which none should.
        """
        self._blocks = iter(blocks)
        threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(self._plan.experiment.concurrency)
        ]
        try:
            for thread in threads:
                thread.start()
            # Not join(): before Python 3.13, one that Ctrl-C interrupts takes the thread for ended.
            while not self._ended.wait(_POLL_S):
                pass
        except KeyboardInterrupt:
            self._interrupt()
        if self._error is not None:
            raise self._error
        return self._halted

    def _work(self, worker: int) -> None:
        try:
            self._work_through(worker)
        except threading.BrokenBarrierError:
            pass
        except BaseException as error:  # noqa: BLE001  # a thread has nobody to raise it to
            self._error = error
            self._halt()
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._ended.set()

    def _work_through(self, worker: int) -> None:
        # One thread has nobody to meet, and a barrier would cost it a microsecond a pair.
        meet = self._advance if self._meeting.parties == 1 else self._meeting.wait
        path, now_s, under_way = self._plan.path, self._now_s, self._under_way
        own_s: dict[str, float] = {}
        meet()
        while (block := self._block) is not None:
            arm, transport, pacing = block.arm, self._transports[block.arm], None
            if self._pacing:
                pacing = self._pacing.get(arm)
            scheduled = pacing is not None and pacing.is_schedule
            takes_part = worker < self._threads[arm]
            while takes_part and (claimed := self._claim(block, pacing, worker, own_s)) is not None:
                index, start_s = claimed
                if start_s is not None and not self._await(block, start_s):
                    break
                began_s = start_s if scheduled and start_s is not None else now_s()
                under_way[worker] = (arm, index, block.round, began_s)
                outcome = transport.exchange(path(index))
                if pacing is not None:
                    own_s[arm] = now_s()
                    outcome = outcome.since(began_s) if scheduled else outcome
                self._note(worker, Exchange(arm, index, block.round, outcome))
                if block.in_beats:
                    break
            if self._pauses and takes_part:
                transport.pause()
            meet()

    def _advance(self) -> None:
        """Go on to the next beat, or to the next block of an arm that still runs; all wait."""
        if self._pacing:
            self._given_up.clear()
            if self._halted:  # perhaps just before
                self._given_up.set()
        if self._block is not None and self._block.in_beats and self._has_more(self._block):
            self._begin_beat(self._block)
            return
        for block in self._blocks:
            if self._halted or len(self._stopped) == len(self._transports):
                break
            self._begin(block)
            if block.arm not in self._stopped:
                self._block, self._next_index = block, block.indexes.start
                return
        self._block = None

    def _has_more(self, block: Block) -> bool:
        """Whether a block goes on with another beat."""
        if self._halted or (block.seconds is not None and self._now_s() >= self._block_ends_s):
            return False
        return self._next_index < block.indexes.stop and block.arm not in self._stopped

    def _begin(self, block: Block) -> None:
        """Note how far a block will come; one that may end early, as far as it is claimed."""
        now_s = 0.0
        if self._pacing:
            self._begin_beat(block)
            now_s = self._began_s = max(self._began_s, self._lasts_to_s)
            if block.arm in self._pacing:
                self._lasts_to_s = now_s + self._pacing[block.arm].lasts_s(len(block.indexes))
        if block.seconds is None:
            self._reached[block.arm] = block.indexes.stop
            return
        self._reached = self.reached
        self._timed_arm, self._next_index = block.arm, block.indexes.start
        self._block_ends_s = (now_s or self._now_s()) + block.seconds

    def _begin_beat(self, block: Block) -> None:
        """Note what the pacing counts from."""
        self._began_s, self._rested_s = self._now_s(), self._arm_ended_s.get(block.arm)

    def _claim(
        self, block: Block, pacing: Pacing | None, worker: int, own_s: dict[str, float]
    ) -> tuple[int, float | None] | None:
        """The index of a worker's next request, and when it is to start; `None`: at once."""
        with self._lock:
            index, start_s = self._next_index, None
            if self._halted or index >= block.indexes.stop or block.arm in self._stopped:
                return None
            if pacing is not None:
                start_s = self._start_s(block, pacing, index, worker, own_s.get(block.arm))
            if block.seconds is not None and self._is_too_late(block, pacing, start_s):
                return None
            self._next_index = index + 1
            return index, start_s

    def _start_s(
        self, block: Block, pacing: Pacing, index: int, worker: int, own_s: float | None
    ) -> float:
        position = index - block.indexes.start
        return pacing.start_s(Turn(index, position, worker, self._began_s, own_s, self._rested_s))

    def _is_too_late(self, block: Block, pacing: Pacing | None, start_s: float | None) -> bool:
        """Whether a block's time is over for its next request.

        What was due before, but is late, is sent for a moment more; the rest of it was due, too.
        """
        now_s, ends_s = self._now_s(), self._block_ends_s
        if start_s is None or pacing is None or not pacing.is_schedule:
            return max(now_s, start_s or now_s) >= ends_s
        if start_s < ends_s and now_s >= ends_s + _LATEST_S:
            left = range(self._next_index, block.indexes.stop)
            self._next_index += bisect_left(
                left, ends_s, key=lambda index: self._start_s(block, pacing, index, 0, None)
            )
            return True
        return start_s >= ends_s

    def _await(self, block: Block, start_s: float) -> bool:
        """Wait for a request's start; whether it is still to be sent then."""
        if start_s <= self._now_s():
            return True
        self._clock.wait_until(start_s, self._given_up)
        if not (self._halted or block.arm in self._stopped):
            return True
        with self._lock:
            self._next_index -= 1
        return False

    def _note(self, worker: int, exchange: Exchange) -> None:
        with self._lock:
            if self._closed:
                return
            del self._under_way[worker]
            self._record(exchange)
            arm = exchange.arm
            if self._pacing:
                self._arm_ended_s[arm] = self._now_s()
            if exchange.outcome.failure is None:
                self._answered.add(arm)
            elif arm not in self._answered:
                self._note_failed_first(arm)

    def _note_failed_first(self, arm: str) -> None:
        """Stop an arm whose first exchanges have all failed: a black hole costs no more of them."""
        self._failed_first[arm] += 1
        if self._failed_first[arm] >= FAILURES_TO_STOP and not self._plan.experiment.keep_going:
            self._stopped.add(arm)
            self._given_up.set()

    def _halt(self) -> None:
        self._halted, self._block = True, None
        self._given_up.set()
        self._meeting.abort()

    def _interrupt(self) -> None:
        self._halt()
        self._ended.wait(_GRACE_S)
        with self._lock:
            self._closed = True
            failure = Failure(INTERRUPTED, "stopped by the user")
            for arm, index, number, began_s in self._under_way.values():
                latency_s = self._now_s() - began_s
                outcome = Outcome(began_s, latency_s, failure=failure)
                self._record(Exchange(arm, index, number, outcome))
