"""Delayed acknowledgements, and what merely looks like them, on runs written down by hand."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.runs import URL, Script

from keepalive_bench.findings.delay import delay_findings
from keepalive_bench.plan.plan import Network, Plan, Target
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis import Finding

PROXY = Target("http://127.0.0.1:3128")
SOON, LATE = 0.001, 0.042


def waiting(fresh: Iterable[float], reused: Iterable[float], network: Network) -> list[Finding]:
    """Findings of a run whose first bytes come after so long."""
    script = Script("pooled", "unpooled", plan=Plan(Target(URL), network=network))
    for wait in fresh:
        phases = Phases(connect=0.001, send=0.0, wait=wait, receive=0.0)
        script.send("unpooled", wait + 0.001, on=script.open("unpooled"), phases=phases)
    row = script.open("pooled")
    for wait in reused:
        script.send("pooled", wait, on=row, phases=Phases(send=0.0, wait=wait, receive=0.0))
    return list(delay_findings(script.run()))


@pytest.mark.parametrize("fresh", [[SOON] * 20, [SOON, LATE] * 10], ids=["quick", "often late"])
def test_reused_connections_that_wait_for_a_delayed_acknowledgement_are_a_finding(
    fresh: list[float],
) -> None:
    (found,) = waiting(fresh, [SOON, *[LATE] * 19], Network(proxy=PROXY))
    assert found.code == "nagle-behind-proxy"
    assert found.evidence == pytest.approx({"reused_s": LATE, "fastest_s": SOON})
    assert "comes 41.0 ms late" in found.text
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
    ],
    ids=[
        "nothing late",
        "all the same",
        "late as often on fresh ones",
        "later than any acknowledgement",
        "too few",
        "nothing to compare with",
    ],
)
def test_other_waits_are_none(fresh: list[float], reused: list[float], network: Network) -> None:
    assert not waiting(fresh, reused, network)


def test_a_server_whose_time_varies_is_none() -> None:
    varying = cycle([0.001, 0.008, 0.015, 0.022, 0.029, 0.036, 0.043, 0.05])
    waits = [next(varying) for _ in range(40)]
    assert not waiting(waits, [LATE] * 40, Network(proxy=PROXY))


def answering(
    fresh: Iterable[float], reused: Iterable[float], network: Network | None = None
) -> list[Finding]:
    """Findings of a run whose heads come at once, and whose bodies come after so long."""
    script = Script("pooled", "unpooled", plan=Plan(Target(URL), network=network or Network()))
    for receive in fresh:
        phases = Phases(connect=0.001, send=0.0, wait=SOON, receive=receive)
        script.send("unpooled", receive + 0.002, on=script.open("unpooled"), phases=phases)
    row = script.open("pooled")
    for receive in reused:
        phases = Phases(send=0.0, wait=SOON, receive=receive)
        script.send("pooled", receive + 0.001, on=row, phases=phases)
    return list(delay_findings(script.run()))


def test_bodies_late_on_reused_connections_are_the_servers_doing() -> None:
    (found,) = answering([SOON] * 20, [LATE] * 20)
    assert (found.code, found.severity) == ("keep-alive-hurts", "warning")
    assert found.evidence == pytest.approx({"reused_s": LATE, "fastest_s": SOON})
    assert "The server writes head and body separately" in found.text
    assert "TCP_NODELAY" in found.advice
    assert "TCP_QUICKACK" in found.advice


def test_behind_a_proxy_late_bodies_are_not_the_clients_doing() -> None:
    (found,) = answering([SOON] * 20, [LATE] * 20, Network(proxy=PROXY))
    assert found.code == "keep-alive-hurts"


def test_one_fresh_connection_is_enough_to_compare_with() -> None:
    (found,) = answering([SOON], [LATE] * 20)
    assert found.code == "keep-alive-hurts"


def test_with_nagle_switched_on_here_it_is_switched_off_here() -> None:
    (found,) = waiting([SOON] * 20, [LATE] * 20, Network(tcp_nodelay=False))
    assert found.code == "keep-alive-hurts"
    assert "--no-tcp-nodelay" in found.advice


def test_late_first_bytes_without_nagle_here_come_from_behind_the_server() -> None:
    for network in (Network(), Network(proxy=PROXY, tcp_nodelay=True)):
        (found,) = waiting([SOON] * 20, [LATE] * 20, network)
        assert found.code == "keep-alive-hurts"
        assert "gateway" in found.text


def test_a_link_or_a_server_that_takes_40_ms_is_none() -> None:
    took, random = 0.042, np.random.default_rng(1)
    for spread in (0.0, 0.001, 0.01):
        fresh, reused = took + random.exponential(spread, size=(2, 50))
        assert not answering(fresh.tolist(), reused.tolist())
        assert not waiting(fresh.tolist(), reused.tolist(), Network())


def test_a_server_whose_time_comes_in_two_clusters_is_none() -> None:
    """Half of its answers from a cache, at random, 40 ms apart."""
    random = np.random.default_rng(2)
    for _ in range(200):
        fresh, reused = np.where(random.random((2, 50)) < 0.5, SOON, LATE)
        assert not answering(fresh.tolist(), reused.tolist())


def test_on_a_link_of_20_ms_it_is_told_all_the_same() -> None:
    random = np.random.default_rng(3)
    fresh, reused = random.normal([[0.04], [0.08]], 0.001, size=(2, 50))
    (found,) = answering(fresh.tolist(), reused.tolist())
    assert found.code == "keep-alive-hurts"
