"""The words and numbers of a report, once; each dialect only sets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepalive_bench.model.analysis import REMAINDER, Estimate
from keepalive_bench.render import sweep
from keepalive_bench.units import MISSING, duration, interval, plural, printable, rate, size, times

if TYPE_CHECKING:
    from keepalive_bench.model.analysis import Analysis, ArmSummary, PhaseTime
    from keepalive_bench.model.load import Load

METRICS = ("mean", "p50", "p90", "p95", "p99", "max")
UNCORRECTED, SHOWN_UNCORRECTED = "uncorrected", ("mean", "p50", "p95", "max")
_BY_NATURE = {"first-use", "by-design"}
_NAMEABLE_S = 5e-7
"""A remainder below half a microsecond a request is not worth a line."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the comparison."""

    name: str
    cells: tuple[str, ...]
    """One an arm."""
    savings: tuple[str, ...]
    """One a comparison."""
    intervals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PhaseRow:
    """One line of where the time goes."""

    phase: str
    cells: tuple[tuple[str, str], ...]
    """For each arm, how often it happened and how long it took then."""
    shares: tuple[float, ...]
    """For each arm, the time per request, in seconds."""


def headline(analysis: Analysis) -> str:
    """What was asked: method and URL."""
    return f"{analysis.plan.request.method} {place(analysis)}"


def place(analysis: Analysis) -> str:
    """The URL, and the way there where it isn't the straight one."""
    network, url = analysis.plan.network, printable(analysis.plan.target.shown)
    if network.proxy is not None:
        return f"{url} through the proxy {printable(network.proxy.origin)}"
    if network.unix_socket is not None:
        return f"{url} over the socket {printable(str(network.unix_socket))}"
    return url


def circumstances(analysis: Analysis) -> str:
    """How it was asked, in one line."""
    experiment = analysis.plan.experiment
    if analysis.sweep is not None:
        return sweep.circumstances(analysis, analysis.sweep)
    at_most = " at most" if experiment.load.is_open else ""
    parts = [
        _extent(analysis),
        *_load(experiment.load),
        f"{experiment.concurrency} at a time{at_most}",
        f"maxsize {experiment.pool_size}" + (", blocking" if experiment.block else ""),
    ]
    if len(experiment.arms) > 1:
        parts.append(_order(analysis))
    return ", ".join(parts)


def _load(load: Load) -> list[str]:
    """When requests were sent, where that wasn't as soon as possible."""
    parts = []
    if load.rate is not None:
        parts.append(f"{load.rate:,.10g}/s each")
    if load.has_pauses:
        least, most = map(duration, load.think_s)
        parts.append(f"pauses of {least}" + (f" to {most}" if most != least else ""))
    if load.in_bursts:
        parts.append("in bursts")
    return parts


def _extent(analysis: Analysis) -> str:
    """How many requests each arm was to send, and what ended the run if it wasn't their number."""
    experiment = analysis.plan.experiment
    counts = [arm.requests for arm in analysis.arms]
    least, most = min(counts), max(counts)
    number = plural(least, "request") if least == most else f"{least:,} to {most:,} requests"
    ends = []
    if experiment.duration_s is not None:
        ends.append(f"in {duration(experiment.duration_s)}")
    if experiment.precision is not None:
        ends.append(f"for ±{100 * experiment.precision:g} %")
    return " ".join([f"{number} per arm", *ends])


def _order(analysis: Analysis) -> str:
    experiment = analysis.plan.experiment
    if not experiment.is_paired:
        return "one arm after the other"
    if experiment.block_size == 1:
        return "pairs in random order"
    return f"{plural(experiment.rounds_of(analysis.first.requests), 'round')} in random order"


def remarks(analysis: Analysis) -> tuple[str, ...]:
    """What a reader should know of the requests before the numbers."""
    plan, experiment = analysis.plan, analysis.plan.experiment
    total = plural(sum(arm.requests + experiment.warmup for arm in analysis.arms), "request")
    lines = [f"{total} in all, warm-ups included; seed {experiment.seed}"]
    if analysis.sweep is not None:
        lines.insert(0, sweep.model(analysis.sweep))
    if plan.request.variation.counts:
        lines.append("request i carries kab=i, so that caches don't answer (--no-vary: without)")
    return tuple(lines)


def savings_headers(analysis: Analysis) -> tuple[str, ...]:
    """The heading of each comparison's column."""
    if len(analysis.comparisons) == 1:
        return (f"{analysis.first.label} saves",)
    return tuple(f"saves on {comparison.against}" for comparison in analysis.comparisons)


