"""What a report of a sweep shows: a table with a row for each value, and a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from keepalive_bench.analysis.metrics.arm import ARM_METRICS, SENT
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.report import Chart, Swept, TextColumn, TextTable
from keepalive_bench.report.page.markup import figure, microseconds
from keepalive_bench.report.run_tables import cell, confidence
from keepalive_bench.units import duration, interval, plural, rate

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Metric
    from keepalive_bench.analysis.sweep import Sweep, SweptValue
    from keepalive_bench.report import Part
    from keepalive_bench.stats.intervals import Estimate


class ValueColumn(NamedTuple):
    """What the tables have of each value; of what is estimated, its interval beside it."""

    metric: Metric[Any]
    """Of the value, or of its arm."""
    shown: Literal["", "with `--block`", "without `--block`", "where there are any"] = ""
    """When; empty: always."""

    @property
    def title(self) -> str:
        """What stands over it."""
        return self.metric.heading or self.metric.title

    def of(self, value: SweptValue) -> Any:  # noqa: ANN401  # a number, or an Estimate
        """What the metric comes to."""
        return self.metric.of(value if self.metric in SWEEP_METRICS else value.summary)


_ARM = {metric.path: metric for metric in ARM_METRICS}
_VALUE = {metric.path: metric for metric in SWEEP_METRICS}
COUNTS = (
    ValueColumn(SENT),
    ValueColumn(_ARM["connections"]),
    ValueColumn(_VALUE["open_at_once"]),
    ValueColumn(_ARM["reuse"]),
    ValueColumn(_VALUE["waited"], "with `--block`"),
    ValueColumn(_VALUE["discarded"], "without `--block`"),
    ValueColumn(_ARM["failed"], "where there are any"),
    ValueColumn(_ARM["interrupted"], "where there are any"),
    ValueColumn(_ARM["not_sent"], "where there are any"),
)
LATENCIES = (ValueColumn(_ARM["latency_s.p50"]), ValueColumn(_ARM["latency_s.p95"]))
RATES = (ValueColumn(_VALUE["requests_per_second"]),)


def swept(analysis: Analysis, sweep: Sweep) -> Swept:
    """What a sweep comes to, for a report.

    It is in two tables, because all of it is wider than a page: what was counted, and the times.
    """
    names = TextColumn(sweep.option, tuple(value.arm for value in sweep.values))
    counts, latencies, rates = (
        tuple(_part(analysis, sweep, it) for it in columns if _is_shown(analysis, sweep, it))
        for columns in (COUNTS, LATENCIES, RATES)
    )
    return Swept(
        tables=(
            TextTable(title=f"Counts with each {sweep.option}", names=names, groups=(counts,)),
            TextTable(
                title=f"Times with each {sweep.option}", names=names, groups=(latencies, rates)
            ),
        ),
        chart=_curve(sweep),
        is_answered=sweep.recommendation.value is not None,
    )


def _is_shown(analysis: Analysis, sweep: Sweep, column: ValueColumn) -> bool:
    if column.shown == "where there are any":
        return any(map(column.of, sweep.values))
    waiting = "with `--block`" if analysis.plan.experiment.block else "without `--block`"
    return column.shown in {"", waiting}


def _part(analysis: Analysis, sweep: Sweep, column: ValueColumn) -> Part:
    metric, found = column.metric, [(it.summary, column.of(it)) for it in sweep.values]
    cells = TextColumn(column.title, tuple(cell(metric, arm, value) for arm, value in found))
    if metric.basis == "exact":
        return (cells,)
    ends = tuple(_interval(metric, arm, value) for arm, value in found)
    return (cells, TextColumn(confidence(analysis), ends))


def _interval(metric: Metric[Any], arm: ArmSummary, found: Estimate) -> str:
    estimate, low, high = found
    if low is None or high is None:
        return ""
    if metric.unit == "rate":
        return f"[{rate(low)} … {rate(high)}]" if arm.failed <= arm.succeeded else ""
    return interval(low, high, beside=estimate)


def _curve(sweep: Sweep) -> Chart:
    """Two plots over one axis: what was opened, and the median with its interval."""
    points = [(value, value.summary, _in_words(sweep, value)) for value in sweep.values]
    place = figure(
        "curve",
        f"Connections and median latency over {sweep.option}: "
        f"{'; '.join(words for _, _, words in points)}.",
        ["Lines through medians are their intervals. Point at a mark for its numbers."],
        [("arm-0", "connections"), ("arm-1", "median latency")],
    )
    data = {
        "option": sweep.option,
        "points": [
            {
                "value": value.arm,
                "connections": arm.connections,
                "p50": None if arm.latency.p50 is None else microseconds(arm.latency.p50),
                "bounds": [microseconds(end) for end in arm.latency_bounds.get("p50", ())],
                "words": words,
            }
            for value, arm, words in points
        ],
    }
    return Chart([place], data)


def _in_words(sweep: Sweep, value: SweptValue) -> str:
    opened = plural(value.summary.connections, "connection")
    discarded = f", {value.discarded:,} discarded" if value.discarded else ""
    median = duration(value.summary.latency.p50)
    return f"{sweep.option} {value.arm}: {opened}{discarded}, median {median}"
