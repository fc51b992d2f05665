"""After which idle time a connection is lost without notice: a reuse finds it dead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.probe.analysis.closings import closings_of
from keepalive_bench.probe.probed import SilentDrop
from keepalive_bench.results.failure_kinds import (
    CLOSED_BEFORE_RESPONSE,
    DEADLINE,
    READ_TIMEOUT,
    RESET,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.probe.probed import DeathKind
    from keepalive_bench.probe.record import Exchanged, Seen

_PROOF = 2
"""Deaths that prove that connections are lost."""
_NARROW = 0.05
"""A bracket that is no wider, of its upper end, is narrow enough."""
_AT_LEAST_S, _PART, _ROUND_TRIPS = 0.25, 0.02, 2
"""By how much a close may come later than a reuse that met it."""
_HALF = 2
_FEW = 3
"""So many times more deaths than answers there must be, of what was idle for longer."""
_HOW: dict[str, DeathKind] = {
    READ_TIMEOUT.code: "silence",
    DEADLINE.code: "silence",
    RESET.code: "rst",
    CLOSED_BEFORE_RESPONSE.code: "fin",
}
"""What a reuse is met with, by the failure."""


def silent_drop_of(seen: Sequence[Seen], now_s: float) -> SilentDrop:
    """After which idle time reuses died though no end had been seen.

    It takes two deaths of a kind, as one may be chance; new connections that are answered
    meanwhile, as everything may be down; and none that was idle for longer and is answered all the
    same, but where not even the peer's system acknowledged a request.
    """
    deaths = [*_deaths(seen, now_s)]
    answered = _answered(seen)
    first = min(deaths, key=lambda it: it.idle_s or 0.0, default=None)
    none = SilentDrop(
        max(answered, default=0.0),
        None,
        _how(first),
        None,
        len(deaths),
        len([*_reuses(seen)]),
    )
    kinds = Counter(map(_how, deaths))
    deaths = [it for it in deaths if kinds[_how(it)] >= _PROOF]
    if not deaths or not answered or not _others_are_answered(seen, deaths):
        return none
    low_s, died_s = _between(answered, deaths)
    unheard = _unacknowledged(deaths)
    margin_s = min(_AT_LEAST_S, _NARROW * died_s)
    later = sum(it > died_s + margin_s for it in answered)
    if later > (len(deaths) / _FEW if unheard else 0):
        return none
    return none._replace(
        answered_s=low_s,
        died_s=died_s,
        how=_how(min(deaths, key=lambda it: it.idle_s or 0.0)),
        unacknowledged=unheard,
        deaths=len(deaths),
    )


def bracket_of(seen: Sequence[Seen], now_s: float) -> tuple[float, float] | None:
    """Between which idle times reuses begin to die; `None`: none has died."""
    deaths = [*_deaths(seen, now_s)]
    return _between(_answered(seen), deaths) if deaths else None


def is_narrow(bracket: tuple[float, float]) -> bool:
    """Whether a bracket is as narrow as is wanted."""
    low, high = bracket
    return high - low <= _NARROW * high


def are_others_lost(seen: Sequence[Seen], now_s: float) -> bool:
    """Whether new connections weren't answered either, at the time when reuses died."""
    deaths = [*_deaths(seen, now_s)]
    return bool(deaths) and not _others_are_answered(seen, deaths)


def met_closing(seen: Sequence[Seen], now_s: float) -> int:
    """How many reuses met a close that was on its way."""
    deaths = [*_deaths(seen, now_s)]
    return sum(
        it.failure is not None and it.failure.kind in _HOW and it not in deaths
        for it, _ in _reuses(seen)
    )


def _others_are_answered(seen: Sequence[Seen], deaths: Sequence[Exchanged]) -> bool:
    """Whether most connections were answered that were opened when reuses had begun to die."""
    since_s = min(it.began_s for it in deaths)
    later = [
        it
        for it in seen
        if it.failure is not None or (it.exchanges and it.exchanges[0].began_s > since_s)
        if it.part in {"narrowed", "age", "requests", "behaviour"}
    ]
    return _HALF * sum(bool(it.answered) for it in later) > len(later)


def _between(answered: Sequence[float], deaths: Sequence[Exchanged]) -> tuple[float, float]:
    died_s = min(it.idle_s or 0.0 for it in deaths)
    return max((it for it in answered if it < died_s), default=0.0), died_s


def _answered(seen: Sequence[Seen]) -> list[float]:
    return [it.idle_s for it, _ in _reuses(seen) if it.failure is None and it.idle_s]


def _unacknowledged(deaths: Sequence[Exchanged]) -> bool | None:
    told = [it.acknowledged for it in deaths if it.acknowledged is not None]
    return None if not told else not any(told)


def _how(death: Exchanged | None) -> DeathKind:
    return "" if death is None or death.failure is None else _HOW[death.failure.kind]


def _reuses(seen: Iterable[Seen]) -> Iterator[tuple[Exchanged, Seen]]:
    """Requests on connections that had been idle, with the connections."""
    for it in seen:
        if it.part in {"reused", "narrowed"}:
            yield from ((each, it) for each in it.exchanges[1:])


def _deaths(seen: Sequence[Seen], now_s: float) -> Iterator[Exchanged]:
    """Reuses that got no response, and met no close that was on its way.

    A reset, or the end of the stream, may be the answer to a request that came right behind a
    close; then others see that soon after. So it counts only when others have been idle for longer,
    and were open.
    """
    closings = closings_of(seen)
    for it, connection in _reuses(seen):
        how = None if it.failure is None else _HOW.get(it.failure.kind)
        if how == "silence":
            yield it
        elif how is not None:
            idle_s = it.idle_s or 0.0
            later_s = idle_s + _margin(idle_s, connection)
            is_race = any(time_s <= later_s for time_s, _ in closings)
            is_known = any(
                other.idle_until(now_s) > later_s for other in seen if other.part == "watched"
            )
            if not is_race and is_known:
                yield it


def _margin(idle_s: float, connection: Seen) -> float:
    trip_s = connection.round_trip_s or connection.connect_s or 0.0
    return max(_AT_LEAST_S, _PART * idle_s, _ROUND_TRIPS * trip_s)
