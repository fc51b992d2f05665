"""The words and numbers of a run's tables, once; each dialect only sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.analysis.arm_summary import REMAINDER
from keepalive_bench.analysis.metrics.arm import ROWS
from keepalive_bench.connections.reason_kinds import BESIDE_OTHERS, BY_NATURE
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import MISSING, duration, interval, printable, rate, share, size, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary, PhaseTime
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.metrics import Metric, Unit
    from keepalive_bench.report import Part

_FORMATS: dict[Unit, Callable[[float], str]] = {
    "count": "{:,}".format,
    "bytes": size,
    "share": share,
    "ratio": times,
    "number": "{:,.1f}".format,
    "rate": rate,
    "seconds": duration,
}
"""How tables have a number of a unit."""
RATIO_ROWS = {"mean_ratio": "speed-up, all", "speedup": "  reused"}
"""The rows of what two arms are compared by."""
_NAMEABLE_S = 5e-7
"""A remainder below half a microsecond a request is not worth a line."""


class Row(NamedTuple):
    """One line of the comparison; what there is nothing of is empty."""

    name: str
    cells: tuple[str, ...]
    """One an arm."""
    savings: tuple[str, ...]
    """One a comparison, as are the intervals."""
    intervals: tuple[str, ...]


class ArmRow(NamedTuple):
    """A metric of arms, or a part of the count above, of that metric."""

    name: str
    """Indented where it is a part."""
    metric: Metric[ArmSummary]
    values: tuple[Any, ...]
    """One an arm; of a part, `None` where the arm has none of it."""
    is_part: bool = False


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


def comparison_table(analysis: Analysis) -> TextTable:
    """Arms and savings side by side, each saving with its interval."""
    names, *several = zip(*comparison_rows(analysis), strict=True)
    of_arms, savings, intervals = (zip(*rows, strict=True) for rows in several)
    found = zip(analysis.comparisons, savings, intervals, strict=True)
    ends = confidence(analysis)
    return TextTable(
        title="Counts and times of each arm",
        names=TextColumn("", names),
        groups=(
            _of_arms(analysis, of_arms),
            tuple(
                (TextColumn(_saving(analysis, it), saved, "bold"), TextColumn(ends, bounds))
                for it, saved, bounds in found
            ),
        ),
    )


def _of_arms(analysis: Analysis, columns: Iterable[tuple[str, ...]]) -> tuple[Part, ...]:
    arms = zip(analysis.arms, columns, strict=False)  # no rows, no columns
    return tuple((TextColumn(arm.label, cells),) for arm, cells in arms)


def _saving(analysis: Analysis, it: Comparison) -> str:
    several = len(analysis.comparisons) > 1
    return f"saves on {it.against}" if several else f"{analysis.first.label} saves"


def comparison_rows(analysis: Analysis) -> tuple[Row, ...]:
    """The comparison, line by line."""
    return tuple(_rows(analysis.arms, analysis.comparisons))


def _rows(arms: Sequence[ArmSummary], comparisons: Sequence[Comparison]) -> Iterator[Row]:
    nothing = ("",) * len(comparisons)
    for row in arm_rows(arms):
        cells = tuple(
            "" if row.is_part and value is None else cell(row.metric, arm, value)
            for arm, value in zip(arms, row.values, strict=True)
        )
        group, _, figure = row.metric.path.rpartition(".")
        if row.metric.path == "connections" and not row.is_part:
            fewer = tuple(f"{count - row.values[0]:,}" for count in row.values[1:])
            yield Row(row.name, cells, fewer, nothing)
        elif row.metric.path == "requests_per_second":
            yield _ratios(row.name, cells, [it.requests_per_second for it in comparisons])
        elif group == "latency_s":
            savings = [comparison.saving_s.get(figure) for comparison in comparisons]
            yield Row(
                row.name,
                cells,
                tuple("" if it is None else duration(it.estimate) for it in savings),
                tuple("" if it is None else _interval(it) for it in savings),
            )
        else:
            yield Row(row.name, cells, nothing, nothing)
    if comparisons:
        cells = tuple(_reused(number, arms, comparisons) for number in range(len(arms)))
        for path, name in RATIO_ROWS.items():
            beside = cells if path == "speedup" else ("",) * len(arms)
            yield _ratios(name, beside, [getattr(it, path) for it in comparisons], MISSING)


def _reused(number: int, arms: Sequence[ArmSummary], comparisons: Sequence[Comparison]) -> str:
    """How many requests of an arm reused a connection, of those that a speed-up is about.

    Of another than the first arm, where that one keeps none.
    """
    if not arms[number].traits.reuses or (number and arms[0].traits.reuses):
        return ""
    it = comparisons[max(number - 1, 0)]
    return f"{it.reused:,} of {it.in_pairs:,}"


def arm_rows(arms: Sequence[ArmSummary]) -> Iterator[ArmRow]:
    """What tables have of arms; a first word that rows below each other share is said once."""
    before = ""
    for metric in ROWS:
        if _is_shown(metric, arms):
            first, _, rest = metric.title.partition(" ")
            name = f"{'':{len(first)}} {rest}" if first == before else metric.title
            before = first
            yield ArmRow(name, metric, tuple(map(metric.of, arms)))
            parts = [_parts(metric.path, arm) for arm in arms]
            for code in dict.fromkeys(code for counts in parts for code in counts):
                counted = tuple(counts.get(code) for counts in parts)
                yield ArmRow(f"  {printable(code)}", metric, counted, is_part=True)


def _is_shown(metric: Metric[ArmSummary], arms: Sequence[ArmSummary]) -> bool:
    if metric.shown == "with TLS":
        return any(arm.traits.needs_tls for arm in arms)
    if metric.shown == "with `--rate`":
        return any(arm.late_starts is not None for arm in arms)
    return metric.shown == "always" or any(map(metric.of, arms))


def _parts(path: str, arm: ArmSummary) -> Mapping[str, int]:
    """What a count comes of, by code.

    Reasons for connections beside others stand below all connections, others below those reopened;
    what every arm has by its nature stands nowhere.
    """
    if path == "failed":
        return arm.failure_kinds
    if path not in {"connections", "reopened"}:
        return {}
    reasons = arm.reason_counts
    beside = reasons.keys() & BESIDE_OTHERS
    codes = beside if path == "connections" else reasons.keys() - beside - BY_NATURE
    return {code: count for code, count in reasons.items() if code in codes}


def cell(metric: Metric[Any], arm: ArmSummary, value: Any) -> str:  # noqa: ANN401  # by unit
    """What a table has of an arm's value, by its unit; but what fails at once is no speed."""
    if isinstance(value, Estimate):
        value = value.estimate
    if metric.unit == "rate" and value is not None and arm.failed > arm.succeeded:
        return "most failed"
    return in_unit(metric.unit, value)


