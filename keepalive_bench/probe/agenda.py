"""Which connections a probe opens, and when: decided from what has been seen, without a clock.

Connections that are watched show when an end comes, without bisection. A path that forgets shows
only when a connection is reused: a ladder of reuses finds between which two idle times it is, and
rounds of several at once narrow that down.
"""

from __future__ import annotations

from math import ceil, floor, log2
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.lives import AT_ONCE_S
from keepalive_bench.probe.analysis.closings import idle_timeout_of
from keepalive_bench.probe.analysis.drops import bracket_of, is_narrow, silent_drop_of
from keepalive_bench.probe.behaviours import lives_of
from keepalive_bench.probe.lives import Ask, Life

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Part
    from keepalive_bench.probe.record import Seen

WATCHED, _RUNGS, _PER_ROUND, _ROUNDS = 5, 8, 6, 2
"""With all of them, 25 connections and 45 requests."""
_SHORTEST_RUNG_S, _LAST_STEP, _LARGEST_STEP = 1.0, 1.4, 2.6
"""The last rung is the longest idle time, at such a ratio to the one before; otherwise all steps
are equally large."""
_LONGER_S, _LONGER = 1.0, 0.03
"""Connections are watched for longer than the last rung: others show what closed that."""
_LEAST_PATIENCE_S, _MOST_PATIENCE_S, _TIMES_THE_FIRST = 3.0, 10.0, 10
"""How long the response to a reuse is waited for."""
_TWICE = 2
"""But so many times as long as the first one took."""
_APART_S = 0.23
"""How much later the next one is watched."""
_AFTERWARDS_S = 0.5
"""How much longer connections are watched that were reused."""
_AGE_PARTS = (20, 16, 13)
"""Connections in use send a request at every such part of the longest age: where they end at the
same number of requests, it is no age that ends them."""
_LEAST_PAUSE_S = 0.01
_MOST_PAUSES = 2
"""So many times these requests are sent at most, where an idle timeout shortens the pauses."""
_OF_TIMEOUT = 0.6
"""A pause is no longer than such a part of the idle timeout."""
_SCAN_S = 1.0
"""How long a request of those that look for a limit may take, on average: then no more are sent."""
_BELOW, _TRIPS_BELOW = 0.97, 2
"""A reuse shortly before the close is at such a part of the time, and so many round trips before:
it isn't to meet the close."""
_TRIED = 0.8
"""Where one was answered after such a part of it, no more are tried before the close."""


BEHAVIOURS = "behaviours"
"""What an extent's name begins with that is of a group of them."""


class State(NamedTuple):
    """What a probe has begun and seen so far."""

    now_s: float
    lives: tuple[Life, ...]
    """All that were begun."""
    seen: tuple[Seen, ...]
    """Each as it has been seen up to now."""
    running: frozenset[int]
    """Positions of those that aren't over."""

    def of(self, *parts: str) -> list[Seen]:
        """What was seen of some parts."""
        return [it for it in self.seen if it.part in parts]

    def has_done(self, part: str) -> bool:
        """Whether nothing runs that was begun for a part."""
        return all(self.lives[it].part != part for it in self.running)


class Extent(NamedTuple):
    """How much a probe does at most."""

    connections: int
    requests: int
    seconds: float


def ladder(max_idle_s: float) -> tuple[float, ...]:
    """Idle times after which connections are reused, each about twice the one before."""
    if max_idle_s < _LAST_STEP * _SHORTEST_RUNG_S:
        return (max_idle_s,)
    count = min(_RUNGS - 1, 1 + floor(log2(max_idle_s / (_LAST_STEP * _SHORTEST_RUNG_S))))
    ratio = 2.0
    if max_idle_s > _SHORTEST_RUNG_S * ratio ** (count - 1) * _LARGEST_STEP:
        ratio = (max_idle_s / _SHORTEST_RUNG_S) ** (1 / count)
    steps = (_SHORTEST_RUNG_S * ratio**number for number in range(count))
    return (*(float(f"{it:.3g}") for it in steps), max_idle_s)


