"""What to say of a run without any answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.results.exchange import Failure
from keepalive_bench.units import clipped, printable

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import Analysis

_ADVICE = {
    "tls-untrusted": " --cacert FILE trusts the certificate's issuer; -k doesn't check it.",
    "tls-handshake": " Does this port speak TLS?",
    "dns": " Is the host's name right?",
    "connect-refused": " Does a server listen there?",
    "reset-before-request": " Is there a connection limit, or a balancer without a backend?",
    "connect-timeout": " Is the address right, and is there a firewall between?",
    "read-timeout": " --timeout sets how long kab waits.",
    "deadline": " --timeout sets how long kab waits.",
    "closed-before-response": " Does this port speak HTTP, or only HTTPS?",
    "malformed-response": " Does this port speak HTTP/1.1?",
}


def nothing_measured(analysis: Analysis) -> str:
    """One sentence for a run without any answer: what happened, where, and what to do."""
    where = clipped(preamble.place(analysis))
    failures = Counter[Failure]()
    for arm in analysis.arms:
        failures.update(arm.failures)
    if not failures:
        if analysis.run_info.interrupted:
            return f"Nothing was measured of {where}: the run was interrupted."
        lost = [f" A process is lost: {printable(it.why)}." for it in analysis.run_info.lost]
        return f"Nothing was measured of {where}.{''.join(lost[:1])}"
    failure, _ = failures.most_common(1)[0]
    advice = _ADVICE.get(failure.kind, "")
    cause = f"{failure.kind} ({printable(failure.message)})"
    return f"Nothing could be measured of {where}: {cause}.{advice}"
