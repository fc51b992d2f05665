"""What kab noticed, as data before it is prose; the advice fits the options in use."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from keepalive_bench.analysis.intervals import widening
from keepalive_bench.analysis.measurement_findings import measurement_findings
from keepalive_bench.analysis.network_findings import network_findings
from keepalive_bench.analysis.reason_findings import reason_findings
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
    return (
        *_interrupted(run),
        *(finding for arm in arms for finding in _failures(run, arm)),
        *_failed_warmups(run),
        *(finding for arm in arms for finding in reason_findings(run, arm)),
        *network_findings(run),
        *measurement_findings(run, arms),
        *_order(run),
        *(finding for comparison in comparisons for finding in _pairs(comparison)),
    )


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
    elif experiment.concurrency > 1 and experiment.rounds < LEAST_PAIRS:
        block = experiment.block_size
        drift = ", so a drift in the meantime isn't cancelled out" * (experiment.rounds == 1)
        yield Finding(
            code="few-rounds",
            severity="info",
            evidence={"rounds": experiment.rounds, "concurrency": experiment.concurrency},
            text=f"The requests made {plural(experiment.rounds, 'round')} of blocks only{drift}.",
            advice=f"--requests {LEAST_PAIRS * block} or more makes {LEAST_PAIRS} rounds, "
            f"of {block} requests each.",
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
        factor = widening(comparison.correlation)
        yield Finding(
            code="autocorrelated",
            severity="info",
            evidence={**evidence, "correlation": comparison.correlation, "factor": factor},
            text=f"Neighbouring pairs of {names} resemble each other (correlation "
            f"{comparison.correlation:.2f}), so intervals are {times(factor)} as wide as they "
            "would be otherwise.",
        )
