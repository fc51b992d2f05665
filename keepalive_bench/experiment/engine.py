"""The one loop: a schedule, and a transport for each arm, become exchanges."""

from __future__ import annotations

import threading
from math import inf
from typing import TYPE_CHECKING, Protocol

from keepalive_bench.model.exchange import Exchange, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keepalive_bench.experiment.schedule import Block
    from keepalive_bench.model.plan import Plan

FAILURES_TO_STOP = 5
INTERRUPTED = "interrupted"
_POLL_S = 0.2
_GRACE_S = 1.0


class Transport(Protocol):
    """One arm's way of making an exchange; a failure is an outcome, not an exception."""

    def exchange(self, path: str) -> Outcome:
        """Send one request and read its response to the end."""
        ...


class Engine:
    """Threads that work through a schedule, all on one arm at a time.

    The threads meet between blocks. They are not the main thread, so that Ctrl-C never falls into
    the middle of an exchange or of its record: it stops the claiming of further requests, those
    under way have a moment to end, and what has not ended by then is recorded as interrupted.
    """

    def __init__(
        self,
        plan: Plan,
        transports: Mapping[str, Transport],
        record: Callable[[Exchange], None],
        now_s: Callable[[], float],
    ) -> None:
        self._plan, self._transports, self._record, self._now_s = plan, transports, record, now_s
        self._lock = threading.Lock()
        self._meeting = threading.Barrier(plan.experiment.concurrency, action=self._advance)
        self._blocks: Iterable[Block] = iter(())
        self._block: Block | None = None
        self._next_index, self._block_ends_s = 0, inf
        self._reached, self._timed_arm = dict.fromkeys(transports, 0), ""
        self._halted = self._closed = False
        self._working, self._ended = plan.experiment.concurrency, threading.Event()
        self._under_way: dict[int, tuple[str, int, int, float]] = {}
        self._failed_first = dict.fromkeys(transports, 0)
        self._answered: set[str] = set()
        self._stopped: set[str] = set()
        self._error: BaseException | None = None

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
        meet()
        while (block := self._block) is not None:
            transport = self._transports[block.arm]
            while (index := self._claim(block)) is not None:
                under_way[worker] = (block.arm, index, block.round, now_s())
                outcome = transport.exchange(path(index))
                self._note(worker, Exchange(block.arm, index, block.round, outcome))
            meet()

    def _advance(self) -> None:
        """Go on to the next block of an arm that still runs; all threads wait meanwhile."""
        for block in self._blocks:
            if self._halted or len(self._stopped) == len(self._transports):
                break
            self._begin(block)
            if block.arm not in self._stopped:
                self._block, self._next_index = block, block.indexes.start
                return
        self._block = None

    def _begin(self, block: Block) -> None:
        """Note how far a block will come; one that may end early, as far as it is claimed."""
        if block.seconds is None:
            self._reached[block.arm] = block.indexes.stop
            return
        self._reached = self.reached
        self._timed_arm, self._next_index = block.arm, block.indexes.start
        self._block_ends_s = self._now_s() + block.seconds

    def _claim(self, block: Block) -> int | None:
        with self._lock:
            index = self._next_index
            if self._halted or index >= block.indexes.stop or block.arm in self._stopped:
                return None
            if block.seconds is not None and self._now_s() >= self._block_ends_s:
                return None
            self._next_index = index + 1
            return index

    def _note(self, worker: int, exchange: Exchange) -> None:
        with self._lock:
            if self._closed:
                return
            del self._under_way[worker]
            self._record(exchange)
            arm = exchange.arm
            if exchange.outcome.failure is None:
                self._answered.add(arm)
            elif arm not in self._answered:
                self._note_failed_first(arm)

    def _note_failed_first(self, arm: str) -> None:
        """Stop an arm whose first exchanges have all failed: a black hole costs no more of them."""
        self._failed_first[arm] += 1
        if self._failed_first[arm] >= FAILURES_TO_STOP and not self._plan.experiment.keep_going:
            self._stopped.add(arm)

    def _halt(self) -> None:
        self._halted, self._block = True, None
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
