"""The words and numbers of a run's tables, once; each dialect only sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.analysis import REMAINDER
from keepalive_bench.connections.reason_kinds import BESIDE_OTHERS, BY_NATURE
from keepalive_bench.report.table import Column, Table
from keepalive_bench.units import MISSING, duration, interval, rate, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary, PhaseTime
    from keepalive_bench.report.table import Part
    from keepalive_bench.stats.intervals import Estimate

METRICS = ("mean", "p50", "p90", "p95", "p99", "max")
UNCORRECTED = "uncorrected"
MOSTLY_FAILED = "most failed"
_NAMEABLE_S = 5e-7
"""A remainder below half a microsecond a request is not worth a line."""


class Row(NamedTuple):
    """One line of the comparison."""

    name: str
    cells: tuple[str, ...]
    """One an arm."""
    savings: tuple[str, ...]
    """One a comparison."""
    intervals: tuple[str, ...]


class PhaseRow(NamedTuple):
    """One line of where the time goes."""

    phase: str
    cells: tuple[tuple[str, str], ...]
    """For each arm, how often it happened and how long it took then."""
    shares: tuple[float, ...]
    """For each arm, the time per request, in seconds."""

    @property
    def words(self) -> tuple[str, ...]:
        """Its cells in words: `40 × 20.9 ms`."""
        return tuple(" × ".join(filter(None, cell)) for cell in self.cells)


def comparison_table(analysis: Analysis) -> Table:
    """Arms and savings side by side, each saving with its interval."""
    rows = comparison_rows(analysis)
    savings: list[tuple[Column, ...]] = []
    for number, comparison in enumerate(analysis.comparisons):
        saves = f"{analysis.first.label} saves"
        several = len(analysis.comparisons) > 1
        heading = f"saves on {comparison.against}" if several else saves
        found = tuple(row.savings[number] for row in rows)
        ends = tuple(row.intervals[number] for row in rows)
        savings.append((Column(heading, found, "bold"), Column(confidence(analysis), ends)))
    return Table(
        title="Counts and times of each arm",
        names=Column("", tuple(row.name for row in rows)),
        groups=(_of_arms(analysis, [row.cells for row in rows]), tuple(savings)),
    )


def _of_arms(analysis: Analysis, rows: Sequence[Sequence[str]]) -> tuple[Part, ...]:
    """A column for each arm."""
    return tuple(
        (Column(arm.label, tuple(row[number] for row in rows)),)
        for number, arm in enumerate(analysis.arms)
    )


def comparison_rows(analysis: Analysis) -> tuple[Row, ...]:
    """The comparison, line by line."""
    rows = [
        _counts(analysis, "connections opened", "connections", compared=True),
        *_breakdown(analysis, [beyond_pool(arm.reason_counts) for arm in analysis.arms]),
        _counts(analysis, "reopened", "reopened"),
        *_breakdown(analysis, [of_reopened(arm.reason_counts) for arm in analysis.arms]),
        *_resumption(analysis),
        _counts(analysis, "requests", "sent"),
        _plain(analysis, "requests/connection", [_ratio(arm) for arm in analysis.arms]),
        _counts(analysis, "failed", "failed"),
        *_breakdown(analysis, [arm.failure_kinds for arm in analysis.arms]),
    ]
    for name, field in (("interrupted", "interrupted"), ("not sent", "not_sent")):
        if any(getattr(arm, field) for arm in analysis.arms):
            rows.append(_counts(analysis, name, field))
    rows += [_latency(analysis, metric) for metric in METRICS]
    rows += _of_open_load(analysis)
    rows.append(_throughput(analysis))
    if len(analysis.comparisons) > 1:  # of one, the verdict says it
        rows.append(_speedups(analysis))
    return tuple(rows)


def _counts(analysis: Analysis, name: str, field: str, *, compared: bool = False) -> Row:
    counts = [getattr(arm, field) for arm in analysis.arms]
    savings = tuple(f"{other - counts[0]:,}" if compared else "" for other in counts[1:])
    return Row(
        name=name,
        cells=tuple(f"{count:,}" for count in counts),
        savings=savings,
        intervals=("",) * len(savings),
    )


def _resumption(analysis: Analysis) -> list[Row]:
    """How many TLS sessions were resumed, where an arm tries to."""
    if not any(arm.traits.needs_tls for arm in analysis.arms):
        return []
    return [_counts(analysis, "sessions resumed", "resumed")]


def _breakdown(analysis: Analysis, counts: list[dict[str, int]]) -> list[Row]:
    """A line below a count for each of its parts, in the order in which they are met."""
    codes = dict.fromkeys(code for arm in counts for code in arm)
    return [
        _plain(analysis, f"  {code}", [f"{arm[code]:,}" if code in arm else "" for arm in counts])
        for code in codes
    ]


def beyond_pool(reasons: Mapping[str, int]) -> dict[str, int]:
    """Why connections were opened beside others, but for what every arm has by its nature."""
    return {code: count for code, count in reasons.items() if code in BESIDE_OTHERS}


def of_reopened(reasons: Mapping[str, int]) -> dict[str, int]:
    """Why connections were opened in the place of others, but for an arm's own nature."""
    left_out = BY_NATURE | BESIDE_OTHERS
    return {code: count for code, count in reasons.items() if code not in left_out}


