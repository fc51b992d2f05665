"""What is noticed of local ports, on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.runs import ENVIRONMENT, URL, Script

from keepalive_bench import analyse
from keepalive_bench.plan.plan import Network, Plan, Target
from keepalive_bench.results.exchange import Failure

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis, Finding

EXHAUSTED = Failure("ports-exhausted", "no local port is free")
TWO = ("127.0.0.2", "127.0.0.3")


def analysed(
    count: int,
    seconds: float,
    *,
    failed: int = 0,
    sources: tuple[str, ...] = (),
    **run_info: Any,  # noqa: ANN401  # a RunInfo's
) -> Analysis:
    """A run that opens so many connections, of 100 ports, in so many seconds."""
    plan = Plan(Target(URL), network=Network(source_addresses=sources))
    script = Script("unpooled", plan=plan, requests=count + failed)
    for number in range(count):
        began = number * seconds / count
        row = script.open("unpooled", opened_s=began)
        script.send("unpooled", 0.01, on=row, began_s=began)
    for _ in range(failed):
        script.fail("unpooled", failure=EXHAUSTED)
    environment = ENVIRONMENT._replace(ephemeral_ports=100)
    return analyse(script.run(**run_info)._replace(environment=environment))


def found(count: int, seconds: float, **options: Any) -> dict[str, Finding]:  # noqa: ANN401  # the same
    return {finding.code: finding for finding in analysed(count, seconds, **options).findings}


def test_half_of_the_ports_taken_within_a_minute_is_found_with_the_arithmetic() -> None:
    finding = found(60, 50)["ports-low"]
    assert finding.evidence == {"opened": 60, "ports": 100, "peer": "127.0.0.1:8000"}
    assert (
        "60 connections to 127.0.0.1:8000 within 60 s used 60 % of the 100 local ports"
        in finding.text
    )
    assert "at most 1.6 a second can be sustained" in finding.text


def test_more_than_there_are_is_not_as_none_was_missing() -> None:
    assert "ports-low" not in found(120, 50)


def test_as_many_in_a_longer_time_are_not() -> None:
    assert "ports-low" not in found(60, 120)


def test_each_source_address_has_ports_of_its_own() -> None:
    assert "ports-low" not in found(60, 50, sources=TWO)
    assert found(120, 50, sources=TWO)["ports-low"].evidence["ports"] == 200


def test_ports_that_are_taken_again_after_a_second_are_not_low_all_minute() -> None:
    assert "ports-low" not in found(60, 50, free_ports=98, port_held_s=1.0)
    assert found(60, 0.9, free_ports=98, port_held_s=1.0)["ports-low"].evidence["ports"] == 98


def test_ports_that_ran_out_are_found_with_what_to_do() -> None:
    finding = found(60, 50, failed=3, port_held_s=66.0)["ports-exhausted"]
    assert finding.evidence == {"count": 3, "opened": 60, "held_s": 66.0}
    assert (
        "3 requests found no free local port on this machine, after 60 connections" in finding.text
    )
    assert finding.advice.startswith("Wait 66 s, send fewer --requests")
    assert "--source-address" in finding.advice
