"""What kab noticed of TLS: sessions that were offered and not taken up."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import Finding
from keepalive_bench.results.masks import of_arm
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.results.run import Run

_ENOUGH = 0.9
"""Of the handshakes that could resume: fewer make a mixture that is neither one nor the other."""
_ADVICE = (
    "Let the server give session tickets, or keep a cache of sessions (nginx: ssl_session_tickets, "
    "ssl_session_cache); all servers behind the name need the same keys."
)


def tls_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Arms that were to resume sessions and often could not.

    The first handshake of each thread has none to offer: it is no chance.
    """
    for arm in arms:
        if arm.kind == "resumed":
            versions = _versions(run, arm)
            chances = versions.total() - run.plan.experiment.threads
            if chances > 0 and arm.resumed < _ENOUGH * chances:
                yield _not_resumed(arm, chances, versions)


def _versions(run: Run, arm: ArmSummary) -> Counter[str]:
    """How many handshakes succeeded with which version of TLS."""
    connections = run.connections
    numbers = Counter(compress(connections.cipher, of_arm(connections, arm.label)))
    versions: Counter[str] = Counter()
    for number, (version, _, _) in enumerate(connections.handshakes.values):
        versions[version] += numbers[number]
    return +versions


def _not_resumed(arm: ArmSummary, chances: int, versions: Counter[str]) -> Finding:
    version = versions.most_common(1)[0][0]
    share = f"{arm.resumed:,} of {plural(chances, 'handshake')}" if arm.resumed else "none"
    meaning = (
        "so its times are of both kinds" if arm.resumed else "so it does what an unpooled one does"
    )
    return Finding(
        code="not-resumed",
        severity="warning",
        evidence={
            "arm": arm.label,
            "handshakes": chances,
            "resumed": arm.resumed,
            "tls_version": version,
        },
        text=f"{arm.label} was to resume TLS sessions, and the server resumed {share} "
        f"({version}), {meaning}.",
        advice=_ADVICE,
    )
