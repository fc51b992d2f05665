"""How a measurement goes: what it takes, what else the machine does, and who waits."""

from __future__ import annotations

import gc
import os
import time
from array import array
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.engine.limits import naming_limits

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping

_OFTEN_S, _SELDOM_S = 0.05, 0.25
_PARTS = 3
_LEAST_SAMPLES = 5
_LEAST_PART = 2
"""Periods between readings that a part of the run has to have: half a second."""
_IDLE_SAMPLES, _IDLE_S = 5, 0.002
_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle, and idle while waiting for a disk: proc_stat(5)
_OF_ITS_OWN = 8  # what comes after is guests' time, which is counted in user's already


class SystemMonitor:
    """Watches while it is entered, which takes 0.1 % of one processor, with several threads 0.2 %.

    With several threads, they wait for one another in one interpreter. So this one sleeps for
    50 ms again and again, and notes how much later than asked for it gets the interpreter: a
    request's thread waits as long each time that it has waited for the network. What a sleep
    takes longer in an interpreter without other threads is measured at birth, and taken off.
    """

    def __init__(self, concurrency: int, children: Collection[int] = ()) -> None:
        """`children` are other processes that measure, by their numbers."""
        self._several, self._children = concurrency > 1, dict.fromkeys(children, 0)
        self._done = Event()
        self._samples, self._late_s = 0, 0.0
        self.cpu_s = 0.0
        """Processor time that this process took meanwhile."""
        self.gc_collections = 0
        """Garbage collections meanwhile."""
        # Flat, so that no garbage collection falls into the measurement for them.
        self._total, self._others = array("d"), array("d")
        samples = _IDLE_SAMPLES if self._several else 0
        self._idle_s = median([self._lateness(_IDLE_S) for _ in range(samples)] or [0.0])
        self._thread = Thread(target=self._watch, name="kab-system_monitor", daemon=True)

    def __enter__(self) -> None:
        """Begin to watch."""
        self.cpu_s, self.gc_collections = -time.process_time(), -_collections()
        self._note_processors()
        if self._several or self._total:
            with naming_limits("The run can't be observed", "use fewer --processes or threads"):
                self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._note_processors()
        self.cpu_s += time.process_time()
        self.gc_collections += _collections()

    @property
    def gil_wait_s(self) -> float | None:
        """How much later than in an idle interpreter a thread gets it, on average.

        `None` of one request at a time, and of runs that were too short to tell.
        """
        if self._samples < _LEAST_SAMPLES:
            return None
        return max(0.0, self._late_s / self._samples - self._idle_s)

    @property
    def others(self) -> tuple[float, float] | None:
        """The share of all processors that other processes took, in the calmest and busiest third.

        Of short runs, both are that of the whole; `None` where that is too short too.
        """
        periods = len(self._total) - 1
        if periods < _LEAST_PART:
            return None
        parts = _PARTS if periods >= _PARTS * _LEAST_PART else 1
        edges = [number * periods // parts for number in range(parts + 1)]
        shares = [self._share(before, after) for before, after in pairwise(edges)]
        return min(shares), max(shares)

    def _share(self, before: int, after: int) -> float:
        """What went to others between two readings; their clocks tick too coarsely for 0 and 1."""
        total = self._total[after] - self._total[before]
        others = self._others[after] - self._others[before]
        return min(max(others / total, 0.0), 1.0) if total > 0 else 0.0

    def _watch(self) -> None:
        period = _OFTEN_S if self._several else _SELDOM_S
        every = round(_SELDOM_S / period)
        number = 0
        while not self._done.is_set():
            late_s = self._lateness(period)
            if self._done.is_set():  # it was woken early
                break
            number += 1
            if self._several:
                self._samples, self._late_s = number, self._late_s + late_s
            if number % every == 0:
                self._note_processors()

    def _lateness(self, period: float) -> float:
        began = time.perf_counter()
        self._done.wait(period)
        return time.perf_counter() - began - period

    def _note_processors(self) -> None:
        reading = read_processors(self._children)
        if reading is not None:
            self._total.append(reading.total_s)
            self._others.append(reading.others_s)


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


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
