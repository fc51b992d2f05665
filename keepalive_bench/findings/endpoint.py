"""What kab noticed of how the server treats connections."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_ENOUGH = 0.9
"""Of the handshakes that could resume: fewer make a mixture that is neither one nor the other."""

NOT_RESUMED = FindingKind(
    code="not-resumed",
    title="The server resumed few TLS sessions, or none",
    who="server",
    evidence=("arm", "handshakes", "resumed", "tls_version"),
    proof="An arm of the kind `resumed` offered sessions to resume.",
    text="The server resumed only {resumed} of {handshakes:TLS session} that {label} offered "
    "({tls_version}), so its times mix full and resumed handshakes.",
    advice="Make the server issue session tickets, or keep a session cache; all servers behind the "
    "name need the same keys.{cure}",
    cases={
        "none": Case(
            text="The server resumed none of {handshakes:TLS session} that {label} offered "
            "({tls_version}), so {label} measures full handshakes, as unpooled does."
        )
    },
    provoked=Provoked(test="tests/net/test_resumption.py"),
)


def endpoint_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    for arm in arms:
        if arm.traits.needs_tls:
            yield from _unresumed(run, arm)


def _unresumed(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """An arm that was to resume sessions and often could not.

    The first handshake of each thread has none to offer: it is no chance.
    """
    from keepalive_bench.findings.cures import cure  # noqa: PLC0415  # most do without

    versions = Counter[str]()
    for handshake, count in arm.handshakes.items():
        versions[handshake.version] += count
    chances = versions.total() - run.plan.experiment.threads
    if chances <= 0 or arm.resumed >= _ENOUGH * chances:
        return
    yield NOT_RESUMED.found(
        arm,
        handshakes=chances,
        resumed=arm.resumed,
        tls_version=versions.most_common(1)[0][0],
        case=None if arm.resumed else "none",
        words={"label": arm.label, "cure": cure(run.plan, arm.answers, ("tls_sessions",))},
    )
