"""What a report of a sweep shows: a table with a row for each value, and a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import Chart, Swept, TextColumn, TextTable
from keepalive_bench.report.page.markup import figure, microseconds
from keepalive_bench.report.run_tables import confidence, rate_of
from keepalive_bench.units import MISSING, duration, interval, plural, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.sweep import Sweep, SweptValue
    from keepalive_bench.report import Part
    from keepalive_bench.stats.intervals import Estimate

_METRICS = ("p50", "p95")


def swept(analysis: Analysis, sweep: Sweep) -> Swept:
    """What a sweep comes to, for a report.

    It is in two tables, because all of it is wider than a page: what was counted, and the times.
    """
    by_label = {arm.label: arm for arm in analysis.arms}
    arms = [by_label[value.arm] for value in sweep.values]
    names = TextColumn(sweep.option, tuple(value.arm for value in sweep.values))
    counts = [(column,) for column in _counts(analysis, sweep, arms)]
    latencies = [_latencies(analysis, arms, metric) for metric in _METRICS]
    times = (tuple(latencies), (_rates(analysis, sweep, arms),))
    return Swept(
        tables=(
            TextTable(
                title=f"Counts with each {sweep.option}", names=names, groups=(tuple(counts),)
            ),
            TextTable(title=f"Times with each {sweep.option}", names=names, groups=times),
        ),
        chart=_curve(sweep, arms),
        is_answered=sweep.recommendation.value is not None,
    )


def _counts(analysis: Analysis, sweep: Sweep, arms: Sequence[ArmSummary]) -> list[TextColumn]:
    """What was counted: no interval belongs to it."""
    columns = [
        TextColumn("requests", tuple(f"{arm.sent:,}" for arm in arms)),
        TextColumn("connections", tuple(f"{arm.connections:,}" for arm in arms)),
        TextColumn("open at once", tuple(f"{it.open_at_once:,}" for it in sweep.values)),
        TextColumn("reuse", tuple(_share(arm.reuse) for arm in arms)),
    ]
    if analysis.plan.experiment.block:
        columns.append(TextColumn("waited", tuple(f"{it.waited:,}" for it in sweep.values)))
    else:
        columns.append(TextColumn("discarded", tuple(f"{it.discarded:,}" for it in sweep.values)))
    for field in ("failed", "interrupted", "not_sent"):
        counts = [getattr(arm, field) for arm in arms]
        if any(counts):
            columns.append(
                TextColumn(field.replace("_", " "), tuple(f"{count:,}" for count in counts))
            )
    return columns


def _latencies(analysis: Analysis, arms: Sequence[ArmSummary], metric: str) -> Part:
    found = [getattr(arm.latency, metric) for arm in arms]
    bounds = [arm.latency_bounds.get(metric) for arm in arms]
    ends = (
        "" if ends is None else interval(*ends, beside=value)
        for value, ends in zip(found, bounds, strict=True)
    )
    return TextColumn(metric, tuple(map(duration, found))), TextColumn(
        confidence(analysis), tuple(ends)
    )


def _rates(analysis: Analysis, sweep: Sweep, arms: Sequence[ArmSummary]) -> Part:
    found = [(arm, it.requests_per_second) for it, arm in zip(sweep.values, arms, strict=True)]
    return (
        TextColumn("requests/s", tuple(rate_of(arm, it.estimate) for arm, it in found)),
        TextColumn(confidence(analysis), tuple(_rate_ends(arm, it) for arm, it in found)),
    )


def _rate_ends(arm: ArmSummary, estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None or arm.failed > arm.succeeded:
        return ""
    return f"[{rate(estimate.low)} … {rate(estimate.high)}]"


def _share(share: float | None) -> str:
    if share is None:
        return MISSING
    percent = 100 * share  # what isn't all of it doesn't read as if it were
    return f"{percent:.0f} %" if percent in {0, 100} else f"{min(max(percent, 0.1), 99.9):.1f} %"


def _curve(sweep: Sweep, arms: Sequence[ArmSummary]) -> Chart:
    """Two plots over one axis: what was opened, and the median with its interval."""
    points = [
        (value, arm, _in_words(sweep, value, arm))
        for value, arm in zip(sweep.values, arms, strict=True)
    ]
    place = figure(
        "curve",
        f"Connections and median latency over {sweep.option}: "
        f"{'; '.join(words for _, _, words in points)}.",
        ["Lines through medians are their intervals. Point at a mark for its numbers."],
        [("arm-0", "connections opened"), ("arm-1", "median latency")],
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


def _in_words(sweep: Sweep, value: SweptValue, arm: ArmSummary) -> str:
    opened = plural(arm.connections, "connection")
    discarded = f", {value.discarded:,} discarded" if value.discarded else ""
    return f"{sweep.option} {value.arm}: {opened}{discarded}, median {duration(arm.latency.p50)}"
