"""Stored runs → what changed from earlier ones to another. Pure, as all of `analysis` is."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from keepalive_bench.compare.change import (
    BY_CODE,
    COUNTED,
    ESTIMATED,
    RATIOS,
    ArmChange,
    Change,
    ChangeVerdict,
    ComparisonChange,
    CountChange,
    NumberChange,
    RecommendationChange,
    change_type,
    figure_change,
    number_change,
)
from keepalive_bench.compare.differences import differences, is_same
from keepalive_bench.compare.requirements import change_scopes, check_change
from keepalive_bench.compare.verdict import change_verdict, in_the_way, why_incomparable
from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.lookup import Evidence
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.compare.change import Source
    from keepalive_bench.requirements.names import AnyMetric

__all__ = ["compare_runs"]

_SAME_RUN = ChangeVerdict("no-difference", "Both files contain the same run: nothing changed.")


def compare_runs(
    bases: Sequence[Source],
    new: Source,
    requirements: Iterable[str] = (),
    *,
    forced: bool = False,
    strict: bool = False,
) -> Change:
    """What changed from one run, or several alike, to another; all judged by the rule of `new`.

    Of runs that can't be compared, what is undecided counts as missed, whether it is to be `strict`
    or not: a build doesn't pass because its plan was changed.

    Raises:
        UsageError: a requirement is none; or two files hold one run, and there are several bases.
    """
    plans = tuple(it.analysis.plan for it in (*bases, new))
    texts = dict.fromkeys(requirements)
    labels = {arm.label: arm for plan in reversed(plans) for arm in plan.experiment.arms}
    among = tuple(change_scopes(tuple(labels.values()))) if texts else ()
    demanded = [parse(text, among) for text in texts]
    rule = plans[-1].decision_rule
    arms = tuple(_arms(bases, new, rule.confidence))
    comparisons = tuple(_comparisons(bases, new, rule.confidence))
    differing = tuple(differences(bases, new))
    if _is_same_run(bases, new):
        incomparable, verdict = None, _SAME_RUN
    else:
        incomparable = _unlike(bases, forced=forced) or why_incomparable(
            arms, differing, rule, forced=forced
        )
        verdict = (
            change_verdict(plans, arms, comparisons, differing)
            if incomparable is None
            else ChangeVerdict("not-comparable", f"{incomparable}.")
        )
    change = Change(
        bases=tuple(bases),
        new=new,
        forced=forced,
        strict=strict or incomparable is not None,
        differences=differing,
        arms=arms,
        comparisons=comparisons,
        recommendation=_recommendation([it.analysis for it in bases], new.analysis),
        incomparable=incomparable,
        verdict=verdict,
    )
    return replace(change, requirements=tuple(check_change(it, change, among) for it in demanded))


def _unlike(bases: Sequence[Source], *, forced: bool) -> str | None:
    """Why base runs can't stand for one system, as a sentence without its full stop."""
    first, *others = bases
    for it in () if forced else others:
        found = in_the_way(tuple(differences([first], it)))
        if found:
            both = f"{filename(first.name)} and {filename(it.name)}"
            return f"The BASE runs {both} can't be combined: {found}; --force does it anyway"
    return None


def _is_same_run(bases: Sequence[Source], new: Source) -> bool:
    """Whether the two files hold one run; of several base runs, that is a mistake."""
    for one, other in combinations((*bases, new), 2):
        if is_same(one.run, other.run):
            if len(bases) == 1:
                return True
            both = f"{filename(one.name)} and {filename(other.name)}"
            raise UsageError(f"{both} contain the same run: name only one of them.")
    return False


def _arms(bases: Sequence[Source], new: Source, confidence: float) -> Iterator[ArmChange]:
    """The arms that all have, in the order of the first run."""
    by_label = [{arm.label: arm for arm in it.analysis.arms} for it in (*bases, new)]
    for label, first in by_label[0].items():
        found = [it[label] for it in by_label if label in it and it[label].kind == first.kind]
        if len(found) == len(by_label):
            *earlier, after = found
            *parts, part = (it.document["arms"][label] for it in (*bases, new))
            yield ArmChange(
                bases=tuple(earlier),
                new=after,
                counts={path: _counted(*it, earlier, after) for path, it in COUNTED.items()},
                by_code={name: _counts([it[name] for it in parts], part[name]) for name in BY_CODE},
                figures={
                    it.path: figure_change(
                        [base.estimated(it, label) for base in bases],
                        new.estimated(it, label),
                        confidence,
                    )
                    for it in ESTIMATED
                },
            )


def _counted(
    metric: AnyMetric, key: str, bases: Sequence[ArmSummary], new: ArmSummary
) -> CountChange | NumberChange:
    values: list[Any] = [metric.of(arm) for arm in (*bases, new)]
    *before, after = (value[key] if key else value for value in values)
    type_: Any = change_type(metric)
    found: CountChange | NumberChange = type_(
        *number_change(metric, [*zip(before, bases, strict=True)], (after, new))
    )
    return found


def _counts(bases: Sequence[Mapping[str, int]], new: Mapping[str, int]) -> dict[str, CountChange]:
    codes = dict.fromkeys(code for it in (*bases, new) for code in it)
    return {
        code: CountChange.between([it.get(code, 0) for it in bases], new.get(code, 0))
        for code in codes
    }


def _comparisons(
    bases: Sequence[Source], new: Source, confidence: float
) -> Iterator[ComparisonChange]:
    """Those that all have, in the order of the first run."""
    by_arms = [
        {(it.arm, it.against): it for it in source.analysis.comparisons} for source in (*bases, new)
    ]
    for both in by_arms[0]:
        found = [it[both] for it in by_arms if both in it]
        if len(found) == len(by_arms):
            ratios = ([Evidence(*getattr(it, name)) for it in found] for name in RATIOS)
            changes = (figure_change(it[:-1], it[-1], confidence) for it in ratios)
            yield ComparisonChange(*both, *changes)


def _recommendation(bases: Sequence[Analysis], new: Analysis) -> RecommendationChange | None:
    *earlier, after = (it.sweep for it in (*bases, new))
    if after is None or any(it is None or it.option != after.option for it in earlier):
        return None
    found = {it.recommendation.value for it in earlier if it is not None}
    base, value = found.pop() if len(found) == 1 else None, after.recommendation.value
    change = None if base is None or value is None else value - base
    return RecommendationChange(after.option, base, value, change)
