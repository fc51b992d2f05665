"""What changed from earlier runs to a new one. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import exp, expm1, log
from statistics import geometric_mean
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.plan.experiment import Swept  # noqa: TC001  # typed_json reads it
from keepalive_bench.report.document import demandable
from keepalive_bench.requirements.lookup import of_arm
from keepalive_bench.results.measured import Label  # noqa: TC001  # the same
from keepalive_bench.stats.between_runs import LEAST_RUNS, change_interval
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.typed_json import Count, least

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.plan import DecisionRule
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import AnyMetric
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Bounded
    from keepalive_bench.typed_json import Document


def is_counted(metric: AnyMetric) -> bool:
    """Whether an arm's change in it is new − base.

    Words don't change by a number; single times (`max`) change from run to run by chance.
    """
    return metric.basis == "exact" and metric.unit not in {"word", "text", "seconds"}


COUNTED: dict[str, tuple[AnyMetric, str]] = {
    ".".join(it.steps(key)): (it, key)
    for it in ARM_METRICS
    if is_counted(it) and not it.is_sparse
    for key in it.keys or ("",)
}
"""What is counted of every arm: by its place in the document, of which metric and key it is."""
BY_CODE = tuple(it.steps()[0] for it in ARM_METRICS if it.is_sparse)
"""What is counted by codes, or by status."""
ESTIMATED = tuple(it for it in ARM_METRICS if it.basis not in {"exact", "nothing"})
"""What an interval is known of."""
_LARGEST = 700.0
"""A greater logarithm's number is none."""

ChangeCode = Literal["better", "worse", "no-difference", "inconclusive", "not-comparable"]
CHANGE_MEANINGS: dict[str, str] = {
    "better": "fewer failures, errors or reopened connections than in BASE, or the typical request "
    "is faster; and nothing is worse",
    "worse": "more failures, errors or reopened connections than in BASE, or the typical request "
    "is slower",
    "no-difference": "no count changed by more than chance, and the typical latency not by more "
    "than --margin",
    "inconclusive": "the intervals don't tell; the sentence says what would settle it",
    "not-comparable": "the plans or the responses differ in what matters (--force compares all the "
    "same), or no arm was measured in all runs",
}
"""What each says of a change, in a few words."""
Part = Literal["plan", "environment", "run_info", "answers"]


@dataclass(frozen=True)
class Source:
    """One of the runs."""

    name: str
    """What it is called: its file."""
    run: Run
    analysis: Analysis
    plan: Mapping[str, Any]
    """Its plan as the results file has it, without secrets."""

    @cached_property
    def document(self) -> Document:
        """What its results file says that a requirement can be about."""
        return demandable(self.analysis)

    def estimated(self, metric: AnyMetric, label: str) -> Evidence:
        """What it says of a metric of an arm."""
        arm, experiment = self.document["arms"][label], self.analysis.plan.experiment
        return of_arm(metric, "", arm, experiment, label)


class ChangeVerdict(NamedTuple):
    """What changed, in a sentence, and its code."""

    code: ChangeCode
    """[What changed](#the-verdict), in a word."""
    text: str
    """The sentence, for people: its wording may change."""


Numbered = tuple[float | None, "ArmSummary | None"]
"""What is counted, with the arm that it is of; `None`: of the whole run."""


class CountChange(NamedTuple):
    """A count of the base runs, on average, and of the new one; and new − base."""

    base: Annotated[float, least(0)]
    new: Count
    change: float

    @classmethod
    def between(cls, bases: Sequence[int], new: int) -> CountChange:
        """From the mean of some counts to another."""
        mean = Fraction(sum(bases), len(bases))
        return cls(_plain(mean), new, _plain(new - mean))


class NumberChange(NamedTuple):
    """A number, whole or not, of the base runs, on average, and of the new one; and new − base."""

    base: float | None
    new: float | None
    change: float | None


def change_type(metric: AnyMetric) -> type[CountChange | NumberChange]:
    """What the change of what is counted is."""
    is_whole = metric.unit in {"count", "bytes"} and not metric.unknown
    return CountChange if is_whole else NumberChange


def number_change(metric: AnyMetric, bases: Sequence[Numbered], new: Numbered) -> NumberChange:
    """The change of what is counted, `None` where it is unknown in one of the runs.

    It is rounded once, as its bound is, and equals it where the two are equal.
    """
    exact = [None if value is None else _exact(metric, value, arm) for value, arm in bases]
    known = [value for value in exact if value is not None]
    mean = sum(known, Fraction()) / len(known) if len(known) == len(exact) else None
    base = None if mean is None else _plain(mean)
    if mean is None or new[0] is None:
        return NumberChange(base, new[0], None)
    return NumberChange(base, new[0], _plain(_exact(metric, new[0], new[1]) - mean))


def _exact(metric: AnyMetric, value: float, arm: ArmSummary | None) -> Fraction:
    """A number before it was rounded: of a ratio of an arm's counts, no other one is as near."""
    exact = Fraction(value)
    if arm is None or not metric.is_of_counts:
        return exact
    return exact.limit_denominator(max(arm.sent, arm.connections, 1))


