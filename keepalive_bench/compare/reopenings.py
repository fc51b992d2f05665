"""How often a pool's connections were opened again, by how many incidents, and what recurs."""

from __future__ import annotations

from array import array
from collections import defaultdict
from itertools import compress
from math import isnan, nan
from operator import add
from typing import TYPE_CHECKING

from keepalive_bench.compare.incidents import (
    Occurrences,
    Recurrence,
    at_once,
    incidents,
    lasts,
    since_well,
)
from keepalive_bench.connections.chance import SEVERAL
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    spans, ever_kept = _spans(arm)
    by_reason = {
        code: [row for row in arm.reasons.rows(code) if row in spans]
        for code in arm.reasons.codes
        if not _KINDS[code].is_by_pool_size
    }
    hits = [spans[row] for rows in by_reason.values() for row in rows]
    sizes, (by_ending, recurring) = incidents(hits), _ends(arm, by_reason, spans)
    return Occurrences(
        hits=len(hits),
        chances=max(arm.sent, len(hits) + first_uses),
        incidents=len(sizes),
        first_uses=first_uses,
        lasts=lasts(arm, sizes, ever_well=ever_kept),
        by_ending=by_ending,
        reasons=frozenset(code for code, rows in by_reason.items() if rows),
        recurring=recurring,
    )


def _ends(
    arm: ArmSummary, by_reason: Mapping[str, Sequence[int]], spans: Mapping[int, Span]
) -> tuple[dict[bool, int], tuple[Recurrence, ...]]:
    """How many ends no one event explains, announced or not; and which reasons recur.

    Connections that lived one after the other: those that lived at once may have ended by one.
    """
    connections, previous = arm.reasons.run.connections, arm.reasons.previous
    by_ending: dict[bool, list[Span]] = defaultdict(list)
    recurring, most = list[Recurrence](), max(connections.exchanges)
    for code, rows in by_reason.items():
        found: dict[bool, list[tuple[Span, bool]]] = defaultdict(list)
        for row in rows:
            before, (since_s, until_s) = previous[row], spans[row]
            life = min(since_s, connections.opened_s[before]), until_s
            is_full = connections.exchanges[before] == most
            found[connections.ending[before] == _ANNOUNCED].append((life, is_full))
        for is_announced, lives in found.items():
            by_ending[is_announced] += [life for life, _ in lives]
            recurrence = _recurrence(_KINDS[code], lives)
            if recurrence is not None:
                recurring.append(Recurrence(code, is_announced, *recurrence))
    return {it: len(incidents(lives)) for it, lives in by_ending.items()}, tuple(recurring)


def _recurrence(kind: ReasonKind, lives: Sequence[tuple[Span, bool]]) -> tuple[int, int] | None:
    """How often a reason recurred, and how many times show that; `None`: it didn't.

    A few will do where connections had carried one number of responses, which none exceeded.
    """
    if kind.recurs_after is None:
        return None
    full = incidents(life for life, is_full in lives if is_full)
    least = min(kind.recurs_after, SEVERAL) if len(full) >= SEVERAL else kind.recurs_after
    found = len(incidents(life for life, _ in lives))
    return (found, least) if found >= least else None


def _spans(arm: ArmSummary) -> tuple[dict[int, Span], bool]:
    """For each connection in the place of another, by row: in which time that one was lost.

    From when a request was sent in that place after which the connection was kept, or as many ago
    as there are connections at once, in whichever; to when one was sent that took the new one. And
    whether any connection was ever kept.
    """
    reasons, opened_s = arm.reasons, arm.reasons.run.connections.opened_s
    first_s, kept_s, kept = _uses(arm)
    spans: dict[int, Span] = {}
    for row in reasons:
        before = reasons.previous[row]
        if before != NONE:
            since_s = kept_s[before]
            if isnan(since_s):
                since_s = spans[before][0] if before in spans else opened_s[before]
            spans[row] = since_s, opened_s[row] if isnan(first_s[row]) else first_s[row]
    rows = sorted(spans, key=lambda row: spans[row][1])
    all_well_s = since_well([spans[row][1] for row in rows], zip(*kept, strict=True), at_once(arm))
    for row, well_s in zip(rows, all_well_s, strict=True):
        since_s, until_s = spans[row]
        spans[row] = min(since_s, well_s), until_s
    return spans, bool(kept[0])


def _uses(arm: ArmSummary) -> tuple[array[float], array[float], tuple[array[float], array[float]]]:
    """When the first request of each connection was sent, and the last after which it was kept.

    By row, NaN where there is none. And all of these last ones: when they were sent, and ended.
    """
    exchanges, count = arm.reasons.run.exchanges, len(arm.reasons.run.connections)
    first_s, kept_s, last_s, last_ended_s = (array("d", [nan]) * count for _ in range(4))
    kept = array("d"), array("d")
    until_s = map(add, exchanges.began_s, exchanges.latency_s)
    rows = zip(exchanges.connection, exchanges.started_s, until_s, strict=True)
    for connection, started_s, ended_s in compress(rows, exchanges.ended_of_arm(arm.label)):
        if connection == NONE:
            continue
        if isnan(first_s[connection]):
            first_s[connection] = started_s
        else:
            kept_s[connection] = last_s[connection]
            kept[0].append(last_s[connection])
            kept[1].append(last_ended_s[connection])
        last_s[connection], last_ended_s[connection] = started_s, ended_s
    return first_s, kept_s, kept
