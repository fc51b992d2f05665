"""The one loop: a schedule, and a transport for each arm, become exchanges."""

from __future__ import annotations

import threading
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

from keepalive_bench.engine.dispatcher import Dispatcher
from keepalive_bench.engine.limits import naming_limits
from keepalive_bench.net.failures import failure_of
from keepalive_bench.results.exchange import INTERRUPTED, Exchange, Failure, Outcome
from keepalive_bench.results.failure_kinds import PORTS_EXHAUSTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keepalive_bench.engine.dispatcher import Claim
    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.engine.pacing import Clock, Pacing
    from keepalive_bench.engine.schedule import Blocks
    from keepalive_bench.plan.plan import Plan

FAILURES_TO_STOP = 5
_POLL_S = 0.2
GRACE_S = 1.0


class Transport(Protocol):
    """One arm's way of making an exchange; a failure is an outcome, not an exception."""

    def exchange(self, path: str) -> Outcome:
        """Send one request and read its response to the end."""
        ...


class Between(NamedTuple):
    """What is done between the turns of arms, by arm."""

    rests: Mapping[str, Callable[[], None]] = {}
    """What its threads do before they wait for the others' turns."""
    closes: Mapping[str, Callable[[], None]] = {}
    """What ends an arm that has no further turn, before another begins."""


