"""After which idle time connections are closed, or by what else they end."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.connections.lives import AT_ONCE_S
from keepalive_bench.probe.probed import Closings, IdleTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from keepalive_bench.probe.probed import Together
    from keepalive_bench.probe.record import EndKind, Seen

_IDLE = ("watched", "reused", "narrowed")
"""Parts whose connections are idle up to their end, or their reuse."""
_SEVERAL = 2
"""Connections that prove something: what one does may be chance."""
_GAP_S, _GAP, _TIMES_THE_SPREAD = 0.5, 0.05, 3
"""Times that are farther apart than all of these aren't one timer's: a FIN that was lost comes 0.2
to 0.4 s later."""
_MOST_OF_ALL = 0.75
"""Where fewer than that are in groups, it is one coarse timer."""
_TOGETHER_S, _TOGETHER, _EARLY = 0.1, 0.01, 0.8
"""Ends that are no farther apart are together; what was idle for so small a part of others' time
was not ended by their timeout."""
_JUST_S, _VARIED_S = 0.05, 0.1
"""What ends so soon after another one was opened, after idle times that vary by more, made room
for it."""


def closings_of(seen: Iterable[Seen]) -> list[tuple[float, EndKind]]:
    """After which idle times connections were ended, the shortest first, and how.

    Not those whose response announced the end, that made room for others, or that were closed right
    after a reuse.
    """
    several = [*seen]
    evicted = evicted_of(several)
    found = [
        (it.ended.idle_s, it.ended.kind)
        for it in several
        if it.part in _IDLE and it.ended is not None and not it.closes
        if it not in evicted and not is_ended_by_reuse(it)
    ]
    return sorted(found)


def is_ended_by_reuse(it: Seen) -> bool:
    """Whether it was closed right after its second response: that is no matter of idle time."""
    return len(it.answered) > 1 and it.ended is not None and it.ended.idle_s <= AT_ONCE_S


def evicted_of(seen: Sequence[Seen]) -> list[Seen]:
    """Connections that ended just when others were opened, after whatever idle time."""
    opened = [it.opened_s for it in seen if it.opened_s is not None]
    found = [
        it
        for it in seen
        if it.part in _IDLE and it.ended is not None and not it.closes
        if any(0 <= _moment(it) - at_s <= _JUST_S for at_s in opened if at_s > (it.opened_s or 0.0))
    ]
    idle = [it.ended.idle_s for it in found if it.ended is not None]
    return found if len(found) >= _SEVERAL and max(idle) - min(idle) > _VARIED_S else []


def idle_timeout_of(seen: Sequence[Seen], looked_s: float, late_s: float = 0.0) -> IdleTimeout:
    """How long connections are kept.

    `looked_s`: how long they were watched at most, or were to be. `late_s`: by how much one server
    is known to close later at some times than at others.
    """
    closings = closings_of(seen)
    watched = [it for it in seen if it.part == "watched" and it.ended is None and not it.closes]
    if not closings:
        still = sum(it.watched_s > 0 for it in watched)
        reached_s = max((it.watched_s for it in watched), default=0.0)
        return IdleTimeout(None, None, None, 0, still, min(looked_s, reached_s))
    times = [idle_s for idle_s, _ in closings]
    together = _together(seen)
    groups = _grouped(closings, late_s)
    still_s = [it.watched_s for it in watched if it.watched_s > times[-1]]
    return IdleTimeout(
        times[0],
        times[-1],
        median(times),
        len(times),
        len(still_s),
        min(looked_s, *still_s) if still_s else times[-1],
        groups,
        backends_differ=not together and sum(it.connections > 1 for it in groups) > 1,
        together=together,
    )


def _together(seen: Sequence[Seen]) -> Together:
    """Whether connections ended at one moment, or age, also those that had been used before.

    A restart does the one, and a lifetime the other; whichever fits better. An idle timeout gives
    what was used as long again.
    """
    ways: dict[Together, float | None] = {
        "age": _spread_of(seen, lambda it: it.age_s),
        "moment": _spread_of(seen, _moment),
    }
    found = {way: spread_s for way, spread_s in ways.items() if spread_s is not None}
    return min(found, key=lambda way: found[way], default="")


def _spread_of(seen: Sequence[Seen], when: Callable[[Seen], float]) -> float | None:
    """How far ends are apart that are together, also of what was used; `None`: they aren't."""
    lasting = [it for it in seen if it.part in {"watched", "reused"} and not it.closes]
    used = [it for it in lasting if len(it.answered) > 1]
    ends = [it for it in lasting if len(it.answered) == 1 and it.ended is not None]
    if len(ends) < _SEVERAL:
        return None
    times = [when(it) for it in ends]
    at_s, off_s = median(times), max(_TOGETHER_S, _TOGETHER * median(times))
    shortest_s = min(it.ended.idle_s for it in ends if it.ended is not None)
    early = any(
        it.ended is not None
        and it.ended.idle_s < _EARLY * shortest_s
        and abs(when(it) - at_s) <= off_s
        for it in used
    )
    survived = any(it.ended is None and when(it) > at_s + off_s for it in used)
    spread_s = max(times) - min(times)
    return spread_s if early and not survived and spread_s <= 2 * off_s else None


def _moment(it: Seen) -> float:
    """When a connection ended, or was last seen."""
    return (it.opened_s or 0.0) + it.age_s


def _grouped(closings: Sequence[tuple[float, EndKind]], late_s: float) -> tuple[Closings, ...]:
    """Parted where the gap is much wider than what lies on either side of it."""
    parts = _parted(closings, late_s)
    if sum(len(it) for it in parts if len(it) > 1) < _MOST_OF_ALL * len(closings):
        parts = [closings]
    return tuple(_closings(it) for it in parts)


def _parted(
    closings: Sequence[tuple[float, EndKind]], late_s: float
) -> list[Sequence[tuple[float, EndKind]]]:
    gaps = [later[0] - it[0] for it, later in pairwise(closings)]
    if not gaps:
        return [closings]
    at = gaps.index(max(gaps)) + 1
    *before, left = _parted(closings[:at], late_s)
    right, *after = _parted(closings[at:], late_s)
    spread_s = max(it[-1][0] - it[0][0] for it in (left, right))
    if gaps[at - 1] <= max(_GAP_S, late_s, _GAP * right[0][0], _TIMES_THE_SPREAD * spread_s):
        return [closings]
    return [*before, left, right, *after]


def _closings(part: Sequence[tuple[float, EndKind]]) -> Closings:
    kinds: list[EndKind] = [kind for _, kind in part]
    return Closings(part[0][0], part[-1][0], len(part), max(kinds, key=kinds.count))


def is_closed_at_once(seen: Iterable[Seen]) -> bool:
    """Whether no connection of those that are watched is kept after its first response."""
    watched = [it for it in seen if it.part == "watched" and it.answered]
    return bool(watched) and all(map(_ends_at_once, watched))


def _ends_at_once(it: Seen) -> bool:
    return it.closes or (it.ended is not None and it.ended.idle_s <= AT_ONCE_S)
