"""What it takes to catch the processes of a run at some moment of it, and what they hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started whom")

PEAK_BYTES = """
def peak_bytes():
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""
"""Python for a process of its own: the most memory that it has held.

It isn't what `getrusage` says, which begins with what the process held that started it.
"""


def children(process: int) -> list[int]:
    """The processes that measure for another one, in the order of their numbers."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == process and b"keepalive_bench.engine.processes.child" in command:
            found.append((int(command[-2]), int(status.parent.name)))
    return [pid for _, pid in sorted(found)]


def peak_bytes(process: int) -> int:
    """The most memory that a process has held; 0 of one that has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return sum(1024 * int(it.split()[1]) for it in status.splitlines() if it.startswith("VmHWM"))