def in_unit(unit: Unit, value: float | None) -> str:
    """A number as tables have it."""
    return MISSING if value is None else _FORMATS[unit](value)


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return MISSING
    return interval(estimate.low, estimate.high, beside=estimate.estimate)


def _ratios(
    name: str, cells: tuple[str, ...], ratios: Sequence[Estimate], unknown: str = ""
) -> Row:
    """A row in which arms are compared by how many times more one is than the other."""
    return Row(
        name,
        cells,
        tuple(unknown if it.estimate is None else times(it.estimate) for it in ratios),
        tuple(
            ("" if it.estimate is None else MISSING)
            if it.low is None or it.high is None
            else f"[{times(it.low)} … {times(it.high)}]"
            for it in ratios
        ),
    )


def confidence(analysis: Analysis) -> str:
    """The heading of the intervals' column."""
    return f"{100 * analysis.plan.decision_rule.confidence:g} % interval"


def phase_rows(analysis: Analysis) -> tuple[PhaseRow, ...]:
    """Where the time goes: phases that happened, as count × duration."""
    names = analysis.first.phases
    rows = (_phase_row(name, [arm.phases[name] for arm in analysis.arms]) for name in names)
    return tuple(row for row in rows if any(share >= _NAMEABLE_S for share in row.shares))


def phase_table(analysis: Analysis) -> TextTable:
    """Where the time goes, in one cell for each phase and arm."""
    rows = phase_rows(analysis)
    return TextTable(
        title="How often each phase happened × how long it took then",
        names=TextColumn("phase", tuple(row.phase for row in rows)),
        groups=(_of_arms(analysis, zip(*(row.words for row in rows), strict=True)),),
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
