"""What changed between two runs: counted exactly, estimated as sure as chance allows."""

from __future__ import annotations

from csv import DictReader
from dataclasses import replace
from fractions import Fraction
from math import exp, sqrt
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from support.exports import everything
from support.runs import CUT_OFF, URL, Script, paired_run, view_of

from keepalive_bench import Target, UsageError, analyse
from keepalive_bench.analysis.arms import summarise
from keepalive_bench.analysis.metrics import Metric
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source, figure_change, number_change
from keepalive_bench.compare.document import csv_lines
from keepalive_bench.compare.requirements import change_scopes
from keepalive_bench.plan.document import plan_document
from keepalive_bench.requirements.lookup import Evidence
from keepalive_bench.results.exchange import PHASES

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.compare.change import Change, FigureChange
    from keepalive_bench.results.run import Run

METRICS = ("mean", "p50", "p90", "p95")
RUNS = 100


def source(run: Run, name: str = "run.json") -> Source:
    return Source(name, run, analyse(run), plan_document(run.plan))


def compared(base: Run, new: Run, *requirements: str, forced: bool = False) -> Change:
    return compare_runs([source(base)], source(new), requirements, forced=forced)


def latencies(count: int, seed: object, scale: float = 1.0, tail: float = 0.5) -> list[float]:
    random = Random(f"{seed}")  # noqa: S311  # not for secrets
    return [scale * 0.01 * exp(random.gauss(0, tail)) for _ in range(count)]


def changes(base: list[float], new: list[float]) -> dict[str, FigureChange]:
    before, after = (alone(it) for it in (base, new))
    return {
        metric: figure_change([evidence(before, metric)], evidence(after, metric), 0.95)
        for metric in METRICS
    }


def evidence(arm: ArmSummary, metric: str) -> Evidence:
    return Evidence(getattr(arm.latency, metric), *arm.latency_bounds.get(metric, (None, None)))


def alone(latencies_s: list[float]) -> ArmSummary:
    script = Script("pooled", requests=len(latencies_s))
    for latency_s in latencies_s:
        script.send("pooled", latency_s)
    run = script.run()
    return summarise(run, {"pooled": view_of(run)})[0]


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.0, 0.25], ids=["equal", "a quarter slower"])
def test_intervals_of_changes_hold_the_truth_as_often_as_they_say(truth: float) -> None:
    held, shown, called = (dict.fromkeys(METRICS, 0) for _ in range(3))
    for number in range(RUNS):
        base, new = latencies(120, f"b{number}"), latencies(120, f"n{number}", 1 + truth)
        for metric, change in changes(base, new).items():
            if change.low is not None and change.high is not None:
                shown[metric] += 1
                held[metric] += change.low <= truth <= change.high
                called[metric] += change.low > 0 or change.high < 0
    for metric in METRICS:
        assert shown[metric] > 0.8 * RUNS
        # Of intervals that hold it in 95 % of cases, fewer than this do once in a thousand times.
        assert held[metric] >= scipy_stats.binom.ppf(0.001, shown[metric], 0.95), metric
        if not truth:
            assert called[metric] <= scipy_stats.binom.ppf(0.999, shown[metric], 0.05), metric
    if truth:
        assert called["p50"] > 0.5 * RUNS  # what is there is found


def test_intervals_of_the_mean_are_as_wide_as_the_delta_method_has_them() -> None:
    base, new = latencies(2_000, 1, tail=0.2), latencies(2_000, 2, 1.1, tail=0.2)
    change = changes(base, new)["mean"]
    errors = [scipy_stats.sem(it) / (sum(it) / len(it)) for it in (base, new)]
    expected = 2 * 1.96 * sqrt(errors[0] ** 2 + errors[1] ** 2)
    assert change.change is not None
    assert change.low is not None
    assert change.high is not None
    assert (change.high - change.low) / (1 + change.change) == pytest.approx(expected, rel=0.15)


