"""Requests shared out among threads, as many programs do it: whoever is free takes the next."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def in_threads(threads: int, requests: int, work: Callable[[Iterator[int]], None]) -> None:
    """Call it in each thread with what is left of the numbers; of one thread, in this one."""
    numbers = iter(range(requests))
    if threads == 1:
        work(numbers)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, numbers) for _ in range(threads)]:
            done.result()
