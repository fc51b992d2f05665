"""A process that does a share of a run, seen from the one that directs it and waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from keepalive_bench.engine.processes.messages import Channel, Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from queue import SimpleQueue
    from typing import BinaryIO

    from keepalive_bench.engine.processes.messages import Task

_END_S = 10.0
"""How long a process may take to end once it has closed its output."""
_KILLED_S = 1.0
"""How long a killed one may: SIGKILL waits for what the kernel does, such as on a dead disk."""

LOOK_S = 0.5
"""How often to look at the processes that are waited for."""
_MOST_S = 2 * LOOK_S
"""What counts of the time between two looks. Longer means that whoever looks was stopped itself, or
the machine slept: that is no evidence against the others."""
_SILENCE_S = 10.0
"""How long all processes may say nothing after they were told to stop."""


class Worker:
    """A running child process. What it says goes into `inbox`, with its number.

    The child is in a session of its own, where no Ctrl-C of this terminal reaches it, and ends by
    itself when this process does: it reads from a pipe that we hold. It expects to be started while
    the ending signals are held back, so that none can end it before it listens for them.

    Raises:
        OSError: the system starts no process.
        RuntimeError: it starts no thread.
    """

    def __init__(self, number: int, task: Task, inbox: SimpleQueue[tuple[int, object]]) -> None:
        self._number, self._task, self._inbox = number, task, inbox
        self._process = subprocess.Popen(  # noqa: S603 - our own program, and no user's words
            [sys.executable, "-m", f"{__package__}.child", str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # From there the child imports this very package, and no file of the user's.
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        self.pid = self._process.pid
        incoming = cast("BinaryIO", self._process.stdout)
        self._channel = Channel(incoming, cast("BinaryIO", self._process.stdin))
        self._reader = threading.Thread(target=self._converse, daemon=True)
        try:
            self._reader.start()
        except RuntimeError:
            with self._process:
                self._process.kill()
            raise

    def tell(self, message: object) -> None:
        """Say something to it; if it is gone, `inbox` says so, too."""
        with suppress(OSError):
            self._channel.send(message)

    def stopped_by(self) -> signal.Signals | None:
        """The signal that has stopped it (SIGSTOP and its kin); `None`: it isn't stopped.

        On macOS, Python can't tell before 3.13.
        """
        if not hasattr(os, "waitid"):
            return None
        try:
            # It stays to be waited for, by whoever asks next and by `Popen`.
            state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # it has ended
            return None
        return None if state is None else signal.Signals(state.si_status)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()

    def hang_up(self) -> None:
        """Let it end."""
        self._channel.hang_up()

    def end(self, seconds: float) -> None:
        """Wait so long for its end, and end it by force then."""
        self._wait(seconds)
        self._reader.join(_KILLED_S)
        if not self._reader.is_alive():
            cast("BinaryIO", self._process.stdout).close()

    def _wait(self, seconds: float) -> int | None:
        """Its exit code; `None`: not even force has ended it."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_KILLED_S)
        return None

    def _converse(self) -> None:
        # A task may be larger than a pipe, and its reader may be stopped: nobody else waits for it.
        with suppress(OSError):
            self._channel.send(self._task)
        with suppress(EOFError):
            while True:
                self._inbox.put((self._number, self._channel.receive()))
        self._inbox.put((self._number, Failed(ending(self._wait(_END_S)))))


def ending(code: int | None) -> str:
    """How a process ended, in words: `it was ended by SIGKILL`."""
    if code is None:
        return "it said nothing more, and SIGKILL didn't end it"
    if code >= 0:
        return f"it ended by itself, with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}"


class Patience:
    """Decides which processes to give up, from looks at them now and then."""

    def __init__(self, stopped_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`stopped_s` is how long a process may be stopped (as by SIGSTOP)."""
        self._limit_s, self._clock_s = stopped_s, clock_s
        self._looked_s = clock_s()
        self._stopped_s: dict[int, float] = {}
        self._silent_s = 0.0

    def heard(self) -> None:
        """Some process has said something."""
        self._silent_s = 0.0

    def look(
        self,
        owing: Iterable[int],
        stopped_by: Callable[[int], signal.Signals | None],
        *,
        halted: bool,
    ) -> dict[int, str]:
        """Which of those that owe something to give up, and why; it is soon enough to ask often.

        A process that is stopped may be continued. One that only says nothing may have nothing to
        say, until all were told to stop (`halted`).
        """
        passed_s = self._clock_s() - self._looked_s
        if passed_s < LOOK_S:
            return {}
        self._looked_s += passed_s
        passed_s = min(passed_s, _MOST_S)
        self._silent_s = self._silent_s + passed_s if halted else 0.0
        signals = {number: by for number in owing if (by := stopped_by(number)) is not None}
        before = self._stopped_s
        self._stopped_s = {
            number: before[number] + passed_s if number in before else 0.0 for number in signals
        }
        reasons = {number: self._reason(number, signals.get(number)) for number in owing}
        return {number: reason for number, reason in reasons.items() if reason is not None}

    def _reason(self, number: int, by: signal.Signals | None) -> str | None:
        """Why to give up a process, which a signal has stopped or none; `None`: go on waiting."""
        if by is not None and (stopped_s := self._stopped_s[number]) > self._limit_s:
            how = f"it was stopped ({by.name}) for {stopped_s:.1f} s"
            return f"{how}, longer than the timeout and grace"
        if self._silent_s >= _SILENCE_S:
            stopped = "" if by is None else f", because it was stopped ({by.name})"
            return f"it said nothing for {self._silent_s:.0f} s after it was told to stop{stopped}"
        return None
