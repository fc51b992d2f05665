"""What kab noticed of the course of a run: its end, what failed in it, and its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import least_pairs
from keepalive_bench.findings.finding_kinds import (
    FEW_ROUNDS,
    INTERRUPTED,
    PROCESS_LOST,
    REQUESTS_FAILED,
    REQUESTS_NOT_SENT,
    SEQUENTIAL_ORDER,
    WARMUP_FAILED,
)
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Finding
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run

_STOPPED = "An arm is stopped when its first 5 requests all fail; --keep-going sends them all."


def course_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """What endangers a result: an early end, and failures."""
    yield from _interrupted(run, arms)
    yield from _lost(run)
    for arm in arms:
        yield from _failures(run, arm)
    yield from _failed_warmups(run, arms)


def _interrupted(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    if run.run_info.interrupted:
        ended, cut_off = sum(arm.sent for arm in arms), sum(arm.interrupted for arm in arms)
        under_way = f"; {cut_off:,} more were cut off" if cut_off else ""
        yield INTERRUPTED.found(
            exchanges=ended,
            cut_off=cut_off,
            text=f"The run was interrupted after {plural(ended, 'exchange')}{under_way}.",
        )


def _lost(run: Run) -> Iterator[Finding]:
    """Processes that ended before they had told what they measured."""
    count = run.plan.experiment.processes
    for lost in run.run_info.lost:
        sent = sum(lost.sent.values())
        yield PROCESS_LOST.found(
            process=lost.process,
            why=lost.why,
            sent=sent,
            text=f"Of {count} processes, number {lost.process} (from 0) is lost: "
            f"{printable(lost.why)}. What it measured is left out ({plural(sent, 'exchange')}, as "
            "far as it had told), and its requests count as not sent; the others' results are "
            "kept.",
        )


def _failures(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    for kind, count in arm.failure_kinds.items():
        message = next(failure.message for failure in arm.failures if failure.kind == kind)
        yield REQUESTS_FAILED.found(arm, kind=kind, count=count, message=message)
    if arm.not_sent:
        yield REQUESTS_NOT_SENT.found(
            arm,
            count=arm.not_sent,
            advice="" if arm.succeeded or run.run_info.interrupted else _STOPPED,
        )


def _failed_warmups(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    for arm in arms:
        warmup = run.warmup.get(arm.label)
        if warmup is not None and warmup.failures:
            kind, message = warmup.failures[0]
            yield WARMUP_FAILED.found(
                arm,
                kind=kind,
                count=len(warmup.failures),
                text=f"{plural(len(warmup.failures), 'warm-up')} of {arm.name} failed: {kind} "
                f"({printable(message)}).",
            )


def _why_sequential(experiment: Experiment) -> str:
    if experiment.load.has_pauses:
        return ", because other arms' blocks would make the pauses of several threads longer"
    return (
        f", because maxsize {experiment.pool_size} is below the concurrency of "
        f"{experiment.concurrency} and a pause between blocks would throw connections away"
    )


def order_findings(run: Run) -> Iterator[Finding]:
    """What the order of the arms, and the rounds they are in, don't protect against."""
    experiment = run.plan.experiment
    if len(experiment.arms) == 1:
        return
    if not experiment.is_paired:
        because = "" if experiment.order else _why_sequential(experiment)
        yield SEQUENTIAL_ORDER.found(
            concurrency=experiment.concurrency,
            maxsize=experiment.pool_size,
            text=f"The arms ran one after the other{because}: a drift of the machine or the "
            "network in the meantime looks like a difference between them.",
        )
        return
    rounds, block = (
        experiment.rounds_of(run.requests_due(experiment.labels[0])),
        experiment.block_size,
    )
    if experiment.threads > 1 and rounds < (
        least := least_pairs(run.plan.decision_rule.confidence)
    ):
        drift = ", so a drift in the meantime isn't cancelled out" * (rounds == 1)
        yield FEW_ROUNDS.found(
            rounds=rounds,
            concurrency=experiment.concurrency,
            text=f"The requests made {plural(rounds, 'round')} of blocks only{drift}.",
            advice=f"--requests {least * block} or more makes {least} rounds, "
            f"of {block} requests each.",
        )