def extent(plan: ProbePlan) -> dict[str, Extent]:
    """What each part does at most, by what it looks for; all but the last begin together."""
    asked, timeout_s = plan.probing, plan.network.timeout_s
    open_s = plan.network.connect_timeout_s or timeout_s
    rungs = len(ladder(asked.max_idle_s))
    patience_s = timeout_s  # of a server that is as slow as that
    begins_s = open_s + timeout_s  # when the first response came
    later_s = WATCHED * _APART_S
    idle_s = begins_s + later_s + open_s + timeout_s + _watched_s(asked.max_idle_s)
    round_s = open_s + timeout_s + asked.max_idle_s + patience_s
    narrowed = _ROUNDS * _PER_ROUND
    found = {
        "idle timeout": Extent(WATCHED, WATCHED, idle_s),
        "silent drop": Extent(rungs, 2 * rungs, idle_s + patience_s),
        "silent drop, narrowed down": Extent(
            narrowed, 2 * narrowed, idle_s + patience_s + _ROUNDS * round_s
        ),
    }
    if asked.max_age_s is not None:
        requests = sum(1 + _MOST_PAUSES * parts for parts in _AGE_PARTS)
        pause_s = asked.max_age_s / min(_AGE_PARTS)
        seconds = idle_s + open_s + asked.max_age_s + pause_s + timeout_s
        found["lifetime"] = Extent(len(_AGE_PARTS), requests, seconds)
    if asked.scan_requests is not None:
        seconds = begins_s + 2 * open_s + _SCAN_S * asked.scan_requests
        found["request limit"] = Extent(2, asked.scan_requests, seconds)
    until_s = begins_s
    for group, lives in lives_of(plan).items():
        requests = sum(ask.times for it in lives for ask in it.asks)
        until_s += sum(it.longest_s(open_s, timeout_s) for it in lives)
        found[f"{BEHAVIOURS}: {group}"] = Extent(len(lives), requests, until_s)
    return found


def next_lives(plan: ProbePlan, state: State) -> tuple[Life, ...]:
    """The connections to open now.

    The first one shows whether there is anything to watch.
    """
    if not state.lives:
        return (_watched(plan),)
    first = state.seen[0]
    if not first.answered:
        return ()
    return tuple(_next(plan, state, first))


def is_over(state: State) -> bool:
    """Whether nothing lives, and nothing is due later."""
    is_begun = bool(state.lives) and bool(state.seen[0].answered)
    return not state.running and not (is_begun and len(state.of("watched")) < WATCHED)


def needless(plan: ProbePlan, state: State) -> Iterator[int]:
    """Connections that needn't live any longer: they have told what they were opened for.

    What was reused is watched as long as others are, and a little longer: where it ends when they
    do, though it was idle for less, no idle timeout ended them.
    """
    running = {it: state.seen[it] for it in state.running}
    most_s = plan.probing.max_age_s
    yield from (
        number
        for number, it in running.items()
        if it.part == "age" and most_s is not None and it.age_s >= most_s
    )
    scanned = [it.opened_s for it in state.of("requests") if it.opened_s is not None]
    if scanned and state.now_s > scanned[0] + _SCAN_S * (plan.probing.scan_requests or 0):
        yield from (number for number, it in running.items() if it.part == "requests")
    others = state.of("watched")
    ends = (it.opened_s + it.age_s for it in others if it.opened_s is not None)
    if state.has_done("watched") and state.now_s >= max(ends, default=0.0) + _AFTERWARDS_S:
        yield from (
            number for number, it in running.items() if it.part == "reused" and len(it.answered) > 1
        )


def _next(plan: ProbePlan, state: State, first: Seen) -> Iterator[Life]:
    asked = plan.probing
    yield from _watching(plan, state, first)
    if not state.of("reused") and _is_kept(state):
        yield from (_reused("reused", it, plan, first) for it in ladder(asked.max_idle_s))
    yield from _narrowed(plan, state, first)
    if asked.scan_requests is not None:
        yield from _scanning(asked.scan_requests, state)
    if asked.max_age_s is not None and not state.of("age"):
        yield from _aging(asked.max_age_s, state, plan)
    yield from _behaving(plan, state)


def _watched(plan: ProbePlan) -> Life:
    return Life("watched", (Ask(),), watch_s=_watched_s(plan.probing.max_idle_s))


def _watched_s(most_s: float) -> float:
    return most_s + max(min(_LONGER_S, most_s), _LONGER * most_s)


def _watching(plan: ProbePlan, state: State, first: Seen) -> Iterator[Life]:
    """The next one that is due: a little later each, as a server's timer may be coarse."""
    answered = first.answered[0]
    since_s = state.now_s - answered.began_s - answered.latency_s
    apart_s = min(_APART_S, plan.probing.max_idle_s / WATCHED)
    due = min(WATCHED, 1 + floor(since_s / apart_s))
    yield from (_watched(plan) for _ in range(len(state.of("watched")), due))