@given(
    st.lists(st.floats(0.001, 1), min_size=8, max_size=60),
    st.lists(st.floats(0.001, 1), min_size=8, max_size=60),
    st.sampled_from(METRICS),
)
def test_the_way_back_is_the_inverse(base: list[float], new: list[float], metric: str) -> None:
    there, back = changes(base, new)[metric], changes(new, base)[metric]
    if there.change is not None and back.change is not None:
        assert 1 + back.change == pytest.approx(1 / (1 + there.change))
    assert (there.low is None) == (back.low is None)
    if there.low is not None and there.high is not None and back.low is not None:
        assert 1 + back.low == pytest.approx(1 / (1 + there.high))


def test_a_run_compared_with_itself_has_not_changed() -> None:
    run = paired_run(latencies(30, 1), latencies(30, 2, 3))
    change = compared(run, run, "verdict==no-difference", "connections.change==0")
    assert change.verdict.code == "no-difference"
    assert {it.change for it in change.arms[0].figures.values()} <= {0.0, None}
    assert change.differences == ()
    assert [it.status for it in change.requirements] == ["met", "met"]


@pytest.mark.parametrize(
    ("scale", "there", "back"),
    [(1.5, "worse", "better"), (1.0, "no-difference", "no-difference")],
)
def test_the_verdict_rests_on_the_typical_latency_and_mirrors(
    scale: float, there: str, back: str
) -> None:
    unpooled = latencies(80, 3, 3, tail=0.02)
    base = paired_run(latencies(80, 1, tail=0.02), unpooled)
    new = paired_run(latencies(80, 2, scale, tail=0.02), unpooled)
    assert compared(base, new).verdict.code == there
    assert compared(new, base).verdict.code == back


def test_what_changed_besides_is_named_and_does_not_decide() -> None:
    pooled = latencies(80, 1, tail=0.02)
    base = paired_run(pooled, latencies(80, 2, 3, tail=0.02))
    new = paired_run(latencies(80, 4, tail=0.02), latencies(80, 3, 6, tail=0.02))
    verdict = compared(base, new).verdict
    assert verdict.code == "no-difference"
    assert "Also changed: unpooled p50 +" in verdict.text


@pytest.mark.parametrize(("count", "threads", "least"), [(4, 1, "6"), (5, 2, "120")])
def test_few_requests_leave_it_open(count: int, threads: int, least: str) -> None:
    """At a time, blocks count: six of ten requests a thread bound a median."""
    base, new = (
        paired_run(latencies(count, one), latencies(count, two), concurrency=threads)
        for one, two in ((1, 2), (5, 6))
    )
    verdict = compared(base, new).verdict
    assert verdict.code == "inconclusive"
    assert verdict.text == (
        f"pooled has too few responses to tell: it needs at least {least} in each run, and more "
        "for a small change."
    )


def one_arm(
    statuses: list[int], *, opened_anew: int = 0, latency_s: float = 0.01, cut_off: int = 0
) -> Run:
    script = Script("pooled", requests=len(statuses) + cut_off)
    row = script.open("pooled")
    for number, status in enumerate(statuses):
        if 0 < number <= opened_anew:
            row = script.open("pooled")
        if status:
            jitter = latency_s * number * 1e-4
            script.send("pooled", latency_s + jitter, on=row, status=status)
        else:
            script.fail("pooled")
    for _ in range(cut_off):
        script.fail("pooled", 3.0, failure=CUT_OFF)
    return script.run()


GOOD = [200] * 40


def test_what_was_cut_off_is_no_change_for_the_worse() -> None:
    base = one_arm(GOOD)
    without, stopped = (one_arm(GOOD, latency_s=0.0101, cut_off=it) for it in (0, 8))
    change = compared(base, stopped, "failed.change==0", "interrupted.change==8")
    assert change.verdict == compared(base, without).verdict
    assert [it.status for it in change.requirements] == ["met", "met"]


