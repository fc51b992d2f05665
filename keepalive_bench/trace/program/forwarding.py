"""Whoever signals kab means its program: all signals are passed on, each once.

What a terminal or `kill %1` sends to the whole process group has reached the program already. No
signal tells which way it came, so a `Witness` in the same group is asked whether it got it, too.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


def signals(*names: str) -> frozenset[signal.Signals]:
    """Those that the system has: Windows, where a folder of records may be read, lacks most."""
    return frozenset(getattr(signal, it) for it in names if hasattr(signal, it))


ALL_SIGNALS = frozenset(signal.valid_signals()) - signals("SIGKILL", "SIGSTOP")
"""All that can be blocked."""
STOPPING = signals("SIGTSTP", "SIGTTIN", "SIGTTOU")
"""What stops a process, unless it says otherwise."""
_ANSWER_BYTES = 16
_ASKED = b"?"
_FIRST_PROCESS = 1


class Witness:
    """A process of the same group that sleeps, and is asked which signals have come to it.

    It is made with all signals blocked, before the program, and ends with kab, however that ends.
    Where no process can be made, it has seen nothing.
    """

    def __init__(self) -> None:
        self._seen = 0
        """As bits: what it has seen of what kab has still to take."""
        asked, self._ask = os.pipe()
        self._answers, told = os.pipe()
        self._pid = 0
        with suppress(OSError):
            self._pid = os.fork() or _testify(asked, told, (self._ask, self._answers))
        os.close(asked)
        os.close(told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._ask)
        os.close(self._answers)
        if self._pid:
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)

    def has_seen(self, number: int) -> bool:
        """Whether a signal that kab has just taken came to the witness, too."""
        try:
            os.write(self._ask, _ASKED)
            self._seen |= int.from_bytes(os.read(self._answers, _ANSWER_BYTES), "little")
        except OSError:  # somebody killed it
            return False
        found = bool(self._seen >> number & 1)
        self._seen &= _as_bits(signal.sigpending())
        return found


def _testify(asked: int, told: int, others: tuple[int, int]) -> NoReturn:
    try:
        for it in others:
            os.close(it)
        while os.read(asked, 1):
            seen = signal.sigpending()
            for number in seen:
                signal.sigwait({number})
            os.write(told, _as_bits(seen).to_bytes(_ANSWER_BYTES, "little"))
    finally:
        os._exit(0)


def _as_bits(numbers: set[signal.Signals]) -> int:
    return sum(1 << number for number in numbers)


def await_end(pid: int, witness: Witness) -> int:
    """Pass on signals to a program until it ends, and stop when it stops; all are blocked.

    Returns:
        Its exit code, or the number of the signal that ended it, negative.
    """
    whose = -1 if os.getpid() == _FIRST_PROCESS else pid  # the first one has orphans
    while True:
        found, status = os.waitpid(whose, os.WNOHANG | os.WUNTRACED)
        if found == pid and not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        if found == pid:
            _stop(os.WSTOPSIG(status))
        elif not found:
            _pass_on_the_next(pid, witness)


def _pass_on_the_next(pid: int, witness: Witness) -> None:
    info = signal.sigwaitinfo(ALL_SIGNALS)
    number = info.si_signo
    if number == signal.SIGCHLD or info.si_pid == os.getpid() or witness.has_seen(number):
        return
    with suppress(OSError):  # it may be another user's by now
        os.kill(pid, number)


def _stop(number: int) -> None:
    """Stop as the program has, so that a shell that looks after kab learns of it."""
    try:
        parent = os.getppid()
        is_job = os.getpgid(parent) != os.getpgrp() and os.getsid(parent) == os.getsid(0)
    except OSError:
        is_job = False
    if not is_job:  # nobody would have it go on
        return
    if number not in STOPPING or signal.getsignal(number) is signal.SIG_IGN:
        number = signal.SIGSTOP
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
