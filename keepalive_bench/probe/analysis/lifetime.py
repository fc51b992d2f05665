"""How old a connection gets though it is in use, and how many requests it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.probe.probed import Lifetime, RequestLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.probe.record import Exchanged, Seen

_OF_TIMEOUT = 0.9
"""A connection that had been idle for such a part of the idle timeout was ended by that."""
_IN_USE = ("age", "reused", "narrowed", "requests")
"""Parts whose connections carry several requests."""


class _Use(NamedTuple):
    """What became of a connection in use."""

    part: str
    kept: int
    """After how many responses it was kept."""
    kept_s: float
    """At which age the last of these requests was sent."""
    ended_s: float | None
    """At which age it had ended; `None`: it didn't, or it was idle for too long."""
    announced: bool


def lifetime_of(seen: Sequence[Seen], idle_timeout_s: float | None) -> Lifetime | None:
    """What connections in use come to; `None`: there were none.

    They are used in different rhythms. What ends them at one age is a lifetime, where no connection
    was kept for longer, whatever it was for; what ends them after as many requests isn't, and
    neither is what ends one of them.
    """
    uses = [_use_of(it, idle_timeout_s) for it in seen if it.part in _IN_USE and it.answered]
    aged = [it for it in uses if it.part == "age"]
    if not aged:
        return None
    own = [it for it in aged if it.ended_s is not None]
    none = Lifetime(
        None,
        None,
        announced=False,
        looked_s=max(it.kept_s for it in aged),
        requests=sum(it.requests for it in seen if it.part == "age"),
        ended=len(own),
    )
    announced = bool(own) and all(it.announced for it in own)
    if len(own) < (1 if announced else 2):  # that may be chance
        return none
    if _is_count(uses):
        return none._replace(by_requests=own[0].kept + announced)
    least_s = max(it.kept_s for it in uses)
    most_s = min((it.ended_s for it in uses if it.ended_s and it.part != "requests"), default=0.0)
    if least_s > most_s:
        return none
    return none._replace(least_s=least_s, most_s=most_s, announced=announced)


def _is_count(uses: Sequence[_Use]) -> bool:
    """Whether a limit of requests can have ended all that had many of them."""
    ended = {it.kept for it in uses if it.ended_s is not None and it.part in {"age", "requests"}}
    return ended == {max(it.kept for it in uses)}


def _use_of(it: Seen, idle_timeout_s: float | None) -> _Use:
    kept = [each for each in it.answered if not each.closes]
    kept_s = max((each.began_s - (it.opened_s or 0.0) for each in kept), default=0.0)
    return _Use(it.part, it.carried - it.closes, kept_s, _ended_s(it, idle_timeout_s), it.closes)


def _ended_s(it: Seen, idle_timeout_s: float | None) -> float | None:
    """At which age it had ended, if it was its use that ended it."""
    last = it.exchanges[-1]
    if it.closes:
        return _age(it, last)
    if it.part not in {"age", "requests"}:
        return None  # it was idle for some time
    if last.failure is not None:  # it was gone when the request came
        return last.began_s - (it.opened_s or 0.0)
    if it.ended is None:
        return None
    was_idle = idle_timeout_s is not None and it.ended.idle_s >= _OF_TIMEOUT * idle_timeout_s
    return None if was_idle else it.age_s


def _age(it: Seen, exchanged: Exchanged) -> float:
    """How old a connection was when an exchange on it was over."""
    return exchanged.began_s + exchanged.latency_s - (it.opened_s or 0.0)


def request_limit_of(
    seen: Sequence[Seen], asked: int | None, lifetime: Lifetime | None
) -> RequestLimit | None:
    """After how many requests a connection is closed; `None`: it wasn't looked for.

    Once is no proof, unless it was announced: connections end for other reasons, too.
    """
    scanned = [it for it in seen if it.part == "requests" and it.answered]
    if asked is None or not scanned:
        return None
    first, *others = scanned
    carried, announced = first.carried, first.closes
    none = RequestLimit(
        None, announced=False, confirmed=False, looked=max(it.carried for it in scanned)
    )
    if not _has_ended(first) or _is_old(first, lifetime):
        return none
    others = [it for it in others if _has_ended(it) or it.carried > carried]  # who tell something
    confirmed = any(it.carried == carried for it in others)
    if confirmed or (announced and not others):
        return RequestLimit(carried, announced=announced, confirmed=confirmed, looked=carried)
    return none._replace(ended=carried)


def _has_ended(it: Seen) -> bool:
    """Whether it wasn't just stopped early."""
    return it.closes or it.ended is not None or it.exchanges[-1].failure is not None


def _is_old(it: Seen, lifetime: Lifetime | None) -> bool:
    """Whether its age may have ended it."""
    least_s = None if lifetime is None else lifetime.least_s
    return least_s is not None and _age(it, it.exchanges[-1]) >= least_s
