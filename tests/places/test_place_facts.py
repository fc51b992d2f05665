"""What a run comes to at a place: its round trip, and a saving told in round trips or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.exports import everything, nothing
from support.places import Link, place_at, run_over
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench import Network, Plan, Run, Target, analyse
from keepalive_bench.places.place import QUANTILES_KEPT
from keepalive_bench.results.exchange import Answer

RUNS = {
    "everything": everything(),
    "nothing": nothing(),
    "one arm": run_over(Link(0.02), "pooled"),
    "a sweep": scripted_sweep(1, 2),
}


@pytest.mark.parametrize("round_trip_s", [0.002, 0.02, 0.2])
@pytest.mark.parametrize(
    ("tls", "trips"), [(None, 1), ("TLSv1.3", 2), ("TLSv1.2", 3)], ids=["http", "1.3", "1.2"]
)
def test_a_reuse_saves_the_round_trips_that_the_protocols_need(
    round_trip_s: float, tls: str | None, trips: int
) -> None:
    """RFC 9293, section 3.5; RFC 8446, section 2; RFC 5246, section 7.3."""
    place = place_at("eu", run_over(Link(round_trip_s, tls=tls)))
    assert place.saved_trips == trips
    assert place.saving_s.estimate == pytest.approx(trips * round_trip_s, rel=0.05)
    assert place.round_trip_s == pytest.approx(round_trip_s)


def test_handshakes_that_take_a_while_don_t_change_their_number() -> None:
    link = Link(0.002, tls="TLSv1.3", crypto_s=0.0015)
    assert place_at("eu", run_over(link)).saved_trips == 2


NO_CLAIM = {
    "opening takes longer than the network does": Link(8e-6, server_s=0.0003, accept_s=0.0004),
    "TLS takes longer than the network does": Link(0.002, tls="TLSv1.3", crypto_s=0.02),
    "a server asks for another key (RFC 8446, section 4.1.4)": Link(
        0.02, tls="TLSv1.3", crypto_s=0.02
    ),
    "a look-up takes most of it": Link(0.02, dns_s=0.015),
    "the round trip isn't known": Link(0.02, tells_round_trip=False),
    "nothing is reused": Link(0.02, closes_after=1),
    "the version of TLS isn't known": Link(0.02, tls="TLSv9"),
}


@pytest.mark.parametrize("link", NO_CLAIM.values(), ids=NO_CLAIM)
def test_no_number_of_round_trips_is_told_where(link: Link) -> None:
    assert place_at("eu", run_over(link)).saved_trips is None


def test_nor_through_a_proxy_whose_round_trip_is_not_the_servers() -> None:
    through = Network(proxy=Target("http://127.0.0.1:3128"))
    plan = Plan(Target("https://api.example.com/"), network=through)
    place = place_at("eu", run_over(Link(0.02, tls="TLSv1.3"), plan=plan))
    assert place.saved_trips is None
    assert place.round_trip_s == pytest.approx(0.02)


def test_a_unix_socket_has_no_round_trip() -> None:
    plan = Plan(Target("http://it/"), network=Network(unix_socket=Path("/run/it.sock")))
    assert place_at("eu", run_over(Link(0.02), plan=plan)).round_trip_s is None


@pytest.mark.parametrize(
    "arms", [("unpooled", "pooled"), ("pooled",), (("a", "pooled"), ("b", "pooled"))]
)
def test_nor_where_the_first_arm_doesn_t_save_any(arms: tuple[str | tuple[str, str], ...]) -> None:
    assert place_at("eu", run_over(Link(0.02), *arms)).saved_trips is None


def test_a_server_that_takes_long_saves_no_more_than_the_network() -> None:
    place = place_at("eu", run_over(Link(0.02, server_s=0.5, noise=0.5)))
    assert place.saved_trips == 1
    assert place.saving_s.estimate == pytest.approx(0.02, rel=0.05)


def test_where_the_system_doesn_t_tell_a_round_trip_a_handshake_does() -> None:
    assert place_at(
        "eu", run_over(Link(0.02, tells_round_trip=False))
    ).round_trip_s == pytest.approx(0.02)
    assert place_at("eu", nothing()).round_trip_s is None


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_counts_are_those_of_the_analysis(run: Run) -> None:
    place, analysis = place_at("eu", run), analyse(run)
    for arm, summary in zip(place.arms, analysis.arms, strict=True):
        assert (arm.label, arm.sent, arm.failed) == (summary.label, summary.sent, summary.failed)
        assert (arm.connections, arm.reopened) == (summary.connections, summary.reopened)
        assert arm.latency_s == summary.latency.p50
        assert arm.reasons.items() <= summary.reason_counts.items()
    assert place.verdict == analysis.verdict
    assert place.is_measured == (run is not RUNS["nothing"])


def test_what_is_kept_of_latencies_is_all_of_a_few_and_some_of_many() -> None:
    few = place_at("eu", paired_run([0.01, 0.03, 0.02], [0.05, 0.04, 0.06])).arms
    assert [*few[0].spread_s] == [0.01, 0.02, 0.03]
    many = place_at("eu", paired_run([it / 1000 for it in range(1, 1001)], [1.0] * 1000)).arms
    spread = [*many[0].spread_s]
    assert len(spread) == QUANTILES_KEPT
    assert (spread[0], spread[-1]) == (0.001, 1.0)
    assert spread == sorted(spread)


def test_facts_are_who_answered_how_and_why_connections_were_opened_again() -> None:
    answer = Answer("HTTP/1.1", "text/html", server="nginx/1.22.1", via="1.1 proxy")
    link = Link(0.02, tls="TLSv1.3", answer=answer, closes_after=10)
    assert place_at("eu", run_over(link, failing=1)).facts == {
        "server": ("nginx/1.22.1",),
        "via": ("1.1 proxy",),
        "address": ("127.0.0.1:8000",),
        "TLS": ("TLSv1.3",),
        "HTTP": ("HTTP/1.1",),
        "status": ("200",),
        "failure": ("reset",),
        "reason": ("server-close",),
    }


def test_most_responses_are_errors_where_more_than_half_are() -> None:
    assert place_at("eu", run_over(Link(0.02, status=403))).error == 403
    assert place_at("eu", run_over(Link(0.02))).error is None
    assert place_at("eu", nothing()).error is None


@pytest.mark.parametrize(
    ("arms", "subject"),
    [
        (("pooled", "unpooled"), "Reusing the connection"),
        (("pooled", "naive"), "Using pooled rather than naive"),
        (("unpooled", "pooled"), "Using unpooled rather than pooled"),
        (("pooled", "unpooled", "naive"), "Using pooled rather than unpooled"),
        (("pooled",), ""),
    ],
)
def test_what_is_compared_is_told_as_the_verdict_does(arms: tuple[str, ...], subject: str) -> None:
    assert place_at("eu", run_over(Link(0.02), *arms)).subject == subject
