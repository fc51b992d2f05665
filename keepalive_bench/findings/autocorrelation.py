"""Whether latencies are autocorrelated: one finding for all series of a run."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.required_requests import opens_first
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.stats.dependence import (
    ENOUGH_FOR_LAG,
    LEAST_FOR_LAG,
    first_order_inefficiency,
)
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.dependence import Dependence

_CHANCE = 0.05
"""In how many runs of white noise any series is told of at the most."""
_NOTABLE = 1.2
"""A fifth wider is to be seen."""

AUTOCORRELATED = FindingKind(
    code="autocorrelated",
    title="Latencies are autocorrelated",
    who="path",
    severity="info",
    is_detail=True,
    evidence=("series", "correlation", "factor"),
    proof="Each latency of an arm, or each log ratio of a pair, resembles the one before it: so "
    "much that without autocorrelation fewer than one run in twenty would show it in any of its "
    "series. kab makes the intervals wider to allow for it.",
    text="{what} are autocorrelated (lag 1: {each}{beyond}); intervals are {up_to}{factor:.2f}× as "
    "wide for it.",
    clauses={"beyond": "; further lags count for more", "up_to": "up to "},
    is_in_sweeps=False,
    provoked=Provoked(test="tests/findings/test_autocorrelation.py"),
)
INDEPENDENCE_ASSUMED = FindingKind(
    code="independence-assumed",
    title="Too few requests to see whether latencies are autocorrelated",
    who="client",
    severity="info",
    is_detail=True,
    evidence=("values",),
    proof=f"Fewer than {LEAST_FOR_LAG} values with an interval: requests, blocks, or pairs.",
    text="{counted} can't show whether latencies are autocorrelated; intervals assume that they "
    "aren't.",
    advice="Use -n {enough!s} or more.",
    cases={"where -n decides nothing": Case(advice="Measure longer.")},
    is_in_sweeps=False,
    provoked=Provoked("URL -n 7", ""),
)


class _Series(NamedTuple):
    """Values in their order that intervals are made of."""

    name: str
    noun: str
    """What its values are."""
    dependence: Dependence
    factor: float
    """How much wider that makes the intervals."""


def autocorrelation_findings(
    run: Run,
    views: Mapping[str, ArmView],
    arms: Sequence[ArmSummary],
    comparisons: Sequence[Comparison],
) -> Iterator[Finding]:
    """Everything of that kind, for all series together."""
    series = [*_series(views, arms, comparisons)]
    examined = [it for it in series if it.dependence.number >= LEAST_FOR_LAG]
    limit = NormalDist().inv_cdf(1 - _CHANCE / max(1, len(examined)))
    found = [it for it in examined if it.dependence.score > limit and it.factor >= _NOTABLE]
    if found:
        yield _told(run, found)
    if len(examined) < len(series):
        yield _assumed(run, min(series, key=lambda it: it.dependence.number))


def _series(
    views: Mapping[str, ArmView], arms: Sequence[ArmSummary], comparisons: Sequence[Comparison]
) -> Iterator[_Series]:
    """Those of arms, and of pairs, that have any interval."""
    for arm in arms:
        view = views[arm.label]
        if arm.latency_bounds:
            noun = "request" if view.is_alone else "block"
            yield _Series(arm.label, noun, view.dependence, arm.interval_inflation)
    for it in comparisons:
        if it.speedup.low is not None:
            name = f"pairs of {it.arm} and {it.against}"
            yield _Series(name, "pair", it.dependence, it.interval_inflation)


def _told(run: Run, found: Sequence[_Series]) -> Finding:
    widest = max(found, key=lambda it: it.factor)
    correlation = widest.dependence.correlation
    further = widest.factor > _NOTABLE * sqrt(first_order_inefficiency(correlation))
    clauses = {"beyond": further, "up_to": len(found) > 1}
    return AUTOCORRELATED.found(
        series=", ".join(it.name for it in found),
        correlation=correlation,
        factor=widest.factor,
        clauses=[name for name, is_so in clauses.items() if is_so],
        words={
            "what": "Latencies" if run.plan.experiment.block_size == 1 else "Blocks",
            "each": ", ".join(f"{it.name} {it.dependence.correlation:.2f}" for it in found),
        },
    )


def _assumed(run: Run, shortest: _Series) -> Finding:
    experiment, number = run.plan.experiment, shortest.dependence.number
    enough = ENOUGH_FOR_LAG * experiment.block_size + opens_first(run.plan)
    is_for_more = not experiment.may_end_early and enough > experiment.requests
    return INDEPENDENCE_ASSUMED.found(
        values=number,
        case=None if is_for_more else "where -n decides nothing",
        words={"enough": enough, "counted": plural(number, shortest.noun)},
    )
