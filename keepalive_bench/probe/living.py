"""One connection, from its opening to its end: it does what its script says, and tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from keepalive_bench.connections.announcements import is_old, says_close
from keepalive_bench.net.response_parser import ResponseParser
from keepalive_bench.net.wire import LateBody, NoResponseError
from keepalive_bench.net.wire_opener import UntriedError, WayOfTls
from keepalive_bench.probe.lives import GRACE_S
from keepalive_bench.probe.record import Ended, Exchanged, Seen
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.net.wire import Wire, WireResponse
    from keepalive_bench.net.wire_opener import WireOpener
    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Ask, Life
    from keepalive_bench.probe.messages import Messages
    from keepalive_bench.probe.record import EndKind

_SECOND = 1_000_000_000
_MOST_TOLD = 300
_MOST_KEPT = 5
"""Exchanges of a connection that carries many: all are alike."""


class Shared(NamedTuple):
    """What all connections of a probe share."""

    plan: ProbePlan
    opener: WireOpener
    messages: Messages
    clock: Clock
    origin_ns: int
    wires: dict[int, Wire]
    """Those that are open, by the number of the life."""
    ended: set[int]
    """The lives that are to end, whatever they are doing."""


def way_of(life: Life) -> WayOfTls:
    """What a connection offers in TLS."""
    return WayOfTls(life.way.tls, life.way.alpn, life.way.resumes)


def live(shared: Shared, number: int, life: Life, tell: Callable[[Seen], None]) -> Seen:
    """Live, and tell what is known in between; all that is known. It never raises."""
    lived = _Lived(shared, number, life, tell)
    try:
        lived.live()
    except Exception as error:  # noqa: BLE001  # a fault of kab's own is no end of a probe
        failure = Failure(OTHER.code, f"{type(error).__name__}: {error}"[:_MOST_TOLD])
        lived.seen = lived.seen._replace(failure=failure)
    return _without_secrets(lived.seen, shared.messages)


def _without_secrets(seen: Seen, messages: Messages) -> Seen:
    """What servers and proxies said may repeat what was sent to them."""

    def shown(text: str | None) -> str | None:
        return None if text is None else messages.without_secrets(text)

    def told(failure: Failure | None) -> Failure | None:
        message = messages.without_secrets(failure.message) if failure else ""
        return failure and failure._replace(message=message)

    exchanges = tuple(
        it._replace(
            failure=told(it.failure),
            answer=it.answer
            and it.answer._replace(
                server=shown(it.answer.server),
                via=shown(it.answer.via),
                connection=shown(it.answer.connection),
                keep_alive=shown(it.answer.keep_alive),
                content_type=shown(it.answer.content_type),
            ),
        )
        for it in seen.exchanges
    )
    return seen._replace(failure=told(seen.failure), exchanges=exchanges)


class _Lived:
    def __init__(
        self, shared: Shared, number: int, life: Life, tell: Callable[[Seen], None]
    ) -> None:
        self._shared, self._number, self._life, self._tell = shared, number, life, tell
        self._clock = shared.clock
        self.seen = Seen(life.part, life.name)
        self._last_ns = 0
        """When the last response ended."""

    def live(self) -> None:
        opener, way = self._shared.opener, way_of(self._life)
        try:
            wire = opener.open(way, self._life.way.address)
        except NoResponseError as error:
            self.seen = self.seen._replace(failure=error.failure, peer=error.peer)
            return
        except UntriedError as error:
            self.seen = self.seen._replace(untried=error.reason)
            return
        self._shared.wires[self._number] = wire
        try:
            self._opened(wire)
            self._ask_and_watch(wire)
            if way.resumes:
                self.seen = self.seen._replace(has_session=opener.keep(way, wire))
        finally:
            del self._shared.wires[self._number]
            wire.close(politely=bool(way.resumes))

    @property
    def _is_over(self) -> bool:
        return self._number in self._shared.ended

    def _opened(self, wire: Wire) -> None:
        self._last_ns = self._clock()
        self.seen = self.seen._replace(
            opened_s=self._since_origin(self._last_ns), **wire.facts._asdict()
        )
        self._tell(self.seen)

    def _ask_and_watch(self, wire: Wire) -> None:
        for ask in self._life.asks:
            if ask.idle_s:
                self._tell(self.seen)
                if not self._idle(wire, ask.idle_s):
                    return
            if self._is_over or not self._exchange(wire, ask):
                return
            if ask.expects and self.seen.exchanges[-1].early:
                return  # the server may still wait for the body
            if self.seen.closes:
                self._idle_to_the_end(wire, GRACE_S)
                return
        if self._life.watch_s and not self._is_over:
            self._idle_to_the_end(wire, self._life.watch_s)

    def _idle_to_the_end(self, wire: Wire, seconds: float) -> None:
        self._tell(self.seen)
        if self._idle(wire, seconds):
            self.seen = self.seen._replace(watched_s=seconds)

    def _idle(self, wire: Wire, seconds: float) -> bool:
        """Watch it while it is idle; whether it is open after so long."""
        end = wire.watch(self._last_ns + round(seconds * _SECOND))
        idle_s = max(0, (end.at_ns if end else self._clock()) - self._last_ns) / _SECOND
        if end is None and idle_s >= seconds:
            return True
        ended = None if end is None else Ended(cast("EndKind", end.kind), idle_s)
        self.seen = self.seen._replace(ended=ended, watched_s=idle_s)
        return False

    def _exchange(self, wire: Wire, ask: Ask) -> bool:
        """Ask, and keep what comes of it; whether all was answered."""
        shared = self._shared
        before = self._last_ns
        began = self._clock()
        is_reuse = bool(self.seen.exchanges)
        patience_s = shared.plan.network.timeout_s
        if is_reuse and self._life.patience_s is not None:
            patience_s = self._life.patience_s
        made = Exchanged(
            began_s=self._since_origin(began),
            idle_s=(began - before) / _SECOND if is_reuse else None,
            latency_s=0.0,
            method=ask.method,
            path=shared.messages.shown(ask),
        )
        responses = wire.exchange(
            shared.messages.of(ask),
            [ask.method] * ask.times,
            began + round(patience_s * _SECOND),
            LateBody(ask.body, ask.late) if ask.waits else None,
        )
        try:
            for response in responses:
                self._last_ns = response.ended_ns
                self._keep(self._answered(made, ask, response, began))
        except NoResponseError as error:
            if self._is_over:  # it was us
                return False
            latency_s = (self._clock() - began) / _SECOND
            self._keep(
                made._replace(
                    latency_s=latency_s, failure=error.failure, acknowledged=error.acknowledged
                )
            )
            return False
        return True

    def _answered(self, made: Exchanged, ask: Ask, response: WireResponse, began: int) -> Exchanged:
        parser = ResponseParser(replace(self._shared.plan.request, method=ask.method))
        answer = parser.parsed(response.status, response.version, response.head)
        return made._replace(
            latency_s=(response.ended_ns - began) / _SECOND,
            status=response.status,
            answer=answer,
            interim=response.interim,
            early=response.early,
            closes=says_close(answer) or is_old(answer) or answer.framing == "close",
        )

    def _keep(self, exchanged: Exchanged) -> None:
        exchanges = (*self.seen.exchanges, exchanged)
        if self._life.part == "requests" and len(exchanges) > _MOST_KEPT:
            exchanges = (exchanges[0], *exchanges[2:])
        carried = self.seen.carried + (exchanged.failure is None)
        self.seen = self.seen._replace(exchanges=exchanges, carried=carried)

    def _since_origin(self, at_ns: int) -> float:
        return (at_ns - self._shared.origin_ns) / _SECOND
