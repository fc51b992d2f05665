"""What is noticed of the way to the server, on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import URL, Script

from keepalive_bench import analyse
from keepalive_bench.findings.addresses import address_findings
from keepalive_bench.findings.answers import answer_findings
from keepalive_bench.plan.plan import Plan, Request, Target

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.analysis import Finding


def noticed(run: Run) -> list[Finding]:
    arms = analyse(run).arms
    return [*answer_findings(run, arms), *address_findings(run, arms)]


def test_failing_addresses_are_counted_for_each_set_of_them() -> None:
    script = Script("pooled", "unpooled")
    script.open("pooled", failed="10.9.0.1:80: timed out", lost=0.2)
    for _ in range(3):
        script.open("unpooled", failed="[::1]:80: Connection refused", lost=0.01)
    script.open("unpooled")
    first, second = noticed(script.run())
    assert (first.code, second.code) == ("failing-address", "failing-address")
    assert first.evidence["attempts"] == "10.9.0.1:80: timed out"
    assert first.evidence["connections"] == 1
    assert first.evidence["lost_s"] == pytest.approx(0.2)
    assert second.evidence["connections"] == 3
    assert second.evidence["lost_s"] == pytest.approx(0.03)
    assert "3 connections first tried other addresses, which failed" in second.text
    assert "what is left of --timeout 30s" in first.text
    assert "kab's own doing" not in second.text  # who refuses does so at once


@pytest.mark.parametrize(("lost_s", "severity"), [(0.0002, "info"), (0.02, "warning")])
def test_a_localhost_whose_first_address_refuses_is_no_warning(
    lost_s: float, severity: str
) -> None:
    script = Script("unpooled")
    for _ in range(3):
        script.open("unpooled", failed="[::1]:80: Connection refused", lost=lost_s)
    (found,) = noticed(script.run())
    assert found.severity == severity


def test_bodies_that_reach_the_limit_are_counted() -> None:
    script = Script("pooled", plan=Plan(Target(URL), Request(max_body=100)))
    for size in (99, 100, 0, 100):
        script.send("pooled", 0.1, body_bytes=size)
    (found,) = noticed(script.run())
    assert (found.code, found.evidence) == ("bodies-cut", {"max_body": 100, "exchanges": 2})


ONE, TWO = "10.9.0.1:80", "10.9.0.2:80"


def split(pooled: str, unpooled: list[str]) -> Script:
    """The pooled arm at one address, the unpooled one at several in turns: 3 ms and 9 ms."""
    took = {ONE: 0.003, TWO: 0.009}
    script = Script("pooled", "unpooled")
    row = script.open("pooled", peer=pooled)
    for number in range(20):
        script.send("pooled", took[pooled], on=row)
        peer = unpooled[number % len(unpooled)]
        script.send("unpooled", took[peer], on=script.open("unpooled", peer=peer))
    return script


def test_several_addresses_are_told_apart_with_what_went_to_each() -> None:
    (found,) = noticed(split(ONE, [ONE, TWO]).run())
    assert (found.code, found.evidence["addresses"]) == ("several-peers", 2)
    assert found.evidence["split"] == (
        "10.9.0.1:80: pooled 20 × 3.00 ms, unpooled 10 × 3.00 ms; "
        "10.9.0.2:80: unpooled 10 × 9.00 ms"
    )
    assert str(found.evidence["split"]) in found.text
    assert "--resolve" in found.advice


def test_arms_at_different_addresses_are_a_warning() -> None:
    (unlike,) = noticed(split(ONE, [TWO]).run())
    (alike,) = noticed(split(ONE, [ONE] * 9 + [TWO]).run())
    assert (unlike.severity, alike.severity) == ("warning", "info")
    assert "looks like one between arms" in unlike.text
    assert "looks like one between arms" not in alike.text


def test_one_address_is_nothing_to_tell_of() -> None:
    assert not noticed(split(ONE, [ONE]).run())


def test_a_request_that_failed_is_no_part_of_an_addresss_latency() -> None:
    script = split(ONE, [ONE])
    script.fail("unpooled", 5.0, on=script.open("unpooled", peer=TWO))
    assert not noticed(script.run())


def test_of_many_addresses_the_first_are_shown() -> None:
    script = Script("unpooled", requests=9)
    values = [0.001 * number for number in range(1, 10)]
    for number, value in enumerate(values):
        script.send("unpooled", value, on=script.open("unpooled", peer=f"10.9.0.{number}:80"))
    (found,) = noticed(script.run())
    assert found.evidence["addresses"] == len(values)
    assert "and 5 more" in found.text
