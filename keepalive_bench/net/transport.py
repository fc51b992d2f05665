"""One exchange: a request sent, its response read to the end, and what came of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from urllib3.util import Retry

from keepalive_bench.errors import UsageError
from keepalive_bench.net.broken_off import failure_in
from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.response_details import BAD_REQUEST
from keepalive_bench.net.response_parser import FINAL, ResponseParser
from keepalive_bench.results.exchange import Ending, Failure, Outcome
from keepalive_bench.results.failure_kinds import INFORMATIONAL_RESPONSE, UNEXPECTED_STATUS
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPHeaderDict

    from keepalive_bench.net.pools import Pools
    from keepalive_bench.net.tracer import ExchangeTrace, Tracer
    from keepalive_bench.plan.plan import Plan

_SECOND = 1_000_000_000
_CHUNK = 65536


class HttpTransport:
    """Exchanges through the pools of an arm. Safe from any thread."""

    def __init__(self, plan: Plan, headers: HTTPHeaderDict, tracer: Tracer, pools: Pools) -> None:
        self.pools, self._request, self._tracer = pools, plan.request, tracer
        self._parser = ResponseParser(plan.request)
        self._clock, self._origin = tracer.clock, tracer.origin
        self._timeout = int(plan.network.timeout_s * _SECOND)
        is_forwarded = plan.network.proxy is not None and plan.target.scheme == "http"
        self._prefix = plan.target.origin if is_forwarded else ""
        self._options: dict[str, Any] = {
            "headers": _quick(headers),
            "retries": Retry(total=False, redirect=False),  # or urllib3 makes one each time
            "redirect": False,
            "assert_same_host": False,
            "pool_timeout": plan.network.timeout_s,
            "preload_content": False,
            "decode_content": False,
        }

    def exchange(self, path: str) -> Outcome:
        """Send one request and read its response to the end; whatever fails is an outcome too."""
        clock, trace = self._clock, self._tracer.trace
        failure, response, size, pool, start = None, None, 0, None, b""
        began = clock()
        trace.begin(began, self._timeout)
        try:
            pool = self.pools.take()
            response = self._send(pool, f"{self._prefix}{path}")
            if response.status < FINAL:
                # The final answer is still to come, and would be taken for the next request's.
                trace.end_carrier(Ending("failed"))
            body = self._body_of(response)
            if response.status == BAD_REQUEST:
                start = next(body, b"")
                size = len(start)
            for chunk in body:
                size += len(chunk)
            ended = clock()
            response.release_conn()  # a body of no bytes is never read to its end
            if trace.broken is not None:
                failure, size = failure_in(trace, trace.broken, response, size, ended)
        except Exception as error:  # noqa: BLE001  # nobody knows all that urllib3 raises
            ended = clock()
            failure, size = failure_in(trace, error, response, size, ended)
        times = (began - self._origin) / _SECOND, (ended - began) / _SECOND
        try:
            self._let_go(trace, pool, ended, failed=failure is not None)
            status, answer, counted = None, None, None
            if response is not None:
                status = response.status
                answer = self._parser.parsed(status, response.version, trace.head, start)
                counted = self._parser.counted(trace.head)
                failure = failure or self._refusal(status)
                if trace.connection is not None:
                    self._tracer.answered(trace.connection)
            phases = trace.phases(ended)
            row = trace.connection
            return Outcome(*times, row, status, size, phases, answer, failure, counted)
        except Exception as error:  # noqa: BLE001  # a fault of kab's own is no end of a run
            failure = failure_of(error, trace.reached)
            return Outcome(*times, trace.connection, failure=failure)

    def _let_go(
        self, trace: ExchangeTrace, pool: HTTPConnectionPool | None, ended: int, *, failed: bool
    ) -> None:
        """Leave the connection and the pool to the next exchange, as far as they are of use."""
        if failed:
            trace.end_carrier(Ending("failed"))
            if trace.connection is not None:  # closed by now, whatever its answer had announced
                self._tracer.set_ending(trace.connection, Ending("failed"))
        if trace.retired is not None:
            trace.retired.close()
        elif trace.carrier is not None:
            trace.carrier.idle_since = ended
        if pool is not None:
            self.pools.give_back(pool)

    def _send(self, pool: HTTPConnectionPool, url: str) -> BaseHTTPResponse:
        request = self._request
        if request.upload is None:
            return pool.urlopen(request.method, url, request.body, **self._options)
        with TimedUpload(request.upload, self._tracer) as body:
            return pool.urlopen(request.method, url, body, **self._options)

    def _body_of(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        most = self._request.max_body
        return response.stream(_CHUNK) if most is None else self._up_to(response, most)

    def _up_to(self, response: BaseHTTPResponse, most: int) -> Iterator[bytes]:
        """A body's first bytes; a rest that is left unread makes the connection useless."""
        size = 0
        while size < most:
            chunk = response.read(min(_CHUNK, most - size))
            if not chunk:
                return
            size += len(chunk)
            yield chunk
        if response.length_remaining != 0:
            self._tracer.trace.end_carrier(Ending("cut"))
            response.close()

    def _refusal(self, status: int) -> Failure | None:
        """Why an answer that arrived whole is none all the same."""
        if status < FINAL:
            return Failure(INFORMATIONAL_RESPONSE.code, f"{status} came in place of an answer")
        if self._request.expect_status and not self._request.expects(status):
            return Failure(UNEXPECTED_STATUS.code, f"the answer was {status}")
        return None

    def close(self) -> None:
        """Close the connections that are still open."""
        self._tracer.is_closing = True
        self.pools.close()


def _quick(headers: HTTPHeaderDict) -> Mapping[str, str]:
    """The same fields; urllib3's mapping, which keeps repeated ones apart, is slow to copy."""
    fields = list(headers.iteritems())
    return dict(fields) if len(fields) == len(headers) else headers


def upload_size(path: Path) -> int:
    """The bytes of a file, which is sent with its length known.

    Raises:
        UsageError: it can't be read.
    """
    shown = filename(path)
    try:
        if not path.is_file():  # a device or a pipe has no length, and opening it may wait
            raise UsageError(f"{shown} isn't a regular file (--upload-file).")
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise UsageError(f"{shown} can't be read (--upload-file): {error.strerror}.") from None


class TimedUpload(io.FileIO):
    """A file that urllib3 reads block by block, and that ends when the exchange's time is up.

    The socket's own timeout starts anew with each block.
    """

    def __init__(self, path: Path, tracer: Tracer) -> None:
        super().__init__(path)
        self._tracer, self._trace = tracer, tracer.trace

    def read(self, size: int | None = -1, /) -> bytes | Any:  # noqa: ANN401  # typeshed's own type
        """The next block.

        Raises:
            TimeoutError: the exchange's time is up.
        """
        self._trace.remaining_s(self._tracer.clock())
        return super().read(size)
