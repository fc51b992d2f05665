"""What kab noticed of caches that answered in the server's place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_SOME = 0.05
_NOT_MODIFIED = 304
_CONDITIONS = {"if-none-match", "if-modified-since"}
_HIT = r"(?i)hit|stale|updating|revalidated|^age$"
"""What X-Cache and its like say of an answer that a cache had stored."""
_WHOSE = r"(?i)\bfrom\s+[^\s,]+"
"""And which cache says so: its name may be anything."""

CACHE_ANSWERED = FindingKind(
    code="cache-answered",
    title="Responses came from a cache",
    who="path",
    evidence=("cached", "not_modified", "answered"),
    proof="More than 5 % of the responses came from a cache, by their `Age`, `X-Cache`, "
    "`X-Cache-Status` or `CF-Cache-Status`, or were a 304: that was measured, not the server.",
    text="Of {answered:response}, {by_field}{both}{by_status}. So these times aren't those of the "
    "server's full response.",
    clauses={
        "by_field": "{cached} came from a cache, by their Age or X-Cache field",
        "both": " and ",
        "by_status": "{not_modified} were 304 Not Modified, without a body",
    },
    advice="--vary NAME gives each request a parameter of its own, which bypasses most caches.",
    cases={
        "--no-vary": Case(
            advice="Without --no-vary, each request has a parameter of its own, which bypasses "
            "most caches."
        ),
        "a parameter that varies": Case(
            advice="The cache ignores the varying parameter, or has what another arm asked for; -H "
            "'Cache-Control: no-cache' tells it to ask the server."
        ),
        "mostly 304s": Case(
            advice="Without If-None-Match and If-Modified-Since the server sends the whole body."
        ),
        "304s that nobody asked for": Case(
            advice="The requests had no If-None-Match or If-Modified-Since, so 304 is wrong (RFC "
            "9110, section 15.4.5): correct that in the server, or in the cache in front of it."
        ),
    },
    provoked=Provoked("URL -n 6", "-H 'X-Cache: HIT'"),
)


def cache_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
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
    clauses = ["by_field"] * bool(cached) + ["by_status"] * bool(not_modified)
    yield CACHE_ANSWERED.found(
        cached=cached,
        not_modified=not_modified,
        answered=answered,
        case=_past_caches(run) if cached > not_modified else _why_not_modified(run),
        clauses=[*clauses, "both"] if cached and not_modified else clauses,
    )


def _why_not_modified(run: Run) -> str:
    sent = {name.lower() for name, _ in run.plan.request.headers}
    return "mostly 304s" if sent & _CONDITIONS else "304s that nobody asked for"


def _past_caches(run: Run) -> str | None:
    variation = run.plan.request.variation
    if variation.counter or variation.unique:
        return "a parameter that varies"
    return None if variation.varies else "--no-vary"
