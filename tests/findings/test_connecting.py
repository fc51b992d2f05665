"""What is noticed of opening connections, on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import ENVIRONMENT, URL, Script

from keepalive_bench import Network, Plan, Target, analyse
from keepalive_bench.findings.connecting import connecting_findings
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.analysis import Finding


def noticed(run: Run) -> list[Finding]:
    return list(connecting_findings(run, analyse(run).arms))


def test_connections_whose_syn_was_sent_again_are_counted_by_arm_with_what_they_took() -> None:
    script = Script("pooled", "unpooled")
    for again, connect_s in ((0, 0.02), (2, 3.02), (1, 1.02), (0, 0.03), (0, 0.02)):
        row = script.open("unpooled", retransmissions=again)
        script.send("unpooled", connect_s + 0.01, on=row, phases=Phases(connect=connect_s))
    row = script.open("pooled", retransmissions=0)
    script.send("pooled", 2.0, on=row, phases=Phases(connect=1.0))  # slow, but nothing was lost
    (found,) = noticed(script.run())
    assert (found.code, found.severity, found.evidence["arm"]) == (
        "lost-syn",
        "warning",
        "unpooled",
    )
    assert found.evidence["connections"] == 2
    assert found.evidence["retransmissions"] == 3
    assert found.evidence["connect_s"] == pytest.approx(4.04)
    assert found.evidence["usual_s"] == pytest.approx(0.02)
    assert found.text == (
        "2 of 5 connections of unpooled opened only after the SYN was sent again (3 times in all). "
        "Connecting took 4.04 s in all, and 20.0 ms otherwise."
    )
    assert "somaxconn" in found.advice


def test_what_another_address_took_before_is_no_part_of_it() -> None:
    script = Script("pooled")
    row = script.open("pooled", retransmissions=1, failed="10.9.0.1:80: timed out", lost=2.0)
    script.send("pooled", 3.2, on=row, phases=Phases(connect=3.1))
    (found,) = noticed(script.run())
    assert found.evidence["connect_s"] == pytest.approx(1.1)
    assert found.text == (
        "1 of 1 connection of pooled opened only after the SYN was sent again (once). Connecting "
        "took 1.10 s."
    )
    assert "usual_s" not in found.evidence


def test_where_the_system_does_not_tell_nothing_is_noticed() -> None:
    script = Script("pooled")
    script.send("pooled", 1.1, on=script.open("pooled"), phases=Phases(connect=1.0))
    assert not noticed(script.run())


def looked_up(
    *dns_s: float | None, failing: int = 0, wait_s: float | None = None, **network: int
) -> list[Finding]:
    plan = Plan(Target(URL), network=Network(**network))  # type: ignore[arg-type]  # a version of IP
    script = Script("pooled", plan=plan)
    for each in dns_s:
        script.send(
            "pooled", (each or 0.0) + 0.01, on=script.open("pooled"), phases=Phases(dns=each)
        )
    for _ in range(failing):
        script.fail("pooled", 5.1, phases=Phases(dns=5.01))
    environment = ENVIRONMENT._replace(resolver_wait_s=wait_s)
    return noticed(script.run()._replace(environment=environment))


def test_look_ups_that_took_a_resolvers_timeout_are_counted_beside_the_others() -> None:
    (found,) = looked_up(0.001, 5.003, 0.002, None, 10.01, failing=1)
    assert (found.code, found.evidence["count"], found.evidence["failed"]) == ("slow-look-up", 3, 1)
    assert found.evidence["dns_s"] == pytest.approx(20.023)
    assert found.evidence["usual_s"] == pytest.approx(0.0015)
    assert (
        "3 name look-ups of pooled took 4.9 s or more, 20.0 s in all; the others took 1.50 ms each"
        in found.text
    )
    assert "1 request failed after that" in found.text
    assert "-4" in found.advice
    assert "single-request-reopen" in found.advice


def test_a_look_up_that_is_merely_slow_is_no_timeout_of_the_resolver() -> None:
    assert not looked_up(0.001, 4.5, 2.0, None)


def test_a_resolver_that_was_told_to_ask_sooner_is_measured_by_that() -> None:
    (found,) = looked_up(0.001, 1.003, 0.3, None, wait_s=1.0)
    assert (found.evidence["count"], found.evidence["wait_s"]) == (1, 1.0)
    assert "waits 1 s for an answer" in found.text
    assert "timeout:1" not in found.advice
    assert not looked_up(5.003, wait_s=10.0)


def test_who_asks_for_one_version_of_ip_already_is_not_told_to() -> None:
    (found,) = looked_up(5.003, ip_version=4)
    assert "-4" not in found.advice
    assert "timeout:1" in found.advice
