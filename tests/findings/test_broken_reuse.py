"""Servers that answer the first request of a connection, and none after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Ending, Failure, Phases

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

CLOSED = Failure("closed-before-response", "Remote end closed connection without response")
OPENED = Phases(connect=0.001)
REQUESTS = 20


def told(script: Script) -> Finding | None:
    """What is said of it, if anything is: at most one of the two."""
    codes = {"reuse-breaks", "errors-differ"}
    found = [it for it in analyse(script.run()).findings if it.code in codes]
    assert len(found) <= 1
    return found[0] if found else None


def closing_at_reuse(dies: list[bool]) -> Script:
    """Each second request on a pooled connection dies where it says so; unpooled ones are well."""
    script = Script("pooled", "unpooled", requests=REQUESTS)
    row: int | None = None
    for index in range(REQUESTS):
        if row is None:
            row = script.open("pooled")
            script.send("pooled", 0.01, index=index, on=row, phases=OPENED)
        elif dies[index]:
            script.fail("pooled", 0.01, failure=CLOSED, index=index, on=row)
            script.connections.ended(row, Ending("failed"), 0.0)
            row = None
        else:
            script.send("pooled", 0.01, index=index, on=row)
        script.send("unpooled", 0.01, index=index, on=script.open("unpooled"), phases=OPENED)
    return script


def test_a_server_that_ends_each_connection_at_its_second_request_breaks_reuse() -> None:
    finding = told(closing_at_reuse([True] * REQUESTS))
    assert finding is not None
    assert finding.code == "reuse-breaks"
    assert finding.evidence == {"count": 10, "reused": 10, "fresh_count": 0, "fresh": 30}
    assert finding.severity == "warning"
    assert finding.text == (
        "Reuse breaks requests here: 10 of 10 requests on reused connections failed, but none of "
        "30 on new ones."
    )
    first = analyse(closing_at_reuse([True] * REQUESTS).run()).findings[0]
    assert first.code == finding.code


def test_one_that_dies_in_between_may_be_chance() -> None:
    """Of 18 reuses 1 died, and of 22 first requests none: that has a probability of 18 ÷ 40."""
    assert told(closing_at_reuse([index == 10 for index in range(REQUESTS)])) is None


def answering(statuses: dict[str, list[int]], *, order: str = "paired") -> Script:
    """One pooled connection, and one for each other request."""
    script = Script("pooled", "unpooled", requests=REQUESTS, order=order)
    kept = script.open("pooled")
    for index in range(REQUESTS):
        for arm in statuses:
            row = kept if arm == "pooled" else script.open(arm)
            phases = Phases() if arm == "pooled" and index else OPENED
            status = statuses[arm][index]
            script.send(arm, 0.01, index=index, on=row, status=status, phases=phases)
    return script


@pytest.mark.parametrize(
    ("first", "code"), [(200, "reuse-breaks"), (500, "errors-differ")], ids=["reuse", "server"]
)
def test_errors_on_a_connection_are_those_of_reuse_only_if_it_began_well(
    first: int, code: str
) -> None:
    """Where its first request is refused, too, it may have led to another server than others."""
    pooled = [first] + [500] * (REQUESTS - 1)
    finding = told(answering({"pooled": pooled, "unpooled": [200] * REQUESTS}))
    assert finding is not None
    assert finding.code == code


def test_a_server_that_goes_wrong_in_the_middle_of_the_only_connection_is_not_said_to() -> None:
    pooled = [200] * 6 + [500] * (REQUESTS - 6)
    finding = told(answering({"pooled": pooled, "unpooled": [200] * REQUESTS}))
    assert finding is not None
    assert finding.text == (
        "14 of 20 responses to pooled were errors (14 × 500), but none of 20 to unpooled, so their "
        "times can't be compared."
    )


@pytest.mark.parametrize("status", [200, 500])
def test_arms_that_are_answered_alike_are_not_told_of(status: int) -> None:
    assert told(answering(dict.fromkeys(("pooled", "unpooled"), [status] * REQUESTS))) is None


def test_an_outage_in_one_arms_turn_is_not_put_down_to_reuse() -> None:
    """One after the other, the arms aren't alike in time: only those that reuse count."""
    pooled = [200] + [500] * (REQUESTS - 1)
    script = answering({"pooled": pooled, "unpooled": [200] * REQUESTS}, order="sequential")
    finding = told(script)
    assert finding is not None
    assert finding.code == "errors-differ"