def _is_kept(state: State) -> bool:
    """Whether a connection is kept after its first response."""
    return any(
        not it.closes and it.idle_until(state.now_s) > AT_ONCE_S for it in state.of("watched")
    )


def _reused(part: Part, idle_s: float, plan: ProbePlan, first: Seen) -> Life:
    usual_s = max(it.latency_s for it in first.answered)
    patience_s = min(max(_LEAST_PATIENCE_S, _TIMES_THE_FIRST * usual_s), _MOST_PATIENCE_S)
    patience_s = max(patience_s, _TWICE * usual_s)
    asks = (Ask(), Ask(idle_s=idle_s))
    left_s = _watched_s(plan.probing.max_idle_s) - idle_s if part == "reused" else 0.0
    return Life(part, asks, watch_s=left_s, patience_s=min(patience_s, plan.network.timeout_s))


def _narrowed(plan: ProbePlan, state: State, first: Seen) -> Iterator[Life]:
    """The next round between the longest idle time that is answered and the shortest that isn't.

    The last of a round repeats that: a death that happens once is no proof. Where none has died,
    the first round is before the close, as far as no reuse was tried there.
    """
    begun = len(state.of("narrowed"))
    if not state.has_done("narrowed") or begun >= _ROUNDS * _PER_ROUND:
        return
    bracket = bracket_of(state.seen, state.now_s)
    if bracket is not None and begun and is_narrow(bracket):
        return
    if bracket is None and not begun and state.has_done("watched") and state.has_done("reused"):
        bracket = _untried(plan, state)
    if bracket is None:
        return
    low, high = bracket
    for number in range(1, _PER_ROUND + 1):
        yield _reused("narrowed", low + (high - low) * number / _PER_ROUND, plan, first)


def _untried(plan: ProbePlan, state: State) -> tuple[float, float] | None:
    """Between the longest idle time that was answered and a close; `None`: that is short."""
    timeout = idle_timeout_of(state.seen, plan.probing.max_idle_s)
    if timeout.least_s is None or timeout.together:
        return None
    low = silent_drop_of(state.seen, state.now_s).answered_s
    trip_s = max((it.connect_s or 0.0 for it in state.of("watched")), default=0.0)
    high = _BELOW * timeout.least_s - _TRIPS_BELOW * trip_s
    return (low, high) if low < _TRIED * high else None


def _scanning(most: int, state: State) -> Iterator[Life]:
    """One connection with many requests; a second one, where the first ended early enough."""
    scanned = state.of("requests")
    if not scanned:
        yield Life("requests", (Ask(),) * most)
    elif len(scanned) == 1 and state.has_done("requests"):
        carried = scanned[0].carried
        left = most - scanned[0].requests
        if 0 < carried <= left:
            yield Life("requests", (Ask(),) * min(carried + 1, left))


def age_lives(max_age_s: float, most_idle_s: float | None = None) -> tuple[Life, ...]:
    """Connections in use, each with pauses of its own.

    `most_idle_s`: the longest pause that they survive for sure.
    """
    longest_s = max_age_s / min(_AGE_PARTS)
    if most_idle_s is not None:
        longest_s = min(longest_s, max(most_idle_s, _LEAST_PAUSE_S))
    lives = []
    for parts in _AGE_PARTS:
        pause_s = longest_s * min(_AGE_PARTS) / parts
        count = min(ceil(max_age_s / pause_s), _MOST_PAUSES * parts)
        lives.append(Life("age", (Ask(), *(Ask(idle_s=pause_s) for _ in range(count)))))
    return tuple(lives)


def _aging(max_age_s: float, state: State, plan: ProbePlan) -> Iterator[Life]:
    """As soon as a reuse was answered after the longest pause; or what was answered is a pause."""
    answered_s = silent_drop_of(state.seen, state.now_s).answered_s
    timeout_s = idle_timeout_of(state.seen, plan.probing.max_idle_s).least_s
    if timeout_s is None and answered_s >= max_age_s / min(_AGE_PARTS):
        yield from age_lives(max_age_s)
    elif state.has_done("watched") and state.has_done("reused"):
        known = [answered_s, _OF_TIMEOUT * timeout_s] if timeout_s else [answered_s]
        yield from age_lives(max_age_s, min(filter(None, known), default=None))


def _behaving(plan: ProbePlan, state: State) -> Iterator[Life]:
    """One after the other, as some take up what others left."""
    if not state.has_done("behaviour"):
        return
    wanted: Sequence[Life] = [it for lives in lives_of(plan).values() for it in lives]
    begun = len(state.of("behaviour"))
    yield from wanted[begun : begun + 1]
