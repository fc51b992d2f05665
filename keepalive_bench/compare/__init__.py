"""Two runs → what changed from the one to the other. Pure, as all of `analysis` is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.comparison import SAME, distance
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.required_requests import least_requests
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import (
    ArmChange,
    Change,
    ChangeVerdict,
    ComparisonChange,
    Difference,
    RecommendationChange,
)
from keepalive_bench.compare.estimates import relative
from keepalive_bench.compare.names import change_places, find_change
from keepalive_bench.compare.verdict import SAME_RUN, Terms, incomparable, verdict
from keepalive_bench.plan.document import harmless
from keepalive_bench.report.document import demandable
from keepalive_bench.requirements import AT_LEAST
from keepalive_bench.requirements.decision import decide
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.lookup import Evidence, of_arm
from keepalive_bench.requirements.names import resolve

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Analysis, Checked, Requirement
    from keepalive_bench.compare.change import Source
    from keepalive_bench.plan.experiment import Arm
    from keepalive_bench.requirements.lookup import Document
    from keepalive_bench.requirements.names import Place

__all__ = ["compare_runs"]


def compare_runs(
    base: Source, new: Source, requirements: Iterable[str] = (), *, forced: bool = False
) -> Change:
    """What changed from one run to another; both are judged at the confidence and margin of `new`.

    Raises:
        UsageError: a requirement is none.
    """
    texts = dict.fromkeys(requirements)
    among = tuple(change_places(_all_arms(base, new))) if texts else ()
    demanded = [parse(text, among) for text in texts]
    decision_rule = new.analysis.plan.decision_rule
    least = max(least_requests("p50", it.analysis.plan) or 0 for it in (base, new))
    terms = Terms(decision_rule.confidence, decision_rule.margin, least)
    documents = demandable(base.analysis), demandable(new.analysis)
    arms = tuple(_arms(base.analysis, new.analysis, documents))
    differing = tuple(_differences(base, new, arms))
    is_same = _is_same(base, new)
    why = None if is_same else incomparable(arms, differing, terms, forced=forced)
    if why:
        said = ChangeVerdict("not-comparable", f"{why}.")
    else:
        said = SAME_RUN if is_same else verdict(arms, differing, terms)
    change = Change(
        base=base,
        new=new,
        confidence=terms.confidence,
        margin=terms.margin,
        forced=forced,
        differences=differing,
        arms=arms,
        comparisons=tuple(_comparisons(base.analysis, new.analysis)),
        recommendation=_recommendation(base.analysis, new.analysis),
        verdict=said,
        incomparable=why,
    )
    checked = tuple(_check(it, change, among, documents) for it in demanded)
    return replace(change, requirements=checked)


def _is_same(base: Source, new: Source) -> bool:
    """Whether two files hold one run: no two begin and last alike to the last digit."""
    one, two = base.run, new.run
    return (
        one.run_info == two.run_info
        and one.plan.experiment == two.plan.experiment
        and _bytes_of(one.exchanges.columns()) == _bytes_of(two.exchanges.columns())
        and _bytes_of(one.connections.columns()) == _bytes_of(two.connections.columns())
    )


def _bytes_of(columns: Mapping[str, array[Any]]) -> dict[str, bytes]:
    """What columns can be compared by: NaN, which stands for "not measured", equals nothing."""
    return {name: column.tobytes() for name, column in columns.items()}


def _arms(
    base: Analysis, new: Analysis, documents: tuple[Document, Document]
) -> Iterator[ArmChange]:
    """The arms that both have, in the order of the earlier run."""
    experiments = base.plan.experiment, new.plan.experiment
    estimated = [it for it in ARM_METRICS if it.basis not in {"exact", "nothing"}]
    for before in base.arms:
        for after in new.arms:
            label = after.label
            if (before.label, before.kind) == (label, after.kind):
                parts = [it["arms"][label] for it in documents]
                said = [*zip(parts, experiments, strict=True)]
                figures = {
                    it.path.removeprefix("latency_s."): relative(
                        *(of_arm(it, "", *of_run, label) for of_run in said)
                    )
                    for it in estimated
                }
                yield ArmChange(base=before, new=after, figures=figures)


def _differences(base: Source, new: Source, arms: Sequence[ArmChange]) -> Iterator[Difference]:
    """Field by field: what was asked for, by what machine, and what was answered."""
    immaterial = harmless()
    for name, before, after in _unequal(_flat(base.plan), _flat(new.plan)):
        yield Difference("plan", name, before, after, name not in immaterial)
    runs = base.run, new.run
    for name, before, after in _unequal(*(run.environment._asdict() for run in runs)):
        yield Difference("environment", name, before, after, matters=False)
    before, after = (run.run_info.interrupted for run in runs)
    if before != after:
        yield Difference("run_info", "interrupted", before, after, matters=False)
    for arm in arms:
        yield from _answers(arm)


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with the members of its members beside the others: `parameters.fields`."""
    found: dict[str, Any] = {}
    for name, value in plan.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": it for inner, it in value.items()}
        else:
            found[name] = value
    return found


def _unequal(base: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*base, *new]):
        if base.get(name) != new.get(name):
            yield name, base.get(name), new.get(name)


def _answers(arm: ArmChange) -> Iterator[Difference]:
    """Other answers take other times; that there are more errors is for the verdict to say."""
    base, new = (
        {status: n for status, n in it.status_codes.items() if status < ERROR_FROM}
        for it in (arm.base, arm.new)
    )
    if base and new and distance(base, new) > SAME:
        before, after = ({f"{status}": n for status, n in it.items()} for it in (base, new))
        yield Difference("answers", f"{arm.label}.status_codes", before, after, matters=True)
    if arm.base.succeeded and arm.new.succeeded:
        one, two = (it.bytes_received / it.sent for it in (arm.base, arm.new))
        if abs(one - two) > SAME * max(one, two):
            yield Difference("answers", f"{arm.label}.mean_body_bytes", one, two, matters=False)


def _comparisons(base: Analysis, new: Analysis) -> Iterator[ComparisonChange]:
    for before in base.comparisons:
        for after in new.comparisons:
            if (before.arm, before.against) == (after.arm, after.against):
                yield ComparisonChange(
                    arm=after.arm,
                    against=after.against,
                    speedup=relative(Evidence(*before.speedup), Evidence(*after.speedup)),
                )


def _recommendation(base: Analysis, new: Analysis) -> RecommendationChange | None:
    one, two = base.sweep, new.sweep
    if one is None or two is None or one.option != two.option:
        return None
    return RecommendationChange(one.option, one.recommendation.value, two.recommendation.value)


def _all_arms(base: Source, new: Source) -> tuple[Arm, ...]:
    """The arms of either run; by label, as the earlier one has them first."""
    arms: dict[str, Arm] = {}
    for source in (base, new):
        for arm in source.analysis.plan.experiment.arms:
            arms.setdefault(arm.label, arm)
    return tuple(arms.values())


def _check(
    requirement: Requirement,
    change: Change,
    among: Sequence[Place],
    documents: tuple[Document, Document],
) -> Checked:
    subject = resolve(requirement.name, among)
    if subject is None:
        raise KeyError(requirement.name)
    least = least_requests(subject.metric.basis, change.new.analysis.plan)
    enough = f" ({least:,} {AT_LEAST})" if least else ""
    return decide(
        requirement,
        subject,
        find_change(subject, change, documents),
        change.confidence,
        too_few=f"too few requests of one of the runs bound it{enough}",
    )
