"""What answers announced of connections, held against what then happened to these."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from support.misbehaving import Peer, forever, misbehaving
from support.nginx import nginx
from support.plans import plan

from keepalive_bench import Arm, Load, Target, analyse, benchmark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.analysis import Analysis

POOLED = (Arm("pooled"),)


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 10_000

    def do_POST(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"no")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def http_server() -> Iterator[str]:
    """Python's own, with a handler that refuses what is posted, without reading it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def answer(*fields: str, status: str = "200 OK") -> bytes:
    head = "".join(f"{field}\r\n" for field in (*fields, "Content-Length: 2"))
    return f"HTTP/1.1 {status}\r\n{head}\r\nok".encode()


def measured(script: Callable[[Peer], None], **options: Any) -> Analysis:  # noqa: ANN401  # a plan's
    """A run on pooled connections, as many as the server accepted."""
    with misbehaving(script) as server:
        wanted = plan(server.url, arms=POOLED, warmup=0, keep_going=True, **options)
        analysis = analyse(benchmark(wanted))
        assert server.accepts == analysis.first.connections
    return analysis


def dying_after(data: bytes) -> Callable[[Peer], None]:
    """Answer once, and end the connection under its second request."""

    def script(peer: Peer) -> None:
        peer.answer(data)
        peer.read_request()

    return script


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("Connection: keep-alive\r\nConnection: upgrade, Close", "server-close"),
        ("Keep-Alive: timeout=5, max=0", "keep-alive-max"),
        ("Keep-Alive: max=1", "keep-alive-max"),
        ("Keep-Alive: max=9", "request-limit"),
    ],
)
def test_a_request_that_dies_of_what_the_answer_before_announced_is_no_surprise(
    field: str, code: str
) -> None:
    """http.client reads the first `Connection` field alone, and nobody reads `max`."""
    analysis = measured(dying_after(answer(field)), requests=6)
    assert analysis.first.failure_kinds == {"closed-before-response": 3}
    assert analysis.first.reason_counts == {code: 2, "first-use": 1}


@pytest.mark.slow
def test_a_request_that_dies_near_the_announced_idle_timeout_is_a_race() -> None:
    def script(peer: Peer) -> None:
        peer.answer(answer("Keep-Alive: timeout=1"))
        peer.answer(answer("Keep-Alive: timeout=1"))
        peer.read_request()
        peer.reset()

    load = Load(think_s=(1.0, 1.0))
    arm = measured(script, requests=6, load=load).first
    assert arm.failure_kinds == {"reset": 2}
    assert arm.reason_counts == {"stale-race": 1, "first-use": 1}


@pytest.mark.parametrize("status_line", ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK"])
def test_a_close_that_the_client_asked_for_is_its_own_however_late_it_comes(
    status_line: str,
) -> None:
    """A server that lingers before it closes has no idle timeout of that length."""

    def script(peer: Peer) -> None:
        peer.answer(f"{status_line}\r\nContent-Length: 2\r\n\r\nok".encode())
        peer.pause(0.1)

    header = ("Connection", "keep-alive, Close")
    load = Load(think_s=(0.2, 0.2))
    arm = measured(script, requests=4, headers=(header,), load=load).first
    assert arm.reason_counts == {"asked-to-close": 3, "first-use": 1}


def test_a_close_after_several_requests_is_not_the_headers_that_asked_for_it_after_the_first() -> (
    None
):
    def script(peer: Peer) -> None:
        for field in ("X-Kept: yes", "Connection: close"):
            peer.answer(answer(field))

    arm = measured(script, requests=6, headers=(("Connection", "close"),)).first
    assert arm.reason_counts == {"server-close": 2, "first-use": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "closes"),
    [("close;q=1", True), ("x-closed", True), ("keep-alive", False)],
)
def test_nginx_takes_any_header_with_close_in_it_for_the_clients_wish(
    header: str, *, closes: bool
) -> None:
    with nginx("") as server:
        headers = (("Connection", header),)
        arm = analyse(benchmark(plan(server.http, arms=POOLED, requests=4, headers=headers))).first
    assert arm.reason_counts.get("asked-to-close", 0) == 3 * closes


