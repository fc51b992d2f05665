"""The process that measures at a place, apart from the worker, whose own work would be measured.

``python -m keepalive_bench.places.on_dask.child FOLDER``, where it may lay down files.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from keepalive_bench.engine.benchmark import benchmark
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.processes.child import own_pipes
from keepalive_bench.engine.processes.messages import Channel, Word
from keepalive_bench.errors import KabError, limit_reached
from keepalive_bench.places.on_dask.files import laid_down
from keepalive_bench.places.on_dask.work import BEFORE_START, Progress, Result
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from keepalive_bench.places.on_dask.work import Work
    from keepalive_bench.results.exchange import Exchange

_EVERY_S = 0.5
"""How often to tell how far it is."""
_LEAVE_S = 2.0
"""How long it may take to end where nobody is left to tell."""


class _Stop:
    """An early end, as whoever directs wants it: a second time, at once."""

    def __init__(self) -> None:
        self.wanted, self.interrupts = threading.Event(), Interrupts()

    def listen(self, channel: Channel) -> None:
        """Hear what the worker says; where it is gone, nobody wants the result, and no request."""
        with suppress(EOFError):
            while channel.receive() is Word.HALT:
                self._note()
        self._note()
        self._note()
        time.sleep(_LEAVE_S)
        rmtree(_folder(), ignore_errors=True)
        os._exit(1)  # warm-ups can't be interrupted

    def _note(self) -> None:
        self.interrupts.note()
        self.wanted.set()


class _Teller:
    """Tells how far the run is, now and then."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._count, self._due_s = channel, 0, 0.0

    def note(self, exchange: Exchange) -> None:
        """One more has ended."""
        del exchange
        self._count += 1
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            with suppress(OSError):
                self._channel.send(Progress(self._count))


def main() -> None:
    """Measure, as the process at the other end of standard input and output says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever directs decides
    channel = Channel(*own_pipes())
    with suppress(EOFError, BrokenPipeError):
        work: Work = channel.receive()
        channel.send(_result(work, channel))
    channel.hang_up()


def _folder() -> Path:
    return Path(sys.argv[1])


def _result(work: Work, channel: Channel) -> Result:
    try:
        return _measured(work, channel)
    except KabError as error:
        return Result(None, str(error))
    except Exception as error:  # noqa: BLE001  # it is told, and has nobody else to raise it to
        why = limit_reached(error) or f"{type(error).__name__}: {error}"
        return Result(None, f"kab failed there: {why}.")


def _measured(work: Work, channel: Channel) -> Result:
    stop = _Stop()
    threading.Thread(target=stop.listen, args=(channel,), daemon=True).start()
    late_s = time.time() - work.start_s
    if late_s > work.most_wait_s:
        return Result(None, f"Its worker was busy: it could have begun {duration(late_s)} late.")
    with laid_down(work.plan, work.files, _folder()) as plan:
        if stop.wanted.wait(min(max(0.0, -late_s), work.most_wait_s)):
            return Result(None, BEFORE_START)
        late_s = max(0.0, time.time() - work.start_s)
        run = benchmark(plan, _Teller(channel).note, stop.interrupts)
    return Result(run._replace(plan=work.plan).packed(), late_s=late_s)


if __name__ == "__main__":
    main()
