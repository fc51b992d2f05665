"""What kab noticed, as data before it is prose; the advice fits the options in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings import (
    addresses,
    announced,
    answers,
    autocorrelation,
    broken_reuse,
    caches,
    certainty,
    client_bound,
    connecting,
    counted,
    delay,
    endpoint,
    gateways,
    latency,
    level_shift,
    measurement,
    one_at_a_time,
    pool_waits,
    reuse,
)
from keepalive_bench.findings import run as of_run
from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run

_SUBJECTS = (
    *(
        broken_reuse,
        of_run,
        one_at_a_time,
        reuse,
        pool_waits,
        announced,
        delay,
        gateways,
        answers,
        caches,
        counted,
        addresses,
    ),
    *(connecting, endpoint),
    *(client_bound, measurement, certainty, level_shift, autocorrelation, latency),
)
FINDING_KINDS = (
    *(it for subject in _SUBJECTS for it in vars(subject).values() if isinstance(it, FindingKind)),
    *reuse.OF_REASONS.values(),
)
"""All of them, each declared in the file that notices it."""

_ROOTS = {
    *(gateways.NO_BACKEND.code, gateways.GATEWAY_ERRORS.code),
    *(answers.HTTPS_EXPECTED.code, answers.CERTIFICATE_EXPECTED.code),
    answers.CONNECTION_AUTHENTICATED.code,
}


def noticed(
    run: Run,
    views: Mapping[str, ArmView],
    arms: Sequence[ArmSummary],
    comparisons: Sequence[Comparison],
) -> tuple[Finding, ...]:
    """Everything noticed about a run: warnings first, details last."""
    of_measurement = [*measurement.measurement_findings(run, views, arms)]
    contended = any(
        it.code in {client_bound.CLIENT_BOUND.code, measurement.MACHINE_BUSY.code}
        and it.severity == "warning"
        for it in of_measurement
    )
    of_answers = [
        *gateways.gateway_findings(run, arms),
        *answers.answer_findings(run, arms),
    ]
    roots = [it for it in of_answers if _is_root(it)]
    of_shifts = [*level_shift.level_shift_findings(run, views, arms, comparisons)]
    found = [
        *broken_reuse.broken_reuse_findings(run, arms),
        *of_run.outcome_findings(run, arms),
        *roots,
        *one_at_a_time.one_at_a_time_findings(run),
        *reuse.reuse_findings(run, arms),
        *pool_waits.pool_wait_findings(run, views, arms),
        *announced.announced_findings(run, arms),
        *delay.delay_findings(run),
        *(it for it in of_answers if it not in roots),
        *caches.cache_findings(run, arms),
        *counted.counted_findings(arms),
        *addresses.address_findings(run, arms),
        *connecting.connecting_findings(run, arms),
        *endpoint.endpoint_findings(run, arms),
        *of_measurement,
        *certainty.order_findings(run),
        *of_shifts,
        *latency.latency_findings(
            run,
            views,
            arms,
            contended=contended,
            shifted={f"{it.evidence['arm']}" for it in of_shifts},
        ),
        *(it for each in comparisons for it in certainty.comparison_findings(run, arms, each)),
        *autocorrelation.autocorrelation_findings(run, views, arms, comparisons),
        *certainty.too_few_requests(run, arms),
    ]
    if run.plan.experiment.sweep is not None:
        found = of_sweep(found, run.plan.experiment)
    return tuple(sorted(found, key=lambda it: (it.severity != "warning", it.is_detail)))


def _is_root(finding: Finding) -> bool:
    """Whether no answer is another than an error that it explains: what else is seen follows."""
    answered = finding.evidence.get("answered")
    return finding.code in _ROOTS and finding.evidence.get("count", answered) == answered


def of_sweep(found: Iterable[Finding], experiment: Experiment) -> list[Finding]:
    """Those that belong to a sweep; each once, of the value that has the most of it."""
    left_out = {kind.code for kind in FINDING_KINDS if not kind.is_in_sweeps}
    if experiment.block:  # threads that waited for a connection are a group of their own
        left_out.add(latency.BIMODAL.code)
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in found:
        if finding.code not in left_out:
            alike.setdefault(_subject(finding), []).append(finding)
    return [_once(group, experiment) for group in alike.values()]


def _subject(finding: Finding) -> tuple[object, ...]:
    """What findings of several values have to share to be one: the direction of a drift, too."""
    evidence = finding.evidence
    rises = float(evidence.get("last_s", 0)) > float(evidence.get("first_s", 0))
    its_own = "" if "arm" in evidence else finding.text
    return finding.code, finding.severity, evidence.get("kind"), rises, its_own


def _once(group: list[Finding], experiment: Experiment) -> Finding:
    """The one with the highest count; the other values are named."""
    most = max(group, key=_count)
    others = [f"{it.evidence['arm']}" for it in group if it is not most and "arm" in it.evidence]
    if not others:
        return most
    said = f"Likewise, with other figures: {experiment.sweep} {enumerated(others)}."
    return most._replace(
        text=f"{most.text} {said}",
        evidence={**most.evidence, "others": ", ".join(others)},
    )


def _count(finding: Finding) -> float:
    evidence = finding.evidence
    return float(evidence.get("connections", evidence.get("count", 0)))
