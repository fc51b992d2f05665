"""What is run on a worker: the task that measures, and what stops it."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, cast

from distributed import Worker, get_worker

import keepalive_bench
from keepalive_bench.engine.processes.messages import Channel, Word
from keepalive_bench.engine.processes.worker import ending
from keepalive_bench.places.on_dask.work import Progress, Result, Secret, Work, longest_s
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from typing_extensions import Self

_LOOK_S = 0.5
STARTING_S = 10.0
"""How much longer than its run the process that measures may live: it has to start, and to tell."""
STOPPING_S = 10.0
"""How long it may take to end, once it was told to."""
_GOODBYE_S = 1.0
"""How long it may take to end once it has told its result."""
_SOON_S = 0.05
_ENDED = {"closing", "closed", "failed"}
"""As Dask calls how a worker is that has lost its scheduler, or is sent away."""
TOPIC = "kab"
"""What tasks are called by; they log under it how far they are: Dask forgets no such topic."""
_UNWANTED = "Nobody wanted it any more."


class _Measurement:
    """A process that measures; as a context manager, it has ended when it is left."""

    def __init__(self, work: Work, folder: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own program, and no user's words
            [sys.executable, "-m", f"{__package__}.child", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # From there the child imports this very package, and no file of the user's.
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        incoming = cast("BinaryIO", self._process.stdout)
        self._channel = Channel(incoming, cast("BinaryIO", self._process.stdin))
        self._inbox: SimpleQueue[Progress | Result] = SimpleQueue()
        self._work, self._is_stopped, self._is_over = work, False, False
        self._until_s = time.monotonic() + work.most_wait_s + longest_s(work.plan) + STARTING_S
        self._reader = threading.Thread(target=self._converse, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_over:  # it ends by itself
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GOODBYE_S)
        self._process.kill()
        self._process.wait()
        self._channel.hang_up()
        self._reader.join()
        cast("BinaryIO", self._process.stdout).close()

    def stop(self) -> None:
        """Have it end early, and tell what it has."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._until_s = min(self._until_s, time.monotonic() + STOPPING_S)
        # Whoever stops it mustn't wait for a process that is stopped itself.
        threading.Thread(target=self._halt, daemon=True).start()

    def _halt(self) -> None:
        with suppress(OSError, ValueError):  # it has ended by itself
            self._channel.send(Word.HALT)

    def next(self) -> Progress | Result | None:
        """What it says next; `None`: nothing for a while."""
        with suppress(Empty):
            said = self._inbox.get(timeout=_LOOK_S)
            self._is_over = isinstance(said, Result)
            return said
        if time.monotonic() < self._until_s:
            return None
        if self._is_stopped:
            return Result(None, f"It didn't end within {duration(STOPPING_S)} of being stopped.")
        return Result(None, "It took longer than a run can, and was ended.")

    def _converse(self) -> None:
        with suppress(OSError, ValueError):
            self._channel.send(self._work)
        with suppress(EOFError):
            while True:
                self._inbox.put(self._channel.receive())
        why = ending(self._process.wait())
        self._inbox.put(Result(None, f"The process that measured said nothing: {why}."))


_RUNNING: dict[str, _Measurement] = {}
"""What measures in this process of a worker's, by the run that it belongs to."""


def measure(secret: Secret[Work]) -> Result:
    """Measure at this worker's place.

    It raises nothing: a worker logs what a task was given that does.
    """
    try:
        return _measured(secret.value, get_worker())
    except Exception as error:  # noqa: BLE001  # see above
        return Result(None, f"kab failed there: {type(error).__name__}: {error}.")


def _measured(work: Work, worker: Worker) -> Result:
    if worker.id != work.worker:
        return Result(None, "Another worker has taken over its address.")
    with (
        TemporaryDirectory(prefix="kab-", ignore_cleanup_errors=True) as folder,
        _Measurement(work, folder) as measurement,
    ):
        _RUNNING[work.token] = measurement
        worker.log_event(TOPIC, [work.token, work.number, 0])  # it has begun
        try:
            while not isinstance(said := measurement.next(), Result):
                if not _is_wanted(worker, work):
                    return Result(None, _UNWANTED)
                if said is not None:
                    worker.log_event(TOPIC, [work.token, work.number, said.exchanges])
            return said
        finally:
            del _RUNNING[work.token]


def _is_wanted(worker: Worker, work: Work) -> bool:
    """Whether whoever asked for it is still there: else the scheduler gives the task up."""
    if worker.status.name in _ENDED:
        return False
    task = worker.state.tasks.get(key_of(work.token, work.number))
    return task is not None and task.state == "executing"


def key_of(token: str, number: int) -> str:
    """What Dask calls the task of a place."""
    return f"{TOPIC}-{token}-{number}"


async def stop(token: str) -> None:
    """Have what measures in this process end early, though it be only about to begin."""
    for _ in range(round(STOPPING_S / _SOON_S)):
        if token in _RUNNING:
            break
        await asyncio.sleep(_SOON_S)
    measurement = _RUNNING.get(token)
    if measurement is not None:
        measurement.stop()


def _digest() -> str:
    found = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        found.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


_PACKAGE = Path(keepalive_bench.__file__).parent
_CODE = _digest()


def code() -> str:
    """A digest of kab as this process has loaded it: equal versions may have other code."""
    return _CODE


def identity(dask_worker: Worker) -> str:
    """Which worker this is: one that takes over its address is another."""
    return dask_worker.id
