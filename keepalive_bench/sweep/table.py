"""The words and numbers of a sweep's report, once; each dialect only sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report.table import rate_of
from keepalive_bench.units import MISSING, duration, interval, plural, rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary
    from keepalive_bench.analysis.sweep import Sweep, SweptValue
    from keepalive_bench.stats.intervals import Estimate

METRICS = ("p50", "p95")


class Column(NamedTuple):
    """A heading, and a cell for each value; the first column is the values themselves."""

    heading: str
    cells: tuple[str, ...]


def value_column(sweep: Sweep) -> Column:
    """What was tried, as the user called it."""
    return Column(sweep.option, tuple(it.arm for it in sweep.values))


def count_columns(analysis: Analysis, sweep: Sweep) -> tuple[Column, ...]:
    """What was counted: no interval belongs to it."""
    arms = _arms(analysis, sweep)
    columns = [
        Column("requests", tuple(f"{arm.sent:,}" for arm in arms)),
        Column("connections", tuple(f"{arm.connections:,}" for arm in arms)),
        Column("open at once", tuple(f"{it.open_at_once:,}" for it in sweep.values)),
        Column("reuse", tuple(_share(arm.reuse) for arm in arms)),
    ]
    if analysis.plan.experiment.block:
        columns.append(Column("waited", tuple(f"{it.waited:,}" for it in sweep.values)))
    else:
        columns.append(Column("discarded", tuple(f"{it.discarded:,}" for it in sweep.values)))
    for heading, field in (
        ("failed", "failed"),
        ("interrupted", "interrupted"),
        ("not sent", "not_sent"),
    ):
        if any(getattr(arm, field) for arm in arms):
            columns.append(Column(heading, tuple(f"{getattr(arm, field):,}" for arm in arms)))
    return tuple(columns)


def time_columns(analysis: Analysis, sweep: Sweep) -> tuple[Column, ...]:
    """Latencies and rates, each with its interval beside it."""
    arms, confidence = _arms(analysis, sweep), _confidence(analysis)
    columns = []
    for metric in METRICS:
        columns += [
            Column(metric, tuple(duration(getattr(arm.latency, metric)) for arm in arms)),
            Column(confidence, tuple(_bounds(arm, metric) for arm in arms)),
        ]
    rates = [(arm, it.requests_per_second) for it, arm in zip(sweep.values, arms, strict=True)]
    columns += [
        Column("requests/s", tuple(rate_of(arm, found.estimate) for arm, found in rates)),
        Column(confidence, tuple(_rates(arm, found) for arm, found in rates)),
    ]
    return tuple(columns)


def circumstances(analysis: Analysis, sweep: Sweep) -> str:
    """How it was asked, in one line."""
    experiment = analysis.plan.experiment
    counts = [arm.requests for arm in analysis.arms]
    least, most = min(counts), max(counts)
    number = plural(least, "request") if least == most else f"{least:,} to {most:,} requests"
    parts = [f"{number} with each {sweep.option} of {', '.join(it.arm for it in sweep.values)}"]
    if experiment.duration_s is not None:
        parts.append(f"in {duration(experiment.duration_s)}")
    if sweep.option != "concurrency":
        parts.append(plural(experiment.concurrency, "thread"))
    if sweep.option != "maxsize" and experiment.pool_size != experiment.concurrency:
        parts.append(f"maxsize {experiment.pool_size}")
    if experiment.block:
        parts.append("blocking")
    parts.append(f"traffic in {sweep.traffic}" if sweep.traffic == "bursts" else "steady traffic")
    parts.append(f"{plural(experiment.rounds_of(most), 'round')} in random order")
    return ", ".join([*parts, *_last_burst(analysis, sweep)])


def _last_burst(analysis: Analysis, sweep: Sweep) -> Iterator[str]:
    """That it isn't a whole one, where the threads don't divide the requests."""
    experiment = analysis.plan.experiment
    if not experiment.load.in_closed_bursts:
        return
    requests = {arm.label: arm.requests for arm in analysis.arms}
    rests = {arm.label: requests[arm.label] % experiment.threads_of(arm) for arm in experiment.arms}
    smaller = [it.arm for it in sweep.values if rests[it.arm]]
    if not smaller:
        return
    if sweep.option == "concurrency":
        yield f"the last burst a smaller one with {' and '.join(smaller)}"
    else:
        yield f"the last burst of {rests[smaller[0]]} only"


def model(sweep: Sweep) -> str:
    """What traffic this is the answer for."""
    if sweep.traffic == "bursts":
        return (
            "bursts: all threads send one request at once, then wait for each other, as page loads "
            "and batch jobs do (--traffic steady: without a pause)"
        )
    return (
        "steady: no thread ever pauses; one that waits while another value has its turn keeps its "
        "connection, so that turns open none (--traffic bursts: all at once)"
    )


def _arms(analysis: Analysis, sweep: Sweep) -> list[ArmSummary]:
    """In the order of the values."""
    by_label = {arm.label: arm for arm in analysis.arms}
    return [by_label[it.arm] for it in sweep.values]


def points(analysis: Analysis, sweep: Sweep) -> Iterator[tuple[SweptValue, ArmSummary]]:
    """Each value with its arm, for a curve."""
    return zip(sweep.values, _arms(analysis, sweep), strict=True)


def _share(share: float | None) -> str:
    if share is None:
        return MISSING
    percent = 100 * share  # what isn't all of it doesn't read as if it were
    return f"{percent:.0f} %" if percent in {0, 100} else f"{min(max(percent, 0.1), 99.9):.1f} %"


def _confidence(analysis: Analysis) -> str:
    return f"{100 * analysis.plan.decision_rule.confidence:g} % interval"


def _bounds(arm: ArmSummary, metric: str) -> str:
    bounds = arm.latency_bounds.get(metric)
    return "" if bounds is None else interval(*bounds, beside=getattr(arm.latency, metric))


def _rates(arm: ArmSummary, estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None or arm.failed > arm.succeeded:
        return ""
    return f"[{rate(estimate.low)} … {rate(estimate.high)}]"
