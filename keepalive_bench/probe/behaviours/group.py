"""A group of behaviours, and what shows whether a connection was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.lives import AT_ONCE_S
from keepalive_bench.probe.lives import Ask
from keepalive_bench.probe.probed import Behaviour
from keepalive_bench.results.failure_kinds import CLOSED_BEFORE_RESPONSE, RESET
from keepalive_bench.units import clipped, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.record import EndKind, Exchanged, Seen

AGAIN = Ask(idle_s=0.5)
"""The proof that a connection was kept: it answers once more, after the time that a close takes."""
_ENDS: dict[EndKind, str] = {
    "fin": "closes the connection",
    "close-notify": "closes the connection",
    "rst": "resets the connection",
    "408": "ends the connection with a 408",
    "data": "sends unsolicited data",
}
_CLOSED: set[EndKind] = {"fin", "close-notify"}
_GONE = {RESET.code, CLOSED_BEFORE_RESPONSE.code}


class Group(NamedTuple):
    """Something to try, on a connection or several."""

    name: str
    opens: Callable[[ProbePlan], Iterator[Life]]
    """The connections, one after the other; what each is named says what it was."""
    told: Callable[[str, list[Seen]], Iterator[Behaviour]]
    """What came of those of one name."""


class Kept(NamedTuple):
    """Whether a connection was kept after a response, and how that showed."""

    text: str
    """What the server does then, as the end of a sentence about it: `and …`."""
    keeps: bool | None


def kept_after(seen: Seen, answered: int = 1) -> Kept:
    """What became of a connection after so many responses.

    It was kept where another request was answered on it, and not where it was seen to end, or was
    announced to; a failure that may have other causes tells nothing.
    """
    last, later = seen.exchanges[answered - 1], seen.exchanges[answered:]
    if later:
        return _reused(later[0])
    if seen.ended is not None:
        idle_s = seen.ended.idle_s
        when = "at once" if idle_s < AT_ONCE_S else f"{duration(idle_s)} later"
        announced = ", as announced" if last.closes and seen.ended.kind in _CLOSED else ""
        return Kept(f"{_ENDS[seen.ended.kind]} {when}{announced}", keeps=False)
    if last.closes:
        return Kept("announces the end of the connection, though it leaves it open", keeps=False)
    return Kept("then the probe was stopped", keeps=None)


def _reused(exchanged: Exchanged) -> Kept:
    failure = exchanged.failure
    if failure is None:
        return Kept("keeps the connection", keeps=True)
    if failure.kind in _GONE:
        return Kept("closes the connection when the next request comes", keeps=False)
    return Kept(f"gives no response to the next request on it ({failure.message})", keeps=None)


def unanswered(seen: Seen) -> str | None:
    """Why there is nothing to tell of a connection; `None`: its first request was answered."""
    if seen.failure is not None:
        return f"No connection could be opened ({seen.failure.message})."
    if not seen.exchanges:
        return "Nothing was asked: the probe was stopped."
    failure = seen.exchanges[0].failure
    return None if failure is None else f"There was no response ({failure.message})."


def answered(group: str, name: str, seen: Seen, what: str, requests: int = 1) -> Behaviour:
    """What came of a connection whose first requests were something, and the next one a proof."""
    if nothing := unanswered(seen):
        return Behaviour(group, name, None, nothing)
    kept = kept_after(seen, requests)
    response = response_text(seen.exchanges[0])
    return Behaviour(group, name, kept.keeps, f"Answers {what} with {response}, and {kept.text}.")


def response_text(exchanged: Exchanged) -> str:
    """`404 (nginx)`: the status, and who says that it is from."""
    named = None if exchanged.answer is None else exchanged.answer.server
    return f"{exchanged.status} ({clipped(named)})" if named else f"{exchanged.status}"
