"""Ctrl-C and its kind while there is something to lose: noted, and never raised in between."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import ENDING_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_END, _LOOK = "end", "look"


@contextmanager
def held_back() -> Iterator[None]:
    """Keep the ending signals waiting; in a process that is started meanwhile, for good."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Interrupts:
    """From when it takes over until it gives back, a signal is noted that would raise.

    That is KeyboardInterrupt, and in the main thread only: elsewhere no signal raises anything, and
    it does nothing. What is noted goes through a SimpleQueue, because unlike an Event it may be put
    into by a signal handler that interrupts the very thread that waits.

    A program's own handlers are called first, and may do without a KeyboardInterrupt; unless they
    are `overruled`.
    """

    def __init__(self, *, overruled: bool = False) -> None:
        self._overruled = overruled
        self._words: SimpleQueue[str] = SimpleQueue()
        self._before: dict[signal.Signals, Callable[..., Any]] = {}

    def take_over(self) -> None:
        """Take the place of the handlers."""
        if threading.current_thread() is not threading.main_thread() or self._before:
            return
        for number in ENDING_SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._before[number] = handler
                signal.signal(number, self._handle)

    def give_back(self) -> None:
        """Give them their place back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        try:
            if not self._overruled:
                self._before[signal.Signals(number)](number, frame)
                return
        except KeyboardInterrupt:
            pass
        self.note()

    def note(self) -> None:
        """Somebody wants an end."""
        self._words.put(_END)

    def wake(self) -> None:
        """Let whoever waits look for something else."""
        self._words.put(_LOOK)

    def drain(self) -> bool:
        """Look at all that nobody has waited for; whether somebody wanted an end."""
        wanted = False
        while not self._words.empty():
            wanted |= self.wait(0.0)
        return wanted

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether somebody wants an end."""
        try:
            return self._words.get(timeout=seconds) == _END
        except Empty:
            return False
