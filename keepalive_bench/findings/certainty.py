"""How sure the figures are: the order of the arms, pairs, precision, and too few requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import is_precise, least_requests
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.stats.intervals import least_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.results.run import Run

_EXPECTED: tuple[Basis, ...] = ("p50", "p90")
"""Quantiles that a run should bound; p95 and p99 are shown without an interval before that."""

_BOTH_ARMS = "{arm} and {against}"
_LACKING = f"{{left_out}} of {{sent:pair}} of {_BOTH_ARMS} lack a response and are left out."
_SMALLER = f"{{lost:request}} of {_BOTH_ARMS} failed, so their blocks are smaller by these."

SEQUENTIAL_ORDER = FindingKind(
    code="sequential-order",
    title="The arms ran one after the other",
    who="client",
    evidence=("concurrency", "maxsize"),
    proof="So drift looks like a difference.",
    text="The arms ran one after the other{for_pauses}{for_connections}. A drift of the machine or "
    "the network meanwhile looks like a difference between them.",
    advice="--order paired makes them take turns.",
    clauses={
        "for_pauses": ", because other arms' blocks would lengthen the pauses of several threads",
        "for_connections": ", because maxsize {maxsize!s} is below the concurrency of "
        "{concurrency!s} and a pause between blocks would discard connections",
    },
    provoked=Provoked("URL -n 6 --order sequential", ""),
)
FEW_ROUNDS = FindingKind(
    code="few-rounds",
    title="The run has few rounds",
    who="client",
    severity="info",
    evidence=("rounds", "concurrency"),
    proof="With several requests at a time, a round is a block of requests from each arm. Fewer "
    "than 6 rounds (at 95 % confidence) give no interval.",
    text="The run has only {rounds:round}{each} with a block of {block:request} from each "
    "arm{drifting}.",
    clauses={"each": ", each", "drifting": ", so a drift meanwhile isn't cancelled out"},
    advice="Use --requests {requests!s} or more, for {least!s} rounds.",
    cases={"where time ends a run": Case(advice="Use a longer --duration.")},
    provoked=Provoked("URL -n 6 -c 3", ""),
)
PAIRS_LEFT_OUT = FindingKind(
    code="pairs-left-out",
    title="Pairs without both responses are left out of the comparison",
    who="server",
    severity="info",
    is_detail=True,
    evidence=("arm", "against", "pairs", "left_out", "lost"),
    proof="Several at a time, blocks are without the requests that failed (`lost`).",
    text=_LACKING,
    cases={
        "smaller blocks": Case(text=_SMALLER),
        "both": Case(text=f"{_LACKING} {_SMALLER}"),
    },
    is_in_sweeps=False,
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
)
PRECISION_NOT_REACHED = FindingKind(
    code="precision-not-reached",
    title="The speed-up is known less precisely than `--precision` asked for",
    who="client",
    evidence=("against", "precision", "reached"),
    proof="`--requests` or `--duration` ended the run before.",
    text="--precision asked for ±{precision:.1%}, but after {pairs:pair} the speed-up against "
    "{against} is {known}{unknown}.",
    clauses={"known": "known only to ±{reached:.1%}", "unknown": "not known at all"},
    advice="Allow more --requests or a longer --duration.",
    provoked=Provoked("URL --precision 0.1% -n 60", "--delay 0.002"),
)
TOO_FEW_REQUESTS = FindingKind(
    code="too-few-requests",
    title="Too few requests for an interval of a quantile that is shown",
    who="client",
    severity="info",
    is_detail=True,
    evidence=("requests", "lacking", "needed"),
    proof="How many it needs.",
    text="Too few requests for an interval of {quantiles} (needs {most}).",
    advice="Use -n {most!s} or more.",
    cases={"where -n decides nothing": Case(advice="Measure longer.")},
    provoked=Provoked("URL -n 20", ""),
)


def order_findings(run: Run) -> Iterator[Finding]:
    """What the order of the arms, and the rounds they are in, don't protect against."""
    experiment = run.plan.experiment
    if len(experiment.arms) == 1:
        return
    if not experiment.is_paired:
        why = "for_pauses" if experiment.load.has_pauses else "for_connections"
        yield SEQUENTIAL_ORDER.found(
            concurrency=experiment.concurrency,
            maxsize=experiment.pool_size,
            clauses=[] if experiment.order else [why],
        )
        return
    due = run.requests_due(experiment.labels[0])
    rounds = experiment.rounds_of(due)
    block, least = experiment.block_size, least_pairs(run.plan.decision_rule.confidence)
    if experiment.threads > 1 and rounds < least:
        is_cut = experiment.duration_s is not None and due < experiment.requests
        yield FEW_ROUNDS.found(
            rounds=rounds,
            concurrency=experiment.concurrency,
            clauses=["drifting"] if rounds == 1 else ["each"],
            case="where time ends a run" if is_cut else None,
            words={"requests": least * block, "least": least, "block": block},
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
    yield PRECISION_NOT_REACHED.found(
        against=comparison.against,
        precision=precision,
        reached=reached,
        clauses=["unknown" if reached is None else "known"],
        words={"pairs": comparison.pairs},
    )


def _pairs(run: Run, arms: Sequence[ArmSummary], comparison: Comparison) -> Iterator[Finding]:
    lost = 0
    if run.plan.experiment.block_size > 1:  # of which others stand for all
        lost = sum(it.failed for it in arms if it.label in {comparison.arm, comparison.against})
    if comparison.pairs and (comparison.left_out or lost):
        smaller = "both" if comparison.left_out else "smaller blocks"
        yield PAIRS_LEFT_OUT.found(
            arm=comparison.arm,
            against=comparison.against,
            pairs=comparison.pairs,
            left_out=comparison.left_out,
            lost=lost,
            case=smaller if lost else None,
            words={"sent": comparison.pairs + comparison.left_out},
        )


def too_few_requests(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Quantiles that are shown, and can't be bounded by so few requests."""
    fewest = min(arms, key=lambda arm: arm.timed)
    needed = {
        name: least_requests(name, run.plan) or 0
        for name in _EXPECTED
        if getattr(fewest.latency, name) is not None
    }
    lacking = [name for name, count in needed.items() if count > fewest.timed]
    if lacking:
        most = max(needed[name] for name in lacking)
        is_for_more = not run.plan.experiment.may_end_early and most > fewest.requests
        yield TOO_FEW_REQUESTS.found(
            requests=fewest.timed,
            lacking=" ".join(lacking),
            needed=needed[lacking[-1]],
            case=None if is_for_more else "where -n decides nothing",
            words={"quantiles": " or ".join(lacking), "most": most},
        )
