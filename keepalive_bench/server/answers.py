"""Which bytes answer a request, and whether the connection outlives them: decided, not sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from keepalive_bench.server.persistence import Ending, ending_after
from keepalive_bench.server.responses import Response, compose, connection_headers, status_line

if TYPE_CHECKING:
    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.messages import BadRequestError, Request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response, ready to be sent.

    Attributes:
        parts: What is sent, each part in one go.
        delay_s: How long the client is kept waiting first.
        closes: The connection ends after it.
    """

    parts: tuple[bytes, ...]
    delay_s: float
    closes: bool


class Answers:
    """A server's answers; those to the same kind of request are composed only once."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._ready: dict[tuple[Ending, bool, int], Answer] = {}

    def to(self, request: Request, nth: int) -> Answer:
        """Answer a connection's nth request, counted from 1."""
        ending = ending_after(self._behaviour, request, nth)
        if self._behaviour.keep_alive_max is not None:  # Each says something else.
            return self._ordinary(request, nth, ending)
        kind = (ending, request.method == b"HEAD", request.minor_version)
        if kind not in self._ready:
            self._ready[kind] = self._ordinary(request, nth, ending)
        return self._ready[kind]

    def to_stats(self, request: Request, nth: int, stats: Stats) -> Answer:
        """Tell the counts: at once and with status 200, whatever the behaviour of the rest.

        Only the connection's life goes on as it does after every other answer.
        """
        body = json.dumps(asdict(stats)).encode()
        response = Response(
            status_line=status_line(self._behaviour, HTTPStatus.OK),
            headers=(
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                *connection_headers(self._behaviour, request, nth),
            ),
            body=() if request.method == b"HEAD" else (body,),
        )
        closes = ending_after(self._behaviour, request, nth).closes
        return Answer(parts=response.parts, delay_s=0.0, closes=closes)

    def to_nonsense(self, error: BadRequestError) -> Answer:
        """Answer what could not be understood."""
        body = f"{error}\n".encode()
        response = Response(
            status_line=status_line(self._behaviour, error.status),
            headers=(
                ("Content-Type", "text/plain"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ),
            body=(body,),
        )
        return Answer(parts=response.parts, delay_s=0.0, closes=True)

    def _ordinary(self, request: Request, nth: int, ending: Ending) -> Answer:
        response = compose(self._behaviour, request, nth)
        return Answer(parts=response.parts, delay_s=self._behaviour.delay_s, closes=ending.closes)
