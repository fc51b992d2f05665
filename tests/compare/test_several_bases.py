"""Several BASE runs taken together: what they are on average, and how much runs vary."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from random import Random
from statistics import fmean, geometric_mean, stdev
from typing import TYPE_CHECKING

import pytest
from scipy import stats as scipy_stats
from support.runs import URL, Script, paired_run

from keepalive_bench import Target, UsageError, analyse
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.plan.document import plan_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.compare.change import Change
    from keepalive_bench.results.run import Run

LEVELS = (0.0100, 0.0112, 0.0095, 0.0104)


def latencies(seed: int, level: float, count: int = 40) -> list[float]:
    random = Random(seed)  # noqa: S311  # not for secrets
    return [level * exp(random.gauss(0, 0.02)) for _ in range(count)]


def at_level(level: float, count: int = 40) -> Run:
    seed = round(1e6 * level)
    return paired_run(latencies(seed, level, count), latencies(seed + 1, 3 * level, count))


def compared(
    bases: Sequence[Run], new: Run, *requirements: str, forced: bool = False, strict: bool = False
) -> Change:
    *earlier, later = (
        Source(f"{number}.json", run, analyse(run), plan_document(run.plan))
        for number, run in enumerate((*bases, new))
    )
    return compare_runs(earlier, later, requirements, forced=forced, strict=strict)


def test_every_figure_holds_the_variation_between_three_runs_or_more() -> None:
    bases, new = [at_level(it) for it in LEVELS], at_level(0.013)
    change = compared(bases, new)
    assert change.holds_variation
    found = {
        path: [getattr(arm.latency, path) for arm in (*change.arms[0].bases, change.arms[0].new)]
        for path in ("p50", "mean", "p90")
    }
    figures = {path: change.arms[0].figures[f"latency_s.{path}"] for path in found}
    found["speedup"] = [
        analyse(run).comparisons[0].speedup.estimate or 0.0 for run in (*bases, new)
    ]
    figures["speedup"] = change.comparisons[0].speedup
    factor = scipy_stats.t.ppf(0.975, 3) * sqrt(1 + 1 / 4)
    for name, (*before, after) in found.items():
        figure = figures[name]
        assert figure.base == pytest.approx(geometric_mean(before))
        assert figure.change == pytest.approx(after / geometric_mean(before) - 1)
        assert figure.low is not None
        assert figure.high is not None
        half = (log(1 + figure.high) - log(1 + figure.low)) / 2
        assert half >= factor * stdev(map(log, before)) * (1 - 1e-9), name
    assert "variation between runs included" in change.verdict.text


@pytest.mark.parametrize("count", [1, 2])
def test_of_fewer_the_verdict_says_that_it_is_not_in_it(count: int) -> None:
    change = compared([at_level(it) for it in LEVELS[:count]], at_level(0.013))
    assert not change.holds_variation
    assert change.verdict.code == "worse"
    assert "variation between runs not included" in change.verdict.text


def test_what_runs_do_anyway_is_no_change() -> None:
    """0.0112 s is far from 0.0100 s by what either run says, and not by how the others vary."""
    bases = [at_level(it) for it in LEVELS[::2]]
    assert compared(bases[:1], at_level(0.0112)).verdict.code == "worse"
    found = compared([*bases, at_level(0.0108)], at_level(0.0112)).verdict
    assert found.code == "inconclusive"
    assert "More BASE runs, or longer ones, narrow the interval." in found.text


def counted(failed: int, opened: int, sent: int = 40) -> Run:
    script = Script("pooled", requests=sent)
    row = script.open("pooled")
    for number in range(sent):
        if 0 < number < opened:
            row = script.open("pooled")
        if number % 3 == 1 and number < 3 * failed:  # each an incident of its own
            script.fail("pooled")
        else:
            script.send("pooled", 0.01 + 1e-5 * number + 1e-6 * opened, on=row)
    return script.run()


def test_what_is_counted_is_compared_with_the_mean_exactly() -> None:
    texts = {
        "pooled.connections.change==2": "met",
        "pooled.connections.change<=1": "missed",
        "failed.change>=1": "missed",
        "failed.change<=1": "met",
        "pooled.reuse.change==-5%": "met",
    }
    sent = 41  # of which 40 could reuse a connection
    bases = [counted(0, 1, sent), counted(0, 2, sent), counted(1, 3, sent)]
    change = compared(bases, counted(1, 4, sent), *texts)
    arm = change.arms[0]
    assert tuple(arm.counts["connections"]) == (2, 4, 2)
    assert tuple(arm.counts["failed"]) == pytest.approx((1 / 3, 1, 2 / 3))
    kinds = arm.by_code["failures"]
    assert [tuple(it) for it in kinds.values()] == [pytest.approx((1 / 3, 1, 2 / 3))]
    statuses = {it.requirement.text: it.status for it in change.requirements}
    assert statuses == texts


def test_the_base_runs_show_together_how_often_something_happens() -> None:
    """4 of 40 is no more than chance beside one run that had none, and is more beside ten."""
    new = counted(4, 1)
    verdict = compared([counted(0, it) for it in range(1, 11)], new).verdict
    assert verdict.code == "worse"
    assert "4 of 40 requests of pooled failed, compared with 0 of 400 in BASE" in verdict.text
    alike = compared([counted(4, it) for it in range(2, 12)], new).verdict
    assert "requests of pooled failed" not in alike.text


def test_base_runs_that_differ_in_what_matters_are_named() -> None:
    bases = [at_level(it) for it in LEVELS]
    odd = bases[2]._replace(plan=replace(bases[2].plan, target=Target(f"{URL}other")))
    change = compared([*bases[:2], odd, bases[3]], at_level(0.013), "p50.change<=10%")
    assert change.verdict.code == "not-comparable"
    assert "BASE runs 0.json and 2.json can't be combined: their plans differ in url" in (
        change.verdict.text
    )
    assert [it.status for it in change.requirements] == ["undecided"]
    assert change.strict
    forced = compared([*bases[:2], odd, bases[3]], at_level(0.013), forced=True)
    assert forced.verdict.text.startswith("Compared although their plans differ in url. ")
    (found,) = (it for it in forced.differences if it.name == "url")
    assert found.bases == (URL, URL, f"{URL}other", URL)


def test_a_run_counts_once() -> None:
    bases = [at_level(it) for it in LEVELS[:2]]
    with pytest.raises(UsageError, match=r"0\.json and 2\.json contain the same run"):
        compared([*bases, bases[0]], at_level(0.013))
    with pytest.raises(UsageError, match=r"1\.json and 2\.json contain the same run"):
        compared(bases, bases[1])


def test_an_arm_that_one_base_run_lacks_is_not_compared() -> None:
    bases = [at_level(0.01), at_level(0.011), counted(0, 1)]
    change = compared(bases, at_level(0.012), forced=True)
    assert [it.label for it in change.arms] == ["pooled"]
    assert change.comparisons == ()


def test_differences_tell_each_base_run_s_own() -> None:
    bases = [at_level(it) for it in LEVELS[:3]]
    seeds = (1, 2, 3)
    seeded = [
        run._replace(plan=replace(run.plan, experiment=replace(run.plan.experiment, seed=seed)))
        for run, seed in zip(bases, seeds, strict=True)
    ]
    change = compared(seeded, at_level(0.012))
    (seed,) = (it for it in change.differences if it.name == "seed")
    assert (seed.bases, seed.matters) == (seeds, False)


def test_a_figure_that_one_base_run_does_not_know_is_not_known() -> None:
    bases = [at_level(0.01), at_level(0.011), at_level(0.0105, count=4)]
    figure = compared(bases, at_level(0.012)).arms[0].figures["latency_s.p50"]
    assert figure.change is not None
    assert (figure.low, figure.high) == (None, None)
    assert figure.base == pytest.approx(
        exp(fmean(log(analyse(it).arms[0].latency.p50 or 1) for it in bases))
    )
