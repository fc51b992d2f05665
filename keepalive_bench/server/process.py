"""A server as the main thing of a process: `kab serve`, and the child of a `ServerProcess`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.server.listener import Server
from keepalive_bench.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import TextIO

    from keepalive_bench.server.counts import Stats

# What is put in it ends the server. A SimpleQueue, because unlike an Event it may be put into
# by a signal handler that interrupts the very thread that waits.
_Reasons = SimpleQueue[str]

_TOLD_TO_STOP = "told to stop"
_PARENT_GONE = "parent gone"
_POLL_S = 0.2


def serve_forever(settings: ServerSettings, output: TextIO) -> Stats:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, in the main thread of a process.

    The address goes to `output` as soon as connections are accepted, the counts at the end.

    Raises:
        UsageError: The address can't be served, or the record can't be written.
    """
    reasons: _Reasons = SimpleQueue()
    with _ended_by(reasons, *ENDING_SIGNALS), Server(settings) as server:
        _say(output, f"Serving {server.url}")
        _wait_for(reasons)
        stats = server.stop()
    _say(output, str(stats))
    return stats


def serve_parent() -> None:
    """Serve as the child of a `ServerProcess`; every line in and out is JSON or one word.

    In: the settings, then ``stop``. The end of the input without it means that the parent has
    died, even of SIGKILL: then the child ends at once, with nobody to talk to.
    Out: ``{"url": …}`` or ``{"refused": …}``, and at the end the counts.
    """
    # A terminal's Ctrl-C, and its end, go to all processes at once; here the parent decides.
    for number in set(ENDING_SIGNALS) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    settings = ServerSettings.from_json(line)
    reasons: _Reasons = SimpleQueue()
    threading.Thread(target=_watch_parent, args=(reasons,), daemon=True).start()
    with _ended_by(reasons, signal.SIGTERM):
        try:
            server = Server(settings)
        except UsageError as error:
            _tell_parent({"refused": str(error)})
            return
        with server:
            _tell_parent({"url": server.url})
            reason = _wait_for(reasons)
            stats = server.stop()
        if reason == _TOLD_TO_STOP:
            _tell_parent(asdict(stats))


def _tell_parent(document: dict[str, Any]) -> None:
    # Not sys.stdout, which would complain at the end of what it can't write.
    with suppress(BrokenPipeError):  # it is gone, and reads nothing more
        os.write(sys.stdout.fileno(), f"{json.dumps(document)}\n".encode("ascii"))


@contextmanager
def _ended_by(reasons: _Reasons, *signals: signal.Signals) -> Iterator[None]:
    """Turn signals into reasons to end, and leave the handlers as they were found."""

    def put(number: int, frame: FrameType | None) -> None:
        del number, frame
        reasons.put(_TOLD_TO_STOP)

    # Shells start what is in the background with SIGINT ignored; nohup means what it does.
    ignored = {which for which in signals if signal.getsignal(which) is signal.SIG_IGN}
    heard = set(signals) - (ignored - {signal.SIGINT, signal.SIGTERM})
    before = {which: signal.signal(which, put) for which in heard}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _wait_for(reasons: _Reasons) -> str:
    """Wait for a reason to end.

    A signal that the system gives to another thread is handled by this one, once it is awake.
    """
    while True:
        with suppress(Empty):
            return reasons.get(timeout=_POLL_S)


def _watch_parent(reasons: _Reasons) -> None:
    # Not sys.stdin, whose lock a waiting thread would hold while the interpreter ends.
    reasons.put(_TOLD_TO_STOP if os.read(sys.stdin.fileno(), 1) else _PARENT_GONE)


def _say(output: TextIO, line: str) -> None:
    output.write(f"{line}\n")
    output.flush()


if __name__ == "__main__":
    serve_parent()
