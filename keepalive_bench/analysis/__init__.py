"""What a run's numbers come to. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.results.failure_kinds import Actor  # noqa: TC001  # the schema reads the type

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.analysis.verdict import Verdict
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.measured import RunInfo, WarmUp

Severity = Literal["info", "warning"]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")
Status = Literal["met", "missed", "undecided"]


class Finding(NamedTuple):
    """Something that kab noticed."""

    code: str
    """One of [these](findings.md#findings)."""
    severity: Severity
    """How much it matters."""
    evidence: dict[str, int | float | str]
    """The numbers and words that it rests on, by name."""
    text: str
    """What was noticed, for people: its wording may change."""
    advice: str = ""
    """What to do about it; may be empty."""
    who: Actor = "kab"
    """Who did it: `path` is the network and all that stands in it, `client` the machine that kab
    runs on with the options in use, `kab` the way in which it measures."""
    is_detail: bool = False
    """Whether a reader misses nothing without it: the console shows it with `--verbose` only."""


class Requirement(NamedTuple):
    """One demand, such as `pooled.p95<=50ms`."""

    text: str
    """As it was written, such as `pooled.p95<=50ms`."""
    name: str
    """[What it is about](requirements.md#names): a path in the results file, or `failed`,
    `interrupted` and `not_sent` of all arms together."""
    operator: Operator
    """How they are compared."""
    bound: float | str
    """What it is compared with, in the unit of the file; or a word."""


class Checked(NamedTuple):
    """A requirement, held against a run."""

    requirement: Requirement
    status: Status
    """How it stands."""
    value: float | str | None
    """What the run shows; `None`: it can't be said."""
    low: float | None
    """The interval that decided it, or of an arm's quantile each end by itself
    ([one-sided](methodology.md#intervals)); `None`: it is counted exactly, or has no such end."""
    high: float | None
    """The other end; `None`: the same."""
    text: str
    """What was found, and why that decides it or doesn't, for people: its wording may change."""
    because: tuple[Finding, ...] = ()
    """The findings that say why it isn't met; often there is none."""


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
    def is_complete(self) -> bool:
        """Whether every request of the plan succeeded, and no process is lost."""
        return not self.run_info.lost and all(it.succeeded == it.requests for it in self.arms)

    @property
    def has_answers(self) -> bool:
        """Whether anything could be measured at all."""
        return any(arm.succeeded for arm in self.arms)
