"""Probes of worlds whose limits are known, in virtual time: what is found, and what is sent."""

from __future__ import annotations

from random import Random

import pytest
from support.probed_worlds import is_exact, probed
from support.scripted_probe import World

from keepalive_bench.probe.agenda import ladder

DRAWN = [Random(number).uniform(0.3, 129.0) for number in range(60)]  # noqa: S311  # no secrets


@pytest.mark.parametrize("timeout_s", [*DRAWN, 1.0, 2.0, 4.0, 64.0, 129.9])
@pytest.mark.parametrize("race_by", ["fin", "rst"])
@pytest.mark.parametrize("round_trip_s", [0.0002, 0.1, 0.4])
def test_an_idle_timeout_is_found_and_no_drop_is_made_up(
    timeout_s: float, race_by: str, round_trip_s: float
) -> None:
    """A rung of the ladder may meet the close itself."""
    world = World(timeouts_s=(timeout_s,), race_by=race_by, round_trip_s=round_trip_s)  # type: ignore[arg-type]  # a word
    found = probed(world)
    assert is_exact(found.idle_timeout.median_s, timeout_s)
    assert found.silent_drop.died_s is None, found.sentence
    assert not found.idle_timeout.backends_differ


@pytest.mark.parametrize("forgets_s", [1.5, 3.9, 6.0, 20.0, 59.0, 61.0, 100.0, 119.0, 129.0])
@pytest.mark.parametrize("forgets_by", ["silence", "acknowledged", "rst", "fin"])
@pytest.mark.parametrize("timeouts_s", [(), (125.0,)])
def test_a_path_that_forgets_is_found_to_a_twentieth(
    forgets_s: float, forgets_by: str, timeouts_s: tuple[float, ...]
) -> None:
    world = World(forgets_s=forgets_s, forgets_by=forgets_by, timeouts_s=timeouts_s)  # type: ignore[arg-type]  # a word
    found = probed(world)
    drop = found.silent_drop
    if timeouts_s and forgets_s > max(timeouts_s):
        assert drop.died_s is None
        assert drop.answered_s < forgets_s
        return
    assert drop.died_s is not None, found.sentence
    assert drop.answered_s <= forgets_s <= drop.died_s
    assert drop.died_s - drop.answered_s <= 0.05 * drop.died_s
    if timeouts_s:
        assert is_exact(found.idle_timeout.median_s, timeouts_s[0])


@pytest.mark.parametrize("forgets_s", [340.0, 349.0, 200.0, 70.0])
def test_a_balancer_that_forgets_after_350_s_is_found_where_that_is_looked_for(
    forgets_s: float,
) -> None:
    drop = probed(World(forgets_s=forgets_s), 350.0).silent_drop
    assert drop.died_s is not None
    assert drop.answered_s <= forgets_s <= drop.died_s
    assert drop.died_s - drop.answered_s <= 0.05 * drop.died_s


def test_what_was_not_looked_for_is_not_denied() -> None:
    found = probed(World(forgets_s=350.0))
    assert found.sentence.startswith("Keeps idle connections for 130 s and longer")
    assert found.silent_drop.answered_s == pytest.approx(130.0)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("race_by", ["fin", "rst"])
def test_a_coarse_timer_is_neither_a_drop_nor_several_backends(seed: int, race_by: str) -> None:
    world = World(
        timeouts_s=(1.0,),
        coarse_s=1.0,
        seed=seed,
        race_by=race_by,  # type: ignore[arg-type]  # a word
        round_trip_s=0.1,
    )
    found = probed(world)
    assert found.silent_drop.died_s is None, found.sentence
    assert found.idle_timeout.least_s is not None
    assert 1.0 <= found.idle_timeout.least_s <= 2.0


def test_backends_with_other_timeouts_are_told_apart() -> None:
    found = probed(World(timeouts_s=(3.0, 8.0)))
    assert found.idle_timeout.backends_differ
    assert [round(it.least_s) for it in found.idle_timeout.closings] == [3, 8]
    assert found.settings.idle_limit_s is not None
    assert found.settings.idle_limit_s < 3
    assert found.silent_drop.died_s is None


def test_a_server_that_answers_slowly_now_and_then_does_not_lose_connections() -> None:
    """Its system acknowledged each request."""
    found = probed(World(slow=(0.01, 20.0, 0.01)))
    assert found.silent_drop.died_s is None


