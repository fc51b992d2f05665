"""What looks like a limit and is none: outages, chance, odd connections, restarts and ages."""

from __future__ import annotations

import pytest
from support.scripted_probe import ScriptedTransport, World

from keepalive_bench.plan.plan import Target
from keepalive_bench.plan.probing import ProbePlan, Probing, parse_balancer
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.probed import Probed  # noqa: TC001  # a fixture's type
from keepalive_bench.probe.prober import probe


def probed(world: World, probing: Probing | None = None) -> Probed:
    plan = ProbePlan(Target("http://a.test/"), probing=probing or Probing())
    return analyse(probe(plan, ScriptedTransport(world)))


def warnings(found: Probed) -> str:
    return " ".join(it.text for it in found.remarks if it.severity == "warning")


def test_an_outage_is_no_silent_drop() -> None:
    """New connections aren't answered either."""
    found = probed(World(down_from_s=20.0))
    assert found.silent_drop.died_s is None
    assert "the server or the path was down" in warnings(found)
    assert not found.is_complete


def test_one_reuse_that_is_lost_by_chance_is_no_silent_drop() -> None:
    found = probed(World(loses=frozenset({5})))
    assert found.silent_drop.died_s is None
    assert "that may be chance" in warnings(found)


def test_reuses_that_are_lost_at_random_are_no_matter_of_time() -> None:
    found = probed(World(slow=(0.01, 20.0, 0.01)))
    assert found.silent_drop.died_s is None
    assert not found.is_complete
    assert "none was closed or lost" not in found.sentence


@pytest.mark.parametrize("forgets_by", ["silence", "acknowledged", "rst", "fin"])
def test_where_no_reuse_is_answered_it_is_no_matter_of_idle_time(forgets_by: str) -> None:
    found = probed(World(forgets_s=0.0, forgets_by=forgets_by))  # type: ignore[arg-type]  # a word
    assert found.sentence.startswith("Answers no second request on a connection")
    assert found.silent_drop.died_s is None


def test_one_connection_that_is_kept_for_longer_changes_no_limit() -> None:
    found = probed(World(timeouts_s=(2.0,), odd_s={11: 4.5}))
    assert not found.idle_timeout.backends_differ
    assert found.sentence.startswith(
        "Keeps idle connections for 2.00 s, then FIN; one was kept for"
    )
    assert found.settings.idle_limit_s is not None
    assert 1.5 < found.settings.idle_limit_s < 2


def test_one_connection_that_ends_early_lowers_the_limit_below_its_end() -> None:
    found = probed(World(timeouts_s=(6.0,), odd_s={11: 1.5}))
    assert "; one ended after 1.50 s" in found.sentence
    assert found.settings.idle_limit_s is not None
    assert 1.2 < found.settings.idle_limit_s < 1.5


@pytest.mark.parametrize("age_s", [4.3, 30.0, 100.0])
def test_an_age_at_which_connections_end_is_no_idle_timeout(age_s: float) -> None:
    found = probed(World(ages_out_s=age_s))
    assert found.idle_timeout.together == "age"
    assert "that is a lifetime" in found.sentence
    assert found.settings.idle_limit_s is None
    assert found.consistent_with == ()


def test_an_age_that_one_of_three_reaches_by_chance_is_no_lifetime() -> None:
    probing = Probing(max_idle_s=5.0, max_age_s=20.0)
    found = probed(World(loses=frozenset({15, 16})), probing)
    assert found.lifetime is not None
    assert found.lifetime.least_s is None


def test_what_ends_after_as_many_requests_on_each_is_not_told_as_an_age() -> None:
    world = World(limit=10, timeouts_s=(3.0,))
    found = probed(world, Probing(max_idle_s=5.0, max_age_s=30.0)).lifetime
    assert found is not None
    assert (found.least_s, found.by_requests) == (None, 10)


def test_pauses_are_no_longer_than_what_connections_are_known_to_survive() -> None:
    """The idle timeout of 3.3 s lies beyond what was watched, and pauses would have met it."""
    world = World(timeouts_s=(3.3,))
    found = probed(world, Probing(max_idle_s=2.0, max_age_s=100.0)).lifetime
    assert found is not None
    assert found.least_s is None


def test_a_connection_that_ends_once_by_chance_has_met_no_limit_of_requests() -> None:
    found = probed(World(limit=30, announces=False), Probing(scan_requests=40)).request_limit
    assert found is not None
    assert found.limit is None
    assert found.ended is not None


@pytest.mark.parametrize(
    ("balancer", "safe"), [("X 2s", True), ("X 2.93s", None), ("X 2.96s", False)]
)
def test_a_balancer_is_safe_only_where_times_are_told_apart(
    balancer: str,
    safe: bool | None,  # noqa: FBT001  # what is expected
) -> None:
    world = World(timeouts_s=(3.0,), round_trip_s=0.05)
    found = probed(world, Probing(max_idle_s=5.0, behind=parse_balancer(balancer))).behind
    assert found is not None
    assert found.safe is safe
