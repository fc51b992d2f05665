"""When a server has done what it does after an answer, with no guess at how long it takes."""

from __future__ import annotations

import time
from pathlib import Path

from support.patience import PATIENCE_S

TIMEOUT_S = PATIENCE_S
_LOOK_AGAIN_S = 0.0005
_CONNECTIONS = Path("/proc/net/tcp")
_ESTABLISHED, _NOTHING = "01", ":00000000"
_BEHIND_S = 0.3
"""By which a client that was held up may note the end of a response too late."""
_GUESS_S = 0.03
"""Where the system doesn't tell what threads do."""
_LONG_GUESS_S = 1.0
"""Where it doesn't tell of connections."""


def until_still(pid: int) -> None:
    """Wait until all threads of a process sleep at once, be it for the network or for a time.

    Each thread is looked at twice. One that slept both times, and was put to sleep no further
    time between, slept all the while; so all of them did between the first look at the last of
    them and the second look at the first.
    """
    if not Path("/proc/self/task").exists():
        time.sleep(_GUESS_S)
        return
    deadline = time.monotonic() + TIMEOUT_S
    before, now = None, _sleeping(pid)
    while now is None or now != before:
        assert time.monotonic() < deadline, f"process {pid} never rests"
        time.sleep(_LOOK_AGAIN_S)
        before, now = now, _sleeping(pid)


def until_heard(port: int) -> None:
    """Wait until a server has ended each idle connection of ours to a port, or said something."""
    if not _CONNECTIONS.exists():
        time.sleep(_LONG_GUESS_S)
        return
    deadline = time.monotonic() + TIMEOUT_S
    while _is_quiet(port):
        assert time.monotonic() < deadline, f"nothing comes from port {port}"
        time.sleep(_LOOK_AGAIN_S)
    time.sleep(_BEHIND_S)  # so that its idle time, as it has it, is longer than the server's


def _is_quiet(port: int) -> bool:
    rows = [line.split() for line in _CONNECTIONS.read_text().splitlines()[1:]]
    return any(
        state == _ESTABLISHED and remote.endswith(f":{port:04X}") and queues.endswith(_NOTHING)
        for _, _, remote, state, queues, *_ in rows
    )


def _sleeping(pid: int) -> dict[str, str] | None:
    """How often each thread was put to sleep; nothing while one of them runs, or ends."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            lines = (task / "status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return None
        told = dict(line.split(":\t", 1) for line in lines)
        if not told["State"].startswith("S"):
            return None
        found[task.name] = told["voluntary_ctxt_switches"]
    return found