def test_other_answers_can_not_be_compared() -> None:
    verdict = compared(one_arm(GOOD), one_arm([304] * 40)).verdict
    assert verdict.code == "not-comparable"
    assert "pooled.status_codes" in verdict.text


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("concurrency", {"concurrency": 4}),
        ("maxsize", {"maxsize": 3}),
        ("order", {"order": "sequential"}),
    ],
)
def test_plans_that_differ_in_what_matters_are_not_compared(
    field: str, options: dict[str, Any]
) -> None:
    values = latencies(40, 1), latencies(40, 2, 3)
    base, new = paired_run(*values), paired_run(*values, **options)
    change = compared(base, new, "p50.change<=10%", "connections.change==0", "verdict!=worse")
    assert change.verdict.code == "not-comparable"
    assert field in change.verdict.text
    assert {it.status for it in change.requirements} == {"undecided"}
    forced = compared(base, new, "connections.change==0", forced=True)
    assert forced.verdict.code != "not-comparable"
    assert forced.verdict.text.startswith("Compared although their plans differ in ")
    assert [it.status for it in forced.requirements] == ["met"]


def test_other_urls_matter_and_how_often_is_asked_does_not() -> None:
    run = paired_run(latencies(40, 1), latencies(40, 2))
    other = run._replace(plan=replace(run.plan, target=Target(f"{URL}other")))
    assert [it.name for it in compared(run, other).differences if it.matters] == ["url"]
    more = paired_run(latencies(60, 1), latencies(60, 2), seed=8, warmup=2)
    found = compared(run, more).differences
    assert {it.name for it in found} == {"requests", "rounds", "seed", "warmup"}
    assert not any(it.matters for it in found)
    environment = run.environment._replace(urllib3="9.9")
    found = compared(run, run._replace(environment=environment)).differences
    assert [(it.part, it.name, it.matters) for it in found] == [("environment", "urllib3", False)]


def test_bodies_are_those_of_answers_not_of_failures() -> None:
    """They differed, from 9 B to 9 B, where a tenth of the requests had failed."""

    def failing(count: int) -> Run:
        script = Script("pooled", requests=40)
        for number in range(40):
            send = script.fail if number < count else script.send
            send("pooled", 0.01)
        return script.run()

    assert "answers" not in {it.part for it in compared(failing(0), failing(4)).differences}


def test_runs_without_a_common_arm_are_not_compared() -> None:
    base, new = Script("pooled", requests=1), Script("unpooled", requests=1)
    change = compared(base.run(), new.run(), "unpooled.connections.change==0", forced=True)
    assert change.verdict.code == "not-comparable"
    assert change.requirements[0].status == "undecided"


def test_requirements_are_met_missed_or_undecided() -> None:
    base = paired_run(latencies(150, 1, tail=0.05), latencies(150, 2, 3, tail=0.05))
    new = paired_run(latencies(150, 3, 1.5, tail=0.05), latencies(150, 4, 3, tail=0.05))
    texts = {
        "pooled.p95.change<=10%": "missed",
        "p50.change<=80%": "met",
        "speedup.change>=-5%": "missed",
        "unpooled.mean.change<=5%": "met",
        "pooled.p99.change<=50%": "undecided",
        "reopened.change<=0": "met",
        "pooled.connections.change>=1": "missed",
        "reasons.server-close.change==0": "met",
        "failed.change==0": "met",
        "verdict==worse": "met",
        "arms.pooled.latency_s.p50.change>=0": "met",
    }
    change = compared(base, new, *texts)
    assert {it.requirement.text: it.status for it in change.requirements} == texts


def test_changes_of_ratios_are_decided_exactly() -> None:
    count = 51  # of which the first one can't reuse anything
    once = one_arm([200] * count)
    for opened_anew in range(1, count):
        change = Fraction(-opened_anew, count - 1)
        percent = f"{100 * change.numerator // change.denominator}%"
        rate = Fraction(count, 1 + opened_anew) - count
        texts = {
            f"reuse.change>={percent}": "met",
            f"reuse.change<={percent}": "met",
            f"reuse.change=={percent}": "met",
            f"reuse.change!={percent}": "missed",
            f"requests_per_connection.change<={float(rate)!r}": "met",
            f"requests_per_connection.change<{float(rate)!r}": "missed",
        }
        found = compared(once, one_arm([200] * count, opened_anew=opened_anew), *texts)
        assert {it.requirement.text: it.status for it in found.requirements} == texts


