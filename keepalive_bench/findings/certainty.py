"""How sure the figures are: the order of the arms, pairs, precision, and too few requests."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import is_precise, least_pairs, least_requests
from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.stats.dependence import first_order_inefficiency
from keepalive_bench.units import plural, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run

_NOTABLE = 1.2
"""A fifth wider is to be seen."""
_EXPECTED: tuple[Basis, ...] = ("p50", "p90")
"""Quantiles that a run should bound; p95 and p99 are shown without an interval before that."""


def order_findings(run: Run) -> Iterator[Finding]:
    """What the order of the arms, and the rounds they are in, don't protect against."""
    experiment = run.plan.experiment
    if len(experiment.arms) == 1:
        return
    if not experiment.is_paired:
        because = "" if experiment.order else _why_sequential(experiment)
        yield kinds.SEQUENTIAL_ORDER.found(
            concurrency=experiment.concurrency,
            maxsize=experiment.pool_size,
            text=f"The arms ran one after the other{because}: a drift of the machine or the "
            "network in the meantime looks like a difference between them.",
        )
        return
    rounds = experiment.rounds_of(run.requests_due(experiment.labels[0]))
    block, least = experiment.block_size, least_pairs(run.plan.decision_rule.confidence)
    if experiment.threads > 1 and rounds < least:
        drift = ", so a drift in the meantime isn't cancelled out" * (rounds == 1)
        yield kinds.FEW_ROUNDS.found(
            rounds=rounds,
            concurrency=experiment.concurrency,
            text=f"The requests made {plural(rounds, 'round')} of blocks only{drift}.",
            advice=f"--requests {least * block} or more makes {least} rounds, "
            f"of {block} requests each.",
        )


def _why_sequential(experiment: Experiment) -> str:
    if experiment.load.has_pauses:
        return ", because other arms' blocks would make the pauses of several threads longer"
    return (
        f", because maxsize {experiment.pool_size} is below the concurrency of "
        f"{experiment.concurrency} and a pause between blocks would throw connections away"
    )


def comparison_findings(
    run: Run, arms: Sequence[ArmSummary], comparison: Comparison
) -> Iterator[Finding]:
    """Everything of that kind, for one comparison."""
    yield from _precision(run, comparison)
    yield from _pairs(run, arms, comparison)


def _precision(run: Run, comparison: Comparison) -> Iterator[Finding]:
    """A precision that was asked for, and that the most requests or the time didn't suffice for."""
    precision, (estimate, low, high) = run.plan.experiment.precision, comparison.speedup
    if precision is None or is_precise(comparison.speedup, precision):
        return
    reached = None
    if estimate is not None and low is not None and high is not None:
        reached = max(high / estimate, estimate / low) - 1
    known = "not known at all" if reached is None else f"known to ±{reached:.1%} only"
    yield kinds.PRECISION_NOT_REACHED.found(
        against=comparison.against,
        precision=precision,
        reached=reached,
        text=f"The speed-up against {comparison.against} is {known}, and ±{precision:.1%} was "
        f"asked for: {plural(comparison.pairs, 'pair')} don't suffice.",
    )


def _pairs(run: Run, arms: Sequence[ArmSummary], comparison: Comparison) -> Iterator[Finding]:
    names, lost = f"{comparison.arm} and {comparison.against}", 0
    if run.plan.experiment.block_size > 1:  # of which others stand for all
        lost = sum(it.failed for it in arms if it.label in {comparison.arm, comparison.against})
    if comparison.pairs and (comparison.left_out or lost):
        sent = comparison.pairs + comparison.left_out
        told = f"Pairs that lack an answer are left out of the comparison of {names}: "
        told = f"{told}{comparison.left_out:,} of {sent:,}."
        of_blocks = f"{plural(lost, 'request')} failed, so blocks of {names} are that much smaller."
        yield kinds.PAIRS_LEFT_OUT.found(
            arm=comparison.arm,
            against=comparison.against,
            pairs=comparison.pairs,
            left_out=comparison.left_out,
            lost=lost,
            text=" ".join([told] * bool(comparison.left_out) + [of_blocks] * bool(lost)),
        )
    factor = comparison.interval_inflation
    if comparison.pairs and factor >= _NOTABLE:
        yield kinds.AUTOCORRELATED.found(
            arm=comparison.arm,
            against=comparison.against,
            pairs=comparison.pairs,
            correlation=comparison.correlation,
            factor=factor,
            text=f"Pairs of {names} are autocorrelated ({_lasting(comparison.correlation, factor)})"
            f"; intervals are {times(factor)} as wide for it.",
        )


def own_findings(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """What makes an arm's own figures less sure than so many requests would be."""
    if arm.interval_inflation < _NOTABLE or not arm.latency_bounds:
        return
    what = "Latencies" if run.plan.experiment.block_size == 1 else "Blocks"
    yield kinds.AUTOCORRELATED.found(
        arm,
        correlation=arm.correlation,
        factor=arm.interval_inflation,
        text=f"{what} of {arm.name} are autocorrelated "
        f"({_lasting(arm.correlation, arm.interval_inflation)}); intervals of its own figures are "
        f"{times(arm.interval_inflation)} as wide for it.",
    )


def _lasting(correlation: float, factor: float) -> str:
    """How much, and whether what is further back counts for more than that says."""
    further = factor > _NOTABLE * sqrt(first_order_inefficiency(correlation))
    beyond = ", and those further back count for more" * further
    return f"lag 1: {correlation:.2f}{beyond}"


def too_few_requests(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Quantiles that are shown, and can't be bounded by so few requests."""
    fewest = min(arms, key=lambda arm: arm.succeeded)
    needed = {
        name: least_requests(name, run.plan) or 0
        for name in _EXPECTED
        if getattr(fewest.latency, name) is not None
    }
    lacking = [name for name, count in needed.items() if count > fewest.succeeded]
    if lacking:
        most = max(needed[name] for name in lacking)
        yield kinds.TOO_FEW_REQUESTS.found(
            requests=fewest.succeeded,
            lacking=" ".join(lacking),
            needed=needed[lacking[-1]],
            text=f"Too few requests for an interval of {' or '.join(lacking)} (needs {most:,}).",
            advice=f"-n {most} makes as many."
            if not run.plan.experiment.may_end_early and most > fewest.requests
            else "A longer run does.",
        )
