"""What a run comes to at one place: as much of it as places are compared by, and no rows."""

from __future__ import annotations

from array import array
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.verdict import prevailing_error, subject_of
from keepalive_bench.connections.reason_kinds import BY_NATURE
from keepalive_bench.report.document import demandable
from keepalive_bench.report.histogram import latencies_of
from keepalive_bench.report.preamble import nothing_measured
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.explanation import RoundTrips
    from keepalive_bench.analysis.verdict import Verdict
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.measured import Environment, RunInfo
    from keepalive_bench.results.run import Run
    from keepalive_bench.typed_json import Document

QUANTILES_KEPT = 200
"""Of an arm's latencies, so many say how they spread."""


_SHARES = (0.9, 2.0)
"""A saving of that many times its round trips is one of the network's."""
_SURPLUS, _SURPLUS_S = 0.6, 0.0025
"""A step that takes longer than its round trips by so many, and so much, took one more than known:
as where a server asks for another key (RFC 8446, section 4.1.4). What is less, the ends compute."""
_OF_STEPS = 0.75
"""At least so much of a saving has to come from the steps that take them: a look-up takes none."""


class LostPlace(NamedTuple):
    """A place that there is no result of."""

    name: str
    """What the place is called."""
    source: str
    """The file that was to hold it, or the worker that was to measure."""
    why: str
    """What became of it, in a sentence."""


class ArmThere(NamedTuple):
    """One arm at a place."""

    label: str
    sent: int
    failed: int
    connections: int
    reopened: int
    reasons: dict[str, int]
    """Why they were reopened, the most frequent first."""
    latency_s: float | None
    """The median."""
    requests_per_second: float | None
    spread_s: array[float]
    """Its latencies, sorted, or so many of them at equal distances; in seconds."""


class Place(NamedTuple):
    """What was measured at one place."""

    name: str
    source: str
    plan: Plan
    run_info: RunInfo
    environment: Environment
    verdict: Verdict
    round_trip_s: float | None
    """The network's shortest, as the system measured it, or else what a TCP handshake typically
    took; `None`: neither is known, as of a Unix socket."""
    arms: tuple[ArmThere, ...]
    saving_s: Estimate
    """How much less the first arm's median latency is than that of the one it is compared with."""
    speedup: Estimate
    saved_trips: int | None
    """How many round trips a reuse saves by the protocols in use, where it saves as much time;
    `None`: unknown, or it doesn't."""
    silence: str
    """Why nothing was measured, in a sentence or two; empty: something was."""
    is_complete: bool
    """Whether every request of its plan succeeded, and no process is lost."""
    error: int | None
    """The most frequent status, where most responses were errors."""
    facts: dict[str, tuple[str, ...]]
    """Who answered, and what became of requests and connections, by what it is of: see `_facts`."""
    document: Document
    """What the results file says of it, but for rows."""
    checked: tuple[Checked, ...] = ()
    """How its requirements stand."""

    @property
    def first(self) -> ArmThere:
        """The arm that the others are compared with: it keeps connections, unless asked else."""
        return self.arms[0]

    @property
    def began_s(self) -> float:
        """When its run began, in seconds since 1970."""
        return datetime.fromisoformat(self.run_info.started_at).timestamp()

    @property
    def subject(self) -> str:
        """What is compared there; empty: nothing is, as in a sweep."""
        experiment = self.plan.experiment
        if experiment.sweep is not None or len(experiment.arms) == 1:
            return ""
        first, other, *_ = experiment.arms
        return subject_of(first, other, self.plan)

    @property
    def is_measured(self) -> bool:
        """Whether anything was answered there."""
        return not self.silence


