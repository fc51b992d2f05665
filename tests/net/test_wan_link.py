"""kab over a link with a real round-trip time, against nginx: physics says what it must find."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from link import DelayLine
    from wan_figures import Check

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RTT_S = 0.02
OFF = 0.05
"""What a ratio of medians may be off; a trip takes some 0.3 ms of the machine's own here."""
NEAR_S = 0.0015
TRIPS = {
    ("http", "unpooled"): 2,
    ("tls-1.3", "unpooled"): 3,
    ("tls-1.3", "resumed"): 3,
    ("tls-1.2", "unpooled"): 4,
    ("tls-1.2", "resumed"): 3,
}
"""TCP's, TLS's and the request's own: RFC 9293, RFC 8446 section 2, RFC 5246 section 7.3."""


@pytest.mark.slow
def test_over_a_real_link_kab_says_what_round_trips_say(tmp_path: Path) -> None:
    results = measured(tmp_path)  # once: the tests of a file can be spread over several processes
    for (endpoint, arm), trips in TRIPS.items():
        latencies = {
            label: summary["latency_s"] for label, summary in results[endpoint]["arms"].items()
        }
        ratio = latencies[arm]["p50"] / latencies["pooled"]["p50"]
        assert ratio == pytest.approx(trips, rel=OFF), (endpoint, arm)
    for endpoint, document in results.items():
        assert_a_trip_each(document["arms"]["unpooled"]["phases_s"], endpoint)
        rtts = document["connections"]["columns"]["min_rtt_s"]
        assert RTT_S <= min(rtts) <= median(rtts) <= RTT_S + NEAR_S, endpoint
    for endpoint in ("tls-1.3", "tls-1.2"):
        assert_only_the_resumed_arm_resumed(results[endpoint]["connections"])


def measured(folder: Path) -> dict[str, dict[str, Any]]:
    """The results files of kab's runs on a link of 20 ms, by endpoint."""
    command = [sys.executable, str(BENCHMARKS / "wan_link.py"), "--quick", "--keep", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if "can't run here" in done.stdout:
        pytest.skip(done.stdout.strip())
    files = {name: folder / f"{name}-20ms.json" for name in ("http", "tls-1.3", "tls-1.2")}
    assert all(file.exists() for file in files.values()), done.stderr
    return {name: json.loads(file.read_text("utf-8")) for name, file in files.items()}


def assert_a_trip_each(phases: dict[str, Any], endpoint: str) -> None:
    for name in ("connect", "wait"):
        typical = phases[name]["when_happened"]["p50"]
        assert RTT_S <= typical <= RTT_S + NEAR_S, (endpoint, name)


def assert_only_the_resumed_arm_resumed(table: dict[str, Any]) -> None:
    labels = [table["arms"][number] for number in table["columns"]["arm"]]
    resumed = [table["resumed"][number] for number in table["columns"]["cipher"]]
    of_arm = [again for label, again in zip(labels, resumed, strict=True) if label == "resumed"]
    # All that the arm opened, but for the first, which has nothing to resume.
    assert sum(resumed) == sum(of_arm) >= len(of_arm) - 1 > 0


def line(monkeypatch: pytest.MonkeyPatch, **settings: float) -> DelayLine:
    """One direction of a link."""
    link = module(monkeypatch, "link")
    way = link.DelayLine(link.Link(rtt_s=RTT_S, **settings), Random(1))  # noqa: S311  # no secret
    return cast("DelayLine", way)


def module(monkeypatch: pytest.MonkeyPatch, name: str) -> Any:  # noqa: ANN401  # has any names
    """One of the benchmarks' own modules."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module(name)


def test_a_packet_arrives_after_half_the_round_trip_time(monkeypatch: pytest.MonkeyPatch) -> None:
    way = line(monkeypatch)
    assert way.next_due is None
    way.take(b"one", 1.0)
    way.take(b"two", 1.004)
    assert way.next_due == pytest.approx(1.01)
    assert list(way.arrived(1.0099)) == []
    assert list(way.arrived(1.0101)) == [b"one"]
    assert list(way.arrived(2.0)) == [b"two"]


def test_jitter_delays_packets_by_more_and_reorders_none(monkeypatch: pytest.MonkeyPatch) -> None:
    way = line(monkeypatch, jitter_s=0.01)
    packets = [bytes([number]) for number in range(200)]
    dues = []
    for number, packet in enumerate(packets):
        way.take(packet, number / 1000)
    for number, packet in enumerate(packets):
        assert way.next_due is not None
        dues.append(way.next_due - number / 1000)
        assert next(way.arrived(way.next_due)) == packet
    assert min(dues) >= RTT_S / 2
    assert max(dues) <= RTT_S / 2 + 0.01
    assert max(dues) - min(dues) > 0.005


def test_the_share_of_packets_that_was_asked_for_gets_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    way = line(monkeypatch, loss=0.25)
    for _ in range(4000):
        way.take(b"", 0.0)
    arrived = len(list(way.arrived(1.0)))
    # Within four standard deviations of the binomial distribution.
    assert arrived == pytest.approx(3000, abs=4 * (4000 * 0.25 * 0.75) ** 0.5)


def test_a_figure_too_far_from_physics_is_a_missed_target(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch, unpooled_s=4 * RTT_S * (1 + 2 * OFF), own_tls_s=2 * NEAR_S)
    assert [check.target.split(" =")[0] for check in found if not check.is_met] == [
        "pooled : unpooled on TLS 1.2",
    ]
    assert [check.told for check in found if not check.is_met] == ["1 : 4.40"]


def test_the_handshakes_own_cost_is_not_the_links(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch, unpooled_s=4 * RTT_S, own_tls_s=0.0)
    assert [(check.told, check.is_met) for check in found if "tls" in check.target] == [
        ("+6.00 ms", False)
    ]


def test_a_link_that_varies_has_no_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not checked(monkeypatch, unpooled_s=0.1, own_tls_s=0.0, jitter_s=0.001)


def checked(
    monkeypatch: pytest.MonkeyPatch, *, unpooled_s: float, own_tls_s: float, jitter_s: float = 0.0
) -> list[Check]:
    """The targets of TLS 1.2, whose handshake took 6 ms more than two round trips."""
    figures, server, link = (
        module(monkeypatch, name) for name in ("wan_figures", "wan_server", "link")
    )
    measured = figures.Measured(
        endpoint=next(it for it in server.ENDPOINTS if it.tls == "1.2"),
        link=link.Link(rtt_s=RTT_S, jitter_s=jitter_s),
        latencies_s={"pooled": RTT_S, "resumed": 3 * RTT_S, "unpooled": unpooled_s},
        waits_s={"pooled": RTT_S, "unpooled": RTT_S},
        connect_s=RTT_S,
        tls_s=2 * RTT_S + 4 * NEAR_S,
        own_tls_s=own_tls_s,
    )
    return list(figures.checks(measured))


def test_the_documentation_holds_the_tables() -> None:
    page = (BENCHMARKS.parent / "docs" / "evidence.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- wan_link: written by benchmarks/wan_link.py -->")
    tables, end, _ = rest.partition("<!-- wan_link: end -->")
    assert end
    for row in ("| TLS 1.2 | 80 |", "| HTTP | 5 |", "| in truth | kab | wrk | hey | ab |"):
        assert row in tables
