"""What the client of a history can know: whether its record fits one explanation alone.

What the rules say is wrong or right by the truth alone. This only says whether they may say
nothing: where a rival explains all that was recorded as well, or where too little happened.
"""

from __future__ import annotations

from itertools import compress
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.histories.truth import Truth

    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.results.run import Run

_TICK_S = 0.012
"""What the coarsest clock of Linux may be wrong by, and a little more."""
_AT_ONCE_S = 0.005
"""A close may come so long after the answer that it belongs to."""
_COARSE = 2.2
"""The latest close of an idle timeout that is looked at now and then, as a share of the first."""
_FEW = 0.25
"""The share of closes, or of pauses, that may be otherwise by chance."""
_SHORTEST_AGE_S = 0.4
_FORGET_S = 0.8
"""No path forgets that soon."""


class Span(NamedTuple):
    """The bounds of a time, in seconds."""

    least: float
    most: float


class End(NamedTuple):
    """How a connection ended, as far as the client can tell."""

    row: int
    served: int
    how: str
    """`announced`, `found` or `died`."""
    failure: str | None
    idle_s: float
    """Before it was found so, or before the request under which it died."""
    after: Span
    """After its last answer."""
    age: Span


class Seen(NamedTuple):
    """What an arm's client recorded."""

    ends: tuple[End, ...]
    survived_s: tuple[float, ...]
    """Pauses after which a connection was used again."""
    used_at_s: float
    """The oldest age at which a connection carried an answer."""
    most_served: int
    """By any connection of the run."""
    fresh: int
    """First requests on connections that were answered, of all arms."""
    fresh_died: int
    kept_after_good: int
    """Answers below 400 that announced no close."""

    @property
    def silent(self) -> tuple[End, ...]:
        """Those that ended without a word."""
        return tuple(it for it in self.ends if it.how != "announced")

    @property
    def announced(self) -> tuple[End, ...]:
        """The others."""
        return tuple(it for it in self.ends if it.how == "announced")


def seen_by(run: Run, arm: Arm) -> Seen:
    """Gather what an arm's client recorded, from one pass over the run."""
    exchanges, connections = run.exchanges, run.connections
    free_since: dict[int, float] = {}
    ages: dict[int, Span] = {}
    died: dict[int, tuple[str, float, float]] = {}
    survived, used_at_s, fresh, fresh_died, kept = [], 0.0, 0, 0, 0
    number = exchanges.arms.index(arm.label)
    for row in range(len(exchanges)):
        on, began_s = exchanges.connection[row], exchanges.began_s[row]
        until_s, is_own = began_s + exchanges.latency_s[row], exchanges.arm[row] == number
        if exchanges.failure[row] != NONE:
            fresh_died += on not in free_since
            failure = exchanges.failures.values[exchanges.failure[row]].kind
            idle_s = began_s - free_since[on] if on in free_since else 0.0
            died[on] = failure, idle_s, exchanges.latency_s[row]
            continue
        fresh += on not in free_since
        if is_own:
            if on in free_since:
                survived.append(began_s - free_since[on])
            age_s = until_s - connections.opened_s[on]
            ages[on] = Span(ages[on].most if on in ages else 0.0, age_s)
            used_at_s = max(used_at_s, age_s)
            answer = exchanges.answers.value(exchanges.answer[row])
            kept += exchanges.status[row] < 400 and answer is not None and not answer.connection
        free_since[on] = until_s
    ends = []
    for on in compress(range(len(connections)), connections.of_arm(arm.label)):
        ending = connections.ending_of(on)
        if ending is None:
            continue
        served, until = connections.exchanges[on], ages.get(on, Span(0.0, 0.0))
        if ending.kind == "announced":
            ends.append(End(on, served, "announced", None, 0.0, Span(0.0, 0.0), until))
            continue
        failure = None
        if ending.kind == "failed":
            failure, idle_s, took_s = died[on]
            after = Span(max(0.0, idle_s - 2 * _rtt_s(run, on)), idle_s + took_s)
        else:
            idle_s, after_s = ending.idle_s or 0.0, ending.after_s
            after = (
                Span(0.0, idle_s)
                if after_s is None
                else Span(max(0.0, after_s - _TICK_S), after_s + _TICK_S)
            )
        age = Span(until.most + after.least, until.most + after.most)
        how = "died" if ending.kind == "failed" else "found"
        ends.append(End(on, served, how, failure, idle_s, after, age))
    most_served = max(connections.exchanges, default=0)
    return Seen(
        tuple(ends), tuple(survived), used_at_s, most_served, fresh, fresh_died, kept
    )


def _rtt_s(run: Run, row: int) -> float:
    rtt_s = run.connections.min_rtt_s[row]
    return 0.05 if isnan(rtt_s) else rtt_s


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
    last_s = max(_COARSE * first_s, first_s + 2 * _TICK_S)
    within = [it for it in ends if it.after.least <= last_s]
    outlast = sum(it > last_s for it in seen.survived_s)
    at_once = max(it.after.most for it in ends) <= _AT_ONCE_S + 2 * _TICK_S
    few = _FEW * len(ends)
    return not at_once and len(ends) - len(within) <= few and outlast <= max(1, few)


def _are_timed(ends: Sequence[End], of: Callable[[End], Span], share: float) -> bool:
    """Whether each time is known well."""
    return all(of(it).most - of(it).least <= max(4 * _TICK_S, share * of(it).most) for it in ends)


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
        return is_usual and (len(ends) > 2 or most <= 1.15 * least + 2 * _TICK_S)
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
        and any(_KNOWS[code](seen, end) if code in _KNOWS else True for code in ended[end.row].right)
    }
