"""A sweep's turns, held against what the server accepts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from typing import TYPE_CHECKING

import pytest
from support.plans import plan
from support.sweeps import sweep, swept

from keepalive_bench import Arm, analyse, benchmark
from keepalive_bench.engine.schedule import schedule
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.net.pools import HoldingPool
from keepalive_bench.plan.load import Load
from keepalive_bench.results.columns import ConnectionColumns
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from keepalive_bench import Run

SLOW = ServerSettings(behaviour=Behaviour(delay_s=0.1))
"""So slow that a burst's requests are all under way before the first is answered."""
QUICK = ServerSettings(behaviour=Behaviour(delay_s=0.003))


def connections(run: Run) -> dict[str, int]:
    return {arm.label: arm.connections for arm in analyse(run).arms}


def discarded(run: Run) -> dict[str, int]:
    found = analyse(run).sweep
    assert found is not None
    return {value.arm: value.discarded for value in found.values}


@pytest.mark.slow
def test_a_burst_throws_away_what_the_pool_has_no_place_for_each_time() -> None:
    with ServerProcess(SLOW) as server:
        run = sweep(server.url, 1, 3, 4, 8, concurrency=4, requests=4 * 5)
        accepted = server.stop().accepts
    assert connections(run) == {"1": 4 + 3 * 4, "3": 4 + 1 * 4, "4": 4, "8": 4}
    assert discarded(run) == {"1": 3 * 5, "3": 1 * 5, "4": 0, "8": 0}
    assert accepted == sum(connections(run).values())


def test_threads_that_never_pause_reuse_even_with_a_pool_of_one_though_values_take_turns() -> None:
    rounds = 10
    with ServerProcess(QUICK) as server:
        run = sweep(server.url, 1, 2, 4, traffic="steady", concurrency=4, requests=40 * rounds)
        accepted = server.stop().accepts
    opened = connections(run)
    assert accepted == sum(opened.values())
    assert opened["4"] == 4
    # If each turn threw away what is too many, it would be 3 a turn, and 2. Two threads that give
    # theirs back in the same moment may do so once in a while.
    assert 4 <= opened["1"] < 4 + rounds
    assert 4 <= opened["2"] < 4 + rounds


@pytest.mark.slow
def test_what_goes_stale_while_other_values_have_their_turn_is_caused_by_interleaving() -> None:
    """A lone burst after the other keeps both connections, with the same server."""
    settings = ServerSettings(behaviour=Behaviour(delay_s=0.2, idle_timeout_s=0.5))
    with ServerProcess(settings) as server:
        lone = {"arms": (Arm("pooled"),), "load": Load(traffic="bursts")}
        benchmark(plan(server.url, concurrency=2, requests=8, warmup=0, **lone))
        alone = server.stop().accepts
    assert alone == 2
    values = (2, 3, 4, 5, 6, 7)
    with ServerProcess(settings) as server:
        run = sweep(server.url, *values, concurrency=2, requests=8)
        accepted = server.stop().accepts
    stale = accepted - alone * len(values)
    assert stale > len(values)
    found = analyse(run).sweep
    assert found is not None
    code, value, _, text = found.recommendation
    assert (code, value) == ("keeps-all", 2)
    assert "discards no connection of 2 threads in bursts (" in text
    assert f" {stale} connections went stale only because the values took turns" in text


def test_a_thread_that_kab_makes_wait_has_its_connection_afterwards() -> None:
    with ServerProcess() as server:
        asked = plan(server.url, **swept(1, 2, traffic="steady", concurrency=2))
        shared, columns = arm_context(asked, "test", perf_counter_ns), ConnectionColumns(("1",))
        transport = open_arm(asked.experiment.arms[0], shared, columns)
        assert isinstance(transport.pools, HoldingPool)
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            for _ in range(3):
                for thread in (one, other):
                    assert thread.submit(transport.exchange, "/").result().failure is None
                    thread.submit(transport.pools.hold).result()
        transport.close()
        stats = server.stop()
    assert (stats.accepts, stats.requests) == (2, 6)
    assert [connection.ending for connection in columns] == [None, None]


def test_a_thread_that_finds_no_connection_before_its_wait_opens_one_after_it() -> None:
    with ServerProcess() as server:
        asked = plan(server.url, **swept(1, 2, traffic="steady", concurrency=2))
        shared, columns = arm_context(asked, "test", perf_counter_ns), ConnectionColumns(("1",))
        transport = open_arm(asked.experiment.arms[0], shared, columns)
        assert isinstance(transport.pools, HoldingPool)
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            one.submit(transport.exchange, "/").result()
            one.submit(transport.pools.hold).result()
            other.submit(transport.pools.hold).result()  # the other thread has taken the only one
            other.submit(transport.exchange, "/").result()
        transport.close()
        assert server.stop().accepts == 2


def test_a_pool_that_makes_threads_wait_never_opens_more_than_its_size() -> None:
    for traffic in ("bursts", "steady"):
        with ServerProcess(QUICK) as server:
            options = {"traffic": traffic, "concurrency": 4, "block": True, "requests": 80}
            run = sweep(server.url, 1, 4, **options)
            accepted = server.stop().accepts
        assert accepted == sum(connections(run).values()) <= 5
        assert connections(run)["1"] == 1


def test_each_concurrency_has_as_many_threads_and_places() -> None:
    with ServerProcess(SLOW) as server:
        run = sweep(server.url, 1, 2, 4, sweep="concurrency", concurrency=4, requests=8)
        accepted = server.stop().accepts
    assert connections(run) == {"1": 1, "2": 2, "4": 4}
    assert accepted == 7


def test_each_size_of_body_is_what_the_server_gets() -> None:
    with ServerProcess() as server:
        options = {"sweep": "data-size", "concurrency": 2, "requests": 4, "method": "POST"}
        run = sweep(server.url, 0, 70_000, body=b"", **options)
    assert all(exchange.outcome.status == 200 for exchange in run.exchanges)
    arm = run.plan.experiment.arms[1]
    assert len(run.plan.of_arm(arm).request.body or b"") == 70_000


@pytest.mark.parametrize("threads", [3, 8])
def test_every_concurrency_sends_as_many_requests(threads: int) -> None:
    options = swept(1, 2, threads, sweep="concurrency", concurrency=threads, requests=50)
    experiment = plan("http://127.0.0.1/", **options).experiment
    sent: dict[str, list[int]] = {label: [] for label in experiment.labels}
    for block in schedule(experiment):
        sent[block.arm] += block.indexes
    assert all(indexes == list(range(50)) for indexes in sent.values())
