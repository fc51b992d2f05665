"""What the client of a history can know: whether its record fits one explanation alone.

What the rules say is wrong or right by the truth alone. This only says whether they may say
nothing: where a rival explains all that was recorded as well, or where too little happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.histories.fits import COARSE, FEW, Fits
from support.histories.seen import TICK_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.histories.seen import End, Seen
    from support.histories.truth import Truth

_FORGET_S = 0.8
"""No path forgets sooner."""
_ENOUGH = 3
"""Events that show more than two coincidences do."""


def known_rows(seen: Seen, ended: Mapping[int, Truth]) -> set[int]:
    """The rows of the connections of which the client can know why they ended."""
    knows: dict[str, Callable[[End], bool]] = {}
    rows = set()
    for end in seen.ends:
        for code in ended[end.row].right if end.row in ended else ():
            if code not in knows:
                knows[code] = _KNOWS.get(code, _says_so)(seen)
            if knows[code](end):
                rows.add(end.row)
    return rows


def _says_so(_seen: Seen) -> Callable[[End], bool]:
    """The record itself says it."""
    return lambda _: True


def _request_limit(seen: Seen) -> Callable[[End], bool]:
    """Two alike at least; not a pause that kills each, and neither an age nor an idle time."""
    fits, silent = Fits(seen, seen.silent), seen.silent
    is_known = fits.moments > 1 and fits.count and not fits.age
    found = is_known and (fits.has_idle_times or not fits.idle)
    longest_s = max(seen.survived_s, default=_FORGET_S)
    died = is_known and min(it.idle_s for it in silent) <= longest_s
    return lambda end: died if end.how == "died" else found


def _max_age(seen: Seen) -> Callable[[End], bool]:
    """One age of ends that have neither a number nor an idle time in common."""
    silent, announced = Fits(seen, seen.silent), Fits(seen, seen.announced)
    is_alone = silent.moments > 1 and not silent.silent_count and not silent.idle
    in_silence = is_alone and (
        silent.has_ages(0.05) or (silent.moments >= _ENOUGH and silent.has_ages(0.25))
    )
    # Numbers that differ by one have an age in common, whatever the age is.
    by_word = announced.moments >= _ENOUGH and announced.apart > 1 and announced.one_age
    by_word = by_word and announced.has_ages(0.25)
    return lambda end: by_word if end.how == "announced" else in_silence


def _idle_timeout(seen: Seen) -> Callable[[End], bool]:
    """Idle times that are alike, or that are longer than those that others survived."""
    fits, silent = Fits(seen, seen.silent), seen.silent
    is_alone = fits.moments > 1 and fits.idle and not (fits.silent_count or fits.age)
    found = tuple(it for it in silent if it.how == "found")
    if not is_alone:
        return lambda _: False
    if found and Fits(seen, found).has_idle_times:
        least_s, most_s = min(it.after.least for it in found), max(it.after.most for it in found)
        enough = fits.moments >= _ENOUGH or most_s <= 1.15 * least_s + 2 * TICK_S
        few_outlast = sum(it > most_s for it in seen.survived_s) <= FEW * len(found)
        # One that was overlooked may be closed for any cause.
        usual_s = COARSE * min(it.after.most for it in found)
        return lambda end: enough and few_outlast and end.after.least <= usual_s
    least_s = min(it.idle_s for it in silent)
    shorter = sum(it < least_s for it in seen.survived_s)
    is_apart = len(seen.survived_s) - shorter <= FEW * len(silent)
    enough = fits.moments >= _ENOUGH and shorter >= _ENOUGH
    return lambda _: is_apart and enough


def _stale_race(seen: Seen) -> Callable[[End], bool]:
    """The idle timeout is known by those that it closed unhurt, and no fresh one died."""
    found = sum(it.how == "found" for it in seen.silent)
    is_timeout, longest_s = _idle_timeout(seen), max(seen.survived_s, default=0.0)
    is_likely = found > 1 and not seen.fresh_died
    return lambda end: is_likely and end.idle_s >= longest_s and is_timeout(end)


def _recycled(seen: Seen) -> Callable[[End], bool]:
    """It was idle for less than several others survived, and nothing else fits all."""
    fits, survived_s = Fits(seen, seen.silent), sorted(seen.survived_s)
    is_left = not (fits.silent_count or fits.age or fits.idle) if seen.silent else True
    several_s = survived_s[-_ENOUGH] if len(survived_s) >= _ENOUGH else 0.0
    # Of a single one that was idle for longest, who knows?
    return lambda end: is_left and end.how == "found" and end.after.most < several_s


def _idle_drop(seen: Seen) -> Callable[[End], bool]:
    """All that were idle for longer than a time died, and none that wasn't, nor a fresh one."""
    fits, least_s = Fits(seen, seen.silent), min(it.idle_s for it in seen.silent)
    is_apart = least_s >= _FORGET_S and least_s > max(seen.survived_s, default=0.0)
    enough = fits.moments > 1 and len(seen.survived_s) > 1 and seen.fresh > 1
    is_known = is_apart and enough and not seen.fresh_died
    dropped, reset = is_known, is_known and not fits.count and not fits.age
    return lambda end: dropped if end.failure == "read-timeout" else reset


def _after_error(seen: Seen) -> Callable[[End], bool]:
    """Fresh ones died, too, or it was idle for less than others survived."""
    longest_s = max(seen.survived_s, default=0.0)
    is_limit = not seen.fresh_died and Fits(seen, seen.silent).count
    return lambda end: not is_limit and (seen.fresh_died > 0 or end.idle_s < longest_s)


def _error_response(seen: Seen) -> Callable[[End], bool]:
    """Other answers kept their connection."""
    return lambda _: seen.kept_after_good >= _ENOUGH


def _unread_request(seen: Seen) -> Callable[[End], bool]:
    """More than one ended so; of a request that died, anything may be said."""
    return lambda end: len(seen.ends) > 1 and end.how != "died"


_KNOWS: dict[str, Callable[[Seen], Callable[[End], bool]]] = {
    "request-limit": _request_limit,
    "max-age": _max_age,
    "idle-timeout": _idle_timeout,
    "stale-race": _stale_race,
    "recycled": _recycled,
    "idle-drop": _idle_drop,
    "after-error": _after_error,
    "error-response": _error_response,
    "unread-request": _unread_request,
}
"""By code: of which ends that can be known."""
