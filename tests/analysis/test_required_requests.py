"""How many requests would settle a comparison: worked by hand, and held against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.analysis.required_requests import required_requests
from keepalive_bench.stats.descriptive import hodges_lehmann
from keepalive_bench.stats.intervals import Estimate, signed_rank_interval


@pytest.mark.parametrize(
    ("ratio", "margin", "needed"),
    [
        # ln 4.54 = 1.513, ln 0.89 = -0.117: 20 × (1.630 ÷ 1.513)². Half the width said 21.
        (Estimate(4.54, 0.89, 11.73), 0.05, 24),
        # The other way round it is the upper end.
        (Estimate(1 / 4.54, 1 / 11.73, 1 / 0.89), 0.05, 24),
        # Nothing to tell: both ends have to come into the margin; 20 × (ln 1.3 ÷ ln 1.1)².
        (Estimate(1.0, 1 / 1.3, 1.2), 0.1, 160),
        # Without a margin, and without an effect, it takes what 1 % takes.
        (Estimate(1.0, 1 / 1.1, 1.1), 0.0, 1_900),
    ],
)
def test_each_end_has_its_own_way_to_go(ratio: Estimate, margin: float, needed: int) -> None:
    assert required_requests(20, ratio, margin) == needed


def test_a_ratio_that_was_rounded_to_nothing_can_be_settled_too() -> None:
    assert required_requests(20, Estimate(1.0, 0.0, 1e304), 0.05) > 1_000_000
    assert required_requests(20, Estimate(0.0, 0.0, 2.0), 0.05) == 21


def test_so_many_requests_settle_it_in_about_half_of_the_runs() -> None:
    """Log ratios around 0.1 that spread by 0.35: 50 pairs leave it open more often than not."""
    random = np.random.default_rng(1)

    def ratio(pairs: int) -> Estimate:
        logs = random.normal(0.1, 0.35, pairs).tolist()
        low, high = signed_rank_interval(logs, 0.95) or (0.0, 0.0)
        return Estimate(math.exp(hodges_lehmann(logs) or 0), math.exp(low), math.exp(high))

    asked = [required_requests(50, found, 0.0) for found in (ratio(50) for _ in range(200))]
    settled = [found.low for found in (ratio(round(float(np.median(asked)))) for _ in range(200))]
    assert 0.3 < np.mean([low is not None and low > 1 for low in settled]) < 0.8


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
    assert text.startswith("Too few requests to tell pooled and unpooled apart: it takes 6 pairs")
    assert " of blocks of 40 requests at the least, and there are 5." in text
    assert text.endswith(" -n 240 makes as many.")
    assert "2.00× faster" in of_blocks(6)


def test_where_time_ends_a_run_it_asks_for_no_number() -> None:
    assert "-n" not in of_blocks(5, duration_s=3.0)