class Engine:
    """Threads that work through a schedule, all on one arm at a time.

    The threads meet between blocks. They are not the main thread, so that Ctrl-C never falls into
    the middle of an exchange or of its record: it stops the claiming of further requests, those
    under way have a moment to end, and what has not ended by then is recorded as interrupted.
    Without `pacing`, they send as soon as they can; with one, blocks have to be `timed`. `rests`
    has, by arm, what its threads do before they wait for the other arms' turns; `closes`, what is
    done once an arm has no further turn, before the next begins. Of several processes, `process`
    says which this one is.
    """

    def __init__(
        self,
        plan: Plan,
        transports: Mapping[str, Transport],
        record: Callable[[Exchange], None],
        clock: Clock,
        pacing: Pacing | None = None,
        between: Between = Between(),  # noqa: B008  # it has no state
        process: int = 0,
    ) -> None:
        experiment = plan.experiment
        self._plan, self._transports, self._record, self._clock = plan, transports, record, clock
        self._pacing, self._now_s, self._path = pacing, clock.now_s, plan.paths()
        self._threads = {arm.label: experiment.threads_of(arm) for arm in experiment.arms}
        first_worker = process * experiment.concurrency
        self._dispatcher = Dispatcher(self._threads, pacing, clock.now_s, first_worker)
        self._lock = threading.Lock()
        self._meeting = threading.Barrier(experiment.concurrency, action=self._advance)
        self._blocks: Blocks
        self._halted = self._closed = False
        self._given_up, self._interrupted = threading.Event(), threading.Event()
        self._hurry, self._over = threading.Event(), threading.Event()
        self._working = experiment.concurrency
        self._under_way: dict[int, tuple[str, int, int, float]] = {}
        self._failed_since: dict[str, int] = {}
        """By arm, how many exchanges in a row failed, up to the last one."""
        self._answered: set[str] = set()
        self._error: BaseException | None = None
        self._lacking: Failure | None = None
        self._rests = between.rests
        self._closes: dict[str | None, Callable[[], None]] = dict(between.closes.items())

    @property
    def reached(self) -> dict[str, int]:
        """How many requests of each arm were due before time, or a rule, ended the run."""
        return self._dispatcher.reached

    def run(self, blocks: Blocks, interrupts: Interrupts) -> bool:
        """Work through the blocks; whether Ctrl-C, or a lack of memory, ended that early.

        Raises:
            KabError: the system's limits don't allow so many threads.
            BaseException: what a transport or the record raised, which none should.
        """
        self._blocks = blocks
        threads = [threading.Thread(target=self._close, args=(interrupts,), daemon=True)]
        threads += [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(self._plan.experiment.concurrency)
        ]
        with naming_limits("The threads of the run can't be started", "lower --concurrency"):
            self._start(threads)
        while not self._over.is_set():
            if interrupts.wait(_POLL_S):
                (self._hurry if self._halted else self._interrupted).set()
                self._halted = True
        self._halted |= interrupts.drain()  # Ctrl-C at the very end is one like any other
        if self._error is not None:
            raise self._error
        return self._halted

    def _start(self, threads: Iterable[threading.Thread]) -> None:
        """Start all of them; where one can't be, none works: they haven't met yet."""
        try:
            for thread in threads:
                thread.start()
        except BaseException:
            self._halt()
            self._interrupted.set()
            raise

    def _work(self, worker: int) -> None:
        try:
            self._work_through(worker)
        except threading.BrokenBarrierError:
            pass
        except MemoryError as error:  # what has been measured may still fit
            self._lacking = failure_of(error, "idle")
            self._halt()
        except BaseException as error:  # noqa: BLE001  # a thread has nobody to raise it to
            self._error = error
            self._halt()
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:  # there is nothing to interrupt, or to wait for, any more
                    self._hurry.set()
                    self._interrupted.set()

    def _work_through(self, worker: int) -> None:
        # One thread has nobody to meet, and a barrier would cost it a microsecond a pair.
        meet = self._advance if self._meeting.parties == 1 else self._meeting.wait
        path, now_s, under_way = self._path, self._now_s, self._under_way
        pacing = self._pacing
        scheduled = pacing is not None and pacing.is_schedule
        own_s: dict[str, float] = {}
        meet()
        while (block := self._dispatcher.block) is not None:
            arm, transport = block.arm, self._transports[block.arm]
            takes_part = worker < self._threads[arm]
            while takes_part and (claimed := self._claim(worker, own_s.get(arm, -inf))) is not None:
                index, start_s = claimed
                if start_s is not None and not self._has_waited(arm, start_s):
                    break
                began_s = start_s if scheduled and start_s is not None else now_s()
                under_way[worker] = (arm, index, block.round, began_s)
                outcome = transport.exchange(path(index))
                if pacing is not None:
                    own_s[arm] = now_s()
                    outcome = outcome.since(began_s) if scheduled else outcome
                self._note(worker, Exchange(arm, index, block.round, outcome))
                if block.in_bursts:
                    break
            if takes_part and arm in self._rests:
                self._rests[arm]()
            meet()

    def _advance(self) -> None:
        """Go on to the next block of an arm that still runs; all wait."""
        dispatcher = self._dispatcher
        if self._given_up.is_set() and not self._halted:
            self._given_up.clear()
            if self._halted:  # just now
                self._given_up.set()
        before = dispatcher.block.arm if dispatcher.block else None
        end = dispatcher.leave()
        while not self._halted and not dispatcher.is_over:
            try:
                block = self._blocks.send(end)
            except StopIteration:
                return
            if block.arm != before and (close := self._closes.pop(before, None)) is not None:
                close()
            if block.arm not in dispatcher.stopped:
                dispatcher.begin(block)
                return
            end = None

    def _claim(self, worker: int, own_s: float) -> Claim | None:
        with self._lock:
            return None if self._halted else self._dispatcher.claim(worker, own_s)

    def _has_waited(self, arm: str, start_s: float) -> bool:
        """Wait for a request's start; whether it is still to be sent then, or was given back."""
        if start_s <= self._now_s():
            return True
        self._clock.wait_until(start_s, self._given_up)
        with self._lock:
            is_over = self._halted or arm in self._dispatcher.stopped
            if is_over:
                self._dispatcher.give_back()
        return not is_over

    def _note(self, worker: int, exchange: Exchange) -> None:
        with self._lock:
            if self._closed:
                return
            under_way = self._under_way.pop(worker)
            try:
                self._record(exchange)
            except MemoryError:
                self._under_way[worker] = under_way
                raise
            arm, failure = exchange.arm, exchange.outcome.failure
            self._dispatcher.ended(worker, arm, exchange.index)
            if failure is None:
                self._answered.add(arm)
                self._failed_since.pop(arm, None)
            else:
                self._note_failure(arm, failure)

    def _note_failure(self, arm: str, failure: Failure) -> None:
        """Stop an arm whose first exchanges have all failed: a black hole costs no more of them.

        When local ports have run out, all are stopped: what the others would go on to measure has
        nothing to be compared with.
        """
        self._failed_since[arm] = failed = self._failed_since.get(arm, 0) + 1
        if failed < FAILURES_TO_STOP or self._plan.experiment.keep_going:
            return
        if failure.kind == PORTS_EXHAUSTED.code:
            self._dispatcher.stopped.update(self._threads)
        elif arm not in self._answered:
            self._dispatcher.stopped.add(arm)
        else:
            return
        self._given_up.set()

    def _halt(self) -> None:
        self._halted = True
        self._given_up.set()
        self._meeting.abort()

    def _close(self, interrupts: Interrupts) -> None:
        """Close the record when all have worked, or a moment after Ctrl-C; a second one hurries it.

        On a thread of its own, so that the main one can note the second.
        """
        self._interrupted.wait()
        if self._working:
            self._halt()
            self._hurry.wait(GRACE_S)
        try:
            with self._lock:
                self._closed = True
                failure = self._lacking or Failure(INTERRUPTED, "the run was stopped")
                for arm, index, number, began_s in self._under_way.values():
                    outcome = Outcome(began_s, self._now_s() - began_s, failure=failure)
                    self._record(Exchange(arm, index, number, outcome))
        except BaseException as error:  # noqa: BLE001  # a thread has nobody to raise it to
            self._error = error
        finally:
            self._over.set()
            interrupts.wake()
