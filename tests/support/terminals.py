"""A terminal, whose keys are pressed by a test, and a process in it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"
_READ_BYTES = 65536


class Typist:
    """Whoever sits at a terminal: presses keys, and reads what appears."""

    def __init__(self, terminal: int, pid: int) -> None:
        self._terminal = terminal
        self.pid = pid
        """Of the process that leads the terminal's session."""
        self.seen = ""
        """All that has appeared."""
        self._read = 0

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def awaits(self, text: str) -> str:
        """Wait until a text appears after what was awaited last; what is up to its end."""
        deadline = time.monotonic() + PATIENCE_S
        while (at := self.seen.find(text, self._read)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} isn't in {self.seen[self._read :]!r}"
            if select.select([self._terminal], [], [], left)[0]:
                assert self._take(), f"it ended, and {text!r} isn't in {self.seen!r}"
        before, self._read = self._read, at + len(text)
        return self.seen[before : self._read]

    def resizes(self, columns: int) -> None:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def hangs_up(self) -> None:
        """Close the terminal."""
        os.close(self._terminal)
        self._terminal = -1

    def ended(self) -> int:
        """Wait for the end of the process; its exit code, or the signal's number, negative."""
        while self._terminal >= 0 and self._take():
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def leaves(self) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._terminal >= 0:
            os.close(self._terminal)

    def _take(self) -> bool:
        """Read what there is; whether there may be more."""
        try:
            part = os.read(self._terminal, _READ_BYTES)
        except OSError:  # so Linux says that nobody writes to it any more
            return False
        self.seen += part.decode(errors="replace")
        return bool(part)


@contextmanager
def at_terminal(*words: str, env: Mapping[str, str]) -> Iterator[Typist]:
    """Run a command as the leader of a session in a terminal of its own."""
    pid, terminal = pty.fork()
    if not pid:
        try:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(words[0], words, env)  # noqa: S606  # as it is meant
        finally:
            os._exit(127)
    typist = Typist(terminal, pid)
    try:
        typist.resizes(120)
        yield typist
    finally:
        typist.leaves()
