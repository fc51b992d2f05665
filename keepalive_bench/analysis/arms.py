"""One arm's exchanges and connections, summed up."""

from __future__ import annotations

from collections import Counter
from math import fsum
from typing import TYPE_CHECKING

from keepalive_bench.analysis import stats
from keepalive_bench.analysis.intervals import (
    lag_one_correlation,
    mean_interval,
    quantile_interval,
    widening,
)
from keepalive_bench.analysis.reasons import find_reasons
from keepalive_bench.model.analysis import REMAINDER, ArmSummary, Latency, PhaseTime
from keepalive_bench.model.exchange import PHASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.model.columns import ExchangeColumns
    from keepalive_bench.model.exchange import Answer
    from keepalive_bench.model.experiment import Arm
    from keepalive_bench.model.run import Run


def summarise(run: Run, arm: Arm) -> ArmSummary:
    """Count, and time, what one arm did. Failed exchanges are counted and never timed."""
    exchanges, connections = run.exchanges, run.connections
    rows = exchanges.rows(arm.label)
    good = [row for row in rows if exchanges.failure[row] < 0]
    opened = connections.rows(arm.label)
    travelled = [exchanges.connection[row] for row in rows if exchanges.connection[row] >= 0]
    carried = sum(connections.exchanges[row] for row in opened)
    latencies = [exchanges.latency_s[row] for row in good]
    sizes = [exchanges.body_bytes[row] for row in good]
    numbers = Counter(exchanges.failure[row] for row in rows)
    return ArmSummary(
        label=arm.label,
        kind=arm.kind,
        requests=run.plan.experiment.requests,
        succeeded=len(good),
        failed=len(rows) - len(good),
        not_sent=run.plan.experiment.requests - len(rows),
        connections=len(opened),
        requests_per_connection=carried / len(opened) if opened else None,
        reuse=(len(travelled) - len(set(travelled))) / len(rows) if rows else None,
        reopened=len(opened) - len({connections.slot[row] for row in opened}),
        reasons=find_reasons(run, arm),
        failures={
            failure: numbers[number]
            for number, failure in enumerate(exchanges.failures.values)
            if numbers[number]
        },
        status_codes=_status_codes(exchanges, rows),
        answers=_answers(exchanges, rows),
        body_sizes=(min(sizes), max(sizes)) if sizes else None,
        bytes_received=sum(exchanges.body_bytes[row] for row in rows),
        requests_per_second=_rate(exchanges, rows, len(good)),
        latency=_latency(latencies),
        latency_bounds=_bounds(latencies, run.plan.judgement.confidence),
        phases=_phases(exchanges, good),
        counters=run.counters[arm.label],
    )


def _status_codes(exchanges: ExchangeColumns, rows: Sequence[int]) -> dict[int, int]:
    counts = Counter(exchanges.status[row] for row in rows)
    return {status: counts[status] for status in sorted(counts) if status}


def _answers(exchanges: ExchangeColumns, rows: Sequence[int]) -> dict[Answer, int]:
    counts = Counter(exchanges.answer[row] for row in rows if exchanges.answer[row] >= 0)
    return {exchanges.answers.values[number]: count for number, count in counts.most_common()}


def _rate(exchanges: ExchangeColumns, rows: Sequence[int], succeeded: int) -> float | None:
    """Requests per second of the time in which the arm was running, its blocks added up.

    Those that failed count too, as their time does; `None` where none succeeded.
    """
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    for row in rows:
        number, began = exchanges.round[row], exchanges.began_s[row]
        begun[number] = min(began, begun.get(number, began))
        end = began + exchanges.latency_s[row]
        ended[number] = max(end, ended.get(number, end))
    running = fsum(ended[number] - begun[number] for number in begun)
    return len(rows) / running if succeeded and running else None


def _latency(values: list[float]) -> Latency:
    if not values:
        return Latency()
    ordered = sorted(values)
    return Latency(
        mean=stats.mean(ordered),
        stdev=stats.stdev(ordered),
        min=ordered[0],
        p50=stats.quantile(ordered, 50),
        p90=stats.quantile(ordered, 90),
        p95=stats.quantile(ordered, 95),
        p99=stats.quantile(ordered, 99),
        max=ordered[-1],
    )


def _bounds(values: Sequence[float], confidence: float) -> dict[str, tuple[float, float]]:
    """Intervals of the mean and of the quantiles, wider where latencies are autocorrelated."""
    ordered, factor = sorted(values), widening(lag_one_correlation(values))
    bounds = {
        f"p{percent}": quantile_interval(ordered, percent, confidence, factor)
        for percent in (50, 90, 95, 99)
        if stats.quantile(ordered, percent) is not None
    }
    bounds["mean"] = mean_interval(values, confidence, factor) if values else None
    return {name: interval for name, interval in bounds.items() if interval is not None}


def _phases(exchanges: ExchangeColumns, good: Sequence[int]) -> dict[str, PhaseTime]:
    remainders = [exchanges.latency_s[row] for row in good]
    times: dict[str, list[float]] = {}
    for name in PHASES:
        column = exchanges.phases[name]
        values = [column[row] for row in good]
        times[name] = [value for value in values if value == value]  # noqa: PLR0124  # not NaN
        if times[name]:
            remainders = [
                rest - value if value == value else rest  # noqa: PLR0124  # not NaN
                for rest, value in zip(remainders, values, strict=True)
            ]
    times[REMAINDER] = remainders
    return {name: _phase(sorted(values), len(good)) for name, values in times.items()}


def _phase(ordered: Sequence[float], requests: int) -> PhaseTime:
    return PhaseTime(
        per_request=fsum(ordered) / requests if requests else 0.0,
        count=len(ordered),
        mean=stats.mean(ordered),
        p50=stats.quantile(ordered, 50),
        p95=stats.quantile(ordered, 95),
    )
