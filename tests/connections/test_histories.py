"""Reasons of generated histories, held against the causes that the histories were made of.

`python -m support.histories`, with tests/ on the path, prints the table, and shows a single one.
"""

from __future__ import annotations

import sys
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import settings
from support.histories.causes import CAUSES, history_of
from support.histories.peers import IdleTimeout, Timer
from support.histories.score import all_judged, score, shares, table
from support.histories.wire import Path
from support.histories.world import World
from support.plans import plan

from keepalive_bench import Load, analyse, benchmark
from keepalive_bench.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench import Run

MOST_WRONG, MOST_UNKNOWN, LEAST_KNOWN = 0.001, 0.05, 0.6
"""Shares of connections, as means over causes: of all; of those of which the client can know why
they ended; and how many those are."""


def held(seeds: Sequence[int]) -> None:
    scores = [score(cause, seeds) for cause in CAUSES]
    found, shown = shares(scores), table(scores)
    assert found.wrong <= MOST_WRONG, shown
    assert found.unknown <= MOST_UNKNOWN, shown
    assert found.known >= LEAST_KNOWN, shown


def test_hardly_a_reason_is_wrong_or_unknown_that_the_client_can_know() -> None:
    held(range(15))


@pytest.mark.slow
def test_nor_is_one_in_many_histories() -> None:
    held(range(1_000, 1_030))


def test_what_a_far_end_did_the_proxy_did_where_requests_are_forwarded() -> None:
    elsewhere, named = {"idle-drop": "path", "asked-to-close": "client"}, set()
    for cause, seed in product(CAUSES, range(5)):
        history = history_of(cause, seed)
        far_end = "server" if history.run.plan.network.proxy is None else "proxy"
        for it in all_judged(history):
            if it.verdict == "right":
                assert it.said.who == elsewhere.get(it.said.code, far_end)
                named.add(it.said.who)
    assert named == {"server", "proxy", "path", "client"}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_history_is_one_that_a_run_could_have_made(cause: str) -> None:
    for seed in range(3):
        run, ended = history_of(cause, seed)
        experiment = run.plan.experiment
        for arm in analyse(run).arms:
            assert arm.succeeded + arm.failed == experiment.requests
        carried = run.connections.exchanges
        assert sum(carried) == sum(it.outcome.failure is None for it in run.exchanges)
        by_others = {"announced", "failed", "fin", "rst"}
        for row, connection in enumerate(run.connections):
            ending = connection.ending
            assert (row in ended) == (ending is not None and ending.kind in by_others)


TIMEOUT_S, SLACK_S = 0.25, 0.1
"""Of a server, and how much later a busy machine may do something."""
HZ = 250 if sys.platform == "linux" else None


@pytest.mark.slow
def test_a_world_plays_what_kab_records() -> None:
    # With this seed, no pause is so near to the timeout that the machine would decide.
    pauses = {"seed": 287, "requests": 8, "load": Load(think_s=(0.02, 0.5))}
    with ServerProcess(settings(idle_timeout_s=TIMEOUT_S)) as server:
        wanted = plan(server.url, warmup=0, **pauses)
        real = benchmark(wanted)
    random = Random(1)  # noqa: S311  # not for secrets
    path = Path(rtt_s=1e-4, service_s=2e-4, noise=0.3, stalls=0.0, hz=HZ)
    played = World(wanted, path, IdleTimeout(Timer(TIMEOUT_S), "fin", random), random).history().run
    assert [it[0] for it in noted(played)] == [it[0] for it in noted(real)]
    for here, there in zip(noted(played), noted(real), strict=True):
        assert here[1] == pytest.approx(there[1], abs=SLACK_S)


def noted(run: Run) -> list[tuple[Any, Any]]:
    """Of each connection: its place, what it carried and how it ended; and when that was."""
    return [
        ((it.arm, it.slot, it.exchanges, end and end.kind), (end or (None, None, None))[1:3])
        for it in run.connections
        for end in [it.ending]
    ]
