"""Where a saving comes from: the parts add up, and are counted in round trips where that is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from keepalive_bench.analysis.explanation import Explanation
    from keepalive_bench.results.run import Run

SECONDS = st.none() | st.floats(1e-6, 1)
PHASES = st.builds(Phases, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS)
ROUND_TRIP = 0.02
FEW = 7
"""Too few for a bootstrap, which this isn't about."""


def explained(run: Run) -> Explanation:
    explanation = analyse(run).comparisons[0].explained
    assert explanation is not None
    return explanation


def over_a_link(tls: str, handshake: float, *, resumed: bool = False) -> Run:
    """20 requests over a round trip of 20 ms: one connection, against one each."""
    script = Script("pooled", "unpooled", requests=20)
    secured: dict[str, Any] = {"tls_version": tls, "cipher": "X", "resumed": resumed}
    shared = script.open("pooled", min_rtt=ROUND_TRIP, **secured)
    opening = {"connect": 0.0205, "tls": handshake}
    for index in range(20):
        first = Phases(wait=0.0211, **(opening if index == 0 else {}))
        latency = 0.0212 + (0.0205 + handshake if index == 0 else 0)
        script.send("pooled", latency, on=shared, index=index, phases=first)
        row = script.open("unpooled", min_rtt=ROUND_TRIP + 0.0001, **secured)
        phases = Phases(wait=0.0211, **opening)
        script.send("unpooled", 0.0212 + 0.0205 + handshake, on=row, index=index, phases=phases)
    return script.run()


@given(st.lists(st.tuples(PHASES, PHASES, st.booleans()), min_size=1, max_size=FEW))
def test_the_parts_add_up_to_the_mean_saving(pairs: list[tuple[Phases, Phases, bool]]) -> None:
    script = Script("pooled", "unpooled", requests=len(pairs))
    for index, (own, other, failed) in enumerate(pairs):
        script.send("pooled", 8.0, index=index, phases=own)
        if failed and index:
            script.fail("unpooled", index=index)
        else:
            script.send("unpooled", 9.0, index=index, phases=other)
    comparison = analyse(script.run()).comparisons[0]
    assert comparison.explained is not None
    parts = comparison.explained.parts_s
    assert sum(parts.values()) == pytest.approx(comparison.saving_s["mean"].estimate, abs=1e-12)


def test_without_pairs_nothing_is_explained() -> None:
    script = Script("pooled", "unpooled", requests=2)
    script.send("pooled", 1.0, index=0)
    script.send("unpooled", 1.0, index=1)
    assert analyse(script.run()).comparisons[0].explained is None


@pytest.mark.parametrize(
    ("tls", "handshake", "resumed", "needed"),
    [
        ("TLSv1.3", 0.0212, False, 1),
        ("TLSv1.2", 0.0412, False, 2),
        ("TLSv1.2", 0.0206, True, 1),
        ("TLSv1.3", 0.0210, True, 1),
    ],
)
def test_a_handshake_needs_as_many_round_trips_as_its_protocol_says(
    tls: str, handshake: float, *, resumed: bool, needed: int
) -> None:
    found = explained(over_a_link(tls, handshake, resumed=resumed)).round_trips
    assert (found["connect"].needed, found["tls"].needed) == (1, needed)
    assert found["connect"].measured == pytest.approx(0.0205 / ROUND_TRIP)
    assert found["tls"].measured == pytest.approx(handshake / ROUND_TRIP)


def test_the_verdict_counts_the_saving_in_round_trips() -> None:
    text = analyse(over_a_link("TLSv1.3", 0.0212)).verdict.text
    # 19 of 20 requests of the pooled arm open no connection.
    assert "39.6 ms less per request" in text
    assert text.endswith(" (19.5 ms of TCP and 20.1 ms of TLS 1.3, one round trip each).")


