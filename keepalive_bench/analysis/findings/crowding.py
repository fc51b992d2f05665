"""How much of a latency under load is the client's own: its work, and answers in its queue."""

from __future__ import annotations

from array import array
from itertools import pairwise
from operator import add
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.analysis.rows import of_arm, pick

if TYPE_CHECKING:
    from keepalive_bench.model.run import Run

_CLOSE = 2.0
"""Answers no further apart than so many times what each takes the client came together."""
_WATCHING = 0.002
"""Of a processor: what the thread takes that watches a measurement (`experiment/observer.py`)."""
_LEAST = 20
"""Of fewer requests, threads that start are much of the processor time."""


def own_s(run: Run, arm: str) -> float:
    """What a typical request of an arm owes to kab itself, in seconds.

    Its share of the processor time; and, of answers that ended one right behind the other, how long
    after the first of them. Those may have arrived together, and one interpreter takes them one by
    one. A thread that looks now and then how long it waits doesn't see that: threads that were
    answered together ask together, and are answered together again.
    """
    exchanges, course = run.exchanges, run.course
    mask = of_arm(exchanges, arm)
    ends = array("d", map(add, pick(exchanges.began_s, mask), pick(exchanges.latency_s, mask)))
    if len(ends) < _LEAST:
        return 0.0
    work_s = max(0.0, course.cpu_s - _WATCHING * course.wall_s) / len(exchanges)
    first, waited = ends[0], array("d", [0.0])
    for before, end in pairwise(ends):
        if end - before > _CLOSE * work_s:
            first = end
        waited.append(max(0.0, end - first))
    return work_s + median(waited)
