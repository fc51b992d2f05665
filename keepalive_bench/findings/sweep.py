"""The findings of a sweep: what several values have in common is said once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis.analysis import Finding
    from keepalive_bench.plan.experiment import Experiment

_IN_ITS_TABLE = {"pool-full", "pool-exhausted", "autocorrelated", "pairs-left-out"}
"""What a sweep shows in its table, or has no place for: it shows no arm's saving on another."""
_OF_WAITING = {"bimodal"}
"""Where threads wait for a connection, those that did are a group of their own."""


def of_sweep(found: Iterable[Finding], experiment: Experiment) -> list[Finding]:
    """Those that belong to a sweep; each once, of the value that has the most of it."""
    elsewhere = _IN_ITS_TABLE | (_OF_WAITING if experiment.block else set())
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in found:
        if finding.code not in elsewhere:
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
    *some, last = others
    listed = f"{', '.join(some)} and {last}" if some else last
    return replace(
        most,
        text=f"{most.text} Likewise, with other figures: {experiment.sweep} {listed}.",
        evidence={**most.evidence, "others": ", ".join(others)},
    )


def _count(finding: Finding) -> float:
    evidence = finding.evidence
    return float(evidence.get("connections", evidence.get("count", 0)))
