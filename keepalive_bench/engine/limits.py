"""The system's limits: whether they allow a run, and what is said where one is reached."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.errors import KabError, UsageError, limit_reached
from keepalive_bench.units import printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.plan import Experiment, Plan

_OWN_THREADS, _OWN_DESCRIPTORS = 2, 8
"""What kab needs for itself while it measures."""
_EXCHANGE_BYTES = 75
"""What is kept of one at least: connections, and the analysis, come on top."""
_CONTAINERS_MEMORY = Path("/sys/fs/cgroup/memory.max")
_OPEN = (Path("/proc/self/fd"), Path("/dev/fd"))
"""Where systems list a process's open files, for itself."""


@contextmanager
def naming_limits(what: str, advice: str) -> Iterator[None]:
    """Explain what can't be done where a limit is reached, or the system refuses it otherwise.

    Raises:
        KabError: it can't be done.
    """
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        limit = limit_reached(error)
        if limit is not None:
            raise KabError(f"{what}, because {limit}: {advice}, or raise the limit.") from error
        if not isinstance(error, OSError):
            raise
        raise KabError(f"{what}: {printable(str(error))}.") from error


def check_limits(plan: Plan) -> None:
    """Refuse a run that needs more threads or open files than one process may have.

    Raises:
        UsageError: it does, with which limit that is.
    """
    _check_memory(plan.experiment)
    _check_descriptors(plan)
    if plan.experiment.concurrency > 1:
        _check_threads(plan.experiment)


def _check_memory(experiment: Experiment) -> None:
    needed = _EXCHANGE_BYTES * experiment.requests * len(experiment.arms) // experiment.processes
    free = None if experiment.may_end_early else _free_memory()
    if free is not None and needed > free:
        raise UsageError(
            f"--requests {experiment.requests} needs more than {size(needed)} of memory, and "
            f"{size(free)} is still free (ulimit -v, a container's memory limit): send fewer, "
            "or raise the limit."
        )


def _free_memory() -> int | None:
    """Bytes that this process may still have, at most; `None`: nothing limits it, or tells."""
    free = []
    try:
        in_all, resident = map(int, Path("/proc/self/statm").read_text("ascii").split()[:2])
        page = os.sysconf("SC_PAGE_SIZE")
        limit = _soft_limit("RLIMIT_AS")
        if limit is not None:
            free.append(limit - in_all * page)
        allowed = _CONTAINERS_MEMORY.read_text("ascii").strip()
        if allowed.isdigit():
            free.append(int(allowed) - resident * page)
    except OSError:
        pass
    return max(0, min(free)) if free else None


def _check_descriptors(plan: Plan) -> None:
    needed, limit, taken = _descriptors(plan), _soft_limit("RLIMIT_NOFILE"), _open_descriptors()
    if limit is None or taken is None:
        return
    free = max(0, limit - taken - _OWN_DESCRIPTORS)
    if needed > free:
        raise UsageError(
            f"--concurrency {plan.experiment.concurrency} needs up to {needed:,} sockets at once, "
            f"but ulimit -n {limit} leaves room for {free:,}: lower --concurrency"
            f"{', name fewer values' if plan.experiment.sweep else ''}, or raise the limit."
        )


def _descriptors(plan: Plan) -> int:
    """Files that are open at once at most: while one arm runs, other pools keep connections."""
    experiment = plan.experiment
    at_once = {arm: min(experiment.threads_of(arm), experiment.requests) for arm in experiment.arms}
    kept = {
        arm: 0 if arm.is_single_use else min(experiment.pool_size_of(arm), at_once[arm])
        for arm in experiment.arms
    }
    uploads = max(at_once.values()) if plan.request.upload is not None else 0
    return uploads + max(sum(kept.values()) - kept[arm] + at_once[arm] for arm in experiment.arms)


def _soft_limit(name: str) -> int | None:
    """One of the limits that `ulimit` shows; `None`: there is none."""
    try:
        import resource  # noqa: PLC0415  # Windows has none
    except ImportError:
        return None
    limit = resource.getrlimit(getattr(resource, name))[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _open_descriptors() -> int | None:
    for place in _OPEN:
        with suppress(OSError):
            return sum(1 for _ in place.iterdir()) - 1  # the list itself is open while it is made
    return None


def _check_threads(experiment: Experiment) -> None:
    """Start as many as the run will need, and let them end: limits of memory count, too."""
    enough = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(experiment.concurrency + _OWN_THREADS):
            thread = threading.Thread(target=enough.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError) as error:
        possible = max(0, len(started) - _OWN_THREADS)
        raise UsageError(
            f"--concurrency {experiment.concurrency} needs as many threads, but only "
            f"{possible:,} can be started: {limit_reached(error)}. Lower --concurrency, or raise "
            "the limit."
        ) from None
    finally:
        enough.set()
        for thread in started:
            thread.join()
