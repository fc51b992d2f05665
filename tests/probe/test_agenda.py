"""Which connections a probe opens, and when: rounds are planned from what was seen."""

from __future__ import annotations

from collections import Counter

import pytest
from support.probed_worlds import begun, probed
from support.scripted_probe import World

from keepalive_bench.plan.network import Network
from keepalive_bench.plan.plan import Target
from keepalive_bench.plan.probing import ProbePlan, Probing
from keepalive_bench.probe.agenda import age_lives, extent, ladder


def reuses(world: World, max_idle_s: float = 130.0) -> list[float]:
    """After which idle times connections of the rounds are used again."""
    return [it.asks[-1].idle_s for _, it in begun(world, max_idle_s) if it.part == "narrowed"]


def test_the_first_connection_is_alone_until_it_is_answered() -> None:
    answered_s = 5.0
    (first_s, first), *others = begun(World(latency_s=answered_s, timeouts_s=(3.0,)))
    assert (first_s, first.part) == (0.0, "watched")
    assert others
    assert all(at_s >= answered_s for at_s, _ in others)


def test_five_are_watched_and_each_rung_of_the_ladder_is_reused_once() -> None:
    lives = [it for _, it in begun(World())]
    assert Counter(it.part for it in lives) == {"watched": 5, "reused": len(ladder(130.0))}
    assert [it.asks[-1].idle_s for it in lives if it.part == "reused"] == [*ladder(130.0)]


def test_a_round_lies_between_the_last_that_was_answered_and_the_first_that_died() -> None:
    """Its last reuse repeats the death, which may have been chance."""
    first, second = reuses(World(forgets_s=50.0))[:6], reuses(World(forgets_s=50.0))[6:]
    assert 32 < min(first) < 50 < max(first) == 64
    assert max(it for it in first if it < 50) < min(second) < 50
    assert max(second) == min(it for it in first if it >= 50)


@pytest.mark.parametrize("round_trip_s", [0.001, 0.2])
def test_reuses_are_tried_up_to_shortly_before_a_close(round_trip_s: float) -> None:
    """A path that forgets after 7 s, before a server that closes after 7.8 s, is no rung's."""
    tried = reuses(World(timeouts_s=(7.8,), round_trip_s=round_trip_s))
    assert min(tried) > 4
    assert 7 < max(tried) < 7.8 - 2 * round_trip_s


def test_where_a_rung_is_close_before_the_close_no_more_are_tried() -> None:
    assert reuses(World(timeouts_s=(75.0,))) == []


@pytest.mark.parametrize("survived_s", [None, 9.0, 0.6, 0.05])
def test_connections_in_use_keep_different_rhythms_however_short_their_pauses_are(
    survived_s: float | None,
) -> None:
    """Otherwise a limit of requests would look like an age."""
    pauses = [it.asks[-1].idle_s for it in age_lives(300.0, survived_s)]
    assert len({round(it, 6) for it in pauses}) == 3
    assert max(pauses) == pytest.approx(min(300 / 13, survived_s or 300.0))


def test_a_scan_of_slow_responses_is_ended_in_time() -> None:
    found = probed(World(latency_s=9.0), 10.0, scan_requests=60).request_limit
    assert found is not None
    assert found.limit is None
    assert 0 < found.looked < 10


@pytest.mark.parametrize("max_idle_s", [0.1, 1.0, 10.0, 130.0, 350.0, 86_400.0])
def test_25_connections_and_60_requests_are_the_most_by_default(max_idle_s: float) -> None:
    plan = ProbePlan(Target("http://a.test/"), probing=Probing(max_idle_s=max_idle_s))
    parts = extent(plan).values()
    assert sum(it.connections for it in parts) <= 25
    assert sum(it.requests for it in parts) <= 60


def test_who_waits_longer_to_connect_is_told_of_a_longer_probe() -> None:
    def longest_s(network: Network) -> float:
        plan = ProbePlan(Target("http://a.test/"), network=network)
        return max(it.seconds for it in extent(plan).values())

    assert longest_s(Network(connect_timeout_s=90.0)) >= longest_s(Network()) + 60
