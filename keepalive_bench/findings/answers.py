"""What kab noticed of what the answers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_MOST = 0.5
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_OVERLOADED = (429, 503)

REDIRECTS_MEASURED = FindingKind(
    code="redirects-measured",
    title="Most answers were redirects, which aren't followed",
    who="client",
    evidence=("arm", "count", "answered"),
    text="{arm} measured redirects ({count} of {answered} answers), which kab doesn't follow.",
    advice="Give the URL that they lead to.",
    provoked=Provoked("URL -n 6", "--status 302"),
)
SERVER_OVERLOADED = FindingKind(
    code="server-overloaded",
    title="The server rejected requests (429, 503)",
    who="server",
    evidence=("arm", "count"),
    text="The server rejected {count:request} of {arm} (429 or 503): it limits the rate, or is "
    "overloaded.",
    advice="Fewer --requests, or a lower --concurrency, stays below its limit.",
    provoked=Provoked("URL -n 6", "--status 503"),
)
BODIES_CUT = FindingKind(
    code="bodies-cut",
    title="Bodies reached `--max-body`",
    who="client",
    evidence=("max_body", "exchanges"),
    proof="A rest left unread closes the connection.",
    text="The body of {exchanges:response} reached --max-body {max_body}: a rest that is left "
    "unread closes the connection, in every arm.",
    advice="Without --max-body, bodies are read to the end and connections can be reused.",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)


def answer_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    for arm in arms:
        yield from _redirects(arm)
        rejected = sum(arm.status_codes.get(status, 0) for status in _OVERLOADED)
        if rejected:
            yield SERVER_OVERLOADED.found(arm, count=rejected)
    most, sizes = run.plan.request.max_body, run.exchanges.body_bytes
    cut = 0 if most is None else sum(map(most.__le__, sizes))
    if cut:
        yield BODIES_CUT.found(max_body=most, exchanges=cut)


def _redirects(arm: ArmSummary) -> Iterator[Finding]:
    answered = sum(arm.status_codes.values())
    count = sum(
        number
        for status, number in arm.status_codes.items()
        if status in _REDIRECTS and status != _NOT_MODIFIED
    )
    if count > _MOST * answered:
        yield REDIRECTS_MEASURED.found(arm, count=count, answered=answered)
