"""What a run's numbers come to. Times in seconds; what can't be said is `None`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from keepalive_bench.plan.arm_kinds import arm_kind

if TYPE_CHECKING:
    from keepalive_bench.analysis.reasons import Reasons
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.plan.arm_kinds import ArmKind
    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Answer, Failure
    from keepalive_bench.results.run import PoolCounters, RunInfo, WarmUp
    from keepalive_bench.stats.intervals import Estimate

Quantile = Literal["p50", "p90", "p95", "p99"]
QUANTILES: tuple[Quantile, ...] = get_args(Quantile)
PERCENTS = tuple(int(name[1:]) for name in QUANTILES)
BOUNDED = ("mean", *QUANTILES)
"""Metrics of latency that can have an interval; a maximum can't."""
REMAINDER = "remainder"
"""What is left of the latency when all phases are taken off: the client's own code."""


Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")
Status = Literal["met", "missed", "undecided"]


class Latency(NamedTuple):
    """Latencies of the exchanges that succeeded; a quantile is `None` where too few bear it."""

    mean: float | None = None
    stdev: float | None = None
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class LateStarts(NamedTuple):
    """Requests of an open load that started later than they were to."""

    count: int  # type: ignore[assignment]  # and no method of tuples
    mean_s: float | None
    """How late these were, on average; `None`: none was late."""
    max_s: float | None


class PhaseTime(NamedTuple):
    """One phase of the exchanges that succeeded."""

    per_request: float
    """Total time ÷ exchanges: these, with the remainder's, add up to the mean latency."""
    count: int  # type: ignore[assignment]  # and no method of tuples
    """How many exchanges it happened to."""
    mean: float | None
    """Over those, as are the quantiles."""
    p50: float | None
    p95: float | None


class Sizes(NamedTuple):
    """Of bodies, in bytes."""

    min: int
    max: int


_NEARLY_ALL = 0.9


class Handshake(NamedTuple):
    """What a TLS handshake came to."""

    version: str
    resumed: bool
    """Whether it took up an earlier session."""


class ArmSummary(NamedTuple):
    """One arm's counts and times."""

    label: str
    kind: str
    requests: int
    """As planned: succeeded + failed + interrupted + not sent."""
    succeeded: int
    failed: int
    interrupted: int
    """Cut off when the run was stopped: counted here, and in nothing else."""
    not_sent: int
    connections: int
    unused: int
    """Those of them whose first request was interrupted before it was answered."""
    requests_per_connection: float | None
    """Without the unused ones."""
    reuse: float | None
    reopened: int
    handshakes: dict[Handshake, int]
    """How many TLS handshakes came to what."""
    reasons: Reasons
    """Why each connection was opened, by its row."""
    failures: dict[Failure, int]
    status_codes: dict[int, int]
    answers: dict[Answer, int]
    body_bytes: Sizes | None
    """Of exchanges that succeeded."""
    mean_body: float | None
    """Bytes, of exchanges that succeeded."""
    bytes_received: int
    requests_per_second: float | None
    latency: Latency
    latency_bounds: dict[str, tuple[float, float]]
    """Intervals of the metrics that the data can bound."""
    correlation: float
    """Autocorrelation at lag 1, of its requests or blocks, but for a drift."""
    interval_inflation: float
    """How much wider intervals are than without any, by that at all lags."""
    phases: dict[str, PhaseTime]
    """By name, in the order in which they happen, the remainder last."""
    min_rtt_s: float | None
    """The network's shortest round trip; `None` where the system doesn't tell."""
    counters: PoolCounters
    uncorrected_latency_s: Latency | None = None
    """Of an open load, latencies from the real start; `None`: all of them are."""
    late_starts: LateStarts | None = None
    """`None`: it was no open load, where nothing can be late."""
    option: Swept | None = None
    """The option that the label is a value of; `None`: the experiment sweeps over none."""

    @property
    def name(self) -> str:
        """What a sentence calls it."""
        return self.label if self.option is None else f"{self.option} {self.label}"

    @property
    def traits(self) -> ArmKind:
        """What is to be known of its kind."""
        return arm_kind(self.kind)

    @property
    def resumed(self) -> int:
        """Connections whose TLS handshake took up an earlier session."""
        return sum(count for handshake, count in self.handshakes.items() if handshake.resumed)

    @property
    def handshake(self) -> Handshake | None:
        """What nearly all TLS handshakes came to; `None`: there was none, or they differ."""
        most = max(self.handshakes, key=self.handshakes.__getitem__, default=None)
        if most is None or self.handshakes[most] < _NEARLY_ALL * self.connections:
            return None
        return most

    @property
    def reason_counts(self) -> dict[str, int]:
        """How many connections have which reason, the most frequent first."""
        return self.reasons.counts

    @property
    def failure_kinds(self) -> dict[str, int]:
        """How many exchanges failed in which way, the most frequent first."""
        kinds: Counter[str] = Counter()
        for failure, count in self.failures.items():
            kinds[failure.kind] += count
        return dict(kinds.most_common())

    @property
    def sent(self) -> int:
        """Requests that were sent, or at least tried, and not interrupted."""
        return self.succeeded + self.failed


class RoundTrips(NamedTuple):
    """How many round trips a step of opening a connection took."""

    measured: float
    """Its typical time ÷ the network's shortest round trip, as the system measured it."""
    needed: int | None
    """How many the protocol needs; `None`: unknown."""


class Explanation(NamedTuple):
    """Where a mean saving comes from. In seconds a request; the parts add up to the saving."""

    parts_s: dict[str, float]
    """By phase, with what remains."""
    tls: str | None
    """The version that the handshakes settled on."""
    round_trip_s: float | None
    """The network's shortest round trip; `None` where the system doesn't tell."""
    round_trips: dict[str, RoundTrips]
    """By phase."""
    saved_trips: dict[str, int]
    """By phase, how many round trips a request saves by the protocol; 0, or missing: none known."""
    receive: float = 0.0
    """How much of what remains is the rest of the answer, from its first byte on."""

    @property
    def per_1000_requests_s(self) -> float:
        """The saving of a thousand requests."""
        return 1000 * sum(self.parts_s.values())


class Comparison(NamedTuple):
    """The first-named arm against another."""

    arm: str
    against: str
    pairs: int
    """How many pairs (of requests or of blocks, by the schedule) both arms answered."""
    left_out: int
    """How many more were sent, and have no answer in one of the arms, or in both."""
    speedup: Estimate
    """The other's latency ÷ the arm's own, typical of a pair."""
    requests_per_second: Estimate
    """The arm's ÷ the other's."""
    correlation: float
    """Autocorrelation of the pairs' log ratios at lag 1."""
    interval_inflation: float
    """How much wider intervals are than without any, by that at all lags."""
    saving_s: dict[str, Estimate]
    """The other's latency − the arm's own, for `p50`, `p90`, `p95`; and for `mean`, of pairs."""
    explained: Explanation | None
    """Where the mean saving comes from; `None` where there are no pairs."""
    incomparable: str | None = None
    """Why the arms' times can't be compared, in a sentence; `None`: they can."""


VerdictCode = Literal[
    "faster",
    "slower",
    "no-difference",
    "inconclusive",
    "not-reused",
    "not-comparable",
    "not-measured",
    "one-arm",
    "sweep",
]
VERDICTS: tuple[VerdictCode, ...] = get_args(VerdictCode)


class Verdict(NamedTuple):
    """The one sentence at the end, and its code."""

    code: VerdictCode
    """What it says, in a word."""
    text: str
    """The sentence, for people: its wording may change; of a `sweep`, the recommendation's."""


Severity = Literal["info", "warning"]


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
