"""What kab noticed of how an arm's latencies are distributed; nothing is thrown out for it."""

from __future__ import annotations

from array import array
from itertools import compress
from math import exp, fsum, isnan, log
from operator import eq, ne
from statistics import NormalDist, median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.findings.delay import DELAYED_ACK
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import pick
from keepalive_bench.stats.shapes import LEAST_FOR_SHAPE, outliers, several_modes, trend

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

_CHANCE = NormalDist().inv_cdf(0.9995)
"""The score of a trend, either way, that chance alone exceeds in one arm of a thousand."""
_NOTABLE_CHANGE = 1.1
_APART = 1.5
_SMALLER_GROUP = 0.1
_MOST = 0.8
"""Of what lies between two groups: if it is of opening connections, that is why."""
_OPENING = ("dns", "connect", "tunnel", "tls")
_PROVOKED = Provoked(test="tests/findings/test_latency.py")

DRIFT = FindingKind(
    code="drift",
    title="Latency rose or fell during the run",
    who="path",
    severity="info",
    is_detail=True,
    evidence=("arm", "first_s", "last_s", "score"),
    proof="By 10 % or more, and not by chance. Arms that take turns share that.",
    text="The latency of {arm} {moved} during the run, from {first_s} to {last_s}.",
    advice="The arms took turns, so their comparison holds; the figures of one arm are averages "
    "over that time.",
    advice_in_sweeps="The values took turns, so their comparison holds; the figures of one value "
    "are averages over that time.",
    cases={
        "one arm alone": Case(
            advice="Its figures are averages over that time; a longer --warmup helps if the "
            "latency settles."
        ),
        "one arm after the other": Case(
            severity="warning",
            advice="The arms ran one after the other, so that looks like a difference between "
            "them: --order paired makes them take turns.",
        ),
    },
    provoked=_PROVOKED,
)
BIMODAL = FindingKind(
    code="bimodal",
    title="Latencies fall into groups",
    who="path",
    severity="info",
    evidence=("arm", "lower", "lower_s", "upper", "upper_s"),
    proof="Two groups stand apart. The finding has the number of requests in each, and its median.",
    text="The latencies of {arm} fall into two groups: {lower:request} took about {lower_s}, and "
    "{upper} took about {upper_s}. A figure between them is typical of neither.",
    advice="A cache, several servers behind one address, or other load on the server can cause "
    "that.",
    cases={
        "40 ms apart": Case(
            advice="A delayed acknowledgement takes 40 ms, and Nagle's algorithm waits for it "
            "where a server writes head and body separately: try TCP_NODELAY there."
        ),
        "opening connections": Case(
            advice="Opening the connection (dns, connect, tunnel, tls) took that much longer."
        ),
        "a busy machine": Case(
            advice="The likely cause is waiting for a processor of this machine (see the warning)."
        ),
        "parameters that vary": Case(
            advice="The server may take longer for some parameters: try them one by one."
        ),
    },
    provoked=_PROVOKED,
)
OUTLIERS = FindingKind(
    code="outliers",
    title="A few requests took far longer than the others",
    who="path",
    severity="info",
    evidence=("arm", "count", "largest_s", "median_s", "raised"),
    proof="They make the mean 10 % larger or more. Nothing is left out.",
    text="{count:request} of {arm} took far longer than the others (up to {largest_s}), which "
    "raised the mean by {raised:.0%}. Nothing is left out.",
    advice="The median and the speed-up are barely affected.",
    cases={"without a comparison": Case(advice="The median is barely affected.")},
    provoked=_PROVOKED,
)


class _Alike(NamedTuple):
    """Latencies of an arm that bear comparison with each other."""

    arm: ArmSummary
    view: ArmView
    is_fresh: bool
    """Whether each is on a connection that was opened for it."""
    in_turn: array[float]
    ordered: array[float]


