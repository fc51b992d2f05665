"""What keeps a connection and what ends it: groups of connections, each opened to try something.

A name says what a connection was opened for, its group first: `http1.0: with keep-alive`. So a
record that is read back tells it without the plan.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from keepalive_bench.plan.probing import BEHAVIOUR_GROUPS
from keepalive_bench.probe.behaviours.handshakes import ALPN, RESUMPTION, TLS
from keepalive_bench.probe.behaviours.posts import POST
from keepalive_bench.probe.behaviours.requests import (
    ADDRESSES,
    HEAD,
    HTTP_1_0,
    PATHS,
    PIPELINING,
)

if TYPE_CHECKING:
    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.probed import Behaviour
    from keepalive_bench.probe.record import Seen

GROUPS = (HEAD, PATHS, HTTP_1_0, PIPELINING, ADDRESSES, TLS, RESUMPTION, ALPN, POST)
_BY_NAME = {it.name: it for it in GROUPS}

if [*_BY_NAME] != [it.name for it in BEHAVIOUR_GROUPS]:
    raise AssertionError("each group of behaviours needs what it opens, and nothing else does")


def lives_of(plan: ProbePlan) -> dict[str, tuple[Life, ...]]:
    """What each group that is asked for opens, in the order in which it is opened."""
    return {
        name: tuple(
            it._replace(part="behaviour", name=f"{name}: {it.name}")
            for it in _BY_NAME[name].opens(plan)
        )
        for name in plan.probing.behaviours
    }


def behaviours_of(groups: tuple[str, ...], seen: tuple[Seen, ...]) -> tuple[Behaviour, ...]:
    """What came of each group; nothing of what wasn't tried before the probe was stopped."""
    tried = [it for it in seen if it.part == "behaviour" and it.was_tried]
    found: list[Behaviour] = []
    for name in (it for it in groups if it in _BY_NAME):  # a file may say anything
        begins = f"{name}: "
        of_group = [it for it in tried if it.name.startswith(begins)]
        for whole, each in groupby(of_group, lambda it: it.name):
            found += _BY_NAME[name].told(whole.removeprefix(begins), [*each])
    return tuple(found)
