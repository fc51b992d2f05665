"""How much of a latency under load is the client's own: its work, and answers in its queue."""

from __future__ import annotations

from itertools import compress, repeat
from operator import sub
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.results.masks import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

_CLOSE = 2.0
"""Answers no further apart than so many times what each takes the client came together."""
_NEVER_IDLE = 0.9
"""Of a processor: an interpreter that is so busy has hardly a moment for the next request."""
_WATCHING = 0.002
"""Of a processor: what the thread takes that watches a measurement (`engine/system_monitor.py`)."""
_LEAST = 20
"""Of fewer requests, threads that start are much of the processor time."""


def own_s(run: Run, view: ArmView) -> float:
    """What a typical request of an arm owes to kab itself, in seconds; never more than it took.

    Its share of the processor time; and, of answers that ended one right behind the other, how long
    after the first of them. Those may have arrived together, and one interpreter takes them one by
    one. A thread that looks now and then how long it waits doesn't see that: threads that were
    answered together ask together, and are answered together again. None waited longer than it took
    longer than the quickest, which found the interpreter idle. One that never is idle decides all
    latencies: threads × work (J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations
    Research 9, 1961), however quick the server is.
    """
    exchanges, run_info, experiment = run.exchanges, run.run_info, run.plan.experiment
    answered, latencies = view.succeeded, view.latencies
    if len(latencies) < _LEAST:
        return 0.0
    work_s = max(0.0, run_info.cpu_s - _WATCHING * run_info.wall_s) / len(exchanges)
    if run_info.cpu_s >= _NEVER_IDLE * run_info.wall_s * experiment.processes:
        return float(median(latencies))
    quickest_s = min(latencies)
    works_s: Iterable[float] = repeat(work_s)
    if experiment.load.is_open or experiment.load.has_pauses:
        # Looking at the clock for a start takes time of the processor, and is in no latency.
        outside_s = map(sub, latencies, pick(exchanges.phases["wait"], answered))
        works_s = map(min, works_s, outside_s)
    own: float = median(
        min(own_s + min(waited_s, latency_s - quickest_s), latency_s)
        for own_s, waited_s, latency_s in zip(
            works_s, _waited(run, answered, work_s), latencies, strict=False
        )
    )
    return own


def _waited(run: Run, mask: bytes, work_s: float) -> Iterator[float]:
    """How long after the first of a row of close answers each one ended.

    A row is of one interpreter, and of one block: before a block, all threads have waited.
    """
    exchanges, processes = run.exchanges, run.plan.experiment.processes
    rows: dict[int, tuple[int, float, float]] = {}
    for index, number, began_s, latency_s in zip(
        compress(exchanges.index, mask),
        compress(exchanges.round, mask),
        compress(exchanges.began_s, mask),
        compress(exchanges.latency_s, mask),
        strict=True,
    ):
        end, process = began_s + latency_s, index % processes
        block, first, before = rows.get(process, (-1, end, end))
        if block != number or end - before > _CLOSE * work_s:
            first = end
        rows[process] = number, first, end
        yield max(0.0, end - first)
