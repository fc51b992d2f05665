"""How busy this machine's processors are, as Linux tells it; other systems tell nothing here."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle, and idle while waiting for a disk: proc_stat(5)
_OF_ITS_OWN = 8  # what comes after is guests' time, which is counted in user's already


class Reading(NamedTuple):
    """Processor time spent since some point in the past, in seconds of one processor."""

    total_s: float
    """By all processors, busy or not."""
    others_s: float
    """For other processes than this one, and for other guests of the same host."""


def read_processors(children: MutableMapping[int, int] | None = None) -> Reading | None:
    """How much was spent so far; `None` where the system doesn't tell.

    What these children took isn't others': ticks by process, which are brought up to date here. Of
    one that has ended, the last ones hold.
    """
    children = {} if children is None else children
    try:
        first, _, _ = _STAT.read_bytes().partition(b"\n")
        ticks = [int(word) for word in first.split()[1:]][:_OF_ITS_OWN]
        per_second = os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return None
    for child in children:
        with suppress(OSError, ValueError, IndexError):
            children[child] = _taken(child)
    own_s = time.process_time() + sum(children.values()) / per_second
    total, idle = sum(ticks), sum(ticks[_IDLE])
    return Reading(total / per_second, (total - idle) / per_second - own_s)


def _taken(process: int) -> int:
    """Ticks that a process took: its own and the system's for it, proc_pid_stat(5)."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    fields = text.rpartition(")")[2].split()  # its name, in parentheses, may have blanks
    return int(fields[11]) + int(fields[12])
