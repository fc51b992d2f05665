"""What kab noticed, as data before it is prose; the advice fits the options in use."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from keepalive_bench.analysis.delay_findings import delay_findings
from keepalive_bench.analysis.endpoint_findings import endpoint_findings
from keepalive_bench.analysis.latency_findings import latency_findings, too_few_requests
from keepalive_bench.analysis.measurement_findings import measurement_findings
from keepalive_bench.analysis.network_findings import network_findings
from keepalive_bench.analysis.precision import is_precise
from keepalive_bench.analysis.promise_findings import promise_findings
from keepalive_bench.analysis.reason_findings import reason_findings
from keepalive_bench.analysis.tls_findings import tls_findings
from keepalive_bench.analysis.verdict import LEAST_PAIRS
from keepalive_bench.model.analysis import Finding
from keepalive_bench.units import plural, printable, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.model.analysis import ArmSummary, Comparison
    from keepalive_bench.model.run import Run

_NOTABLE = 1.96
"""÷ √n: beyond it, a correlation is hardly chance (Bartlett's bound at 95 %)."""
_STOPPED = "An arm is stopped when its first 5 requests all fail; --keep-going sends them all."


def find(
    run: Run, arms: Sequence[ArmSummary], comparisons: Sequence[Comparison]
) -> tuple[Finding, ...]:
    """Everything noticed about a run, what endangers its result first."""
    of_measurement = [*measurement_findings(run, arms)]
    crowded = not {"client-bound", "machine-busy"}.isdisjoint(it.code for it in of_measurement)
    found = (
        *_interrupted(run),
        *(finding for arm in arms for finding in _failures(run, arm)),
        *_failed_warmups(run),
        *(finding for arm in arms for finding in reason_findings(run, arm)),
        *(finding for arm in arms for finding in promise_findings(run, arm)),
        *delay_findings(run),
        *endpoint_findings(run, arms),
        *network_findings(run),
        *tls_findings(run, arms),
        *of_measurement,
        *_order(run),
        *latency_findings(run, arms, crowded=crowded),
        *(finding for comparison in comparisons for finding in _precision(run, comparison)),
        *(finding for comparison in comparisons for finding in _pairs(comparison)),
        *too_few_requests(run, arms),
    )
    return tuple(sorted(found, key=lambda finding: finding.severity != "warning"))


def _interrupted(run: Run) -> Iterator[Finding]:
    if run.course.interrupted:
        yield Finding(
            code="interrupted",
            severity="warning",
            evidence={"exchanges": len(run.exchanges)},
            text=f"The run was interrupted after {plural(len(run.exchanges), 'exchange')}.",
        )


def _failures(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    for kind, count in arm.failure_kinds.items():
        message = next(failure.message for failure in arm.failures if failure.kind == kind)
        yield Finding(
            code="requests-failed",
            severity="warning",
            evidence={"arm": arm.label, "kind": kind, "count": count, "message": message},
            text=f"{plural(count, 'request')} of {arm.label} failed: {kind} "
            f"({printable(message)}).",
        )
    if arm.not_sent:
        yield Finding(
            code="requests-not-sent",
            severity="warning",
            evidence={"arm": arm.label, "count": arm.not_sent},
            text=f"{plural(arm.not_sent, 'request')} of {arm.label} were not sent.",
            advice="" if arm.succeeded or run.course.interrupted else _STOPPED,
        )


def _failed_warmups(run: Run) -> Iterator[Finding]:
    for label, warmup in run.warmup.items():
        if warmup.failures:
            kind, message = warmup.failures[0]
            yield Finding(
                code="warmup-failed",
                severity="info",
                evidence={"arm": label, "kind": kind, "count": len(warmup.failures)},
                text=f"{plural(len(warmup.failures), 'warm-up')} of {label} failed: {kind} "
                f"({printable(message)}).",
            )


def _order(run: Run) -> Iterator[Finding]:
    experiment = run.plan.experiment
    if len(experiment.arms) == 1:
        return
    if not experiment.is_paired:
        because = (
            f", because maxsize {experiment.pool_size} is below the concurrency of "
            f"{experiment.concurrency} and a pause between blocks would throw connections away"
            if experiment.order is None
            else ""
        )
        yield Finding(
            code="sequential-order",
            severity="info",
            evidence={"concurrency": experiment.concurrency, "maxsize": experiment.pool_size},
            text=f"The arms ran one after the other{because}: a drift of the machine or the "
            "network in the meantime looks like a difference between them.",
        )
        return
    rounds, block = (
        experiment.rounds_of(run.requests_due(experiment.labels[0])),
        experiment.block_size,
    )
    if experiment.concurrency > 1 and rounds < LEAST_PAIRS:
        drift = ", so a drift in the meantime isn't cancelled out" * (rounds == 1)
        yield Finding(
            code="few-rounds",
            severity="info",
            evidence={"rounds": rounds, "concurrency": experiment.concurrency},
            text=f"The requests made {plural(rounds, 'round')} of blocks only{drift}.",
            advice=f"--requests {LEAST_PAIRS * block} or more makes {LEAST_PAIRS} rounds, "
            f"of {block} requests each.",
        )


def _precision(run: Run, comparison: Comparison) -> Iterator[Finding]:
    """A precision that was asked for, and that the most requests or the time didn't suffice for."""
    precision, (_, low, high) = run.plan.experiment.precision, comparison.speedup
    if precision is None or is_precise(comparison.speedup, precision):
        return
    reached = None if low is None or high is None else sqrt(high / low) - 1
    known = "not known at all" if reached is None else f"known to ±{reached:.1%} only"
    evidence: dict[str, int | float | str] = {"against": comparison.against, "precision": precision}
    yield Finding(
        code="precision-not-reached",
        severity="warning",
        evidence=evidence if reached is None else {**evidence, "reached": reached},
        text=f"The speed-up against {comparison.against} is {known}, and ±{precision:.1%} was "
        f"asked for: {plural(comparison.pairs, 'pair')} don't suffice.",
        advice="More --requests or a longer --duration let it go on.",
    )


def _pairs(comparison: Comparison) -> Iterator[Finding]:
    names = f"{comparison.arm} and {comparison.against}"
    evidence: dict[str, int | float | str] = {
        "arm": comparison.arm,
        "against": comparison.against,
        "pairs": comparison.pairs,
    }
    if comparison.left_out and comparison.pairs:
        yield Finding(
            code="pairs-left-out",
            severity="info",
            evidence={**evidence, "left_out": comparison.left_out},
            text=f"{plural(comparison.left_out, 'pair')} of {names} had no answer in one of the "
            f"arms and are left out of the comparison; {comparison.pairs:,} are in it.",
        )
    if comparison.pairs and comparison.correlation > _NOTABLE / sqrt(comparison.pairs):
        factor = comparison.widening
        yield Finding(
            code="autocorrelated",
            severity="info",
            evidence={**evidence, "correlation": comparison.correlation, "factor": factor},
            text=f"Neighbouring pairs of {names} resemble each other (correlation "
            f"{comparison.correlation:.2f}), so intervals are {times(factor)} as wide as they "
            "would be otherwise.",
        )
