"""What is noticed of the measurement itself, on runs written down by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.runs import ENVIRONMENT, URL, Script

from keepalive_bench.analysis import analyse
from keepalive_bench.model.plan import Network, Plan, Target

if TYPE_CHECKING:
    from keepalive_bench.model.analysis import Finding

BUSY = {"wall_s": 4.0, "cpu_s": 3.0}


def noticed(course: dict[str, Any], **experiment: Any) -> dict[str, Finding]:  # noqa: ANN401
    """Findings of a run of latencies of 10 ms whose course was such."""
    script = Script("pooled", "unpooled", **{"requests": 400, **experiment})
    for label in ("pooled", "unpooled"):
        row = script.open(label)
        for _ in range(script.plan.experiment.requests):
            script.send(label, 0.01, on=row)
    return {finding.code: finding for finding in analyse(script.run(**course)).findings}


def test_a_busy_process_of_several_threads_is_found() -> None:
    finding = noticed(BUSY, concurrency=4)["client-bound"]
    assert finding.evidence == {"wall_s": 4.0, "cpu_s": 3.0, "share": 0.75}
    assert "busy for 75% of the time" in finding.text


def test_waiting_for_the_interpreter_is_found_however_idle_the_process_is() -> None:
    finding = noticed({"gil_wait_s": 0.002}, concurrency=4)["client-bound"]
    assert finding.evidence["gil_wait_s"] == 0.002
    assert "waits 2.00 ms more" in finding.text
    assert "typical latency is 10.0 ms" in finding.text


@pytest.mark.parametrize(
    ("course", "concurrency"),
    [
        (BUSY, 1),
        ({"gil_wait_s": 0.0009}, 4),
        ({}, 4),
        ({"gil_wait_s": 0.002, "others_least": 0.9, "others_most": 0.9}, 4),
    ],
    ids=["one thread", "a little", "unknown", "for a processor, perhaps"],
)
def test_little_waiting_and_one_thread_are_not(course: dict[str, Any], concurrency: int) -> None:
    assert "client-bound" not in noticed(course, concurrency=concurrency)


def test_a_machine_that_is_busy_all_along_is_found_and_its_changes_then_are_not() -> None:
    findings = noticed({"others_least": 0.75, "others_most": 1.0})
    assert findings["machine-busy"].evidence == {"least": 0.75, "most": 1.0}
    assert "load-changed" not in findings


@pytest.mark.parametrize(
    ("order", "severity", "advice"),
    [("paired", "info", "quieter"), ("sequential", "warning", "--order paired")],
)
def test_a_load_that_changes_is_found(order: str, severity: str, advice: str) -> None:
    finding = noticed({"others_least": 0.1, "others_most": 0.4}, order=order)["load-changed"]
    assert (finding.severity, finding.evidence) == (severity, {"least": 0.1, "most": 0.4})
    assert advice in finding.advice


@pytest.mark.parametrize("most", [None, 0.2])
def test_a_load_that_is_unknown_or_steady_is_not(most: float | None) -> None:
    least = None if most is None else 0.1
    findings = noticed({"others_least": least, "others_most": most})
    assert not {"load-changed", "machine-busy"} & findings.keys()


def test_collected_garbage_is_found() -> None:
    assert noticed({"gc_collections": 3})["garbage-collected"].evidence == {"collections": 3}


def opening(count: int, seconds: float, **network: Any) -> dict[str, Finding]:  # noqa: ANN401
    """Findings of a run that opens so many connections, of 100 ports, in so many seconds."""
    plan = Plan(Target(URL), network=Network(**network))
    script = Script("unpooled", plan=plan, requests=count)
    for number in range(count):
        began = number * seconds / count
        row = script.open("unpooled", opened_s=began)
        script.send("unpooled", 0.01, on=row, began_s=began)
    run = replace(script.run(), environment=replace(ENVIRONMENT, ephemeral_ports=100))
    return {finding.code: finding for finding in analyse(run).findings}


def test_half_of_the_ports_taken_within_a_minute_is_found_with_the_arithmetic() -> None:
    finding = opening(60, 50)["ports-low"]
    assert finding.evidence == {"opened": 60, "ports": 100, "peer": "127.0.0.1:8000"}
    assert "60 connections to 127.0.0.1:8000" in finding.text
    assert "(60%)" in finding.text
    assert "2 a second" in finding.text


def test_more_than_there_are_is_not_as_none_was_missing() -> None:
    assert "ports-low" not in opening(120, 50)


def test_as_many_in_a_longer_time_are_not() -> None:
    assert "ports-low" not in opening(60, 120)


def test_each_source_address_has_ports_of_its_own() -> None:
    assert "ports-low" not in opening(60, 50, source_addresses=("127.0.0.2", "127.0.0.3"))
    finding = opening(120, 50, source_addresses=("127.0.0.2", "127.0.0.3"))["ports-low"]
    assert finding.evidence["ports"] == 200


def test_a_clock_that_ticks_too_coarsely_is_found() -> None:
    script = Script("pooled", requests=6)
    row = script.open("pooled")
    for _ in range(6):
        script.send("pooled", 0.01, on=row)
    coarse = replace(script.run(), environment=replace(ENVIRONMENT, clock_resolution_s=0.015))
    codes = [finding.code for finding in analyse(coarse).findings]
    assert "clock-too-coarse" in codes
