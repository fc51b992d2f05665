"""How often a pool's connections were opened again, by how many incidents, and what recurs."""

from __future__ import annotations

from array import array
from collections import defaultdict
from itertools import compress
from math import isnan, nan
from typing import TYPE_CHECKING

from keepalive_bench.compare.incidents import Occurrences, Recurrence, incidents, lasts
from keepalive_bench.connections.chance import SEVERAL
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.compare.incidents import Span
    from keepalive_bench.connections.reason_kinds import ReasonKind

_KINDS = {it.code: it for it in REASON_KINDS}
_ANNOUNCED = ENDINGS.index("announced")


def reopened(arm: ArmSummary) -> Occurrences:
    """Connections of a pool that keeps them, opened in the place of another one.

    But for those that only kab's other arm let go stale, or that the pool had no room for: how many
    of these there are is chance.
    """
    first_uses = min(arm.sent, arm.connections - arm.reopened)
    if not (arm.traits.reuses and arm.reopened):
        return Occurrences(0, arm.sent, first_uses=first_uses)
    reasons, endings = arm.reasons, arm.reasons.run.connections.ending
    spans, ever_kept = _spans(arm)
    by_ending: dict[bool, dict[int, Span]] = defaultdict(dict)
    recurring: list[Recurrence] = []
    shown = [code for code in reasons.codes if not _KINDS[code].is_by_pool_size]
    for code in shown:
        found: dict[bool, dict[int, Span]] = defaultdict(dict)
        for row in filter(spans.__contains__, reasons.rows(code)):
            found[endings[reasons.previous[row]] == _ANNOUNCED][row] = spans[row]
        for is_announced, its in found.items():
            by_ending[is_announced] |= its
            recurring += _recurrences(arm, _KINDS[code], its, is_announced=is_announced)
    hits = [span for its in by_ending.values() for span in its.values()]
    sizes = incidents(hits)
    return Occurrences(
        hits=len(hits),
        chances=max(arm.sent, len(hits) + first_uses),
        incidents=len(sizes),
        first_uses=first_uses,
        lasts=lasts(arm, sizes, ever_well=ever_kept),
        by_ending={ending: len(incidents(its.values())) for ending, its in by_ending.items()},
        reasons=frozenset(shown),
        recurring=tuple(recurring),
    )


def _spans(arm: ArmSummary) -> tuple[dict[int, Span], bool]:
    """For each connection in the place of another: in which time that one was lost.

    From when a request was sent in that place after which the connection was still kept, to when
    one was sent that took the new connection. And whether any connection was ever kept.
    """
    reasons = arm.reasons
    exchanges, opened_s = reasons.run.exchanges, reasons.run.connections.opened_s
    first_s, last_s, kept_s = (array("d", [nan]) * len(opened_s) for _ in range(3))
    ever_kept = False
    rows = zip(exchanges.connection, exchanges.started_s, strict=True)
    for connection, started_s in compress(rows, exchanges.ended_of_arm(arm.label)):
        if connection == NONE:
            continue
        if isnan(first_s[connection]):
            first_s[connection] = started_s
        else:
            kept_s[connection], ever_kept = last_s[connection], True
        last_s[connection] = started_s
    spans: dict[int, Span] = {}
    for row in reasons:
        before = reasons.previous[row]
        if before != NONE:
            since_s = kept_s[before]
            if isnan(since_s):
                since_s = spans[before][0] if before in spans else opened_s[before]
            until_s = opened_s[row] if isnan(first_s[row]) else first_s[row]
            spans[row] = since_s, until_s
    return spans, ever_kept


def _recurrences(
    arm: ArmSummary, kind: ReasonKind, spans: Mapping[int, Span], *, is_announced: bool
) -> Iterator[Recurrence]:
    """How often a reason recurred, where it did: none, or one.

    By connections that lived one after the other, as those that lived at once may have ended by one
    event. A few will do where they ended after one number of responses that none exceeded.
    """
    if kind.recurs_after is None:
        return
    connections, previous = arm.reasons.run.connections, arm.reasons.previous
    carried, opened_s = connections.exchanges, connections.opened_s
    lives = {
        row: (min(since_s, opened_s[previous[row]]), until_s)
        for row, (since_s, until_s) in spans.items()
    }
    most = max(carried)
    full = incidents(life for row, life in lives.items() if carried[previous[row]] == most)
    least = min(kind.recurs_after, SEVERAL) if len(full) >= SEVERAL else kind.recurs_after
    found = len(incidents(lives.values()))
    if found >= least:
        yield Recurrence(kind.code, is_announced, found, least)
