"""What is noticed of the way to the server, on runs written down by hand."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from support.runs import URL, Script

from keepalive_bench.analysis.network_findings import network_findings
from keepalive_bench.model.exchange import Phases
from keepalive_bench.model.plan import Network, Plan, Request, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.model.analysis import Finding

PROXY = Target("http://127.0.0.1:3128")
SOON, LATE = 0.001, 0.042


def waiting(fresh: Iterable[float], reused: Iterable[float], network: Network) -> list[Finding]:
    """Findings of a run whose first bytes come after so long."""
    script = Script("pooled", "unpooled", plan=Plan(Target(URL), network=network))
    for wait in fresh:
        phases = Phases(connect=0.001, send=0.0, wait=wait)
        script.send("unpooled", wait + 0.001, on=script.open("unpooled"), phases=phases)
    row = script.open("pooled")
    for wait in reused:
        script.send("pooled", wait, on=row, phases=Phases(send=0.0, wait=wait))
    return list(network_findings(script.run()))


@pytest.mark.parametrize("fresh", [[SOON] * 20, [SOON, LATE] * 10], ids=["quick", "often late"])
def test_reused_connections_that_wait_for_a_delayed_acknowledgement_are_a_finding(
    fresh: list[float],
) -> None:
    (found,) = waiting(fresh, [SOON, *[LATE] * 19], Network(proxy=PROXY))
    assert found.code == "nagle-behind-proxy"
    assert found.evidence == pytest.approx({"reused_s": LATE, "fastest_s": SOON})
    assert "comes 41.0 ms later" in found.text
    assert "--tcp-nodelay" in found.advice


@pytest.mark.parametrize(
    ("fresh", "reused", "network"),
    [
        ([SOON] * 20, [SOON] * 20, Network(proxy=PROXY)),
        ([LATE] * 20, [LATE] * 20, Network(proxy=PROXY)),
        ([SOON, LATE] * 10, [SOON, LATE] * 10, Network(proxy=PROXY)),
        ([SOON] * 20, [0.1] * 20, Network(proxy=PROXY)),
        ([SOON] * 20, [LATE] * 4, Network(proxy=PROXY)),
        ([], [LATE] * 20, Network(proxy=PROXY)),
        ([SOON] * 20, [LATE] * 20, Network()),
        ([SOON] * 20, [LATE] * 20, Network(proxy=PROXY, tcp_nodelay=True)),
    ],
    ids=[
        "nothing late",
        "all the same",
        "late as often on fresh ones",
        "later than any acknowledgement",
        "too few",
        "nothing to compare with",
        "no proxy",
        "switched off already",
    ],
)
def test_other_waits_are_none(fresh: list[float], reused: list[float], network: Network) -> None:
    assert not waiting(fresh, reused, network)


def test_a_server_whose_time_varies_is_none() -> None:
    varying = cycle([0.001, 0.008, 0.015, 0.022, 0.029, 0.036, 0.043, 0.05])
    waits = [next(varying) for _ in range(40)]
    assert not waiting(waits, [LATE] * 40, Network(proxy=PROXY))


def test_failing_addresses_are_counted_for_each_set_of_them() -> None:
    script = Script("pooled", "unpooled")
    script.open("pooled", failed="10.9.0.1:80: timed out", lost=0.2)
    for _ in range(3):
        script.open("unpooled", failed="[::1]:80: Connection refused", lost=0.001)
    script.open("unpooled")
    first, second = network_findings(script.run())
    assert (first.code, second.code) == ("failing-address", "failing-address")
    assert first.evidence["attempts"] == "10.9.0.1:80: timed out"
    assert first.evidence["connections"] == 1
    assert first.evidence["lost_s"] == pytest.approx(0.2)
    assert second.evidence["connections"] == 3
    assert second.evidence["lost_s"] == pytest.approx(0.003)
    assert "3 connections tried other addresses in vain first" in second.text


def test_bodies_that_reach_the_limit_are_counted() -> None:
    script = Script("pooled", plan=Plan(Target(URL), Request(max_body=100)))
    for size in (99, 100, 0, 100):
        script.send("pooled", 0.1, body_bytes=size)
    (found,) = network_findings(script.run())
    assert (found.code, found.evidence) == ("bodies-cut", {"max_body": 100, "exchanges": 2})
