"""Series with a known autocorrelation, of one arm, of both, and of blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal
from support.runs import Script, paired_run

from keepalive_bench import analyse

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run

CODES = {"autocorrelated", "independence-assumed"}


def found(run: Run) -> list[Finding]:
    return [finding for finding in analyse(run).findings if finding.code in CODES]


def latencies(count: int, correlation: float, seed: int = 1) -> list[float]:
    """Lognormal, and autoregressive as logarithms."""
    noise = np.random.default_rng(seed).normal(size=count)
    series = scipy.signal.lfilter([1], [1, -correlation], noise)
    return [0.01 * math.exp(0.1 * value) for value in series]


@pytest.mark.parametrize("correlation", [0.7, 0.0, -0.7])
def test_of_one_arm_alone_it_is_said_where_latencies_are_like_those_before(
    correlation: float,
) -> None:
    """AR(1) of 0.7: intervals are some √((1 + 0.7)/(1 − 0.7)) = 2.4 times as wide."""
    script = Script("pooled", requests=1_000)
    for value in latencies(1_000, correlation):
        script.send("pooled", value)
    findings = found(script.run())
    assert len(findings) == (correlation > 0)
    for finding in findings:
        assert finding.evidence["series"] == "pooled"
        assert finding.evidence["factor"] == pytest.approx(2.4, rel=0.25)
        assert finding.text.startswith("Latencies are autocorrelated (lag 1: pooled 0.6")
        assert finding.text.endswith("× as wide for it.")


def test_all_series_of_a_run_are_in_one_line() -> None:
    (finding,) = found(paired_run(latencies(1_000, 0.7), latencies(1_000, 0.5, seed=2)))
    names = "pooled, unpooled, pairs of pooled and unpooled"
    assert finding.evidence["series"] == names
    assert finding.evidence["correlation"] == pytest.approx(0.7, abs=0.08)
    assert "; intervals are up to 2." in finding.text


@pytest.mark.parametrize(("requests", "is_said"), [(5, False), (6, True), (7, True), (8, False)])
def test_of_too_few_requests_it_is_said_that_independence_is_assumed(
    requests: int, *, is_said: bool
) -> None:
    """Of 5, there is no interval at 95 %: 2 ÷ 2**5 is more than 5 %."""
    script = Script("pooled", requests=requests)
    for number in range(requests):
        script.send("pooled", 0.01 + 0.0001 * (number % 2))
    findings = found(script.run())
    assert [it.code for it in findings] == ["independence-assumed"] * is_said
    for finding in findings:
        said = f"{requests} requests can't show whether latencies are autocorrelated"
        assert finding.text.startswith(said)


def test_of_8_requests_7_pairs_reused_a_connection() -> None:
    (finding,) = found(paired_run([0.01, 0.011] * 4, [0.02, 0.021] * 4))
    assert finding.text.startswith("7 pairs can't show")
    assert finding.advice == "Use -n 15 or more."
