"""How often do as many requests settle it as an inconclusive run asks for?

Runs are drawn until one is inconclusive, and then one of as many requests as that one asks for. How
many those are is told as a share of the first run's.
"""

from __future__ import annotations

import re
from functools import partial
from math import exp, sqrt
from typing import TYPE_CHECKING

from keepalive_bench import analyse
from worlds.drawn import in_pairs
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from random import Random

    from keepalive_bench import Run
    from keepalive_bench.analysis.verdict import Verdict
    from worlds.world import Counted

_FIRST = 20
"""Pairs of a first run."""
_NAMED = re.compile(r"About ([\d,]+) requests")


def settled(random: Random, *, slower: float, spread: float) -> Counted:
    """Whether a run of the requests that an inconclusive one asks for has an answer.

    `slower` is by how much unpooled requests are; `spread` the standard deviation of the logarithm
    of a pair's ratio.
    """
    found = _verdict(random, _FIRST, slower, spread)
    while found.code != "inconclusive":
        found = _verdict(random, _FIRST, slower, spread)
    named = _NAMED.search(found.text)
    if named is None:
        raise ValueError(f"it names no number: {found.text}")
    requests = int(named[1].replace(",", ""))
    again = _verdict(random, requests, slower, spread)
    return {"settled": again.code != "inconclusive", "requests that it asks for": requests / _FIRST}


def _verdict(random: Random, requests: int, slower: float, spread: float) -> Verdict:
    return analyse(_drawn(random, requests, slower, spread)).verdict


def _drawn(random: Random, requests: int, slower: float, spread: float) -> Run:
    """Lognormal latencies."""
    pooled, unpooled = (
        [level * exp(random.gauss(0, spread / sqrt(2))) for _ in range(requests)]
        for level in (0.01, 0.01 * (1 + slower))
    )
    return in_pairs(pooled, unpooled)


WORLDS = [
    World(
        f"{100 * slower:g} % slower, ratios vary by {100 * spread:g} %",
        partial(settled, slower=slower, spread=spread),
        runs,
        {"settled": Bounds(0.8)},
    )
    for spread, runs, differences in (
        (0.2, 400, (0.0, 0.025, 0.05)),
        (0.4, 150, (0.0, 0.025, 0.05, 0.2)),
    )
    for slower in differences
]
