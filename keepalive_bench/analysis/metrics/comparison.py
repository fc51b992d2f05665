"""What a comparison of two arms has: each estimate with an interval of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from keepalive_bench.analysis.arm_summary import REMAINDER
from keepalive_bench.analysis.arm_view import QUANTILES
from keepalive_bench.analysis.effects import Leading
from keepalive_bench.analysis.explanation import NAMED, STEPS
from keepalive_bench.analysis.metrics import Metric, Series, nothing, rate_lacks, up_to_all
from keepalive_bench.results.exchange import QUEUED

if TYPE_CHECKING:
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.metrics import Span, Unit
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment


_SAVING = Series(
    "kab_saving_seconds",
    "What the arm saves on the other, with the ends of its interval.",
    "statistic",
)


def _pairs(experiment: Experiment, _: str) -> Span:
    return 0, max(1, experiment.requests // experiment.block_size)


def _reused(experiment: Experiment, against: str) -> Span:
    """The first request of an arm that keeps connections opens one."""
    first = experiment.arms[0]
    both = (arm for arm in experiment.arms if arm is first or arm.label == against)
    return 0, experiment.requests - any(arm.traits.reuses for arm in both)


def _estimate(
    path: str, unit: Unit, basis: Basis, meaning: str, series: Series | None = None
) -> Metric[Comparison]:
    """What has an interval of its own; where the arms can't be compared, there is none of it."""
    return Metric(
        path=path,
        unit=unit,
        meaning=meaning,
        better="higher",
        basis=basis,
        bounds="members",
        unknown="either arm has no such figure",
        lacks=rate_lacks if path == "requests_per_second" else nothing,
        is_signed=unit == "seconds",
        series=series,
    )


def _saving(name: str, basis: Basis, meaning: str) -> Metric[Comparison]:
    return _estimate(f"saving_s.{name}", "seconds", basis, meaning, _SAVING)


COMPARISON_METRICS: tuple[Metric[Comparison], ...] = (
    Metric(path="arm", unit="text", meaning="The first-named arm"),
    Metric(path="against", unit="text", meaning="The other"),
    Metric(
        path="incomparable",
        unit="text",
        meaning="Why their times can't be compared, for people: its wording may change",
        unknown="they can be",
    ),
    Metric(
        path="pairs",
        unit="count",
        meaning="Pairs that both arms answered: of requests at concurrency 1, of blocks above",
        spans=_pairs,
    ),
    Metric(
        path="left_out",
        unit="count",
        meaning="Pairs that were sent, and of which an arm, or both, didn't answer its half",
        better="lower",
        spans=_pairs,
    ),
    Metric(
        path="reused",
        unit="count",
        meaning="Requests in `pairs` whose connection had served one before, of the arm that keeps "
        "connections; where neither does, all count; where both do, one at a time, those of pairs "
        "in which both did",
        better="higher",
        spans=_reused,
    ),
    Metric(
        path="in_pairs",
        unit="count",
        meaning="Requests of that arm in `pairs`",
        spans=up_to_all,
    ),
    Metric(
        path="leads",
        unit="word",
        meaning="Which of the two ratios below the verdict is about: `speedup`, or `mean_ratio` "
        "where connections were opened so often that the two differ by more than their intervals, "
        "and no few slow requests decide the means",
        words=get_args(Leading),
    ),
    _estimate(
        "speedup",
        "ratio",
        "ranks",
        "How much faster a request on an open connection is: the other's latency ÷ the arm's own, "
        "typical of the pairs that `reused`; above 1, the first-named arm is faster",
        Series(
            "kab_speedup_ratio",
            "The other arm's latency by the arm's own, with the ends of its interval.",
        ),
    ),
    _estimate(
        "mean_ratio",
        "ratio",
        "pairs",
        "How much less time all requests take: the other's mean latency ÷ the arm's own, of all "
        "`pairs`",
        Series(
            "kab_mean_latency_ratio",
            "The other arm's mean latency by the arm's own, with the ends of its interval.",
        ),
    ),
    _estimate("requests_per_second", "ratio", "pairs", "The arm's ÷ the other's"),
    Metric(
        path="correlation",
        unit="number",
        meaning="Autocorrelation at lag 1 of the pairs' log ratios, of ranks",
        basis="nothing",
        is_signed=True,
    ),
    Metric(
        path="interval_inflation",
        unit="number",
        meaning="How much wider the intervals are for autocorrelation, at that lag and all others",
        basis="nothing",
    ),
    _saving(
        "mean",
        "pairs",
        "The difference of the means, over the requests that are in `pairs`: which requests of an "
        "arm failed doesn't move it",
    ),
    *(
        _saving(
            name,
            name,
            "The other's figure − the arm's own, from `latency_s`; of p99 only where both can be "
            "bounded",
        )
        for name in QUANTILES
    ),
    Metric(
        path="explained.parts_s.<part>",
        unit="seconds",
        meaning="What the other arm spent more on it, a request; they add up to "
        "`saving_s.mean.estimate`. `remainder`: sending, receiving, waiting for a place in the "
        "pool and client overhead. `explained` is `null` where there are no pairs",
        basis="nothing",
        keys=(QUEUED, *NAMED, REMAINDER),
        absent="explained",
        is_signed=True,
    ),
    Metric(
        path="explained.per_1000_requests_s",
        unit="seconds",
        meaning="The saving of a thousand requests",
        basis="nothing",
        is_signed=True,
    ),
    Metric(
        path="explained.tls",
        unit="text",
        meaning="The version that nearly all handshakes settled on",
        unknown="none, or several",
    ),
    Metric(
        path="explained.round_trip_s",
        unit="seconds",
        meaning="The network's shortest round trip, as the system measured it at the handshakes "
        "(`TCP_INFO`, on Linux)",
        unknown="it doesn't tell",
        lacking="the system doesn't tell",
    ),
    Metric(
        path="explained.round_trips.<step>.measured",
        unit="number",
        meaning="The step's typical time ÷ `round_trip_s`. The three are `null` where the step "
        "didn't happen, or the round trip is unknown",
        keys=STEPS,
        absent="explained.round_trips.<step>",
        is_nameless=True,
    ),
    Metric(
        path="explained.round_trips.<step>.needed",
        unit="count",
        meaning="How many the protocol needs (RFC 9293; RFC 8446, section 2; RFC 5246, section "
        "7.3)",
        keys=STEPS,
        unknown="unknown",
        is_nameless=True,
    ),
)
