"""What kab noticed, as data before it is prose; the advice fits the options in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings.comparison import comparison_findings, own_findings
from keepalive_bench.findings.delay import delay_findings
from keepalive_bench.findings.endpoint import endpoint_findings
from keepalive_bench.findings.keep_alive_header import promise_findings
from keepalive_bench.findings.latency import latency_findings, too_few_requests
from keepalive_bench.findings.measurement import measurement_findings
from keepalive_bench.findings.network import network_findings
from keepalive_bench.findings.ports import port_findings
from keepalive_bench.findings.reason import reason_findings
from keepalive_bench.findings.run import course_findings, order_findings
from keepalive_bench.findings.sweep import of_sweep
from keepalive_bench.findings.tls import tls_findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Comparison, Finding
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run


def find(
    run: Run,
    views: Mapping[str, ArmView],
    arms: Sequence[ArmSummary],
    comparisons: Sequence[Comparison],
) -> tuple[Finding, ...]:
    """Everything noticed about a run, what endangers its result first."""
    of_measurement = [*measurement_findings(run, views, arms)]
    crowded = any(
        it.code in {"client-bound", "machine-busy"} and it.severity == "warning"
        for it in of_measurement
    )
    found = [
        *course_findings(run, arms),
        *port_findings(run, arms),
        *(finding for arm in arms for finding in reason_findings(run, arm)),
        *(finding for arm in arms for finding in promise_findings(run, arm)),
        *delay_findings(run),
        *endpoint_findings(run, arms),
        *network_findings(run, arms),
        *tls_findings(run, arms),
        *of_measurement,
        *order_findings(run),
        *latency_findings(run, views, arms, crowded=crowded),
        *(it for arm in arms for it in own_findings(run, arm)),
        *(it for each in comparisons for it in comparison_findings(run, arms, each)),
        *too_few_requests(run, arms),
    ]
    if run.plan.experiment.sweep is not None:
        found = of_sweep(found, run.plan.experiment)
    return tuple(sorted(found, key=lambda finding: finding.severity != "warning"))
