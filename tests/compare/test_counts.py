"""What began to go wrong, or what chance does: incidents are counted, and one is no change."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.compare.counts import by_chance, direction
from keepalive_bench.compare.incidents import Occurrences, errors, failed, incidents
from keepalive_bench.compare.reopenings import reopened
from keepalive_bench.plan.document import plan_document
from keepalive_bench.results.exchange import Answer, Ending
from keepalive_bench.stats.multiple_tests import holm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from keepalive_bench.compare.change import ChangeVerdict
    from keepalive_bench.results.run import Run

SAID_CLOSE = Answer("HTTP/1.1", connection="close")


def pooled(
    requests: int = 50,
    *,
    latency_s: float = 0.01,
    fails: Collection[int] = (),
    errs: Collection[int] = (),
    closes: Collection[int] = (),
    threads: int = 1,
) -> Run:
    """Requests by index, of threads in step; after those that close, a connection is at its end."""
    script = Script("pooled", requests=requests, concurrency=threads)
    rows: dict[int, int] = {}
    for index in range(requests):
        slot, began_s = index % threads, index // threads * latency_s * 1.1
        row = rows[slot] if slot in rows else script.open("pooled", slot, opened_s=began_s)
        rows[slot] = row
        took_s = latency_s * (1 + index * 1e-4)
        if index in fails:
            script.fail("pooled", took_s)
            continue
        ends = index in closes
        status, answer = 503 if index in errs else 200, SAID_CLOSE if ends else Answer("HTTP/1.1")
        script.send("pooled", took_s, on=row, began_s=began_s, status=status, answer=answer)
        if ends:
            script.connections.ended(row, Ending("announced"), began_s + took_s)
            del rows[slot]
    return script.run()


def said(base: Run, new: Run) -> ChangeVerdict:
    one, other = (
        Source(name, run, analyse(run), plan_document(run.plan))
        for name, run in (("base.json", base), ("new.json", new))
    )
    return compare_runs([one], other).verdict


@given(st.lists(st.floats(0, 1), max_size=6), st.sampled_from([0.05, 0.2]))
def test_holm_rejects_what_a_closed_test_does(probabilities: list[float], level: float) -> None:
    """Where Bonferroni's test rejects all hypotheses together that one is among, whichever.

    R. Marcus, E. Peritz and K. R. Gabriel, Biometrika 63 (1976): Holm's is that, closed.
    """
    places = range(len(probabilities))
    together = list(chain.from_iterable(combinations(places, n + 1) for n in places))
    rejected = [
        all(
            min(probabilities[it] for it in those) <= level / len(those)
            for those in together
            if place in those
        )
        for place in places
    ]
    assert holm(probabilities, level) == rejected


def test_holm_stops_at_the_first_that_is_not_small_enough() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]


@given(st.integers(0, 30), st.integers(30, 90), st.integers(0, 30), st.integers(30, 90))
def test_chance_is_fishers_of_either_side(hits: int, chances: int, other: int, others: int) -> None:
    table = np.array([[hits, chances - hits], [other, others - other]])
    sides = [scipy_stats.fisher_exact(table, side).pvalue for side in ("less", "greater")]
    found = by_chance(Occurrences(hits, chances, hits), Occurrences(other, others, other))
    assert found == pytest.approx(min(1, 2 * min(sides)), rel=1e-6, abs=1e-12)


SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda it: (it[0], it[0] + it[1])),
    max_size=7,
)


@given(SPANS)
def test_incidents_are_the_fewest_moments(spans: list[tuple[int, int]]) -> None:
    moments = [number + 0.5 for number in range(18)]
    fewest = next(
        count
        for count in range(len(spans) + 1)
        for those in combinations(moments, count)
        if all(any(since < it < until for it in those) for since, until in spans)
    )
    sizes = incidents(spans)
    assert (len(sizes), sum(sizes)) == (fewest, len(spans))


AT_ONCE = range(40, 50)
EVENTS = {
    "a restart closes ten connections": (pooled(200, threads=10, closes=AT_ONCE), reopened, 10, 1),
    "two restarts": (pooled(200, threads=10, closes=[*AT_ONCE, *range(120, 130)]), reopened, 20, 2),
    "a drain closes ten, one after the other": (pooled(closes=AT_ONCE[:9]), reopened, 9, 1),
    "a limit of two": (pooled(closes=range(1, 49, 2)), reopened, 24, 24),
    "an outage": (pooled(fails=range(20, 30)), failed, 10, 1),
    "errors for a while": (pooled(errs=range(20, 30)), errors, 10, 1),
    "errors now and then": (pooled(errs=range(0, 50, 7)), errors, 8, 8),
}


@pytest.mark.parametrize(("run", "count", "hits", "events"), EVENTS.values(), ids=EVENTS)
def test_what_one_event_does_is_one_incident(
    run: Run, count: object, hits: int, events: int
) -> None:
    assert callable(count)
    found = count(analyse(run).arms[0])
    assert (found.hits, found.incidents) == (hits, events)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (
            pooled(fails=[20]),
            "1 of 50 requests of pooled failed, compared with 0 of 50 in BASE: that happened once",
        ),
        (
            pooled(errs=[7, 30]),
            "2 of 50 responses to pooled were errors, compared with 0 of 50 in BASE: that",
        ),
        (
            pooled(200, threads=10, closes=AT_ONCE),
            "reopened a connection, compared with 0 of 200 in BASE:",
        ),
    ],
)
def test_what_may_be_chance_is_said_and_hides_no_latency(new: Run, told: str) -> None:
    sent, threads = new.plan.experiment.requests, new.plan.experiment.concurrency
    verdict = said(pooled(sent, threads=threads), new)
    assert verdict.code == ("no-difference" if threads == 1 else "inconclusive")
    assert told in verdict.text
    assert verdict.text.endswith(", which may be chance.")
    slower = said(pooled(latency_s=0.005), pooled(fails=[20]))
    assert slower.code == "worse"
    faster = said(pooled(latency_s=0.02), pooled(fails=[20]))
    assert faster.code == "better"
    assert "that happened once, which may be chance" in faster.text
    assert "that happened once, which may be chance." in said(pooled(fails=[20]), pooled()).text


STATES: dict[str, tuple[Run, str]] = {
    "a limit of ten": (pooled(closes=range(9, 49, 10)), "(server-close, 4 times)"),
    "a limit of twenty": (pooled(closes=range(19, 49, 20)), "(server-close, twice)"),
    "keep-alive is off": (
        pooled(closes=range(50)),
        "49 of 50 requests of pooled reopened",
    ),
    "every request fails": (
        pooled(fails=range(50)),
        "50 of 50 requests of pooled failed, compared",
    ),
    "only errors": (pooled(errs=range(50)), "50 of 50 responses to pooled were errors, comp"),
    "it never came back": (
        pooled(400, fails=range(200, 400)),
        "200 of 400 requests of pooled failed,",
    ),
    "every fifth fails": (pooled(fails=range(0, 50, 5)), "10 of 50 requests of pooled failed"),
}


@pytest.mark.parametrize(("new", "told"), STATES.values(), ids=STATES)
def test_what_is_no_chance_is_worse_and_better_the_other_way_round(new: Run, told: str) -> None:
    base = pooled(new.plan.experiment.requests)
    verdict = said(base, new)
    assert verdict.code == "worse"
    assert told in verdict.text
    assert said(new, base).code == "better"


def test_what_got_worse_goes_before_what_got_better() -> None:
    failing = pooled(latency_s=0.005, fails=range(0, 50, 5))
    verdict = said(failing, pooled())
    assert verdict.code == "worse"
    assert "0 of 50 requests of pooled failed, compared with 10 of 50 in BASE." in verdict.text
    assert said(pooled(), failing).code == "worse"


def test_a_limit_needs_a_base_that_would_have_shown_it() -> None:
    limited = pooled(400, closes=range(99, 399, 100))
    assert said(pooled(400), limited).code == "worse"
    verdict = said(pooled(50), limited)
    assert verdict.code != "worse"
    assert "that happened 3 times, and BASE sent too few requests to show it." in verdict.text


def test_a_limit_that_was_there_before_is_no_change() -> None:
    limited = pooled(closes=range(9, 49, 10))
    other = pooled(51, closes=range(9, 49, 10))
    assert said(limited, other).code == "no-difference"


@pytest.mark.parametrize("at", [(12, 40), (12, 25, 40)])
def test_announced_closes_at_any_number_are_no_limit(at: Sequence[int]) -> None:
    assert said(pooled(), pooled(closes=at)).code == "no-difference"


@given(st.integers(0, 60), st.integers(60, 90), st.integers(0, 60), st.integers(60, 90))
def test_what_happens_more_often_happened_less_often_before(
    hits: int, chances: int, other: int, others: int
) -> None:
    one, two = Occurrences(hits, chances, hits), Occurrences(other, others, other)
    for is_change in (True, False):
        there = direction(one, two, is_change=is_change)
        if hits * others != other * chances:
            assert there == -direction(two, one, is_change=is_change)
    assert by_chance(one, two) == pytest.approx(by_chance(two, one))
    assert direction(Occurrences(0, 0), one, is_change=True) == 0
