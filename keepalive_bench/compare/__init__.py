"""Two runs → what changed from the one to the other. Pure, as all of `analysis` is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.comparison import SAME, distance
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import (
    BY_CODE,
    COUNTED,
    ESTIMATED,
    ArmChange,
    Change,
    ChangeVerdict,
    ComparisonChange,
    CountChange,
    Difference,
    NumberChange,
    RecommendationChange,
    change_type,
    difference,
    figure_change,
)
from keepalive_bench.compare.requirements import change_places, check_change
from keepalive_bench.compare.verdict import change_verdict, why_incomparable
from keepalive_bench.plan.document import harmless
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.lookup import Evidence

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.compare.change import Part, Source
    from keepalive_bench.requirements.names import AnyMetric

__all__ = ["compare_runs"]

_SAME_RUN = ChangeVerdict("no-difference", "Both files hold the same run, so nothing changed.")


def compare_runs(
    base: Source, new: Source, requirements: Iterable[str] = (), *, forced: bool = False
) -> Change:
    """What changed from one run to another; both are judged at the confidence and margin of `new`.

    Raises:
        UsageError: a requirement is none.
    """
    plans = base.analysis.plan, new.analysis.plan
    texts = dict.fromkeys(requirements)
    earlier, later = (plan.experiment for plan in plans)
    added = (arm for arm in later.arms if arm.label not in earlier.labels)
    among = tuple(change_places((*earlier.arms, *added))) if texts else ()
    demanded = [parse(text, among) for text in texts]
    arms = tuple(_arms(base, new))
    differing = tuple(_differences(base, new, arms))
    if _is_same(base, new):
        incomparable, verdict = None, _SAME_RUN
    else:
        incomparable = why_incomparable(arms, differing, plans[1].decision_rule, forced=forced)
        verdict = (
            change_verdict(plans, arms, differing)
            if incomparable is None
            else ChangeVerdict("not-comparable", f"{incomparable}.")
        )
    change = Change(
        base=base,
        new=new,
        forced=forced,
        differences=differing,
        arms=arms,
        comparisons=tuple(_comparisons(base.analysis, new.analysis)),
        recommendation=_recommendation(base.analysis, new.analysis),
        incomparable=incomparable,
        verdict=verdict,
    )
    return replace(change, requirements=tuple(check_change(it, change, among) for it in demanded))


def _arms(base: Source, new: Source) -> Iterator[ArmChange]:
    """The arms that both have, in the order of the earlier run."""
    later = {arm.label: arm for arm in new.analysis.arms}
    for before in base.analysis.arms:
        label, after = before.label, later.get(before.label)
        if after is not None and after.kind == before.kind:
            one, other = (it.document["arms"][label] for it in (base, new))
            yield ArmChange(
                base=before,
                new=after,
                counts={path: _counted(*it, before, after) for path, it in COUNTED.items()},
                by_code={name: _counts(one[name], other[name]) for name in BY_CODE},
                figures={
                    it.path: figure_change(base.estimated(it, label), new.estimated(it, label))
                    for it in ESTIMATED
                },
            )


def _counted(
    metric: AnyMetric, key: str, base: ArmSummary, new: ArmSummary
) -> CountChange | NumberChange:
    values: tuple[Any, Any] = (metric.of(base), metric.of(new))
    one, other = (value[key] if key else value for value in values)
    type_: Any = change_type(metric)
    found: CountChange | NumberChange = type_(
        one, other, difference(metric, (one, base), (other, new))
    )
    return found


def _counts(base: Mapping[str, int], new: Mapping[str, int]) -> dict[str, CountChange]:
    codes = dict.fromkeys([*base, *new])
    return {code: CountChange.between(base.get(code, 0), new.get(code, 0)) for code in codes}


def _comparisons(base: Analysis, new: Analysis) -> Iterator[ComparisonChange]:
    for before in base.comparisons:
        for after in new.comparisons:
            if (before.arm, before.against) == (after.arm, after.against):
                speedups = (Evidence(*it.speedup) for it in (before, after))
                yield ComparisonChange(after.arm, after.against, figure_change(*speedups))


def _recommendation(base: Analysis, new: Analysis) -> RecommendationChange | None:
    one, two = base.sweep, new.sweep
    if one is None or two is None or one.option != two.option:
        return None
    before, after = one.recommendation.value, two.recommendation.value
    change = None if before is None or after is None else after - before
    return RecommendationChange(one.option, before, after, change)


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


def _differences(base: Source, new: Source, arms: Sequence[ArmChange]) -> Iterator[Difference]:
    """Field by field: what was asked for, by what machine, and what was answered."""
    yield from _unequal("plan", _flat(base.plan), _flat(new.plan))
    one, two = base.run, new.run
    yield from _unequal("environment", one.environment._asdict(), two.environment._asdict())
    stopped = ({"interrupted": run.run_info.interrupted} for run in (one, two))
    yield from _unequal("run_info", *stopped)
    for arm in arms:
        yield from _answers(arm)


def _unequal(part: Part, base: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*base, *new]):
        before, after = base.get(name), new.get(name)
        if before != after:
            matters = part == "plan" and name not in harmless()
            yield Difference(part, name, before, after, matters)


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with the members of its members beside the others: `parameters.fields`."""
    found: dict[str, Any] = {}
    for name, value in plan.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": it for inner, it in value.items()}
        else:
            found[name] = value
    return found


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
