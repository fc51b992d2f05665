"""Probes of worlds that are drawn by lot, in virtual time: what holds in all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.probed_worlds import drawn, is_exact, probed

LONGEST_S = [10.0, 130.0, 350.0]
NARROW = 0.05


@pytest.mark.parametrize("max_idle_s", LONGEST_S)
@pytest.mark.parametrize("seed", range(60))
def test_where_the_server_closes_no_path_forgets(seed: int, max_idle_s: float) -> None:
    world = drawn(seed, max_idle_s, "closes")
    found = probed(world, max_idle_s)
    assert found.silent_drop.died_s is None, found.sentence
    assert not found.idle_timeout.together
    timeouts_s = [it for it in world.timeouts_s if it < max_idle_s]
    if not world.timeouts_s:
        assert found.sentence.startswith(f"Keeps idle connections for {max_idle_s:.3g}")
        assert found.settings.idle_limit_s is None
    elif not timeouts_s:
        assert found.idle_timeout.least_s is None or found.idle_timeout.least_s >= max_idle_s
    elif not world.coarse_s:
        assert is_exact(found.idle_timeout.least_s, min(timeouts_s))


@pytest.mark.parametrize("max_idle_s", LONGEST_S)
@pytest.mark.parametrize("seed", range(60))
def test_a_path_that_forgets_long_before_the_close_is_found_to_a_twentieth(
    seed: int, max_idle_s: float
) -> None:
    world = drawn(seed, max_idle_s, "forgets")
    found = probed(world, max_idle_s)
    drop, forgets_s = found.silent_drop, world.forgets_s
    assert forgets_s is not None
    assert drop.died_s is not None, found.sentence
    assert drop.answered_s < forgets_s <= drop.died_s
    assert drop.died_s - drop.answered_s <= max(NARROW * drop.died_s, 0.05)
    assert drop.how == world.forgets_by
    assert found.settings.idle_limit_s is not None
    assert found.settings.idle_limit_s <= forgets_s


@pytest.mark.parametrize("asked", [{}, {"max_age_s": 20.0}, {"scan_requests": 30}])
@pytest.mark.parametrize("max_idle_s", [0.5, 10.0, 130.0])
@pytest.mark.parametrize("seed", range(60))
def test_no_world_makes_a_probe_do_more_than_it_said_or_claim_what_it_did_not_see(
    seed: int, max_idle_s: float, asked: dict[str, float]
) -> None:
    world = drawn(seed, max_idle_s, "anything")
    found = probed(world, max_idle_s, **asked)
    drop = found.silent_drop
    if world.forgets_s is None:  # what ends with a request may be an age, or a loss: it is said so
        assert drop.died_s is None or drop.how == "fin", found.sentence
    else:
        assert drop.answered_s < world.forgets_s
        if "none was closed or lost" in found.sentence:
            assert world.forgets_s > found.idle_timeout.looked_s * (1 - NARROW)


@pytest.mark.parametrize("seed", range(120))
def test_a_probe_that_is_stopped_claims_no_more_than_it_had_seen(seed: int) -> None:
    world = drawn(seed, 130.0, "forgets" if seed % 2 else "closes")
    stopped_s = 0.7 * seed
    found = probed(world, 130.0, stopped_s)
    if not found.record.info.interrupted:  # it had ended before
        return
    timeout, drop = found.idle_timeout, found.silent_drop
    assert timeout.looked_s <= stopped_s + 1
    assert all(it.age_s <= stopped_s + 1 for it in found.record.connections)
    if world.forgets_s is not None:
        assert drop.answered_s < world.forgets_s
    at_least = found.sentence.removeprefix("Keeps idle connections for ").partition(" at least")
    if at_least[1]:
        assert drop.answered_s == pytest.approx(float(at_least[0].removesuffix(" s")), abs=0.05)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("max_age_s", [5.0, 20.0, 300.0])
def test_an_idle_timeout_and_a_path_that_forgets_make_no_lifetime(
    seed: int, max_age_s: float
) -> None:
    """Pauses are no longer than what was survived."""
    world = drawn(seed, 30.0, "forgets" if seed % 2 else "closes")
    found = probed(world, 30.0, max_age_s=max_age_s).lifetime
    if found is None:  # nothing was kept
        return
    assert found.least_s is None
    assert found.ended == 0


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_a_lifetime_is_found_between_true_ends_or_not_denied(
    seed: int,
    announces: bool,  # noqa: FBT001  # a parameter
) -> None:
    world = drawn(seed, 30.0, "forgets" if seed % 2 else "closes")
    lifetime_s = 0.3 + 0.5 * seed
    found = probed(
        replace(world, lifetime_s=lifetime_s, announces=announces), 30.0, max_age_s=20.0
    ).lifetime
    if found is None:
        return
    if found.least_s is None or found.most_s is None:
        assert found.looked_s <= lifetime_s
    else:
        assert found.least_s <= lifetime_s <= found.most_s + world.round_trip_s


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize("limit", [2, 3, 5, 9, 21, 30, 70])
@pytest.mark.parametrize("seed", range(12))
def test_a_limit_of_requests_is_no_lifetime(
    seed: int,
    limit: int,
    announces: bool,  # noqa: FBT001  # a parameter
) -> None:
    world = drawn(seed, 30.0, "closes")
    world = replace(world, limit=limit, announces=announces, latency_s=0.01)
    found = probed(world, 30.0, max_age_s=20.0, scan_requests=150)
    assert found.lifetime is None or found.lifetime.least_s is None
    if found.persistence == "kept":
        assert found.request_limit is not None
        assert found.request_limit.limit == (limit if announces else limit - 1)
