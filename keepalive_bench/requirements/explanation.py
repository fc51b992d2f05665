"""Which findings say why a requirement isn't met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics.arm import why_reopened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from keepalive_bench.analysis import Finding
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import Subject
    from keepalive_bench.typed_json import Document


def explaining(
    subject: Subject, found: Evidence, document: Document, findings: Iterable[Finding]
) -> tuple[Finding, ...]:
    """The warnings of what a count is made of; of a comparison, of why connections weren't reused.

    Of times, kab knows how long they are, and not why.

    Args:
        subject: what the requirement is about.
        found: what was found of it.
        document: what the results file says of the run.
        findings: all of the run.
    """
    codes: Collection[str] = found.why
    label = subject.scope.label if subject.scope.part == "arms" else ""
    if not codes and _needs_reuse(subject, found):
        label = next(iter(document["arms"]))
        codes = why_reopened(document["arms"][label])
    warnings = (it for it in findings if it.severity == "warning")
    return tuple(it for it in warnings if _is_about(it, codes, label))


def _needs_reuse(subject: Subject, found: Evidence) -> bool:
    """Whether it would be otherwise if connections were reused more often."""
    is_known_speedup = subject.metric.path == "speedup" and found.value is not None
    is_compared = subject.metric.basis == "verdict" or subject.scope.part == "comparisons"
    return is_compared and not is_known_speedup


def _is_about(finding: Finding, codes: Collection[str], label: str) -> bool:
    evidence = finding.evidence
    arms = [f"{evidence.get('arm', label)}", *f"{evidence.get('others', '')}".split(", ")]
    named = finding.code in codes or f"{evidence.get('kind', '')}" in codes
    return named and (not label or label in arms)
