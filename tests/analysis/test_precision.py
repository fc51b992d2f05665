"""A measurement may end when the speed-up is known as well as was asked for."""

from __future__ import annotations

from math import log1p
from random import Random
from typing import TYPE_CHECKING

import pytest
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.analysis.required_requests import PrecisionRule, is_precise
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator


def looks(spread: float, precision: float, seed: int = 1, most: int = 4_000) -> Iterator[bool]:
    """What the rule says after each pair, of latencies that spread so much (as logarithms)."""
    random = Random(seed)  # noqa: S311  # not for secrets
    script = Script("pooled", "unpooled", precision=precision, requests=most)
    rule = PrecisionRule(script.plan, script.exchanges)
    for index in range(most):
        script.send("pooled", random.lognormvariate(-5, spread), index=index)
        script.send("unpooled", random.lognormvariate(-4, spread), index=index)
        yield rule.is_met()


def end(spread: float, precision: float) -> int:
    return next(number for number, met in enumerate(looks(spread, precision), start=1) if met)


@pytest.mark.parametrize("precision", [0.02, 0.05, 0.1])
def test_the_number_of_pairs_is_about_what_the_normal_distribution_asks_for(
    precision: float,
) -> None:
    # 1.96 standard deviations of the mean of n differences of two normal values. The rule's own
    # estimate is cautious, and it looks twice, a quarter of the pairs apart.
    needed = (1.96 * 0.3 * 2**0.5 / log1p(precision)) ** 2
    assert max(50, needed) <= end(0.3, precision) <= max(100, 3 * needed)


def test_one_narrow_look_is_not_enough() -> None:
    assert end(0.0, 0.01) == 63  # 50 pairs, and a quarter more


def test_a_run_with_a_precision_asked_for_shows_intervals_that_reach_it() -> None:
    number = end(0.3, 0.05)
    random = Random(1)  # noqa: S311  # not for secrets
    halves = [
        (random.lognormvariate(-5, 0.3), random.lognormvariate(-4, 0.3)) for _ in range(number)
    ]
    run = paired_run(*zip(*halves, strict=True), precision=0.05)
    assert is_precise(analyse(run).comparisons[0].speedup, 0.05)


def test_an_arm_that_never_answers_doesn_t_keep_the_other_going() -> None:
    script = Script("pooled", "unpooled", precision=0.02, requests=1_000)
    rule = PrecisionRule(script.plan, script.exchanges)
    met = []
    for index in range(70):
        script.send("pooled", 0.01, index=index)
        script.fail("unpooled", index=index)
        met.append(rule.is_met())
    assert True in met


def test_without_a_precision_nothing_is_looked_at() -> None:
    script = Script("pooled", "unpooled", requests=1_000)
    for _ in range(500):
        script.send("pooled", 1.0)
        script.send("unpooled", 1.0)
    assert not PrecisionRule(script.plan, script.exchanges).is_met()


def test_what_has_no_interval_is_not_precise() -> None:
    assert not is_precise(Estimate(2.0), 0.5)


def test_a_precision_that_was_not_reached_is_said() -> None:
    run = paired_run([0.01, 0.03] * 10, [0.03, 0.02] * 10, precision=0.02)
    finding = next(it for it in analyse(run).findings if it.code == "precision-not-reached")
    estimate, low, high = analyse(run).comparisons[0].speedup
    assert estimate is not None
    assert low is not None
    assert high is not None
    wider = max(high / estimate, estimate / low) - 1  # what the rule looks at
    assert finding.evidence["reached"] == pytest.approx(wider)
