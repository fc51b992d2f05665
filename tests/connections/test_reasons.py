"""Reasons are kept as columns: held against objects that are made one by one, on random runs."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import HTML, Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.analysis.history import History
from keepalive_bench.analysis.reasons import Reason, Reasons
from keepalive_bench.connections.reason_kinds import BY_DESIGN
from keepalive_bench.results.exchange import ENDINGS, Answer, Ending, Failure, Phases

if TYPE_CHECKING:
    from keepalive_bench.results.run import Run

ARMS = ("pooled", "unpooled")
TIMES = st.none() | st.sampled_from([0.01, 0.4, 1.5])
ANSWERS = st.sampled_from(
    [
        HTML,
        Answer("HTTP/1.0"),
        Answer("HTTP/1.1", connection="close"),
        Answer("HTTP/1.1", framing="close"),
        Answer("HTTP/1.1", keep_alive="timeout=1, max=2"),
    ]
)
FAILURES = st.none() | st.sampled_from(["reset", "read-timeout", "unexpected-status"])
ENDED = st.builds(Ending, st.sampled_from(ENDINGS), TIMES, TIMES, st.sampled_from(["", "boo"]))
STEPS = st.fixed_dictionaries(
    {
        "arm": st.sampled_from(ARMS),
        "slot": st.integers(0, 2),
        "ending": st.none() | ENDED,
        "opens": st.booleans(),
        "answer": ANSWERS,
        "failure": FAILURES,
        "wait": st.none() | st.just(0.1),
    }
)


def made(steps: list[dict[str, Any]]) -> Run:
    """A run in which each step sends a request, on a new connection or on the slot's last one."""
    script = Script(*ARMS, requests=len(steps) + 1, concurrency=2)
    on: dict[tuple[str, int], int] = {}
    for step in steps:
        place = step["arm"], step["slot"]
        if place in on and step["ending"] is not None:
            script.connections.ended(on[place], step["ending"], 1.0)
        if place not in on or step["opens"] or step["ending"] is not None:
            on[place] = script.open(*place)
        if step["failure"] is not None:
            script.fail(step["arm"], 0.2, failure=Failure(step["failure"], ""), on=on[place])
        else:
            wait = Phases(wait=step["wait"])
            script.send(step["arm"], 0.2, on=on[place], answer=step["answer"], phases=wait)
    return script.run()


def before(run: Run, arm: str) -> dict[int, tuple[int | None, int | None]]:
    """What each connection took the place of, and the last exchange on that one."""
    rows, connections = run.connections.rows(arm), run.connections
    last = {exchange.outcome.connection: row for row, exchange in enumerate(run.exchanges)}
    found = {}
    for row in rows:
        slot = connections[row].slot
        earlier = [it for it in rows if it < row and connections[it].slot == slot]
        previous = max(earlier, default=None)
        found[row] = previous, None if previous is None else last.get(previous)
    return found


def both(run: Run) -> list[Reasons]:
    history = History(run)
    return [
        Reasons(history, arm, run.connections.of_arm(arm.label)) for arm in run.plan.experiment.arms
    ]


@given(st.lists(STEPS, max_size=25))
def test_each_connection_has_a_reason_with_what_was_before_it(steps: list[dict[str, Any]]) -> None:
    run = made(steps)
    for arm, reasons in zip(ARMS, both(run), strict=True):
        assert list(reasons) == run.connections.rows(arm)
        assert len(reasons) == len(list(reasons))
        assert {row: (it.previous, it.exchange) for row, it in reasons.items()} == before(run, arm)


@given(st.lists(STEPS, max_size=25))
def test_columns_and_counts_say_what_the_reasons_say(steps: list[dict[str, Any]]) -> None:
    for reasons in both(made(steps)):
        each = dict(reasons.items())
        codes = Counter(reason.code for reason in each.values())
        assert list(reasons.counts.items()) == codes.most_common()
        assert {row: reasons.codes[reasons.column[row]] for row in each} == {
            row: reason.code for row, reason in each.items()
        }
        assert list(reasons.caused_by_interleaving) == [
            row for row, it in each.items() if it.is_caused_by_interleaving
        ]
        for code in codes:
            theirs = [
                row
                for row, it in each.items()
                if it.code == code and not it.is_caused_by_interleaving
            ]
            assert list(reasons.rows(code)) == theirs


@given(st.lists(STEPS, min_size=1, max_size=25))
def test_a_reason_is_the_same_whenever_it_is_asked_for(steps: list[dict[str, Any]]) -> None:
    for reasons in both(made(steps)):
        assert list(reasons.values()) == [reasons[row] for row in reasons]


@pytest.mark.parametrize("row", [-1, 0, 3])
def test_what_is_no_connection_of_the_arm_has_no_reason(row: int) -> None:
    script = Script(*ARMS, requests=3)
    script.open("unpooled")
    script.open("pooled")
    script.open("pooled", 1)
    pooled, _ = both(script.run())
    assert row not in pooled
    assert pooled.get(row) is None
    with pytest.raises(KeyError):
        pooled[row]


def test_an_arm_without_connections_has_no_reasons() -> None:
    pooled, _ = both(Script(*ARMS).run())
    assert (len(pooled), dict(pooled), pooled.counts, pooled.codes) == (0, {}, {}, ())


def test_a_reason_is_made_when_it_is_asked_for() -> None:
    _, unpooled = analyse(paired_run([0.01] * 2, [0.02] * 2)).arms
    first, second = unpooled.reasons
    assert unpooled.reasons[second] == Reason(BY_DESIGN, "kab", {}, first, 1)


def test_a_connection_s_reason_takes_a_few_bytes() -> None:
    run = paired_run([0.01] * 5_000, [0.02] * 5_000)
    tracemalloc.start()
    try:
        kept = both(run)
        assert tracemalloc.get_traced_memory()[0] / 5_000 <= 12
    finally:
        tracemalloc.stop()
    assert sum(map(len, kept)) == 5_001
