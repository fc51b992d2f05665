"""A process that does a share of a run, seen from the one that directs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from keepalive_bench.experiment.processes.messages import Channel, Failed

if TYPE_CHECKING:
    from queue import SimpleQueue
    from typing import BinaryIO

    from keepalive_bench.experiment.processes.messages import Task

_END_S = 10.0


class Worker:
    """A running child process. What it says goes into `inbox`, with its number.

    The child is in a session of its own, where no Ctrl-C of this terminal reaches it, and ends by
    itself when this process does: it reads from a pipe that we hold.
    """

    def __init__(self, task: Task, inbox: SimpleQueue[tuple[int, object]]) -> None:
        self._number, self._inbox = task.process, inbox
        self._process = subprocess.Popen(  # noqa: S603 - our own program, and no user's words
            [sys.executable, "-m", __package__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # From there the child imports this very package, and no file of the user's.
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        self.pid = self._process.pid
        incoming = cast("BinaryIO", self._process.stdout)
        self._channel = Channel(incoming, cast("BinaryIO", self._process.stdin))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.tell(task)

    def tell(self, message: object) -> None:
        """Say something to it; if it is gone, `inbox` says so, too."""
        with suppress(OSError):
            self._channel.send(message)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, by force if it must be."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is self._process.stdout:
                self._wait()
                self._reader.join()
            if stream is not None:
                with suppress(OSError):  # what was still to be written has no reader
                    stream.close()

    def _wait(self) -> None:
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        with suppress(EOFError):
            while True:
                self._inbox.put((self._number, self._channel.receive()))
        self._wait()
        self._inbox.put((self._number, Failed(ending(self._process.returncode))))


def ending(code: int) -> str:
    """How a process ended, in words: `it was ended by SIGKILL`."""
    if code >= 0:
        return f"it ended by itself, with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}"
