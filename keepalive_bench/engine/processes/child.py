"""One of several processes of a run: it does its share of each block, and reports.

``python -m keepalive_bench.engine.processes.child``
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.process_runner import ProcessRunner, new_tables
from keepalive_bench.engine.processes.messages import (
    Channel,
    Failed,
    Ready,
    Sender,
    Start,
    Task,
    Word,
)
from keepalive_bench.engine.schedule import NOT_SENT, Block
from keepalive_bench.errors import ENDING_SIGNALS, KabError, limit_reached

if TYPE_CHECKING:
    from typing import BinaryIO

    from keepalive_bench.engine.schedule import Blocks
    from keepalive_bench.results.exchange import Exchange

_ROWS_AT_ONCE = 500
"""Exchanges in a message: it fits into a pipe, so that sending it doesn't wait for the reader."""
_CONNECTIONS_AT_ONCE = 10_000

_Orders = SimpleQueue["Block | Start | Word"]


def main() -> None:
    """Take part in a run, as the process at the other end of standard input and output says.

    The argument is which of its processes this is, from 0.
    The end of the input means that it has died, even of SIGKILL: then this one ends at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever directs decides
    channel = Channel(*own_pipes())
    with suppress(EOFError, BrokenPipeError):
        task: Task = channel.receive()
        try:
            os.chdir(task.folder)
            _take_part(task, int(sys.argv[1]), channel)
        except KabError as error:
            channel.send(Failed(str(error)))
        except Exception as error:  # noqa: BLE001  # it is told, and has nobody else to raise it to
            why = limit_reached(error) or f"{type(error).__name__}: {error}"
            channel.send(Failed(why))
    channel.hang_up()


def own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for ourselves alone; whoever else prints, prints to nobody."""
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    return pipes


def _take_part(task: Task, process: int, channel: Channel) -> None:
    process_runner = ProcessRunner(task.plan, time.perf_counter_ns, process)
    orders, stop = _Orders(), _Stop()
    threading.Thread(target=_listen, args=(channel, orders, stop), daemon=True).start()
    if hasattr(signal, "sigwait"):  # Windows has no such signals
        threading.Thread(target=_heed_signals, args=(stop,), daemon=True).start()
    channel.send(Ready(process_runner.warm_up(stop.wanted)))
    start = orders.get()
    if not isinstance(start, Start):
        return
    exchanges, connections = new_tables(task.plan)
    sender = Sender(exchanges, channel.send, _ROWS_AT_ONCE, of_exchanges=True)

    def record(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if len(exchanges) >= _ROWS_AT_ONCE:
            sender.send()

    blocks = _blocks(orders, channel, sender)
    counters = process_runner.measure(start.origin, blocks, record, connections, stop.interrupts)
    sender.send()
    Sender(connections, channel.send, _CONNECTIONS_AT_ONCE, of_exchanges=False).send()
    channel.send(counters)


class _Stop:
    """An early end, as the coordinator wants it, or whoever sends a signal to this very process.

    The coordinator's second word shortens the moment that requests under way have. A signal may
    have gone to all processes, so it counts as the same one as the coordinator's first word.
    """

    def __init__(self) -> None:
        self.wanted, self.interrupts = threading.Event(), Interrupts()
        self._was_told = False

    def told(self) -> None:
        """The coordinator wants it."""
        if self._was_told or not self.wanted.is_set():
            self.interrupts.note()
        self._was_told = True
        self.wanted.set()

    def signalled(self) -> None:
        """A signal came."""
        if not self.wanted.is_set():
            self.interrupts.note()
        self.wanted.set()


def _heed_signals(stop: _Stop) -> None:
    """Stop at the first ending signal that isn't ignored, as SIGHUP is under nohup.

    All are blocked since the birth of this process, so none interrupts anything.
    """
    signal.sigwait({it for it in ENDING_SIGNALS if signal.getsignal(it) is not signal.SIG_IGN})
    stop.signalled()


def _listen(channel: Channel, orders: _Orders, stop: _Stop) -> None:
    """Pass orders on; one to halt at once, too, and the end of whoever gives them."""
    order: Block | Start | Word | None = None
    is_there = True
    while is_there and order is not Word.END:
        try:
            order = channel.receive()
        except EOFError:
            order, is_there = Word.HALT, False
        if order is Word.HALT:
            stop.told()
        orders.put(order)


def _blocks(orders: _Orders, channel: Channel, sender: Sender) -> Blocks:
    """The blocks that are ordered; when the next one is asked for, all threads have met."""
    while isinstance(block := orders.get(), Block):
        end = yield block
        sender.send()
        channel.send(end or NOT_SENT)


if __name__ == "__main__":
    main()
