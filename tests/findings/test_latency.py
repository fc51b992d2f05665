"""What is said of the shape of latencies, and what isn't worth saying."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.plan.plan import Plan, Request, Target, Variation
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run

SHAPES = {"drift", "bimodal", "outliers"}


def found(run: Run) -> dict[str, Finding]:
    return {finding.code: finding for finding in analyse(run).findings}


def latencies(count: int, seed: int = 1, spread: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(np.log(0.01), spread, size=count)


def alone(values: Iterable[float], **options: Any) -> Run:  # noqa: ANN401  # a Script's
    """A run of one arm whose connection is reused."""
    seconds = [float(value) for value in values]
    script = Script("pooled", requests=len(seconds), **options)
    row = script.open("pooled")
    for number, value in enumerate(seconds):
        phases = Phases(connect=None if number else 0.001, wait=value / 2)
        script.send("pooled", value, on=row, phases=phases)
    return script.run()


@pytest.mark.slow
def test_quiet_runs_of_identical_arms_have_no_shape_worth_telling() -> None:
    """Latencies are lognormal, with one slow one in twenty, 1.5 times as slow."""
    count, runs, told = 50, 60, 0
    for seed in range(runs):
        random = np.random.default_rng(seed)
        values = random.lognormal(np.log(0.01), 0.1, size=(2, count))
        values *= np.where(random.random((2, count)) < 0.05, 1.5, 1)
        told += bool(SHAPES & found(paired_run(*values.tolist())).keys())
    assert told <= 0.05 * runs


@pytest.mark.parametrize(("opening_s", "said"), [(1.0, "Opening the connection"), (0.0, "A cache")])
def test_groups_that_lie_in_opening_connections_say_so(opening_s: float, said: str) -> None:
    # A SYN that is lost takes a second more: half of them, in their order.
    script = Script("unpooled", requests=60)
    for number, value in enumerate(latencies(60)):
        late_s = number % 2
        phases = Phases(connect=0.001 + opening_s * late_s)
        row = script.open("unpooled", retransmissions=int(opening_s * late_s))
        script.send("unpooled", float(value) + late_s, on=row, phases=phases)
    assert said in found(script.run())["bimodal"].advice


def test_a_rise_in_the_course_of_the_run_is_a_drift() -> None:
    finding = found(alone(latencies(200) * np.linspace(1, 1.5, 200)))["drift"]
    assert finding.severity == "info"
    assert finding.evidence["first_s"] == pytest.approx(0.01, rel=0.05)
    assert finding.evidence["last_s"] == pytest.approx(0.015, rel=0.05)
    assert "rose during the run, from 10" in finding.text


def test_a_rise_by_a_few_per_cent_is_none_however_sure_it_is() -> None:
    values = latencies(10_000, spread=0.01) * np.linspace(1, 1.05, 10_000)
    assert "drift" not in found(alone(values))


def test_a_fall_is_one_too_and_what_it_means_depends_on_the_order() -> None:
    falling = (latencies(100) * np.linspace(2, 1, 100)).tolist()
    in_turn = found(paired_run(falling, falling))["drift"]
    after = found(paired_run(falling, falling, order="sequential"))["drift"]
    assert "fell" in in_turn.text
    assert (in_turn.severity, after.severity) == ("info", "warning")
    assert "comparison holds" in in_turn.advice
    assert "--order paired" in after.advice


def test_the_first_request_that_opens_the_connection_is_no_outlier() -> None:
    assert not SHAPES & found(alone([0.09, *latencies(49)])).keys()


def test_slow_requests_that_move_the_mean_are_outliers_and_stay_in() -> None:
    values = [*latencies(97), 0.3, 0.4, 0.5]
    run = alone(values)
    finding = found(run)["outliers"]
    usual = fmean(values[1:97])
    assert finding.evidence["count"] == 3
    assert finding.evidence["largest_s"] == 0.5
    assert finding.evidence["median_s"] == pytest.approx(median(values[1:]))
    assert finding.evidence["raised"] == pytest.approx(fmean(values[1:]) / usual - 1)
    assert finding.severity == "info"
    assert analyse(run).arms[0].latency.mean == pytest.approx(fmean(values))


def test_one_that_hardly_moves_the_mean_is_not_worth_telling() -> None:
    assert not SHAPES & found(alone([*latencies(999), 0.03])).keys()


def in_groups(times: int = 5, **options: Any) -> Run:  # noqa: ANN401  # a Script's
    values = latencies(200)
    values[::4] *= times
    return alone(values, **options)


def test_latencies_in_two_groups_are_told_with_how_many_are_in_each() -> None:
    finding = found(in_groups())["bimodal"]
    assert (finding.evidence["lower"], finding.evidence["upper"]) == (150, 49)
    assert finding.evidence["lower_s"] == pytest.approx(0.01, rel=0.05)
    assert finding.evidence["upper_s"] == pytest.approx(0.05, rel=0.05)
    assert finding.severity == "info"
    assert "TCP_NODELAY" in finding.advice  # they are 40 ms apart


def test_groups_that_are_not_40_ms_apart_have_other_causes() -> None:
    assert "A cache" in found(in_groups(times=10))["bimodal"].advice


def test_on_a_busy_machine_that_is_the_likely_cause() -> None:
    run = in_groups(times=10)
    busy = run._replace(run_info=run.run_info._replace(other_cpu_min=0.9, other_cpu_max=1.0))
    assert "of this machine" in found(busy)["bimodal"].advice


def test_many_far_off_are_told_once() -> None:
    assert "outliers" not in found(in_groups())


def test_the_advice_on_groups_fits_what_varies() -> None:
    request = Request(variation=Variation(fields=(("q", ("a", "b")),)))
    plan = Plan(Target("http://127.0.0.1:8000/"), request)
    assert "parameters" in found(in_groups(times=10, plan=plan))["bimodal"].advice


def test_reused_and_fresh_connections_are_no_two_groups() -> None:
    script = Script("pooled", requests=60)
    for number, value in enumerate(latencies(60)):
        fresh = number % 3 == 0
        if fresh:
            row = script.open("pooled")
        phases = Phases(connect=0.04 if fresh else None, wait=float(value))
        script.send("pooled", float(value) + 0.04 * fresh, on=row, phases=phases)
    assert "bimodal" not in found(script.run())


def test_of_few_requests_no_shape_is_told() -> None:
    assert not SHAPES & found(alone([0.001, *[0.01] * 9, *[0.5] * 9])).keys()


@pytest.mark.parametrize(
    ("requests", "lacking", "needed"),
    [(4, "p50", 6), (35, "p90", 36)],
)
def test_quantiles_that_so_few_requests_cannot_bound_are_named(
    requests: int, lacking: str, needed: int
) -> None:
    """0.9**36 is the first below 2.5 %; of a median, twice as much is 0.5**5."""
    finding = found(alone(latencies(requests)))["too-few-requests"]
    evidence = {"requests": requests, "lacking": lacking, "needed": needed}
    assert (finding.evidence, finding.severity) == (evidence, "info")
    assert finding.advice == f"Use -n {needed} or more."


def test_a_run_that_ends_by_itself_is_to_be_longer() -> None:
    finding = found(alone(latencies(20), duration_s=1.0))["too-few-requests"]
    assert finding.advice == "Measure longer."


def test_of_enough_requests_nothing_is_said() -> None:
    assert "too-few-requests" not in found(alone(latencies(36)))
