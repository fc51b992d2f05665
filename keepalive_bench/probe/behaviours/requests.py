"""Requests that differ from a GET of the URL with HTTP/1.1, and other places to send it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.net.tcp import resolved, routed
from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import is_address
from keepalive_bench.probe.behaviours.group import AGAIN, Group, answered, kept_after
from keepalive_bench.probe.lives import Ask, Life, Way
from keepalive_bench.probe.probed import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.record import Seen

_BOTH = 2
_ASKING = "with keep-alive"
MOST_ADDRESSES = 8
"""Of a name with more of them, no others are tried."""


def _head(_: ProbePlan) -> Iterator[Life]:
    yield Life("behaviour", (Ask(method="HEAD"), AGAIN), name="HEAD")


def _paths(plan: ProbePlan) -> Iterator[Life]:
    origin = plan.target.origin
    for path in dict.fromkeys(Target(f"{origin}{it}").path for it in plan.probing.also):
        yield Life("behaviour", (Ask(path=path), AGAIN), name=f"GET {redacted_path(path)}")


def _old(_: ProbePlan) -> Iterator[Life]:
    for keep_alive, name in ((True, _ASKING), (False, "without keep-alive")):
        old = Ask(version="1.0", keep_alive=keep_alive)
        yield Life("behaviour", (old, old._replace(idle_s=AGAIN.idle_s)), name=name)


def _at_once(_: ProbePlan) -> Iterator[Life]:
    yield Life("behaviour", (Ask(times=_BOTH), AGAIN), name="two requests at once")


def _addresses(plan: ProbePlan) -> Iterator[Life]:
    """As many as there can be: nothing is looked up before it's needed."""
    network, target = plan.network, plan.target
    host, port = routed(network.connect_to, target.host, target.port)
    most = len(resolved(network.resolve, host, port)) or MOST_ADDRESSES
    if network.unix_socket is not None or is_address(host):
        most = 1
    for number in range(min(most, MOST_ADDRESSES)):
        way = Way(address=number)
        yield Life("behaviour", (Ask(), AGAIN), way=way, name="each address")


def _told_head(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        yield answered("head", name, it, name)


def _told_paths(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        yield answered("paths", name, it, name)


def _told_old(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        asks = "asks" if name == _ASKING else "doesn't ask"
        yield answered("http1.0", name, it, f"an HTTP/1.0 request that {asks} for keep-alive")


def _told_addresses(_: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in dict.fromkeys(seen):
        yield answered("addresses", it.peer or "an address", it, "a GET")


def _told_at_once(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        first, second = (*it.exchanges, None, None)[:_BOTH]
        if first is None or second is None or second.failure is None:
            all_of = _BOTH if second is not None else 1
            subject = "both of two requests sent at once" if second is not None else "one request"
            yield answered("pipelining", name, it, subject, all_of)
            continue
        kept = kept_after(it)
        text = f"Answers only the first of two requests sent at once ({second.failure.message})."
        yield Behaviour("pipelining", name, kept.keeps, text)


HEAD = Group("head", _head, _told_head)
PATHS = Group("paths", _paths, _told_paths)
HTTP_1_0 = Group("http1.0", _old, _told_old)
PIPELINING = Group("pipelining", _at_once, _told_at_once)
ADDRESSES = Group("addresses", _addresses, _told_addresses)
