"""What changed from one run to another. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import exp, expm1, log
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.plan.experiment import Swept  # noqa: TC001  # typed_json reads it
from keepalive_bench.report.document import demandable
from keepalive_bench.requirements.lookup import of_arm
from keepalive_bench.results.run import Label  # noqa: TC001  # the same
from keepalive_bench.stats.intervals import Estimate, difference_interval
from keepalive_bench.typed_json import Count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.plan import DecisionRule
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import AnyMetric
    from keepalive_bench.results.run import Run
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
Part = Literal["plan", "environment", "run_info", "answers"]


@dataclass(frozen=True)
class Source:
    """One of the two runs."""

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


class CountChange(NamedTuple):
    """A count of both runs, and new − base."""

    base: Count
    new: Count
    change: int

    @classmethod
    def between(cls, base: int, new: int) -> CountChange:
        """From one count to another."""
        return cls(base, new, new - base)


class NumberChange(NamedTuple):
    """A number of both runs that isn't always a whole one, or known; and new − base."""

    base: float | None
    new: float | None
    change: float | None


def change_type(metric: AnyMetric) -> type[CountChange | NumberChange]:
    """What the change of what is counted is."""
    is_whole = metric.unit in {"count", "bytes"} and not metric.unknown
    return CountChange if is_whole else NumberChange


def difference(
    metric: AnyMetric,
    base: tuple[float | None, ArmSummary],
    new: tuple[float | None, ArmSummary],
) -> float | None:
    """New − base of what is counted, each with its arm; `None` where either is unknown."""
    before, after = base[0], new[0]
    if before is None or after is None:
        return None
    if metric.is_of_counts:
        return float(_ratio(after, new[1]) - _ratio(before, base[1]))
    return after - before


def _ratio(value: float, arm: ArmSummary) -> Fraction:
    """A ratio of an arm's counts before it was rounded: no other one of them is as near.

    So a difference is rounded once, as its bound is, and equals it where the two are equal.
    """
    return Fraction(value).limit_denominator(max(arm.sent, arm.connections, 1))


class FigureChange(NamedTuple):
    """A figure of both runs, and new ÷ base − 1, with the ends of its interval."""

    base: float | None
    new: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def ratio(self) -> Estimate:
        """The change as new ÷ base."""
        return Estimate(*(None if end is None else 1 + end for end in self[2:]))


def figure_change(base: Evidence, new: Evidence) -> FigureChange:
    """The change of what is above 0.

    Each run's own interval says how sure its number is, autocorrelation included; the two are put
    together as independent ones (`difference_interval`), which is wider than what pairs within one
    run allow. They are logarithms then, so that the way back has the inverse one. An order
    statistic's logarithm is the logarithms' order statistic, so quantiles stay as exact as they
    are.
    """
    before, after = base.value, new.value
    if isinstance(before, str) or isinstance(after, str):
        raise TypeError("a word has no change")
    if before is None or after is None or before <= 0 or after <= 0:
        return FigureChange(before, after)
    change = after / before - 1
    ends = base.low, base.high, new.low, new.high
    if base.lacking or new.lacking or any(end is None or end <= 0 for end in ends):
        return FigureChange(before, after, change)
    logs = [log(end) for end in ends if end is not None]
    low, high = difference_interval((logs[0], log(before), logs[1]), (logs[2], log(after), logs[3]))
    return FigureChange(before, after, change, _back(low), _back(high))


def _back(logarithm: float) -> float:
    return expm1(logarithm) if logarithm < _LARGEST else exp(_LARGEST)


@dataclass(frozen=True, kw_only=True)
class ArmChange:
    """An arm that both runs have."""

    base: ArmSummary
    new: ArmSummary
    counts: dict[str, CountChange | NumberChange]
    """All of `COUNTED`, by their paths."""
    by_code: dict[str, dict[str, CountChange]]
    """All of `BY_CODE`, each by what either run has of it."""
    figures: dict[str, FigureChange]
    """All of `ESTIMATED`, by their paths."""

    @property
    def label(self) -> str:
        """What it is called, in both."""
        return self.new.label


class ComparisonChange(NamedTuple):
    """The first-named arm against another, in both runs."""

    arm: Label
    """The first-named one."""
    against: Label
    """The other."""
    speedup: FigureChange


class RecommendationChange(NamedTuple):
    """What two sweeps over one option recommend; `None`: nothing."""

    option: Swept
    """The option swept over, in both."""
    base: int | None
    """What they recommend. `None`: nothing."""
    new: int | None
    """What they recommend. `None`: nothing."""
    change: int | None
    """new − base. `None`: either recommends nothing."""


class Difference(NamedTuple):
    """Something that the two runs don't have in common, besides what they measured."""

    part: Part
    """What it is of."""
    name: str
    """What it is called there."""
    base: Any
    """As JSON has it."""
    new: Any
    """As JSON has it."""
    matters: bool
    """Whether times can't be compared because of it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that is derived from two runs, the earlier one first."""

    base: Source
    new: Source
    forced: bool
    """Whether they are compared whatever they differ in."""
    differences: tuple[Difference, ...]
    arms: tuple[ArmChange, ...]
    comparisons: tuple[ComparisonChange, ...]
    incomparable: str | None
    """Why they can't be compared, as a sentence without its full stop; `None`: they can be."""
    verdict: ChangeVerdict
    recommendation: RecommendationChange | None = None
    """Of two sweeps over one option; `None`: they are none."""
    requirements: tuple[Checked, ...] = ()

    @property
    def decision_rule(self) -> DecisionRule:
        """How both are judged: as the later one is."""
        return self.new.analysis.plan.decision_rule
