"""What an arm comes to: counts and times, as everybody reads them who tells of an arm."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.plan.arms import arm_kind

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_view import Latency
    from keepalive_bench.analysis.counted import CountedField
    from keepalive_bench.analysis.reasons import Reasons
    from keepalive_bench.plan.arms import ArmKind
    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.results.exchange import Answer, Failure
    from keepalive_bench.results.measured import PoolCounters

REMAINDER = "remainder"
"""What is left of the latency when all phases are taken off: the client's own code."""
_NEARLY_ALL = 0.9


class LateStarts(NamedTuple):
    """Requests of an open load that started later than they were to."""

    count: int  # type: ignore[assignment]  # and no method of tuples
    mean_s: float | None
    """How late these were, on average; `None`: none was late."""
    max_s: float | None


class PhaseTime(NamedTuple):
    """One phase of the exchanges that are timed."""

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
    untimed: int
    """Those of them that are in no figure of times: an early end cut their round."""
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
    could_reuse: int
    """Requests that the share is of: but for the first one at each place, all that were sent."""
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
    counted: tuple[CountedField, ...] = ()
    """By each field that answers are counted by, in their order."""
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
    def timed(self) -> int:
        """Requests that succeeded and that figures of times are of."""
        return self.succeeded - self.untimed

    @property
    def sent(self) -> int:
        """Requests that were sent, or at least tried, and not interrupted."""
        return self.succeeded + self.failed