@pytest.mark.parametrize("end", ["fin", "rst", "408", "close-notify"])
def test_how_connections_end_is_told(end: str) -> None:
    found = probed(World(timeouts_s=(5.0,), end=end))  # type: ignore[arg-type]  # a word
    assert found.idle_timeout.closings[0].kind == end


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize("lifetime_s", [7.0, 13.0, 19.5])
def test_a_lifetime_lies_between_the_ends_that_are_told(
    announces: bool,  # noqa: FBT001  # a parameter
    lifetime_s: float,
) -> None:
    found = probed(World(lifetime_s=lifetime_s, announces=announces), 30.0, max_age_s=20.0)
    lifetime = found.lifetime
    assert lifetime is not None
    assert lifetime.least_s is not None
    assert lifetime.most_s is not None
    assert lifetime.least_s <= lifetime_s <= lifetime.most_s + 0.01
    assert lifetime.most_s - lifetime.least_s <= 0.06 * 20.0
    assert lifetime.announced is announces


def test_a_limit_of_requests_is_no_lifetime() -> None:
    found = probed(World(limit=8), 30.0, max_age_s=20.0)
    assert found.lifetime is not None
    assert found.lifetime.least_s is None


def test_an_idle_timeout_is_no_lifetime() -> None:
    found = probed(World(timeouts_s=(2.0,)), 30.0, max_age_s=20.0)
    assert found.lifetime is not None
    assert found.lifetime.least_s is None
    assert found.lifetime.looked_s > 10


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize(("limit", "asked", "confirmed"), [(7, 100, True), (80, 100, False)])
def test_a_limit_of_requests_is_found_exactly(
    announces: bool,  # noqa: FBT001  # a parameter
    limit: int,
    asked: int,
    confirmed: bool,  # noqa: FBT001  # what is expected
) -> None:
    """Neither announced nor seen twice, it may be chance."""
    world = World(limit=limit, announces=announces, timeouts_s=(5.0,))
    found = probed(world, scan_requests=asked).request_limit
    assert found is not None
    carried = limit if announces else limit - 1
    is_proved = announces or confirmed  # once may be chance, unless it was announced
    known = (carried, None) if is_proved else (None, carried)
    assert (found.limit, found.ended) == known
    assert found.confirmed is confirmed


def test_a_limit_above_what_was_sent_is_not_denied() -> None:
    found = probed(World(limit=1000, timeouts_s=(5.0,)), scan_requests=50).request_limit
    assert found is not None
    assert (found.limit, found.looked) == (None, 50)


@pytest.mark.parametrize("restarts_s", [5.3, 20.0, 70.0])
def test_a_restart_is_no_idle_timeout(restarts_s: float) -> None:
    """Connections that were used shortly before end at the same moment."""
    found = probed(World(restarts_s=restarts_s))
    assert found.idle_timeout.together
    assert found.sentence.startswith("All connections ended at one moment")
    assert found.settings.idle_limit_s is None


@pytest.mark.parametrize("timeout_s", [4.5, 10.0, 75.0])
def test_connections_that_were_used_are_given_the_same_time_again(timeout_s: float) -> None:
    assert not probed(World(timeouts_s=(timeout_s,))).idle_timeout.together


def test_where_each_connection_is_closed_no_more_are_opened_than_are_watched() -> None:
    found = probed(World(limit=1))
    assert found.persistence == "closed"
    assert found.connections == 5


def test_where_nothing_answers_one_request_is_enough() -> None:
    found = probed(World(answers=False))
    assert found.persistence == "silent"
    assert found.requests == 1


def test_where_nothing_listens_nothing_is_sent() -> None:
    found = probed(World(listens=False))
    assert found.sentence.startswith("Nothing was measured")
    assert found.requests == 0


@pytest.mark.parametrize("stopped_s", [0.5, 10.0, 100.0])
def test_a_probe_that_is_stopped_keeps_what_it_knew(stopped_s: float) -> None:
    found = probed(World(), stopped_s=stopped_s)
    assert found.record.info.interrupted
    assert found.idle_timeout.least_s is None
    assert found.idle_timeout.looked_s == pytest.approx(stopped_s, abs=1.0)


@pytest.mark.parametrize("max_idle_s", [0.1, 1.0, 1.3, 3.0, 10.0, 75.0, 130.0, 350.0, 86_400.0])
def test_the_ladder_ends_where_it_is_to_and_has_few_rungs(max_idle_s: float) -> None:
    rungs = ladder(max_idle_s)
    assert rungs[-1] == max_idle_s
    assert len(rungs) <= 8
    assert list(rungs) == sorted(set(rungs))
