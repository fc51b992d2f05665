"""What kab itself cut off when a run was stopped changes no number but its own count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.exports import stored
from support.runs import CUT_OFF, Script
from support.sweeps import swept

from keepalive_bench import analyse, require
from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from keepalive_bench import Run

UNDER_WAY = 5


def one_at_a_time(script: Script, first: str, *others: str) -> None:
    shared = script.open(first)
    for index in range(20):
        script.send(first, 0.010 + index / 1e5, on=shared, index=index)
        for other in others:
            script.send(other, 0.020 + index / 1e5, on=script.open(other), index=index)


def in_blocks(script: Script, *labels: str) -> None:
    """Eight threads: ten whole rounds, and half of one more."""
    rows = {label: [script.open(label, slot) for slot in range(8)] for label in labels}
    for number in range(10):
        for label in labels:
            for row in rows[label]:
                script.send(label, 0.01 + number / 1e5, on=row, round_number=number)
    for row in rows[labels[0]][:4]:
        script.send(labels[0], 0.01, on=row, round_number=10)


def with_failures(script: Script, *labels: str) -> None:
    in_blocks(script, *labels)
    for label in labels:
        script.fail(label, 0.01, round_number=10)


RUNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "one at a time": (one_at_a_time, {}),
    "several at a time": (in_blocks, {"concurrency": 8}),
    "one after the other": (one_at_a_time, {"order": "sequential"}),
    "with failures": (with_failures, {"concurrency": 8}),
    "maxsize": (in_blocks, swept(1, 8, concurrency=8)),
    "concurrency": (in_blocks, swept(4, 8, concurrency=8, sweep="concurrency")),
    "threads that wait": (in_blocks, swept(1, 8, concurrency=8, block=True)),
}


def stopped(name: str, *, under_way: int) -> Run:
    """A run that was stopped while so many requests of its first arm were under way."""
    send, experiment = RUNS[name]
    script = Script(**{"requests": 1000, **experiment})
    labels = script.plan.experiment.labels
    send(script, *labels)
    for _ in range(under_way):
        script.fail(labels[0], 3.0, failure=CUT_OFF, round_number=11)
    return script.run(interrupted=True, cpu_s=0.0)  # which those that were cut off took part in


def numbers(run: Run) -> dict[str, Any]:
    """All that is derived from a run, without how many requests were under way at its end."""
    document = json.loads(stored(run))
    for arm in document["arms"].values():
        arm["not_sent"] += arm.pop("interrupted")
        del arm["urllib3"]  # the script's count, of whatever it noted
    codes = {"interrupted", "requests-not-sent"}
    document["findings"] = [it for it in document["findings"] if it["code"] not in codes]
    del document["exchanges"]
    return dict(document)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_with_requests_under_way_comes_to_the_same_as_without_them(name: str) -> None:
    assert numbers(stopped(name, under_way=UNDER_WAY)) == numbers(stopped(name, under_way=0))


def test_they_have_a_count_of_their_own() -> None:
    first, *others = analyse(stopped("several at a time", under_way=UNDER_WAY)).arms
    assert [arm.interrupted for arm in (first, *others)] == [UNDER_WAY, *(0 for _ in others)]
    for arm in (first, *others):
        assert arm.succeeded + arm.failed + arm.interrupted + arm.not_sent == arm.requests


def test_requirements_are_about_what_ended() -> None:
    run = stopped("several at a time", under_way=UNDER_WAY)
    met = ("failed==0", "interrupted==5", "pooled.interrupted==5", "unpooled.interrupted==0")
    require(run, *met, "pooled.succeeded==84", "verdict!=not-comparable", strict=True)


def test_an_arm_of_which_nothing_ended_was_not_measured() -> None:
    script = Script("pooled", "unpooled", requests=20)
    script.send("pooled", 0.01)
    script.fail("unpooled", failure=CUT_OFF)
    analysis = analyse(script.run(interrupted=True))
    assert analysis.verdict.code == "not-measured"
    assert "requests-failed" not in {finding.code for finding in analysis.findings}


def test_a_connection_opened_for_a_request_that_was_cut_off_is_counted_and_divides_nothing() -> (
    None
):
    script = Script("pooled", "unpooled", requests=20, concurrency=4)
    for _ in range(8):
        script.send("pooled", 0.01, on=script.open("pooled", slot=0))
        script.send("unpooled", 0.01, on=script.open("unpooled", slot=0))
    for slot in range(4):
        script.open("unpooled", slot)
        script.fail("unpooled", failure=CUT_OFF)
    pooled, unpooled = analyse(script.run(interrupted=True)).arms
    assert (pooled.connections, pooled.requests_per_connection) == (8, 1.0)
    assert (unpooled.connections, unpooled.requests_per_connection) == (12, 1.0)


def test_where_each_connection_was_opened_for_one_there_is_no_ratio() -> None:
    script = Script("pooled", requests=20)
    script.open("pooled")
    script.fail("pooled", failure=CUT_OFF)
    (arm,) = analyse(script.run(interrupted=True)).arms
    assert (arm.connections, arm.requests_per_connection, arm.reuse) == (1, None, None)


def test_the_server_is_not_blamed_for_a_connection_that_was_in_use_at_the_end() -> None:
    """A connection whose last exchange was cut off, whoever wrote the file."""
    script = Script("pooled", requests=20)
    first = script.open("pooled")
    script.send("pooled", 0.01, on=first)
    script.fail("pooled", failure=CUT_OFF, on=first)
    script.connections.ended(first, Ending("failed"), 1.0)
    second = script.open("pooled")
    script.send("pooled", 0.01, on=second)
    analysis = analyse(script.run(interrupted=True))
    assert analysis.first.reason_counts == {"first-use": 1, "unknown": 1}
