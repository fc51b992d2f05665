"""Runs in which one arm's latency changes its level at a request that is known."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.runs import URL, Script

from keepalive_bench import Plan, Target, analyse
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from keepalive_bench.results.run import Run

AT = 100


def drawn(  # what can change in a run
    *,
    speedup: float = 1.0,
    shift: float = 1.0,
    drift: float = 1.0,
    reopened: int | None = None,
    answers: tuple[dict[str, Any], dict[str, Any]] = ({}, {}),
    plan: Plan | None = None,
) -> Run:
    """200 pairs of lognormal latencies, of which the pooled arm's change from request 100 on."""
    random = np.random.default_rng(1)
    script = Script("pooled", "unpooled", requests=200, plan=plan)
    kept = script.open("pooled")
    for index in range(200):
        later = index >= AT
        if index == reopened:
            kept = script.open("pooled", peer="10.0.0.2:80")
        own = 0.01 * (shift if later else 1.0) * drift ** (index / 200)
        noise = np.exp(0.1 * random.normal(size=2))
        script.send("pooled", own * noise[0], on=kept, index=index, **answers[later])
        fresh = script.open("unpooled")
        script.send("unpooled", 0.01 * speedup * noise[1], on=fresh, index=index, **answers[0])
    return script.run()


def text_of(run: Run) -> str:
    return " ".join(it.text for it in analyse(run).findings if it.code == "level-shift")


def test_a_run_without_a_shift_has_none() -> None:
    analysis = analyse(drawn(speedup=3.0))
    assert analysis.comparisons[0].shift is None
    assert "level-shift" not in {it.code for it in analysis.findings}


def test_where_the_parts_disagree_the_verdict_is_inconclusive_and_says_why() -> None:
    analysis = analyse(drawn(shift=1.3))
    (finding,) = [it for it in analysis.findings if it.code == "level-shift"]
    assert finding.evidence["arm"] == "pooled"
    assert finding.evidence["against"] == "unpooled"
    assert finding.evidence["index"] == pytest.approx(AT, abs=5)
    assert finding.evidence["before_s"] == pytest.approx(0.01, rel=0.05)
    assert finding.evidence["after_s"] == pytest.approx(0.013, rel=0.05)
    assert finding.text.startswith(f"From request {finding.evidence['index']} on, pooled took 1")
    assert analysis.verdict.code == "inconclusive"
    assert re.search(r"was \d+ % slower \(95 % CI: \d+–\d+ % slower\)", analysis.verdict.text)
    assert "1.00×" not in analysis.verdict.text
    assert "the latency of pooled rose there, from " in analysis.verdict.text


def test_where_both_parts_say_the_same_the_verdict_stands() -> None:
    analysis = analyse(drawn(speedup=3.0, shift=1.3))
    assert analysis.comparisons[0].shift is not None
    assert analysis.verdict.code == "faster"


def test_a_drift_of_one_arm_is_called_one_and_not_told_twice() -> None:
    analysis = analyse(drawn(drift=2.0))
    findings = [it for it in analysis.findings if it.code in {"level-shift", "drift"}]
    assert [it.code for it in findings] == ["level-shift"]
    assert findings[0].text.startswith("The latency of pooled rose during the run")


def test_a_connection_and_an_address_that_changed_there_are_named() -> None:
    text = text_of(drawn(shift=1.5, reopened=AT))
    assert "its connection (new from request 100 on: " in text
    assert "its address (127.0.0.1:8000, then 10.0.0.2:80) changed" in text


def test_a_status_a_server_and_a_field_that_answers_are_counted_by_are_named() -> None:
    plan = Plan(Target(URL))
    plan = replace(plan, request=replace(plan.request, count_by=("x-backend",)))
    kinds: list[dict[str, Any]] = [
        {"status": status, "answer": Answer("HTTP/1.1", server=server), "counted": (backend,)}
        for status, server, backend in ((200, "a", "one"), (203, "b", "\x1b[2Jtwo"))
    ]
    text = text_of(drawn(shift=1.5, plan=plan, answers=(kinds[0], kinds[1])))
    assert "its Server (a, then b), its status (200, then 203) and its x-backend (one, " in text
    assert "\x1b" not in text
    assert "its connection" not in text


def test_of_blocks_the_first_request_of_one_is_named() -> None:
    random = np.random.default_rng(2)
    script = Script("pooled", "unpooled", requests=30 * 40, concurrency=4)
    for number in range(30):
        for arm in ("pooled", "unpooled"):
            level = 1.5 if arm == "pooled" and number >= 15 else 1.0
            for index in range(40 * number, 40 * number + 40):
                latency = 0.01 * level * math.exp(0.1 * random.normal())
                script.send(arm, latency, index=index, round_number=number)
    shift = analyse(script.run()).comparisons[0].shift
    assert shift is not None
    assert shift.index == 15 * 40


def test_opening_connections_more_often_is_no_shift() -> None:
    """Every tenth request reconnects, from the middle on every third, at three times the time."""
    random = np.random.default_rng(3)
    script = Script("pooled", "unpooled", requests=200)
    kept = script.open("pooled")
    for index in range(200):
        opens = index % (10 if index < AT else 3) == 0
        kept = script.open("pooled") if opens else kept
        own = 0.03 if opens else 0.01
        script.send("pooled", own * math.exp(0.1 * random.normal()), on=kept, index=index)
        fresh = script.open("unpooled")
        script.send("unpooled", 0.03 * math.exp(0.1 * random.normal()), on=fresh, index=index)
    assert analyse(script.run()).comparisons[0].shift is None
