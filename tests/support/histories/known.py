"""What the client of a history can know: whether its record fits one explanation alone.

What the rules say is wrong or right by the truth alone. This only says whether they may say
nothing: where a rival explains all that was recorded as well, or where too little happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.histories.seen import TICK_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.histories.seen import End, Seen, Span
    from support.histories.truth import Truth

_AT_ONCE_S = 0.005
"""A close may come so long after the answer that it belongs to."""
_COARSE = 2.2
"""The latest close of an idle timeout that is looked at now and then, as a share of the first."""
_FEW = 0.25
"""The share of closes, or of pauses, that may be otherwise by chance."""
_SHORTEST_AGE_S = 0.4
_FORGET_S = 0.8
"""No path forgets that soon."""


# Which explanations fit all ends.


def _fits_count(seen: Seen, ends: Sequence[End]) -> bool:
    counts = {it.served for it in ends}
    return len(counts) == 1 and seen.most_served <= max(counts)


def _fits_silent_count(seen: Seen, ends: Sequence[End]) -> bool:
    return _fits_count(seen, ends) and all(it.after.least <= _AT_ONCE_S for it in ends)


def _fits_age(seen: Seen, ends: Sequence[End]) -> bool:
    least, most = max(it.age.least for it in ends), min(it.age.most for it in ends)
    alike = least <= 1.05 * most + 0.03
    return alike and most >= _SHORTEST_AGE_S and seen.used_at_s <= 1.05 * most + 0.1


def _fits_idle(seen: Seen, ends: Sequence[End]) -> bool:
    """Most end within twice the shortest time, which few pauses outlast, and none ends at once."""
    first_s = min(it.after.most for it in ends)
    last_s = max(_COARSE * first_s, first_s + 2 * TICK_S)
    within = [it for it in ends if it.after.least <= last_s]
    outlast = sum(it > last_s for it in seen.survived_s)
    at_once = max(it.after.most for it in ends) <= _AT_ONCE_S + 2 * TICK_S
    few = _FEW * len(ends)
    return not at_once and len(ends) - len(within) <= few and outlast <= max(1, few)


def _are_timed(ends: Sequence[End], of: Callable[[End], Span], share: float) -> bool:
    """Whether each time is known well."""
    return all(of(it).most - of(it).least <= max(4 * TICK_S, share * of(it).most) for it in ends)


# What can be known, by the code that names it best.


def _knows_request_limit(seen: Seen, end: End) -> bool:
    ends = seen.silent
    if len(ends) < 2 or _fits_age(seen, ends):
        return False
    if end.how == "died":
        # With a pause before, it may be that which killed it.
        return min(it.idle_s for it in ends) <= max(seen.survived_s, default=_FORGET_S)
    is_timed = _are_timed(ends, lambda it: it.after, 0.0)
    return _fits_count(seen, ends) and (is_timed or not _fits_idle(seen, ends))


def _knows_age(seen: Seen, end: End) -> bool:
    if end.how == "announced":
        ends = seen.announced
        is_alone = _fits_age(seen, ends) and not _fits_count(seen, ends)
        return is_alone and len(ends) > 2 and _are_timed(ends, lambda it: it.age, 0.25)
    ends = seen.silent
    if len(ends) < 2 or _fits_silent_count(seen, ends) or _fits_idle(seen, ends):
        return False
    is_timed = _are_timed(ends, lambda it: it.age, 0.05)
    return is_timed or (len(ends) > 2 and _are_timed(ends, lambda it: it.age, 0.25))


def _knows_idle(seen: Seen, end: End) -> bool:
    ends = seen.silent
    if len(ends) < 2 or _fits_silent_count(seen, ends) or _fits_age(seen, ends):
        return False
    if not _fits_idle(seen, ends):
        return False
    found = [it for it in ends if it.how == "found"]
    if found and _are_timed(found, lambda it: it.after, 0.0):
        least, most = min(it.after.least for it in found), max(it.after.most for it in found)
        # One that was overlooked may be closed for any cause.
        is_usual = end.after.least <= _COARSE * min(it.after.most for it in found)
        return is_usual and (len(ends) > 2 or most <= 1.15 * least + 2 * TICK_S)
    least = min(it.idle_s for it in ends)
    shorter = sum(it < least for it in seen.survived_s)
    return len(ends) > 2 and shorter > 2 and len(seen.survived_s) - shorter <= _FEW * len(ends)


def _knows_race(seen: Seen, end: End) -> bool:
    found = [it for it in seen.ends if it.how == "found"]
    if len(found) < 2 or seen.fresh_died:
        return False
    return _knows_idle(seen, end) and end.idle_s >= max(seen.survived_s, default=0.0)


def _knows_recycled(seen: Seen, end: End) -> bool:
    if end.how != "found":
        return False
    ends = seen.silent
    if _fits_silent_count(seen, ends) or _fits_age(seen, ends) or _fits_idle(seen, ends):
        return False
    # Of a single one that was idle for longest, who knows?
    return end.after.most < max(seen.survived_s, default=0.0)


def _knows_drop(seen: Seen, end: End) -> bool:
    ends = seen.silent
    least = min(it.idle_s for it in ends)
    is_apart = least > max(seen.survived_s, default=0.0)
    enough = len(ends) > 1 and len(seen.survived_s) > 1 and seen.fresh > 1 and not seen.fresh_died
    if end.failure != "read-timeout":
        enough = enough and not _fits_count(seen, ends) and not _fits_age(seen, ends)
    return enough and is_apart and least >= _FORGET_S


def _knows_error(seen: Seen, end: End) -> bool:
    if _fits_count(seen, seen.silent) and not seen.fresh_died:
        return False
    return seen.fresh_died > 0 or end.idle_s < max(seen.survived_s, default=0.0)


def _knows_error_response(seen: Seen, _: End) -> bool:
    return seen.kept_after_good > 2


def _knows_unread(seen: Seen, _: End) -> bool:
    return len(seen.silent) > 1


_KNOWS: dict[str, Callable[[Seen, End], bool]] = {
    "request-limit": _knows_request_limit,
    "max-age": _knows_age,
    "idle-timeout": _knows_idle,
    "stale-race": _knows_race,
    "recycled": _knows_recycled,
    "idle-drop": _knows_drop,
    "after-error": _knows_error,
    "error-response": _knows_error_response,
    "unread-request": _knows_unread,
}
"""By code; what isn't there, the record itself says."""


def known_rows(seen: Seen, ended: Mapping[int, Truth]) -> set[int]:
    """The rows of the connections of which the client can know why they ended."""
    return {
        end.row
        for end in seen.ends
        if end.row in ended
        and any(
            _KNOWS[code](seen, end) if code in _KNOWS else True for code in ended[end.row].right
        )
    }