def latency_findings(
    run: Run,
    views: Mapping[str, ArmView],
    arms: Sequence[ArmSummary],
    *,
    contended: bool,
    shifted: Collection[str] = (),
) -> Iterator[Finding]:
    """Everything of that kind, for all arms; `contended`: threads or processes had to wait.

    The levels of `shifted` arms changed as no other arm's did, and that is told by itself.
    """
    for arm in arms:
        alike = _alike(arm, views[arm.label])
        if len(alike.ordered) < LEAST_FOR_SHAPE:
            continue
        if arm.label not in shifted:
            yield from _drift(run, alike)
        groups = _groups(run, alike, contended=contended)
        # Many that are far off are a group, and are told of once.
        yield from [groups] if groups else _outliers(run, alike)


def _alike(arm: ArmSummary, view: ArmView) -> _Alike:
    """Those on reused connections, or those on fresh ones, whichever are more.

    What opening a connection costs is known, and no oddity of the others.
    """
    connects = pick(view.exchanges.phases["connect"], view.timed)
    fresh = bytes(map(eq, connects, connects))  # what isn't a number equals nothing
    is_fresh = 2 * fresh.count(1) > len(fresh)
    more = fresh if is_fresh else bytes(map(ne, connects, connects))
    del connects
    if view.ordered and view.ordered[0] > 0 and 0 not in more:
        return _Alike(arm, view, is_fresh, view.latencies, view.ordered)
    in_turn = array("d", filter((0.0).__lt__, compress(view.latencies, more)))
    return _Alike(arm, view, is_fresh, in_turn, array("d", sorted(in_turn)))


def _drift(run: Run, alike: _Alike) -> Iterator[Finding]:
    found = trend(array("d", map(log, alike.in_turn)))
    if found is None or abs(found.score) <= _CHANCE:
        return
    change = exp(found.last - found.first)
    if max(change, 1 / change) < _NOTABLE_CHANGE:
        return
    experiment = run.plan.experiment
    alone = len(experiment.arms) == 1
    turns = None if experiment.is_paired else "one arm after the other"
    yield DRIFT.found(
        alike.arm,
        first_s=exp(found.first),
        last_s=exp(found.last),
        score=found.score,
        case="one arm alone" if alone else turns,
        words={"moved": "rose" if change > 1 else "fell"},
    )


def _groups(run: Run, alike: _Alike, *, contended: bool) -> Finding | None:
    ordered = alike.ordered
    lower = several_modes(ordered)
    if lower is None or min(lower, len(ordered) - lower) < _SMALLER_GROUP * len(ordered):
        return None
    low, high = median(ordered[:lower]), median(ordered[lower:])
    if high < _APART * low:
        return None
    return BIMODAL.found(
        alike.arm,
        lower=lower,
        lower_s=low,
        upper=len(ordered) - lower,
        upper_s=high,
        case="opening connections"
        if alike.is_fresh and _opening(alike, ordered[lower]) >= _MOST * (high - low)
        else _why_groups(run, high - low, contended=contended),
    )


def _opening(alike: _Alike, least_s: float) -> float:
    """How much longer opening a connection took in the group of latencies from one on."""
    view = alike.view
    columns = [pick(view.exchanges.phases[name], view.timed) for name in _OPENING]
    groups: tuple[list[float], list[float]] = [], []
    for latency, *phases in zip(view.latencies, *columns, strict=True):
        if not all(map(isnan, phases)):
            groups[latency >= least_s].append(fsum(it for it in phases if not isnan(it)))
    return median(groups[1]) - median(groups[0]) if all(groups) else 0.0


def _why_groups(run: Run, apart_s: float, *, contended: bool) -> str | None:
    if DELAYED_ACK[0] <= apart_s <= DELAYED_ACK[1]:
        return "40 ms apart"
    if contended:
        return "a busy machine"
    variation = run.plan.request.variation
    return "parameters that vary" if variation.fields or variation.rows else None


def _outliers(run: Run, alike: _Alike) -> Iterator[Finding]:
    ordered, found = alike.ordered, outliers(alike.ordered)
    is_alone = len(run.plan.experiment.arms) == 1 or run.plan.experiment.sweep is not None
    if found is not None:
        yield OUTLIERS.found(
            alike.arm,
            count=found.number,
            largest_s=ordered[-1],
            median_s=median(ordered),
            raised=found.raised,
            case="without a comparison" if is_alone else None,
        )