def place_of(name: str, source: str, run: Run, analysis: Analysis) -> Place:
    """What a run comes to at a place that is called so; the run isn't needed any more then."""
    latencies = latencies_of(run)
    compared = analysis.comparisons[0] if analysis.comparisons else None
    is_comparable = (
        compared is not None
        and compared.incomparable is None
        and analysis.plan.experiment.sweep is None
    )
    is_measured = any(it.succeeded for it in analysis.arms)
    is_straight = analysis.plan.network.proxy is None  # else round trips are of two lengths
    error = prevailing_error(analysis.arms)
    return Place(
        name=name,
        source=source,
        plan=analysis.plan,
        run_info=analysis.run_info,
        environment=run.environment,
        verdict=analysis.verdict,
        round_trip_s=_round_trip(analysis),
        arms=tuple(_arm(it, latencies[it.label]) for it in analysis.arms),
        saving_s=compared.saving_s["p50"] if compared and is_comparable else Estimate(None),
        speedup=compared.speedup if compared and is_comparable else Estimate(None),
        saved_trips=_saved_trips(compared) if compared and is_comparable and is_straight else None,
        silence="" if is_measured else nothing_measured(analysis),
        is_complete=analysis.is_complete,
        error=error and error[0],
        facts={kind: tuple(sorted(set(found))) for kind, found in _facts(run, analysis)},
        document=demandable(analysis),
        checked=analysis.requirements,
    )


def _round_trip(analysis: Analysis) -> float | None:
    if analysis.plan.network.unix_socket is not None:
        return None
    measured = [it.min_rtt_s for it in analysis.arms if it.min_rtt_s is not None]
    if measured:
        return min(measured)
    typical = (it.phases["connect"].p50 or it.phases["connect"].mean for it in analysis.arms)
    return min((it for it in typical if it is not None), default=None)


def _saved_trips(compared: Comparison) -> int | None:
    """That many of the steps that were taken, where the saving is about as long as they are.

    What the ends do meanwhile adds to it; where that is more than the network does, or a look-up
    takes much of it, it isn't worth saying in round trips.
    """
    explained, saving_s = compared.explained, compared.saving_s["p50"].estimate
    if explained is None or explained.round_trip_s is None or saving_s is None:
        return None
    if not all(_is_as_needed(it, explained.round_trip_s) for it in explained.round_trips.values()):
        return None
    trips = sum(explained.saved_trips.get(step, 0) for step in explained.round_trips)
    steps_s = sum(explained.reused_parts_s.get(step, 0.0) for step in explained.round_trips)
    if trips <= 0 or steps_s < _OF_STEPS * saving_s:
        return None
    least, most = (share * trips * explained.round_trip_s for share in _SHARES)
    return trips if least <= saving_s <= most else None


def _is_as_needed(step: RoundTrips, round_trip_s: float) -> bool:
    """Whether a step took about as many round trips as its protocol needs."""
    if step.needed is None:
        return False
    surplus_s = (step.measured - step.needed) * round_trip_s
    return surplus_s <= max(_SURPLUS * round_trip_s, _SURPLUS_S)


def _arm(arm: ArmSummary, latencies_s: Sequence[float]) -> ArmThere:
    reopened = {code: n for code, n in arm.reason_counts.items() if code not in BY_NATURE}
    return ArmThere(
        label=arm.label,
        sent=arm.sent,
        failed=arm.failed,
        connections=arm.connections,
        reopened=arm.reopened,
        reasons=reopened,
        latency_s=arm.latency.p50,
        requests_per_second=arm.requests_per_second,
        spread_s=array("d", _spread(latencies_s)),
    )


def _spread(values: Sequence[float]) -> Iterator[float]:
    """All of them, or some at equal distances, the least and the greatest among them."""
    if len(values) <= QUANTILES_KEPT:
        yield from values
        return
    last = len(values) - 1
    for number in range(QUANTILES_KEPT):
        yield values[round(number * last / (QUANTILES_KEPT - 1))]


def _facts(run: Run, analysis: Analysis) -> Iterator[tuple[str, Iterable[str]]]:
    answers = [answer for arm in analysis.arms for answer in arm.answers]
    yield "server", (it.server for it in answers if it.server is not None)
    yield "via", (it.via for it in answers if it.via is not None)
    yield "address", run.connections.peers.values
    yield "TLS", (it.version for arm in analysis.arms for it in arm.handshakes)
    yield "HTTP", (it.http_version for it in answers)
    yield "status", (f"{code}" for arm in analysis.arms for code in arm.status_codes)
    yield "failure", (kind for arm in analysis.arms for kind in arm.failure_kinds)
    yield "reason", analysis.first.reason_counts.keys() - BY_NATURE