def _plain(analysis: Analysis, name: str, cells: list[str]) -> Row:
    empty = ("",) * len(analysis.comparisons)
    return Row(name=name, cells=tuple(cells), savings=empty, intervals=empty)


def _ratio(arm: ArmSummary) -> str:
    ratio = arm.requests_per_connection
    return MISSING if ratio is None else f"{ratio:,.1f}"


def _latency(analysis: Analysis, metric: str) -> Row:
    estimates = [comparison.saving.get(metric) for comparison in analysis.comparisons]
    return Row(
        name=f"latency {metric}" if metric == METRICS[0] else f"        {metric}",
        cells=tuple(duration(getattr(arm.latency, metric)) for arm in analysis.arms),
        savings=tuple("" if found is None else duration(found.estimate) for found in estimates),
        intervals=tuple("" if found is None else _interval(found) for found in estimates),
    )


def _of_open_load(analysis: Analysis) -> list[Row]:
    """Latency from the real start, and what started late, where requests had a time to start at."""
    starts = [arm.late_starts for arm in analysis.arms if arm.late_starts is not None]
    latencies = [arm.uncorrected for arm in analysis.arms if arm.uncorrected is not None]
    if not starts:
        return []
    rows = [
        _plain(
            analysis,
            f"{UNCORRECTED if metric == METRICS[0] else '':>11} {metric}",
            [duration(getattr(latency, metric)) for latency in latencies],
        )
        for metric in METRICS
    ]
    rows.append(_plain(analysis, "late starts", [f"{late.count:,}" for late in starts]))
    rows += [
        _plain(analysis, f"  {name}", [duration(getattr(late, field)) for late in starts])
        for name, field in (("mean", "mean_s"), ("at most", "max_s"))
        if any(late.count for late in starts)
    ]
    return rows


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return MISSING
    return interval(estimate.low, estimate.high, beside=estimate.estimate)


def rate_of(arm: ArmSummary, per_second: float | None) -> str:
    """An arm's requests per second; but what fails at once is no speed."""
    is_none = per_second is not None and arm.failed > arm.succeeded
    return MOSTLY_FAILED if is_none else rate(per_second)


def _throughput(analysis: Analysis) -> Row:
    ratios = [comparison.throughput for comparison in analysis.comparisons]
    return Row(
        name="requests/s",
        cells=tuple(rate_of(arm, arm.requests_per_second) for arm in analysis.arms),
        savings=tuple("" if it.estimate is None else times(it.estimate) for it in ratios),
        intervals=tuple(_ratio_interval(ratio) for ratio in ratios),
    )


def _speedups(analysis: Analysis) -> Row:
    """How many times faster a typical request is, which the verdict says of the first two only."""
    ratios = [comparison.speedup for comparison in analysis.comparisons]
    return Row(
        name="typical speed-up",
        cells=("",) * len(analysis.arms),
        savings=tuple(times(ratio.estimate) for ratio in ratios),
        intervals=tuple(_ratio_interval(ratio) for ratio in ratios),
    )


def _ratio_interval(ratio: Estimate) -> str:
    if ratio.low is None or ratio.high is None:
        return MISSING if ratio.estimate is not None else ""
    return f"[{times(ratio.low)} … {times(ratio.high)}]"


def confidence(analysis: Analysis) -> str:
    """The heading of the intervals' column."""
    return f"{100 * analysis.plan.decision_rule.confidence:g} % interval"


def phase_rows(analysis: Analysis) -> tuple[PhaseRow, ...]:
    """Where the time goes: phases that happened, as count × duration."""
    names = analysis.first.phases
    rows = (_phase_row(name, [arm.phases[name] for arm in analysis.arms]) for name in names)
    return tuple(row for row in rows if any(share >= _NAMEABLE_S for share in row.shares))


def phase_table(analysis: Analysis) -> Table:
    """Where the time goes, in one cell for each phase and arm."""
    rows = phase_rows(analysis)
    return Table(
        title="How often each phase happened × how long it took then",
        names=Column("phase", tuple(row.phase for row in rows)),
        groups=(_of_arms(analysis, [row.words for row in rows]),),
    )


def _phase_row(name: str, times_of_arms: list[PhaseTime]) -> PhaseRow:
    return PhaseRow(
        phase="client's own" if name == REMAINDER else name.replace("_", " "),
        cells=tuple(
            (f"{time.count:,}", duration(time.mean)) if time.count else (MISSING, "")
            for time in times_of_arms
        ),
        shares=tuple(time.per_request for time in times_of_arms),
    )