def _plain(exact: Fraction) -> float:
    return exact.numerator if exact.denominator == 1 else float(exact)


class FigureChange(NamedTuple):
    """A figure of the base runs, their geometric mean, and new ÷ base − 1 with its interval."""

    base: float | None
    new: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def ratio(self) -> Estimate:
        """The change as new ÷ base."""
        return Estimate(*(None if end is None else 1 + end for end in self[2:]))


def figure_change(bases: Sequence[Evidence], new: Evidence, confidence: float) -> FigureChange:
    """The change of what is above 0.

    Each run's own interval says how sure its number is, autocorrelation included; how they are put
    together, and how the variation between runs comes in, says `change_interval`. They are
    logarithms then, so that the way back has the inverse interval. An order statistic's logarithm
    is the logarithms' order statistic, so quantiles stay as exact as they are.
    """
    earlier = [_number(it) for it in bases]
    before = None if None in earlier else _mean([it for it in earlier if it is not None])
    after = _number(new)
    if before is None or after is None or before <= 0 or after <= 0:
        return FigureChange(before, after)
    change = after / before - 1
    logs = [_in_logarithms(it) for it in (*bases, new)]
    bounded = [it for it in logs if it is not None]
    if len(bounded) < len(logs):
        return FigureChange(before, after, change)
    low, high = change_interval(bounded[:-1], bounded[-1], confidence)
    return FigureChange(before, after, change, _back(low), _back(high))


def _number(found: Evidence) -> float | None:
    if isinstance(found.value, str):
        raise TypeError("a word has no change")
    return found.value


def _mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 where one of them isn't above that."""
    if len(values) == 1:
        return values[0]
    return geometric_mean(values) if min(values) > 0 else 0.0


def _in_logarithms(found: Evidence) -> Bounded | None:
    """A number and its interval; `None` where that isn't known."""
    value, low, high = _number(found), found.low, found.high
    if found.lacking or value is None or low is None or high is None or low <= 0:
        return None
    return log(low), log(value), log(high)


def _back(logarithm: float) -> float:
    return expm1(logarithm) if logarithm < _LARGEST else exp(_LARGEST)


@dataclass(frozen=True, kw_only=True)
class ArmChange:
    """An arm that all the runs have."""

    bases: tuple[ArmSummary, ...]
    new: ArmSummary
    counts: dict[str, CountChange | NumberChange]
    """All of `COUNTED`, by their paths."""
    by_code: dict[str, dict[str, CountChange]]
    """All of `BY_CODE`, each by what any run has of it."""
    figures: dict[str, FigureChange]
    """All of `ESTIMATED`, by their paths."""

    @property
    def label(self) -> str:
        """What it is called, in all."""
        return self.new.label


class ComparisonChange(NamedTuple):
    """The first-named arm against another, in all the runs."""

    arm: Label
    """The first-named one."""
    against: Label
    """The other."""
    speedup: FigureChange
    mean_ratio: FigureChange


RATIOS = ComparisonChange._fields[2:]
"""What two arms are compared by."""


class RecommendationChange(NamedTuple):
    """What sweeps over one option recommend; `None`: nothing."""

    option: Swept
    """The option swept over, in all of them."""
    base: int | None
    """What all base runs recommend. `None`: nothing, or not the same."""
    new: int | None
    """What it recommends. `None`: nothing."""
    change: int | None
    """new − base. `None`: either is unknown."""


class Difference(NamedTuple):
    """Something that the runs don't have in common, besides what they measured."""

    part: Part
    """What it is of."""
    name: str
    """What it is called there."""
    bases: tuple[Any, ...]
    """Each base run's, as JSON has it."""
    new: Any
    """As JSON has it."""
    matters: bool
    """Whether times can't be compared because of it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that is derived from earlier runs and a new one."""

    bases: tuple[Source, ...]
    new: Source
    forced: bool
    """Whether they are compared whatever they differ in."""
    strict: bool
    """Whether what is undecided of the requirements counts as missed."""
    differences: tuple[Difference, ...]
    arms: tuple[ArmChange, ...]
    comparisons: tuple[ComparisonChange, ...]
    incomparable: str | None
    """Why they can't be compared, as a sentence without its full stop; `None`: they can be."""
    verdict: ChangeVerdict
    recommendation: RecommendationChange | None = None
    """Of sweeps over one option; `None`: they are none."""
    requirements: tuple[Checked, ...] = ()

    @property
    def decision_rule(self) -> DecisionRule:
        """How all are judged: as the new one is."""
        return self.new.analysis.plan.decision_rule

    @property
    def base_files(self) -> str:
        """What the base runs are called, all of them."""
        return ", ".join(it.name for it in self.bases)

    @property
    def base_title(self) -> str:
        """The same in short."""
        first, others = self.bases[0].name, len(self.bases) - 1
        return f"{first} and {others} more" if others else first

    @property
    def title(self) -> str:
        """From which runs to which, in short."""
        return f"{self.base_title} → {self.new.name}"

    @property
    def holds_variation(self) -> bool:
        """Whether intervals hold the variation between runs."""
        return len(self.bases) >= LEAST_RUNS
