"""Delayed acknowledgements: the 40 ms that make a connection in use slower than a fresh one."""

from __future__ import annotations

from array import array
from itertools import compress
from math import sqrt
from operator import add, eq, ne
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run

DELAYED_ACK = (0.03, 0.06)
"""Seconds: Linux holds an acknowledgement back for 40 ms (TCP_DELACK_MIN), timers add a few."""
_AT_ONCE_S = 0.01
_LEAST_REUSED = 5
_MOST, _NEARLY_ALL = 0.5, 0.9
_FEW = 0.2
_HARDLY_CHANCE = 3.09
"""Standard errors: chance alone exceeds them in one case of a thousand."""

_LATER = "on reused connections the {what} comes {later_s} late."
_FIRST_BYTE = _LATER.replace("{what}", "first byte")
_REST = _LATER.replace("{what}", "rest of the response")

NAGLE_BEHIND_PROXY = FindingKind(
    code="nagle-behind-proxy",
    title="Through the proxy, reused connections wait for a delayed ACK",
    who="client",
    evidence=("reused_s", "fastest_s"),
    text=f"Keep-alive hurts here: {_FIRST_BYTE} urllib3 leaves Nagle's algorithm on behind a "
    "proxy, so the request's body waits until its head is acknowledged, and that acknowledgement "
    "is delayed.",
    advice="--tcp-nodelay switches Nagle's algorithm off; in a program, "
    "socket_options=HTTPConnection.default_socket_options does.",
    provoked=Provoked(test="tests/findings/test_delay.py"),
)
KEEP_ALIVE_HURTS = FindingKind(
    code="keep-alive-hurts",
    title="On reused connections, responses come 40 ms late",
    who="server",
    evidence=("reused_s", "fastest_s"),
    proof="Nagle's algorithm holds the body back for a delayed acknowledgement.",
    text=f"Keep-alive hurts here: {_REST} The server writes head and body separately with Nagle's "
    "algorithm on, so the body waits until the client acknowledges the head, and clients delay "
    "that acknowledgement on a connection in use.",
    advice="Make the server write both at once, or set TCP_NODELAY there. If you can't change it, "
    "a client on Linux can set TCP_QUICKACK for each request.",
    cases={
        "--no-tcp-nodelay": Case(
            text=f"Keep-alive hurts here: {_FIRST_BYTE} --no-tcp-nodelay leaves Nagle's algorithm "
            "on, so the request's body waits until its head is acknowledged, and that "
            "acknowledgement is delayed.",
            advice="Leave --no-tcp-nodelay out.",
        ),
        "a late first byte": Case(
            text=f"Keep-alive hurts here: {_FIRST_BYTE} Nagle's algorithm with a delayed "
            "acknowledgement does that. kab's own connection has it off, so it may be on between a "
            "gateway and the server behind it.",
            advice="Set TCP_NODELAY at both ends of that connection.",
        ),
    },
    provoked=Provoked("URL -n 10", "--fault nagle"),
)


class _Delay(NamedTuple):
    """What comes late on reused connections, in seconds."""

    fastest_s: float
    reused_s: float
    in_body: bool
    """Whether that is the rest of the answer, from its first byte on, or else the first byte."""


def delay_findings(run: Run) -> Iterator[Finding]:
    """Nagle's algorithm with a delayed acknowledgement: on this side, at the server, or between."""
    delay = _delay(run)
    if delay is None:
        return
    network = run.plan.network
    kind, case = KEEP_ALIVE_HURTS, None
    if not delay.in_body:
        case = "--no-tcp-nodelay" if network.tcp_nodelay is False else "a late first byte"
        if network.proxy is not None and not network.tcp_nodelay:
            kind, case = NAGLE_BEHIND_PROXY, None
    yield kind.found(
        reused_s=delay.reused_s,
        fastest_s=delay.fastest_s,
        case=case,
        words={"later_s": delay.reused_s - delay.fastest_s},
    )


def _delay(run: Run) -> _Delay | None:
    """Where the first byte, or the rest of the answer, comes late on reused connections only."""
    exchanges = run.exchanges
    mask = bytes(map((0).__gt__, exchanges.failure))
    phases = {name: compress(column, mask) for name, column in exchanges.phases.items()}
    connect = array("f", phases["connect"])
    is_fresh = bytes(map(eq, connect, connect))  # what isn't a number equals nothing
    is_reused = bytes(map(ne, connect, connect))
    del connect
    # One after the other: of a million exchanges, each column is a copy that counts.
    for times, in_body in (
        (phases["receive"], True),
        (map(add, phases["send"], phases["wait"]), False),
    ):
        column = array("f", times)
        fresh, reused = pick(column, is_fresh), pick(column, is_reused)
        if fresh and len(reused) >= _LEAST_REUSED and _is_delayed(fresh, reused):
            fastest = min(min(fresh), min(reused))  # noqa: PLW3301  # of both copied into one
            return _Delay(fastest, median(reused), in_body)
    return None


def _is_delayed(fresh: array[float], reused: array[float]) -> bool:
    """The mark of a delayed acknowledgement, which a link or a server that takes 40 ms hasn't.

    A fresh connection is acknowledged at once at first, through a tunnel not for long. So most
    answers on reused connections come that much later than the fastest one, far fewer of those on
    fresh ones do, and few lie between the two, as those of a server would whose own time varies.
    """
    fastest = min(min(fresh), min(reused))  # noqa: PLW3301  # of both copied into one
    soon, low, high = (fastest + delay for delay in (_AT_ONCE_S, *DELAYED_ACK))
    late = _between(reused, low, high)
    if late < _MOST * len(reused):
        return False
    late_fresh = _between(fresh, low, high)
    if any(_between(values, soon, low) > _FEW * len(values) for values in (fresh, reused)):
        return False
    if late >= _NEARLY_ALL * len(reused) and not late_fresh:
        return True
    return _more_often(late, len(reused), late_fresh, len(fresh)) > _HARDLY_CHANCE


def _between(values: array[float], low: float, high: float) -> int:
    return sum(low <= value <= high for value in values)


def _more_often(one: int, of_one: int, other: int, of_other: int) -> float:
    """By how many standard errors one share is larger than another, if both are of one truth.

    The two-proportion test: J. L. Fleiss, B. Levin and M. C. Paik, "Statistical Methods for Rates
    and Proportions" (2003), section 3.2.
    """
    both = (one + other) / (of_one + of_other)
    error = sqrt(both * (1 - both) * (1 / of_one + 1 / of_other))
    return (one / of_one - other / of_other) / error if error else 0.0
