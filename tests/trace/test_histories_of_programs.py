"""Reasons in programs that are played, held against what the players know; and what must add up."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.played_programs import CAUSES, World

from keepalive_bench.trace.analysis import analyse

if TYPE_CHECKING:
    from keepalive_bench.trace.usage import OriginUsage, Usage

MOST_UNKNOWN = 0.05
played = st.builds(World, st.sampled_from(CAUSES), st.integers(0, 10_000))


def verdicts(cause: str, seed: int) -> Counter[str]:
    """How many connections are told right, wrong, or unknown."""
    world = World(cause, seed)
    found = analyse(world.play()).connections
    truth = [world.truth[number] for number in world.truth]
    opened = sorted(world.process.connections.values(), key=lambda it: it.began_s)
    assert len(found) == len(truth) == len(opened)
    counts: Counter[str] = Counter()
    for it, told in zip(opened, found, strict=True):
        known = world.truth[it.number]
        verdict = "right" if told.reason == known else "wrong"
        counts["unknown" if told.reason in {"unknown", "undecided"} else verdict] += 1
    return counts


def held(seeds: range) -> None:
    total: Counter[str] = Counter()
    wrong = []
    for cause, seed in product(CAUSES, seeds):
        counts = verdicts(cause, seed)
        total += counts
        if counts["wrong"]:
            wrong.append((cause, seed, dict(counts)))
    assert not wrong
    assert total["unknown"] <= MOST_UNKNOWN * total.total()


def test_no_reason_is_wrong_in_programs_of_a_known_cause() -> None:
    held(range(12))


@pytest.mark.slow
def test_nor_is_one_in_many_programs() -> None:
    held(range(1_000, 1_200))


@given(played)
@settings(max_examples=60, deadline=None)
def test_the_numbers_add_up(world: World) -> None:
    found = analyse(world.play())
    for origin in found.origins:
        adds_up(origin)
    assert sum(it.connections for it in found.origins) == len(found.connections)
    assert sum(it.requests for it in found.origins) == len(world.process.exchanges)
    assert sum(it.requests for it in found.processes) == len(world.process.exchanges)


def adds_up(origin: OriginUsage) -> None:
    openings = origin.openings
    assert sum(it.connections for it in openings) == origin.connections
    assert sum(it.connections for it in openings if it.is_avoidable) == origin.avoidable
    saved = [it.saving_s for it in openings if it.saving_s is not None]
    assert sum(saved) == pytest.approx(origin.saving_s or 0.0)
    assert 0 <= origin.would_do <= origin.connections - origin.avoidable
    assert origin.would_do > 0 or not origin.requests
    assert origin.reused + sum(it.requests > 0 for it in openings) <= origin.requests
    assert sum(it.requests for it in openings) == origin.requests
    assert [it.connections for it in openings] == sorted(
        (it.connections for it in openings), reverse=True
    )


@given(played, st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_a_time_that_is_cut_in_two_has_all_of_it_once(world: World, share: float) -> None:
    recording = world.play()
    start_s, end_s = world.process.started_s, world.program.now_s
    middle_s = start_s + share * (end_s - start_s)
    whole = analyse(recording)
    parts = [analyse(recording, until_s=middle_s), analyse(recording, since_s=middle_s)]
    for name in ("requests", "connections", "reused", "avoidable"):
        assert sum(total(it, name) for it in parts) == total(whole, name)
    for part in parts:
        for origin in part.origins:
            assert origin.would_do <= origin.connections - origin.avoidable
    before, after = (Counter(it.reason for it in part.connections) for part in parts)
    assert before + after == Counter(it.reason for it in whole.connections)


@given(played)
@settings(max_examples=20, deadline=None)
def test_threads_have_all_requests_among_them(world: World) -> None:
    recording = world.play()
    each = [analyse(recording, who=who) for who in range(1, world.threads + 1)]
    whole = analyse(recording)
    assert sum(total(it, "requests") for it in each) == total(whole, "requests")
    assert sum(total(it, "connections") for it in each) == total(whole, "connections")


def total(usage: Usage, name: str) -> int:
    return sum(getattr(it, name) for it in usage.origins)
