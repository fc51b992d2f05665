"""Which cores a benchmark's server and its client run on, where the system lets one choose."""

from __future__ import annotations

import os


def move_to_last_core() -> set[int]:
    """Go where the server is to be started; return the core that is left for the clients."""
    if not hasattr(os, "sched_getaffinity"):
        return set()
    *others, last = sorted(os.sched_getaffinity(0))
    if not others:
        return set()
    os.sched_setaffinity(0, {last})
    return {others[0]}


def move_to(cores: set[int]) -> None:
    """Go there; without a core of its own, say what that means."""
    if cores:
        os.sched_setaffinity(0, cores)
    else:
        print("Client and server share a core here: expect a wide spread.")
