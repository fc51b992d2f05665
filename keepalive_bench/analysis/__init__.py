"""What a run's numbers come to. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.analysis.arms import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.analysis.verdict import Verdict
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import RunInfo, WarmUp

Severity = Literal["info", "warning"]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")
Status = Literal["met", "missed", "undecided"]


class Finding(NamedTuple):
    """Something that kab noticed."""

    code: str
    severity: Severity
    evidence: dict[str, int | float | str]
    text: str
    advice: str = ""


class Requirement(NamedTuple):
    """One demand, such as `pooled.p95<=50ms`."""

    text: str
    """As the user wrote it."""
    name: str
    """The full name of what is meant, as the table of names has it."""
    operator: Operator
    bound: float | str
    """In the unit of the results file (seconds for times), or a word, such as a verdict's code."""


class Checked(NamedTuple):
    """A requirement, held against a run."""

    requirement: Requirement
    status: Status
    value: float | str | None
    """What the run shows; `None` where it can't be said."""
    low: float | None
    high: float | None
    """The interval that was decided on; `None` of what is counted exactly."""
    text: str
    """One sentence: what was found, and why that decides it or doesn't."""


class Analysis(NamedTuple):
    """Everything that is derived from a run; computed again from it whenever it is needed."""

    plan: Plan
    run_info: RunInfo
    warmup: dict[str, WarmUp]
    arms: tuple[ArmSummary, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    requirements: tuple[Checked, ...] = ()
    """What was demanded, in that order, and whether it is so."""
    sweep: Sweep | None = None
    """What an option's values come to; `None`: none was swept over."""

    @property
    def first(self) -> ArmSummary:
        """The arm that the others are compared with."""
        return self.arms[0]

    @property
    def has_answers(self) -> bool:
        """Whether anything could be measured at all."""
        return any(arm.succeeded for arm in self.arms)
