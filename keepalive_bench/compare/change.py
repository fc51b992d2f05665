"""What changed from one run to another. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arms import ArmSummary
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Estimate


class Source(NamedTuple):
    """One of the two runs."""

    name: str
    """What it is called: its file."""
    run: Run
    analysis: Analysis
    plan: Mapping[str, Any]
    """Its plan as the results file has it, without secrets."""


ChangeCode = Literal["better", "worse", "no-difference", "inconclusive", "not-comparable"]


class ChangeVerdict(NamedTuple):
    """What changed, in a sentence, and its code."""

    code: ChangeCode
    text: str


class MetricChange(NamedTuple):
    """One number of both runs, and how it changed."""

    base: float | None
    new: float | None
    change: Estimate
    """new ÷ base − 1."""
    lacking: str = ""
    """Why there is no change, or no interval; empty where it's for want of requests."""


@dataclass(frozen=True, kw_only=True)
class ArmChange:
    """An arm that both runs have."""

    base: ArmSummary
    new: ArmSummary
    figures: dict[str, MetricChange]
    """`mean`, `p50`, `p90`, `p95`, `p99` (of latency) and `requests_per_second`."""

    @property
    def label(self) -> str:
        """What it is called, in both."""
        return self.new.label


@dataclass(frozen=True, kw_only=True)
class ComparisonChange:
    """The first-named arm against another, in both runs."""

    arm: str
    against: str
    speedup: MetricChange


class RecommendationChange(NamedTuple):
    """What two sweeps over one option recommend; `None`: nothing."""

    option: str
    base: int | None
    new: int | None

    @property
    def change(self) -> int | None:
        """The difference; `None` where either recommends nothing."""
        return None if self.base is None or self.new is None else self.new - self.base


class Difference(NamedTuple):
    """Something that the two runs don't have in common, besides what they measured."""

    part: Literal["plan", "environment", "run_info", "answers"]
    name: str
    base: Any
    """As JSON has it, as is `new`."""
    new: Any
    matters: bool
    """Whether times can't be compared because of it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that is derived from two runs, the earlier one first."""

    base: Source
    new: Source
    confidence: float
    margin: float
    forced: bool
    """Whether they are compared whatever they differ in."""
    differences: tuple[Difference, ...]
    arms: tuple[ArmChange, ...]
    comparisons: tuple[ComparisonChange, ...]
    verdict: ChangeVerdict
    incomparable: str | None = None
    """Why nothing is known of a change, without its full stop; `None`: it can be."""
    recommendation: RecommendationChange | None = None
    """Of two sweeps over one option; `None`: they are none."""
    requirements: tuple[Checked, ...] = ()
