"""That threads waited for a connection of the pool, where `--block` makes them."""

from __future__ import annotations

from itertools import compress
from math import fsum, isnan
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

_NOTABLE = 0.1
"""Of an arm's latencies: what they are longer for it."""

POOL_WAIT = FindingKind(
    code="pool-wait",
    title="Requests waited for a connection of the pool",
    who="client",
    evidence=("arm", "count", "timed", "wait_s", "share"),
    proof="`--block` has threads wait where all `maxsize` connections are busy; that was measured "
    "(`pool_wait`), and is a tenth of the arm's latencies or more (`share`).",
    text="{count} of {timed:request} of {arm} waited for a connection of the pool, {each_s} each "
    "on average, because --block makes {concurrency!s} threads share {maxsize:connection}. That is "
    "{share:.0%} of its mean latency.",
    advice="Use --maxsize {concurrency!s} to give each thread a connection, or leave --block out.",
    is_in_sweeps=False,
    provoked=Provoked("URL -n 20 -c 4 --maxsize 1 --block --order paired", "--delay 0.02"),
)


def pool_wait_findings(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary]
) -> Iterator[Finding]:
    """That it lengthened an arm's latencies."""
    experiment = run.plan.experiment
    if not experiment.block:
        return
    for arm in arms:
        view = views[arm.label]
        waits = compress(run.exchanges.phases["pool_wait"], view.timed)
        waited = [wait_s for wait_s in waits if not isnan(wait_s)]
        wait_s, whole_s = fsum(waited), fsum(view.latencies)
        if waited and wait_s >= _NOTABLE * whole_s:
            yield POOL_WAIT.found(
                arm,
                count=len(waited),
                timed=arm.timed,
                wait_s=wait_s,
                share=wait_s / whole_s,
                words={
                    "each_s": wait_s / len(waited),
                    "concurrency": experiment.concurrency,
                    "maxsize": experiment.pool_size,
                },
            )