def test_a_hundredth_less_reuse_is_a_hundredth() -> None:
    one, two = (one_arm([200] * 101, opened_anew=number) for number in (0, 1))
    (checked,) = compared(one, two, "reuse.change>=-1%").requirements
    assert (checked.status, checked.value) == ("met", -0.01)
    (missed,) = compared(one, two, "reopened.change<=0").requirements
    assert missed.text == "pooled.reopened.change is 1 (unknown: 1)."


def test_what_is_exact_changes_by_the_same_in_the_document_and_in_a_requirement() -> None:
    change = compared(one_arm([200] * 7), one_arm([200] * 7, opened_anew=2))
    (arm,) = (it for it in change.arms if it.label == "pooled")
    assert arm.counts["reuse"] == (1, 4 / 6, -2 / 6)
    assert arm.counts["requests_per_connection"] == (7, 7 / 3, float(Fraction(7, 3) - 7))
    assert arm.counts["body_bytes.max"] == (100, 100, 0)
    assert arm.counts["late_starts.count"] == (None, None, None)


def test_all_of_an_arm_that_can_be_required_is_in_the_document() -> None:
    run = everything()
    change = compared(run, run)
    rows = DictReader(csv_lines([change]))
    written = {row["name"] for row in rows if row["part"] == "arms.pooled"}
    places = change_scopes(run.plan.experiment.arms)
    named = {
        metric.path
        for place in places
        if place.part == "arms"
        for metric in place.named
        if not metric.is_sparse
    }
    paths = {path.replace("<phase>", phase) for path in named for phase in (*PHASES, "remainder")}
    assert paths <= written


def test_only_ratios_of_counts_are_taken_for_fractions_of_them() -> None:
    arm = alone([0.01] * 3)
    one, two = (0.123456789, arm), (3.987654321, arm)
    other = Metric[Any](path="bytes_per_connection", unit="number", meaning="")
    assert number_change(other, [one], two).change == 3.987654321 - 0.123456789
    ratio = replace(other, is_of_counts=True)
    assert number_change(ratio, [(1 / 3, arm)], (2 / 3, arm)).change == 1 / 3
    assert number_change(other, [(None, arm)], two).change is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pooled.p95.change<=10", "a unit is missing: write 10% or -5%"),
        ("pooled.latency_s.p95.change<=10", "a unit is missing"),
        ("pooled.p95.change==1%", "is measured"),
        ("pooled.max.change<=10%", "there is no|has no"),
        ("pooled.p95<=10ms", "has parts|has no|there is no"),
        ("connections.change<=1.5", "isn't a whole number"),
        ("verdict==slower", "is never"),
    ],
)
def test_what_is_no_requirement_on_a_change_is_refused(text: str, said: str) -> None:
    run = paired_run([0.01] * 8, [0.02] * 8)
    with pytest.raises(UsageError, match=said):
        compared(run, run, text)


def test_a_wide_margin_takes_in_every_change() -> None:
    run = paired_run(latencies(40, 1), latencies(40, 2))
    lenient = replace(run.plan, decision_rule=replace(run.plan.decision_rule, margin=0.999))
    change = compared(run, paired_run(latencies(40, 3), latencies(40, 2))._replace(plan=lenient))
    assert change.verdict.code == "no-difference"
    assert "takes as long as in BASE, within 99.9 %" in change.verdict.text


def test_a_pool_that_pays_off_less_is_named_beside_the_latency_that_decides() -> None:
    pooled = [0.01 * (1 + (7 * it % 20 - 10) / 1000) for it in range(60)]
    base, new = (paired_run(pooled, [times * it for it in pooled]) for times in (3, 2))
    verdict = compared(base, new).verdict
    assert verdict.code == "no-difference"
    assert "the speed-up (reused connections) −33.3 %" in verdict.text
