"""What kab noticed of how an arm's latencies are distributed; nothing is thrown out for it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import compress
from math import exp, log
from operator import eq, ne
from statistics import NormalDist, fmean, median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.findings.delay import DELAYED_ACK
from keepalive_bench.results.table import pick
from keepalive_bench.stats.shapes import outlier_bound, several_modes, trend
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

LEAST = 20
"""Of fewer exchanges, no shape is told."""
_CHANCE = NormalDist().inv_cdf(0.9995)
"""The score of a trend, either way, that chance alone exceeds in one arm of a thousand."""
_NOTABLE_CHANGE = 1.1
_NOTABLE_RAISE = 0.1
_APART = 1.5
_SMALLER_GROUP = 0.1
_MOST_OUTLYING = 0.1
"""What more requests do is no exception."""


class _Alike(NamedTuple):
    """Latencies of an arm that bear comparison with each other."""

    arm: ArmSummary
    in_turn: array[float]
    ordered: array[float]


def latency_findings(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary], *, contended: bool
) -> Iterator[Finding]:
    """Everything of that kind, for all arms; `contended`: threads or processes had to wait."""
    for arm in arms:
        alike = _alike(arm, views[arm.label])
        if len(alike.ordered) < LEAST:
            continue
        yield from _drift(run, alike)
        groups = _groups(run, alike, contended=contended)
        # Many that are far off are a group, and are told of once.
        yield from [groups] if groups else _outliers(run, alike)


def _alike(arm: ArmSummary, view: ArmView) -> _Alike:
    """Those on reused connections, or those on fresh ones, whichever are more.

    What opening a connection costs is known, and no oddity of the others.
    """
    connects = pick(view.exchanges.phases["connect"], view.succeeded)
    fresh = bytes(map(eq, connects, connects))  # what isn't a number equals nothing
    more = fresh if 2 * fresh.count(1) > len(fresh) else bytes(map(ne, connects, connects))
    del connects
    if view.ordered and view.ordered[0] > 0 and 0 not in more:
        return _Alike(arm, view.latencies, view.ordered)
    in_turn = array("d", filter((0.0).__lt__, compress(view.latencies, more)))
    return _Alike(arm, in_turn, array("d", sorted(in_turn)))


def _drift(run: Run, alike: _Alike) -> Iterator[Finding]:
    found = trend(array("d", map(log, alike.in_turn)))
    if found is None or abs(found.score) <= _CHANCE:
        return
    change = exp(found.last - found.first)
    if max(change, 1 / change) < _NOTABLE_CHANGE:
        return
    experiment = run.plan.experiment
    alone = len(experiment.arms) == 1
    one = "arm" if experiment.sweep is None else "value"
    first, last = exp(found.first), exp(found.last)
    yield kinds.DRIFT.found(
        alike.arm,
        severity="info" if alone or experiment.is_paired else "warning",
        first_s=first,
        last_s=last,
        score=found.score,
        text=f"The latency of {alike.arm.name} {'rose' if change > 1 else 'fell'} in the course of "
        f"the run, from {duration(first)} to {duration(last)}.",
        advice="Its figures are of the time in between; a longer --warmup helps if it settles."
        if alone
        else f"The {one}s took turns, so their comparison holds; figures of one {one} are of the "
        "time in between."
        if experiment.is_paired
        else "Arms that run one after the other differ by that alone: --order paired takes turns.",
    )


def _groups(run: Run, alike: _Alike, *, contended: bool) -> Finding | None:
    ordered = alike.ordered
    lower = several_modes(ordered)
    if lower is None or min(lower, len(ordered) - lower) < _SMALLER_GROUP * len(ordered):
        return None
    low, high = median(ordered[:lower]), median(ordered[lower:])
    if high < _APART * low:
        return None
    return kinds.BIMODAL.found(
        alike.arm,
        lower=lower,
        lower_s=low,
        upper=len(ordered) - lower,
        upper_s=high,
        advice=_why_groups(run, high - low, contended=contended),
    )


def _why_groups(run: Run, apart_s: float, *, contended: bool) -> str:
    if DELAYED_ACK[0] <= apart_s <= DELAYED_ACK[1]:
        return (
            "A delayed acknowledgement takes 40 ms, for which Nagle's algorithm waits where a "
            "server writes head and body apart: TCP_NODELAY there would show."
        )
    if contended:
        return "Waiting for a processor of this machine, as told above, is the likely cause."
    variation = run.plan.request.variation
    if variation.fields or variation.rows:
        return "The server may take longer for some parameters: try them one by one."
    return "A cache, several servers behind one address, or a neighbour's load do that."


def _outliers(run: Run, alike: _Alike) -> Iterator[Finding]:
    ordered = alike.ordered
    bound = outlier_bound(ordered)
    if bound is None:
        return
    usual = ordered[: bisect_right(ordered, bound)]
    count = len(ordered) - len(usual)
    raised = fmean(ordered) / fmean(usual) - 1
    is_alone = len(run.plan.experiment.arms) == 1 or run.plan.experiment.sweep is not None
    if raised >= _NOTABLE_RAISE and count <= _MOST_OUTLYING * len(ordered):
        yield kinds.OUTLIERS.found(
            alike.arm,
            count=count,
            largest_s=ordered[-1],
            median_s=median(ordered),
            raised=raised,
            advice=f"The median {'is' if is_alone else 'and the speed-up are'} barely affected.",
        )
