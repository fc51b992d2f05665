"""The words and numbers of a run's tables, once; each dialect only sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.arm_summary import REMAINDER
from keepalive_bench.analysis.arm_view import BOUNDED
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.connections.reason_kinds import BESIDE_OTHERS, BY_NATURE
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.units import MISSING, duration, interval, printable, rate, times

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary, PhaseTime
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.report import Part
    from keepalive_bench.stats.intervals import Estimate

_FIGURES = (*BOUNDED, "max")
_METRICS = {metric.path: metric for metric in ARM_METRICS}
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
    fewer = tuple(f"{arm.connections - arms[0].connections:,}" for arm in arms[1:])
    for number, (name, counts) in enumerate(count_rows(arms)):
        cells = tuple("" if count is None else f"{count:,}" for count in counts)
        yield Row(name, cells, nothing if number else fewer, nothing)
        if name == "requests":
            found = (arm.requests_per_connection for arm in arms)
            cells = tuple(MISSING if ratio is None else f"{ratio:,.1f}" for ratio in found)
            yield Row(title("requests_per_connection"), cells, nothing, nothing)
    for name, figure in zip(titles(*(f"latency_s.{it}" for it in _FIGURES)), _FIGURES, strict=True):
        savings = [comparison.saving_s.get(figure) for comparison in comparisons]
        yield Row(
            name,
            tuple(duration(getattr(arm.latency, figure)) for arm in arms),
            tuple("" if it is None else duration(it.estimate) for it in savings),
            tuple("" if it is None else _interval(it) for it in savings),
        )
    for name, cells in _of_open_load(arms):
        yield Row(name, cells, nothing, nothing)
    rates = tuple(rate_of(arm, arm.requests_per_second) for arm in arms)
    ratios = [it.requests_per_second for it in comparisons]
    yield _ratios(title("requests_per_second"), rates, ratios)
    if len(comparisons) > 1:  # of one, the verdict says it
        cells = ("",) * len(arms)
        yield _ratios("typical speed-up", cells, [it.speedup for it in comparisons], MISSING)


def title(path: str) -> str:
    """What the row of an arm's metric is called."""
    return _METRICS[path].title


def titles(*paths: str) -> Iterator[str]:
    """What rows of several are called: a first word that they share is said once."""
    before = ""
    for name in map(title, paths):
        first, _, rest = name.partition(" ")
        yield f"{'':{len(first)}} {rest}" if first == before else name
        before = first


def count_rows(arms: Sequence[ArmSummary]) -> Iterator[tuple[str, list[int | None]]]:
    """What is counted of arms; parts of the count above are indented, `None` where there is none.

    Reasons for connections beside others stand below all connections, others below those reopened;
    what every arm has by its nature stands nowhere.
    """
    reopening = BY_NATURE | BESIDE_OTHERS
    yield from _counts(arms, "connections")
    yield from _parts([_only(arm.reason_counts, BESIDE_OTHERS) for arm in arms])
    yield from _counts(arms, "reopened")
    others = (arm.reason_counts.keys() - reopening for arm in arms)
    yield from _parts([_only(a.reason_counts, it) for a, it in zip(arms, others, strict=True)])
    if any(arm.traits.needs_tls for arm in arms):
        yield from _counts(arms, "resumed")
    yield "requests", [arm.sent for arm in arms]
    yield from _counts(arms, "failed")
    yield from _parts([arm.failure_kinds for arm in arms])
    for outcome in ("interrupted", "not_sent"):
        if any(getattr(arm, outcome) for arm in arms):
            yield from _counts(arms, outcome)


def _counts(arms: Sequence[ArmSummary], path: str) -> Iterator[tuple[str, list[int | None]]]:
    yield title(path), [getattr(arm, path) for arm in arms]


def _only(counts: Mapping[str, int], codes: Container[str]) -> dict[str, int]:
    return {code: count for code, count in counts.items() if code in codes}


def _parts(counts: Sequence[Mapping[str, int]]) -> Iterator[tuple[str, list[int | None]]]:
    """A row for each part of a count, in the order in which they are met."""
    for code in dict.fromkeys(code for arm in counts for code in arm):
        yield f"  {printable(code)}", [arm.get(code) for arm in counts]


def _of_open_load(arms: Iterable[ArmSummary]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Latency from the real start, and what started late, where requests had a time to start at."""
    starts = [arm.late_starts for arm in arms if arm.late_starts is not None]
    latencies = [arm.uncorrected_latency_s for arm in arms if arm.uncorrected_latency_s is not None]
    if not starts:
        return
    names = titles(*(f"uncorrected_latency_s.{it}" for it in _FIGURES))
    for name, figure in zip(names, _FIGURES, strict=True):
        yield name, tuple(duration(getattr(latency, figure)) for latency in latencies)
    yield title("late_starts.count"), tuple(f"{late.count:,}" for late in starts)
    if any(late.count for late in starts):
        yield "  mean", tuple(duration(late.mean_s) for late in starts)
        yield "  at most", tuple(duration(late.max_s) for late in starts)


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


def rate_of(arm: ArmSummary, per_second: float | None) -> str:
    """An arm's requests per second; but what fails at once is no speed."""
    is_none = per_second is not None and arm.failed > arm.succeeded
    return "most failed" if is_none else rate(per_second)


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
