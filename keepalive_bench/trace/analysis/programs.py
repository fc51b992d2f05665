"""Which processes there were: those that recorded, and those that are known and didn't."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from keepalive_bench.trace.usage import Untraced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.trace.recording import Child, Process, Recording

_WHY = {
    (False, False): "not Python",
    (False, True): "not Python, and what it starts can't be traced either",
    (True, False): "left no records",
    (True, True): "started without the tracer (-I, -E, -S, or an environment that lacks it)",
}
"""By whether a process is Python, and whether it was started so that no tracer gets in."""
_SHUT_OUT = "forked where no more records could be made (as another user, say)"


def programs(recording: Recording) -> Iterator[Process]:
    """Processes that recorded, but for forks that were another program at once."""
    started: dict[str, set[int]] = {
        it.key: {child.pid for child in it.children} for it in recording.processes
    }
    for it in recording.processes:
        others = started[it.key] | started.get(it.forked_from or "", set())
        if it.forked_from is None or it.pid not in others or _did_anything(it):
            yield it


def _did_anything(process: Process) -> bool:
    if process.lost or process.errors:
        return True
    return any(True for _ in process.connections()) or any(True for _ in process.exchanges())


def untraced(recording: Recording) -> Iterator[Untraced]:
    """Children that are known and left no records, each process once."""
    children: dict[int, list[Child]] = defaultdict(list)
    for child in (child for it in recording.processes for child in it.children):
        children[child.pid].append(child)
    begun: dict[int, list[float]] = defaultdict(list)
    for it in recording.processes:
        if it.forked_from is None:
            begun[it.pid].append(it.started_s)
    for pid, programs_of in children.items():
        why = _why(sorted(programs_of, key=lambda it: it.started_s), begun[pid])
        if why is not None:
            yield Untraced(pid, why)


def _why(started: list[Child], begun: list[float]) -> str | None:
    """Why one program at least that a process was, one after the other, left no records."""
    found = None
    for child, following in zip(started, [*started[1:], None], strict=True):
        until_s = inf if following is None else following.started_s
        if not any(child.started_s <= it < until_s for it in begun):
            why = _WHY[child.is_python, child.is_closed_to_tracers]
            found = _SHUT_OUT if child.is_shut_out else why
    return found