def test_different_numbers_of_round_trips_are_told_apart() -> None:
    text = analyse(over_a_link("TLSv1.2", 0.0412)).verdict.text
    assert text.endswith(" (19.5 ms of TCP, one round trip; 39.1 ms of TLS 1.2, two round trips).")


@pytest.mark.parametrize(
    ("kinds", "tls", "handshakes", "said"),
    [
        (("resumed", "unpooled"), "TLSv1.3", (0.0204, 0.0404), ""),
        (("resumed", "unpooled"), "TLSv1.2", (0.0204, 0.0404), ", one round trip"),
        (("unpooled", "naive"), "TLSv1.3", (0.0204, 0.0404), " and loading certificates"),
        (("pooled", "naive"), "TLSv1.3", (0.0, 0.0254), " and loading certificates"),
    ],
)
def test_no_round_trip_is_saved_where_both_arms_make_it(
    kinds: tuple[str, str], tls: str, handshakes: tuple[float, float], said: str
) -> None:
    """Work of the processor that is about as long was called one."""
    plan = Plan(Target("https://127.0.0.1:8443/"))
    script = Script(*kinds, plan=plan, requests=20)
    secured: dict[str, Any] = {"min_rtt": ROUND_TRIP, "tls_version": tls, "cipher": "X"}
    shared = script.open("pooled", **secured) if "pooled" in kinds else 0
    for index in range(20):
        for kind, handshake in zip(kinds, handshakes, strict=True):
            is_new = kind != "pooled"
            row = script.open(kind, **secured, resumed=kind == "resumed") if is_new else shared
            phases = Phases(connect=0.0205, tls=handshake, wait=0.0211)
            script.send(kind, 0.0417 + handshake, on=row, index=index, phases=phases)
    text = analyse(script.run()).verdict.text
    assert text.endswith(f" ms of {tls.replace('v', ' ')}{said}).")


def test_of_a_file_with_more_connections_than_requests_no_round_trips_are_counted() -> None:
    script = Script("pooled", "unpooled", requests=20)
    secured: dict[str, Any] = {"min_rtt": ROUND_TRIP, "tls_version": "TLSv1.2", "cipher": "X"}
    shared = script.open("pooled", **secured)
    for index in range(20):
        script.send("pooled", 0.02, on=shared, index=index, phases=Phases(wait=0.02))
        script.open("unpooled", **secured)
        row, phases = script.open("unpooled", **secured), Phases(tls=4 * ROUND_TRIP, wait=0.02)
        script.send("unpooled", 0.02 + 4 * ROUND_TRIP, on=row, index=index, phases=phases)
    run = script.run()
    assert explained(run).saved_trips["tls"] == 4
    assert "round trip" not in analyse(run).verdict.text


def test_what_is_no_matter_of_the_network_is_not_counted_in_round_trips() -> None:
    """On loopback a handshake is the processors' work."""
    run = over_a_link("TLSv1.3", 0.9)
    assert explained(run).round_trips["tls"].measured == pytest.approx(45)
    assert "round trip" not in analyse(run).verdict.text


def test_where_the_system_tells_no_round_trip_none_is_counted() -> None:
    script = Script("pooled", "unpooled", requests=10)
    for index in range(10):
        script.send("pooled", 0.01, on=script.open("pooled"), index=index)
        script.send("unpooled", 0.02, on=script.open("unpooled"), index=index)
    found = explained(script.run())
    assert (found.round_trip_s, found.round_trips, found.tls) == (None, {}, None)


def test_what_takes_off_from_the_saving_is_told() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        script.send("pooled", 0.03, index=index, phases=Phases(wait=0.029))
        phases = Phases(connect=0.03, wait=0.019)
        script.send("unpooled", 0.05, index=index, phases=phases)
    said = (
        ": 20.0 ms less per request (30.0 ms of TCP, less 10.0 ms of waiting for the first byte)."
    )
    assert said in analyse(script.run()).verdict.text
