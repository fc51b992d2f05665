"""`kab` as its users start it, in a process of its own; and, where that is enough, in this one."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import struct
import subprocess
import sys
import termios
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING
from unittest.mock import patch

from support.patience import PATIENCE_S

from keepalive_bench.cli import main
from keepalive_bench.errors import ENDING_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TIMEOUT_S = PATIENCE_S
COMMAND = (sys.executable, "-m", "keepalive_bench")
_UNSET = {
    *("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("COLUMNS", "LINES", "PYTHONIOENCODING", "PYTHONUTF8"),
}
_READ_BYTES = 65536
_QUIET = {"KAB_RUN_QUIET": "1", "KAB_SWEEP_QUIET": "1"}
"""How far it is isn't told, but where a test is about that."""
PROGRESS = dict.fromkeys(_QUIET, "0")
"""Variables with which it is told."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def text(self) -> str:
        return self.out + self.err


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment, without what would change how the output looks."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {**kept, **_QUIET, "PYTHONUTF8": "1", **(extra or {})}


def kab(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
) -> Finished:
    """Run the real command to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        env=environment(env),
        cwd=cwd,
        check=False,
    )
    return Finished(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


def called(
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> Finished:
    """Call the command's main function in this process: quick, and the same but for the start.

    Args:
        arguments: after `kab`.
        stdin: what standard input holds.
        env: variables besides those that there are.
        encoding: of standard output and standard error.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    code: object = None
    handlers = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch.object(sys, "argv", ["kab", *arguments]),
        patch.dict(os.environ, {**_QUIET, **(env or {})}),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    for stream in (out, err):
        stream.flush()
    assert isinstance(code, int)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Finished(code=code, out=texts[0], err=texts[1])


@contextmanager
def in_the_foreground(*, with_nohup: bool = False) -> Iterator[None]:
    """Start processes as a terminal does, wherever the tests run.

    Shells and nohup ignore signals in what they start in the background; children inherit that.
    """
    before = {
        signal.SIGHUP: signal.signal(
            signal.SIGHUP, signal.SIG_IGN if with_nohup else signal.SIG_DFL
        ),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGQUIT: signal.signal(signal.SIGQUIT, signal.SIG_DFL),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def started(
    *arguments: str,
    stderr: int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    with_nohup: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """Start the real command; it is ended with the block, whatever happens."""
    with in_the_foreground(with_nohup=with_nohup):
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            env=environment(env),
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], already_read: str = "") -> Finished:
    """Wait for the end of a started command."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    return Finished(code=process.returncode, out=already_read + out, err=err or "")


def next_line(process: subprocess.Popen[str]) -> str:
    """The next line of a started command's output, and no more: `ended` doesn't see a buffer."""
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, "the command ended"
        line += byte
    return line.decode()


def on_terminal(
    *arguments: str, columns: int = 80, env: Mapping[str, str] | None = None
) -> Finished:
    """Run the real command with a terminal for its standard error."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    seen: list[bytes] = []
    reader = Thread(target=_read_to_end, args=(ours, seen), daemon=True)
    reader.start()
    try:
        with started(
            *arguments, stderr=theirs, env={**PROGRESS, "TERM": "xterm", **(env or {})}
        ) as process:
            os.close(theirs)
            done = ended(process)
        reader.join(TIMEOUT_S)
    finally:
        os.close(ours)
    return Finished(code=done.code, out=done.out, err=b"".join(seen).decode())


def _read_to_end(terminal: int, seen: list[bytes]) -> None:
    try:
        while part := os.read(terminal, _READ_BYTES):
            seen.append(part)
    except OSError:  # so Linux says that nobody writes to it any more
        pass
