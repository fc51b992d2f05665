"""How old a connection gets though it is in use, and how many requests it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.probe.probed import Lifetime, RequestLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.probe.record import Seen

_OF_TIMEOUT = 0.9
"""A connection that had been idle for such a part of the idle timeout was ended by that."""


class _End(NamedTuple):
    """Between which ages a connection in use ended."""

    after_s: float
    until_s: float
    requests: int
    announced: bool


def lifetime_of(seen: Sequence[Seen], idle_timeout_s: float | None) -> Lifetime | None:
    """What connections in use come to; `None`: there were none.

    They are used in different rhythms. What ends them at one age is a lifetime, where none of them
    got older; what ends them after as many requests isn't, and neither is what ends one of them
    alone, if that has carried the most.
    """
    used = [it for it in seen if it.part == "age" and it.answered]
    if not used:
        return None
    ends = [end for it in used if (end := _end_of(it, idle_timeout_s)) is not None]
    lasting = [it for it in used if _end_of(it, idle_timeout_s) is None]
    none = Lifetime(
        None,
        None,
        announced=False,
        looked_s=max(map(_kept_s, used)),
        requests=sum(it.requests for it in used),
        ended=len(ends),
    )
    counts = {it.requests for it in ends}
    if len(ends) > 1 and len(counts) == 1:
        return none._replace(by_requests=counts.pop())
    if not ends or not _agree(ends):
        return none
    least_s, most_s = max(it.after_s for it in ends), min(it.until_s for it in ends)
    is_outlived = max(map(_kept_s, lasting), default=0.0) > most_s
    is_alone = len(ends) == 1 and (
        not ends[0].announced or max(counts) >= max((it.carried for it in lasting), default=0)
    )
    if is_outlived or is_alone:
        return none
    announced = all(it.announced for it in ends)
    return none._replace(least_s=least_s, most_s=most_s, announced=announced)


def _agree(ends: Sequence[_End]) -> bool:
    """Whether there is one age at which all of them can have ended."""
    return max(it.after_s for it in ends) <= min(it.until_s for it in ends)


def _end_of(it: Seen, idle_timeout_s: float | None) -> _End | None:
    """How a connection in use ended; `None`: it didn't, or because it was idle."""
    last, kept_s, opened_s = it.exchanges[-1], _kept_s(it), it.opened_s or 0.0
    if last.failure is not None:
        return _End(kept_s, last.began_s - opened_s, it.carried, announced=False)
    if it.closes:
        ended_s = last.began_s + last.latency_s - opened_s
        return _End(kept_s, ended_s, it.carried, announced=True)
    if it.ended is None:
        return None
    if idle_timeout_s is not None and it.ended.idle_s >= _OF_TIMEOUT * idle_timeout_s:
        return None
    return _End(kept_s, it.age_s, it.carried, announced=False)


def _kept_s(it: Seen) -> float:
    """The age at which it was last asked for something, and kept after that."""
    kept = [each for each in it.answered if not each.closes]
    return kept[-1].began_s - (it.opened_s or 0.0) if kept else 0.0


def request_limit_of(seen: Sequence[Seen], asked: int | None) -> RequestLimit | None:
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
    if not _has_ended(first):
        return none
    confirmed = any(it.carried == carried and _has_ended(it) for it in others)
    if confirmed or (announced and not others):
        return RequestLimit(carried, announced=announced, confirmed=confirmed, looked=carried)
    return none._replace(ended=carried)


def _has_ended(it: Seen) -> bool:
    return it.closes or it.ended is not None or it.exchanges[-1].failure is not None