@pytest.mark.parametrize(
    ("data", "body", "fits"),
    [
        (answer("Connection: close"), None, "server-close"),
        (answer("Connection: close", status="500 Oops"), None, "server-close, error-response"),
        (answer("Connection: close"), b"x=1", "server-close, unread-request"),
        (
            answer("Connection: close", status="403 No"),
            b"x=1",
            "server-close, error-response, unread-request",
        ),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
            None,
            "server-close, close-delimited",
        ),
    ],
)
def test_a_close_after_each_request_may_belong_to_what_all_of_them_have_in_common(
    data: bytes, body: bytes | None, fits: str
) -> None:
    """Go, Caddy, HAProxy and lighttpd announce one where they leave a body unread (RFC 9112)."""

    def script(peer: Peer) -> None:
        peer.answer(data)
        if body:
            peer.socket.recv(len(body))

    analysis = measured(script, requests=4, method="POST" if body else "GET", body=body)
    assert analysis.first.reason_counts == {"server-close": 3, "first-use": 1}
    (found,) = (it for it in analysis.findings if it.code == "server-close")
    assert found.evidence["fits"] == fits
    assert ("would fit as well" in found.text) == ("perhaps" in found.advice) == ("," in fits)


def test_of_responses_without_a_length_it_is_that_where_others_are_kept() -> None:
    def script(peer: Peer) -> None:
        peer.answer(answer())
        peer.answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")

    arm = measured(script, requests=4).first
    assert arm.reason_counts == {"close-delimited": 1, "first-use": 1}


@pytest.mark.parametrize(
    "fields",
    [
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: gzip", "Transfer-Encoding: Chunked"),
    ],
)
def test_chunks_under_a_list_of_codings_are_not_seen_by_the_client(fields: tuple[str, ...]) -> None:
    """urllib3 reads them, and http.client, which knows one word, ends the connection."""
    head = "".join(f"{field}\r\n" for field in fields)
    data = f"HTTP/1.1 200 OK\r\n{head}\r\n2\r\nok\r\n0\r\n\r\n".encode()
    arm = measured(forever(data), requests=3).first
    assert arm.failure_kinds == {}
    assert arm.reason_counts == {"chunks-misread": 2, "first-use": 1}


@pytest.mark.parametrize(
    "field",
    ["Content-Length: 5", "Content-Length: x", "Transfer-Encoding: identity", "X: y"],
)
@pytest.mark.parametrize("start", ["HEAD", "HTTP/1.1 204 No", "HTTP/1.1 304 Not"])
def test_what_has_no_body_keeps_its_connection_whatever_length_it_tells(
    start: str, field: str
) -> None:
    method, line = ("HEAD", "HTTP/1.1 200 OK") if start == "HEAD" else ("GET", start)
    data = f"{line}\r\n{field}\r\n\r\n".encode()
    arm = measured(forever(data), requests=3, method=method).first
    assert (arm.failure_kinds, arm.connections) == ({}, 1)


def test_what_breaks_off_at_a_proxy_that_forwards_is_the_proxys_doing() -> None:
    """Nobody else is at the connection's other end."""
    with misbehaving(dying_after(answer("Keep-Alive: max=9"))) as proxy:
        wanted = plan(
            "http://origin.test/",
            arms=POOLED,
            requests=6,
            warmup=0,
            keep_going=True,
            proxy=Target(proxy.url),
        )
        findings = {it.code: it for it in analyse(benchmark(wanted)).findings}
    for code in ("requests-failed", "request-limit", "keep-alive-max-differs"):
        assert findings[code].who == "proxy"
    told = findings["keep-alive-max-differs"].text
    assert told.startswith(f"The proxy {proxy.address} closes connections")


@pytest.mark.parametrize(
    "body", [b"a\nb\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 100_000, b"x=1"]
)
def test_a_body_that_http_server_takes_for_the_next_request_was_left_unread(body: bytes) -> None:
    """What it answers to that comes unasked, or in the place of the next answer."""
    with http_server() as url:
        wanted = plan(url, arms=POOLED, requests=6, warmup=0, method="POST", body=body)
        arm = analyse(benchmark(wanted)).first
    assert arm.reason_counts.keys() == {"first-use", "unread-request"}


@pytest.mark.parametrize(
    ("status", "is_timeout"), [("408 Request Timeout", True), ("400 Bad Request", False)]
)
def test_a_408_that_comes_unasked_is_an_idle_timeouts(status: str, *, is_timeout: bool) -> None:
    def script(peer: Peer) -> None:
        peer.answer(answer("Server: nginx") + answer(status=status))

    findings = measured(script, requests=3).findings
    (found,) = (it for it in findings if it.code == "unsolicited-data")
    assert ("its keepalive_timeout" in found.advice) == is_timeout
