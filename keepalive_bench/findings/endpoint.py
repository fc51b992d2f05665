"""What kab noticed of the endpoint: that something else than its pages was measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kinds import (
    CACHE_ANSWERED,
    REDIRECTS_MEASURED,
    SERVER_OVERLOADED,
)
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Finding
    from keepalive_bench.results.run import Run

_MOST = 0.5
_SOME = 0.05
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_OVERLOADED = (429, 503)
_HIT = r"(?i)hit|stale|updating|revalidated|^age$"
"""What X-Cache and its like say of an answer that a cache had stored."""
_WHOSE = r"(?i)\bfrom\s+[^\s,]+"
"""And which cache says so: its name may be anything."""
_NOT_CONDITIONAL = "Without If-None-Match and If-Modified-Since the server sends the whole page."


def endpoint_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    for arm in arms:
        yield from _redirects(arm)
        yield from _overload(arm)
    yield from _caches(run, arms)


def _redirects(arm: ArmSummary) -> Iterator[Finding]:
    answered = sum(arm.status_codes.values())
    count = sum(
        number
        for status, number in arm.status_codes.items()
        if status in _REDIRECTS and status != _NOT_MODIFIED
    )
    if count > _MOST * answered:
        yield REDIRECTS_MEASURED.found(arm, count=count, answered=answered)


def _overload(arm: ArmSummary) -> Iterator[Finding]:
    count = sum(arm.status_codes.get(status, 0) for status in _OVERLOADED)
    if count:
        yield SERVER_OVERLOADED.found(arm, count=count)


def _caches(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Answers of a cache, by their own account; a 304 says that the client's own copy will do."""
    answered = sum(sum(arm.status_codes.values()) for arm in arms)
    cached = sum(
        count
        for arm in arms
        for answer, count in arm.answers.items()
        if answer.cache and re.search(_HIT, re.sub(_WHOSE, "", answer.cache))
    )
    not_modified = sum(arm.status_codes.get(_NOT_MODIFIED, 0) for arm in arms)
    if max(cached, not_modified) <= _SOME * answered:
        return
    said = [f"{cached:,} came from a cache, by their Age or X-Cache field"] * bool(cached)
    said += [f"{not_modified:,} were 304 Not Modified, without a body"] * bool(not_modified)
    yield CACHE_ANSWERED.found(
        cached=cached,
        not_modified=not_modified,
        answered=answered,
        text=f"Of {plural(answered, 'answer')}, {' and '.join(said)}: that is what was measured, "
        "and not the server behind it.",
        advice=_past_caches(run) if cached > not_modified else _NOT_CONDITIONAL,
    )


def _past_caches(run: Run) -> str:
    variation = run.plan.request.variation
    if not (variation.counts or variation.unique):
        how = "Without --no-vary" if not variation.counter else "With --vary NAME"
        return f"{how}, each request has a parameter of its own, which passes most caches by."
    return (
        "This cache leaves the varying parameter out of account, or keeps what another arm asked "
        "for; -H 'Cache-Control: no-cache' asks it not to."
    )
