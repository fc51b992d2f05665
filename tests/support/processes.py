"""What it takes to catch the processes of a run at some moment of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started whom")


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
