"""The words and numbers of a run's tables, once; each dialect only sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.analysis.metrics.arm import ROWS
from keepalive_bench.analysis.metrics.times import PHASE_TITLES
from keepalive_bench.connections.reason_kinds import BESIDE_OTHERS, BY_NATURE
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import (
    MISSING,
    difference,
    duration,
    interval,
    printable,
    rate,
    share,
    size,
    times,
)

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
RATIO_ROWS = {"mean_ratio": "over all requests", "speedup": "on an open connection"}
"""The rows of what two arms are compared by."""
_WITHOUT_REUSE = "speed-up"
"""What the second of them is called where no arm keeps connections."""
_NAMEABLE_S = 5e-7
"""A remainder below half a microsecond a request is not worth a line."""


class Row(NamedTuple):
    """One line of the comparison; what there is nothing of is empty."""

    name: str
    cells: tuple[str, ...]
    """One an arm."""
    differences: tuple[str, ...]
    """One a comparison, as are the intervals; one of times or rates stands beside its interval."""
    intervals: tuple[str, ...]
    is_detail: bool = False
    """Whether it's left out unless details are asked for."""


class ArmRow(NamedTuple):
    """A metric of arms, or a part of the count above, of that metric."""

    name: str
    """Indented where it is a part."""
    metric: Metric[ArmSummary]
    values: tuple[Any, ...]
    """One an arm; of a part, `None` where the arm has none of it."""
    is_part: bool = False

    @property
    def is_known(self) -> bool:
        """Whether any arm has a value, as few requests have of a far quantile."""
        return any(map(_is_known, self.values))


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


def _is_known(value: object) -> bool:
    return (value.estimate if isinstance(value, Estimate) else value) is not None


def comparison_table(analysis: Analysis, *, detailed: bool = False) -> TextTable:
    """Arms side by side, and each difference with its interval; `detailed`: with every row."""
    shown = [row for row in comparison_rows(analysis) if detailed or not row.is_detail]
    names, *several, _ = zip(*shown, strict=True)
    of_arms, differences, intervals = (zip(*rows, strict=True) for rows in several)
    found = zip(analysis.comparisons, differences, intervals, strict=True)
    ends = confidence(analysis)
    return TextTable(
        title="Counts and times of each arm",
        names=TextColumn("", names),
        groups=(
            _of_arms(analysis, of_arms),
            tuple(
                (TextColumn(_difference(analysis, it), cells), TextColumn(ends, bounds))
                for it, cells, bounds in found
            ),
        ),
    )


def _of_arms(analysis: Analysis, columns: Iterable[tuple[str, ...]]) -> tuple[Part, ...]:
    arms = zip(analysis.arms, columns, strict=False)  # no rows, no columns
    return tuple((TextColumn(arm.label, cells),) for arm, cells in arms)


def _difference(analysis: Analysis, it: Comparison) -> str:
    return f"vs. {it.against}" if len(analysis.comparisons) > 1 else "difference"


def comparison_rows(analysis: Analysis) -> tuple[Row, ...]:
    """The comparison, line by line."""
    # Where nothing was reused, whatever differs is no effect of it.
    is_told = analysis.verdict.code != "not-reused"
    return tuple(_rows(analysis.arms, analysis.comparisons, is_told=is_told))


def _rows(
    arms: Sequence[ArmSummary], comparisons: Sequence[Comparison], *, is_told: bool
) -> Iterator[Row]:
    nothing = ("",) * len(comparisons)
    compared = [it if is_told and not it.incomparable else None for it in comparisons]
    for row in arm_rows(arms):
        cells = tuple(
            "" if row.is_part and value is None else cell(row.metric, arm, value)
            for arm, value in zip(arms, row.values, strict=True)
        )
        group, _, figure = row.metric.path.rpartition(".")
        is_detail = not row.is_known or (row.metric.is_detail and not row.is_part)
        found = Row(row.name, cells, nothing, nothing, is_detail)
        if row.metric.path == "connections" and not row.is_part:
            more = (row.values[0] - count for count in row.values[1:])
            yield found._replace(differences=tuple(_signed(it) for it in more))
        elif row.metric.path == "requests_per_second":
            yield _with_ratios(found, compared, "requests_per_second")
        elif group == "latency_s":
            saved = [it and it.saving_s.get(figure) for it in compared]
            both = [_difference_of(it) for it in saved]
            differences, intervals = zip(*both, strict=True) if both else ((), ())
            yield found._replace(differences=differences, intervals=intervals)
        else:
            yield found
    if comparisons:
        is_said = all(it.requests_per_second.low is not None for it in comparisons)
        names = _ratio_names(arms, comparisons)
        none = Row(names["mean_ratio"], ("",) * len(arms), nothing, nothing, is_said)
        ratio = _with_ratios(none, compared, "mean_ratio")
        if any(ratio.differences):
            yield ratio
        cells = tuple(_reused(number, arms, comparisons) for number in range(len(arms)))
        found = Row(names["speedup"], cells, nothing, nothing)
        yield _with_ratios(found, compared, "speedup")


def ratio_names(analysis: Analysis) -> dict[str, str]:
    """What the ratios of two arms are called, by their paths."""
    return _ratio_names(analysis.arms, analysis.comparisons)


def _ratio_names(arms: Sequence[ArmSummary], comparisons: Sequence[Comparison]) -> dict[str, str]:
    is_reused = any(_reused(number, arms, comparisons) for number in range(len(arms)))
    return RATIO_ROWS if is_reused else {**RATIO_ROWS, "speedup": _WITHOUT_REUSE}


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
    """What a count comes of, by code; what every arm has by its nature stands nowhere."""
    if path == "failed":
        return arm.failure_kinds
    counts = {it: count for it, count in arm.reason_counts.items() if it not in BY_NATURE}
    if path == "connections":
        return {it: count for it, count in counts.items() if it in BESIDE_OTHERS}
    if path == "reopened":  # a reader may see the parts alone
        return {f"{path}: {it}": count for it, count in counts.items() if it not in BESIDE_OTHERS}
    return {}


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


def _signed(count: int) -> str:
    return f"{count:+,}".replace("-", "−") if count else "0"


def _difference_of(saving: Estimate | None) -> tuple[str, str]:
    """How much more the first-named arm takes, and its interval; without one, nothing."""
    estimate, low, high = saving or Estimate(None)
    if estimate is None or low is None or high is None:
        return "", ""
    ends = interval(-high, -low, beside=-estimate, said=difference)
    return difference(-estimate), ends


def _with_ratios(row: Row, compared: Sequence[Comparison | None], path: str) -> Row:
    """A row in which arms are compared by how many times more one is than the other."""
    ratios = [Estimate(None) if it is None else getattr(it, path) for it in compared]
    is_known = [None not in ratio for ratio in ratios]
    return row._replace(
        differences=tuple(
            times(it.estimate) if known else "" for it, known in zip(ratios, is_known, strict=True)
        ),
        intervals=tuple(
            f"[{it.low:.2f} … {it.high:.2f}]" if known else ""
            for it, known in zip(ratios, is_known, strict=True)
        ),
    )


def confidence(analysis: Analysis) -> str:
    """The heading of the intervals' column."""
    return analysis.plan.decision_rule.ci


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
        phase=PHASE_TITLES[name],
        cells=tuple(
            (f"{time.count:,}", duration(time.mean)) if time.count else (MISSING, "")
            for time in times_of_arms
        ),
        shares=tuple(time.per_request for time in times_of_arms),
    )
