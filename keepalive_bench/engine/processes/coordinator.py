"""Directs the processes of a run: each block's shares, and what comes of them."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import LOOKED_AT
from keepalive_bench.engine.engine import GRACE_S
from keepalive_bench.engine.interrupts import held_back
from keepalive_bench.engine.limits import naming_limits
from keepalive_bench.engine.pacing import RunClock
from keepalive_bench.engine.process_runner import RunCounters, new_tables
from keepalive_bench.engine.processes.messages import (
    Failed,
    Ready,
    Rows,
    Start,
    Task,
    Word,
    clear,
    put,
)
from keepalive_bench.engine.processes.worker import LOOK_S, Patience, Worker
from keepalive_bench.engine.schedule import NOT_SENT, BlockEnd
from keepalive_bench.errors import KabError
from keepalive_bench.results.measured import LostProcess
from keepalive_bench.results.table import NONE
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.engine.schedule import Block, Blocks
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.exchange import Exchange
    from keepalive_bench.results.measured import WarmUp

_POLL_S = 0.2
_ADVICE = "use fewer --processes"
_END_S = 2.0
"""How long the processes, which have nothing more to say, may take to end."""
_LEAD_S, _FIRST_LEAD_S = 0.002, 0.1
"""How far ahead a block's start is set, so that all processes, if not more of them than processors,
know of it in time."""


class Coordinator:
    """The processes of a run, as a context manager: they have warmed up when it is entered.

    `followed` gets what tells a precision of all exchanges, too, as they come in; in the end, it is
    empty.

    Raises:
        KabError: one of them can't be started, or none could warm up.
    """

    def __init__(
        self,
        plan: Plan,
        on_exchange: Callable[[Exchange], None] | None = None,
        followed: ExchangeColumns | None = None,
    ) -> None:
        self._plan, self._on_exchange, self._followed = plan, on_exchange, followed
        self.parts = [new_tables(plan) for _ in range(plan.experiment.processes)]
        self.counters: dict[int, RunCounters] = {}
        self.warmups: dict[int, dict[str, WarmUp]] = {}
        self.lost: list[LostProcess] = []
        self._inbox: SimpleQueue[tuple[int, object]] = SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._alive: set[int] = set()
        """Those that measure still."""
        self._owing: set[int] = set()
        """Those from which something is still to come: that they are ready, or done."""
        self._end = NOT_SENT
        self._halted, self._over = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._patience = Patience(plan.network.timeout_s + GRACE_S)
        self.wall_s = 0.0

    @property
    def reached(self) -> dict[str, int]:
        """How many requests of each arm were due, of processes that are lost as far as is known."""
        sent = [counters.reached for counters in self.counters.values()]
        sent += [lost.sent for lost in self.lost]
        labels = self._plan.experiment.labels
        return {label: sum(part[label] for part in sent) for label in labels}

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that measure."""
        return tuple(worker.pid for worker in self._workers.values())

    def __enter__(self) -> Self:
        """Start all of them, and wait until they have warmed up."""
        try:
            self._begin()
        except BaseException:
            for worker in self._workers.values():
                worker.kill()
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        for worker in self._workers.values():
            worker.hang_up()
        ends_s = time.monotonic() + _END_S
        for worker in self._workers.values():
            worker.end(max(0.0, ends_s - time.monotonic()))

    def _begin(self) -> None:
        task = Task(plan=self._plan, folder=Path.cwd())
        count = self._plan.experiment.processes
        for number in range(count):
            what = f"Process {number + 1} of {count} can't be started"
            with naming_limits(what, _ADVICE), held_back():  # no Ctrl-C until we know the process
                self._workers[number] = Worker(number, task, self._inbox)
            self._alive.add(number)
        self._wait_for(self._alive)
        if not self._alive:
            why = printable(self.lost[0].why).removesuffix(".")
            raise KabError(f"No process could begin to measure: {why}.")

    def run(self, blocks: Blocks, origin: int, interrupts: Interrupts) -> bool:
        """Work through the blocks; whether a signal ended that early, here or in a process.

        As in the engine, the main thread only waits.
        """
        self._tell_all(Start(origin))
        arguments = (blocks, origin, interrupts)
        directing = threading.Thread(target=self._direct, args=arguments, daemon=True)
        with naming_limits("The processes can't be directed", _ADVICE):
            directing.start()
        while not self._over.is_set():
            if interrupts.wait(_POLL_S):
                self._halt()
        if self._error is not None:
            raise self._error
        return interrupts.drain() or self._halted.is_set()

    def leads_s(self) -> Iterator[float]:
        """How far ahead the start of each block is set: in the first one, threads start, too."""
        contention = max(1.0, len(self._workers) / (os.cpu_count() or 1))
        return chain([_FIRST_LEAD_S], repeat(_LEAD_S * contention))

    def _direct(self, blocks: Blocks, origin: int, interrupts: Interrupts) -> None:
        try:
            end: BlockEnd | None = None
            with suppress(StopIteration):
                while not self._halted.is_set() and self._alive:
                    end = self._carry_out(blocks.send(end))
            self.wall_s = RunClock(origin).now_s()
            if self._followed is not None:  # nobody asks any more, and connections are to come
                clear(self._followed)
                self._followed = None
            self._tell_all(Word.END)
            self._wait_for(self._alive)
        except BaseException as error:  # noqa: BLE001  # a thread has nobody to raise it to
            self._error = error
        finally:
            self._over.set()
            interrupts.wake()

    def _carry_out(self, block: Block) -> BlockEnd:
        """Hand out a block's shares, and wait until they are done."""
        self._end = NOT_SENT
        for number in self._alive:
            self._workers[number].tell(block.share_of(number, len(self._workers)))
        self._wait_for(self._alive)
        return self._end

    def _halt(self) -> None:
        self._halted.set()
        self._tell_all(Word.HALT)

    def _tell_all(self, message: object) -> None:
        for worker in self._workers.values():
            worker.tell(message)

    def _wait_for(self, numbers: set[int]) -> None:
        """Take what comes in, until all of these have said that they are ready, done or through."""
        self._owing = set(numbers)
        while self._owing:
            with suppress(Empty):
                number, message = self._inbox.get(timeout=LOOK_S)
                self._patience.heard()
                self._take(number, message)
            self._give_up()

    def _give_up(self) -> None:
        """Give up those that owe something and will never say it."""
        halted = self._halted.is_set()
        given_up = self._patience.look(
            self._owing, lambda number: self._workers[number].stopped_by(), halted=halted
        )
        for number, why in given_up.items():
            self._workers[number].kill()
            self._take(number, Failed(why))

    def _take(self, number: int, message: object) -> None:
        """Keep what a process said; of one that is lost, nothing."""
        if number not in self._alive:
            return
        if isinstance(message, Rows):
            self._keep(number, message)
            return
        if isinstance(message, BlockEnd):
            self._end = self._end.merged(message)
        elif isinstance(message, Ready):
            self.warmups[number] = message.warmup
        elif isinstance(message, RunCounters):
            self.counters[number] = message
            self._alive.discard(number)
            if message.interrupted and not self._halted.is_set():  # by a signal of its own
                self._halt()
        elif isinstance(message, Failed):
            self._lose(number, message.why)
        self._owing.discard(number)

    def _keep(self, number: int, rows: Rows) -> None:
        part = self.parts[number]
        if not rows.of_exchanges:
            put(part.connections, rows)
            return
        before = len(part.exchanges)
        put(part.exchanges, rows)
        if self._followed is not None:
            put(self._followed, rows, LOOKED_AT)
            used, others = self._followed.connection, len(self.parts)
            for row in range(len(used) - len(part.exchanges) + before, len(used)):
                if used[row] != NONE:  # each process counts its own from 0
                    used[row] = used[row] * others + number
        if self._on_exchange is not None:
            for row in range(before, len(part.exchanges)):
                self._on_exchange(part.exchanges[row])

    def _lose(self, number: int, why: str) -> None:
        """Give up a process: without its connections, its exchanges can't be told."""
        self._alive.discard(number)
        exchanges = self.parts[number].exchanges
        sent = {label: len(exchanges.rows(label)) for label in exchanges.arms}
        self.lost.append(LostProcess(number, why, sent))
        self.parts[number] = new_tables(self._plan)
