"""How many requests would settle a comparison: worked by hand, and held against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.analysis.required_requests import (
    LOOKED_AT,
    PrecisionRule,
    required_requests,
)
from keepalive_bench.plan.plan import DecisionRule
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.stats.descriptive import hodges_lehmann
from keepalive_bench.stats.intervals import Estimate, signed_rank_interval


@pytest.mark.parametrize(
    ("ratio", "margin", "confidence", "needed"),
    [
        # ln 4.54 = 1.513, ln 0.89 = -0.117: 1.630 to go. 0.8416 standard errors less than 1.513 are
        # 0.813, which an interval (1 + 0.8416 ÷ 1.96) times as wide has to be: 20 × 8.2.
        (Estimate(4.54, 0.89, 11.73), 0.05, 0.95, 170),
        # The other way round it is the upper end.
        (Estimate(1 / 4.54, 1 / 11.73, 1 / 0.89), 0.05, 0.95, 170),
        # A surer interval has less of a standard error in it: 20 × (1.630 × 1.3267 ÷ 0.981)².
        (Estimate(4.54, 0.89, 11.73), 0.05, 0.99, 98),
        # Nothing to tell: it has to be as wide as the margin, 20 × (ln 1.2 × 1.3 ÷ ln 1.1)².
        (Estimate(1.0, 1 / 1.3, 1.2), 0.1, 0.95, 440),
        # Without a margin, and without an effect, it takes what 1 % takes.
        (Estimate(1.0, 1 / 1.1, 1.1), 0.0, 0.95, 3_800),
    ],
)
def test_each_end_has_its_own_way_to_go(
    ratio: Estimate, margin: float, confidence: float, needed: int
) -> None:
    rule = DecisionRule(margin=margin, confidence=confidence)
    assert required_requests(20, ratio, rule) == needed


def test_a_ratio_that_was_rounded_to_nothing_can_be_settled_too() -> None:
    assert required_requests(20, Estimate(1.0, 0.0, 1e304), DecisionRule()) > 1_000_000
    assert required_requests(20, Estimate(0.0, 0.0, 2.0), DecisionRule()) == 130


@pytest.mark.parametrize("effect", [0.0, 0.025, 0.05, 0.1])
def test_so_many_requests_settle_four_in_five_of_the_runs_that_left_it_open(effect: float) -> None:
    """Log ratios that spread by 0.35; what they are around may be nothing, or what is asked for."""
    random, margin = np.random.default_rng(1), math.log(1.05)

    def ratio(pairs: int) -> Estimate:
        logs = random.normal(effect, 0.35, pairs).tolist()
        low, high = signed_rank_interval(logs, 0.95) or (0.0, 0.0)
        return Estimate(math.exp(hodges_lehmann(logs) or 0), math.exp(low), math.exp(high))

    def is_open(found: Estimate) -> bool:
        low, high = math.log(found.low or 1), math.log(found.high or 1)
        return low <= 0 <= high and not -margin <= low <= high <= margin

    unsettled = [found for found in (ratio(40) for _ in range(120)) if is_open(found)][:60]
    asked = [required_requests(40, found, DecisionRule()) for found in unsettled]
    assert np.mean([not is_open(ratio(requests)) for requests in asked]) > 0.8


def of_blocks(rounds: int, duration_s: float | None = None) -> str:
    """The verdict on so many rounds of blocks of 40."""
    script = Script(
        "pooled", "unpooled", requests=rounds * 40, concurrency=4, maxsize=4, duration_s=duration_s
    )
    for number in range(rounds):
        for arm, latency_s in (("pooled", 0.01), ("unpooled", 0.02)):
            for place in range(40):
                script.send(arm, latency_s, index=number * 40 + place, round_number=number)
    return analyse(script.run()).verdict.text


def test_at_higher_concurrency_it_says_how_many_requests_make_enough_pairs() -> None:
    text = of_blocks(5)
    assert text.startswith("Too few requests to compare pooled and unpooled: at least 6 pairs")
    assert " of blocks of 40 requests are needed, and there are 5." in text
    assert text.endswith(" Use -n 240.")
    assert "2.00× faster" in of_blocks(6)


def test_where_time_ends_a_run_it_asks_for_no_number() -> None:
    assert "-n" not in of_blocks(5, duration_s=3.0)


def test_the_columns_that_processes_send_are_all_that_a_precision_looks_at() -> None:
    run = paired_run([0.01] * 80, [0.02] * 80, precision=0.5)
    followed = ExchangeColumns(run.exchanges.arms)
    for name in LOOKED_AT:
        getattr(followed, name).extend(getattr(run.exchanges, name))
    rule = PrecisionRule(run.plan, followed)
    assert [rule.is_met(), rule.is_met()] == [False, False]  # once, as the next look is due later
    for name in LOOKED_AT:
        getattr(followed, name).extend(getattr(run.exchanges, name)[:50])
    assert rule.is_met()