def comparison_rows(analysis: Analysis) -> tuple[Row, ...]:
    """The comparison, line by line."""
    rows = [
        _counts(analysis, "connections opened", "connections", compared=True),
        _counts(analysis, "reopened", "reopened"),
        *_resumption(analysis),
        *_breakdown(analysis, [_costly_reasons(arm) for arm in analysis.arms]),
        _counts(analysis, "requests", "sent"),
        _plain(analysis, "requests/connection", [_ratio(arm) for arm in analysis.arms]),
        _counts(analysis, "failed", "failed"),
        *_breakdown(analysis, [arm.failure_kinds for arm in analysis.arms]),
    ]
    if any(arm.not_sent for arm in analysis.arms):
        rows.append(_counts(analysis, "not sent", "not_sent"))
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
    if all(arm.kind != "resumed" for arm in analysis.arms):
        return []
    return [_counts(analysis, "sessions resumed", "resumed")]


def _breakdown(analysis: Analysis, counts: list[dict[str, int]]) -> list[Row]:
    """A line below a count for each of its parts, in the order in which they are met."""
    codes = dict.fromkeys(code for arm in counts for code in arm)
    return [
        _plain(analysis, f"  {code}", [f"{arm[code]:,}" if code in arm else "" for arm in counts])
        for code in codes
    ]


def _costly_reasons(arm: ArmSummary) -> dict[str, int]:
    """Reasons for connections, but for those that every arm has by its nature."""
    return {code: count for code, count in arm.reason_counts.items() if code not in _BY_NATURE}


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
            f"{UNCORRECTED if metric == SHOWN_UNCORRECTED[0] else '':>11} {metric}",
            [duration(getattr(latency, metric)) for latency in latencies],
        )
        for metric in SHOWN_UNCORRECTED
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
    return interval(estimate.low, estimate.high)


def _throughput(analysis: Analysis) -> Row:
    ratios = [comparison.throughput for comparison in analysis.comparisons]
    return Row(
        name="requests/s",
        cells=tuple(rate(arm.requests_per_second) for arm in analysis.arms),
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
    return f"{100 * analysis.plan.judgement.confidence:g} % interval"


def phase_rows(analysis: Analysis) -> tuple[PhaseRow, ...]:
    """Where the time goes: phases that happened, as count × duration."""
    names = analysis.first.phases
    rows = (_phase_row(name, [arm.phases[name] for arm in analysis.arms]) for name in names)
    return tuple(row for row in rows if any(share >= _NAMEABLE_S for share in row.shares))


def _phase_row(name: str, times_of_arms: list[PhaseTime]) -> PhaseRow:
    return PhaseRow(
        phase="client's own" if name == REMAINDER else name.replace("_", " "),
        cells=tuple(
            (f"{time.count:,}", duration(time.mean)) if time.count else (MISSING, "")
            for time in times_of_arms
        ),
        shares=tuple(time.per_request for time in times_of_arms),
    )


def answers(analysis: Analysis) -> tuple[str, ...]:
    """What the server answered: status codes, type, size, and what it says of keep-alive."""
    lines = []
    for arm in analysis.arms:
        if arm.status_codes:
            codes = ", ".join(f"{count:,} × {status}" for status, count in arm.status_codes.items())
            lines.append(f"{arm.label}: {codes}{_first_answer(arm)}")
    return tuple(lines) if len({line.partition(": ")[2] for line in lines}) > 1 else _common(lines)


def _common(lines: list[str]) -> tuple[str, ...]:
    return (f"each arm: {lines[0].partition(': ')[2]}",) if len(lines) > 1 else tuple(lines)


def _first_answer(arm: ArmSummary) -> str:
    answer = next(iter(arm.answers), None)
    if answer is None:
        return ""
    parts = [answer.http_version, printable(answer.content_type or "no content type")]
    if arm.body_sizes:
        low, high = arm.body_sizes
        parts.append(size(low) if low == high else f"{size(low)} to {size(high)}")
    if answer.connection:
        parts.append(f"Connection: {printable(answer.connection)}")
    if answer.keep_alive:
        parts.append(f"Keep-Alive: {printable(answer.keep_alive)}")
    return "; " + ", ".join(parts)


def urllib3_counters(analysis: Analysis) -> str:
    """urllib3's own two numbers, for those who know them."""
    parts = [
        f"{arm.label} {arm.counters.num_connections:,}/{arm.counters.num_requests:,}"
        for arm in analysis.arms
    ]
    return f"urllib3's num_connections/num_requests: {', '.join(parts)}"
