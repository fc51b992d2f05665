"""What is kept of a response's head, as a scripted server sends it."""

from __future__ import annotations

import pytest
from support.plans import exchange
from support.scripted_server import answering, response


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), None),
        ((b"Age: 17",), "Age"),
        ((b"Age: 3", b"X-Cache: MISS"), "Age"),
        ((b"Age: 0", b"X-Cache: MISS"), "MISS"),
        ((b"Age: 0",), None),
        ((b"X-Cache: Miss from cloudfront",), "Miss from cloudfront"),
        ((b"CF-Cache-Status: HIT",), "HIT"),
        ((b"X-Cache-Status: STALE",), "STALE"),
        ((b"X-Cache: " + b"x" * 5000,), "x" * 100),
    ],
    ids=[
        *("nothing", "age", "age first", "Varnish, missed", "Varnish, alone"),
        *("cloudfront", "cloudflare", "nginx", "too long"),
    ],
)
def test_what_says_that_a_cache_answered_is_kept(
    lines: tuple[bytes, ...], said: str | None
) -> None:
    with answering(response(*lines)) as server:
        answer = exchange(server.url).outcome.answer
    assert answer is not None
    assert answer.cache == said


@pytest.mark.parametrize(
    ("method", "status_line", "lines", "framing"),
    [
        ("GET", b"200 OK", [b"Transfer-Encoding: identity"], "close"),
        ("GET", b"200 OK", [b"Transfer-Encoding: gzip"], "close"),
        ("GET", b"200 OK", [b"Transfer-Encoding: identity", b"Content-Length: 2"], "close"),
        ("GET", b"200 OK", [b"Transfer-Encoding: Chunked"], "chunked"),
        ("GET", b"200 OK", [b"Transfer-Encoding: gzip, chunked"], "chunked"),
        ("GET", b"200 OK", [b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"], "chunked"),
        ("GET", b"200 OK", [b"Transfer-Encoding: chunked;a=b,"], "chunked"),
        ("GET", b"200 OK", [b"Transfer-Encoding: chunked, gzip"], "close"),
        ("GET", b"200 OK", [b"Content-Length: 2"], "length"),
        ("GET", b"200 OK", [], "close"),
        ("HEAD", b"200 OK", [b"Content-Length: 2000"], "none"),
        ("HEAD", b"200 OK", [], "none"),
        ("GET", b"204 No Content", [b"Content-Length: 2000"], "none"),
        ("GET", b"304 Not Modified", [b"Transfer-Encoding: chunked"], "none"),
        ("GET", b"103 Early Hints", [], "none"),
    ],
)
def test_how_a_body_ends_is_what_rfc_9112_says(
    method: str, status_line: bytes, lines: list[bytes], framing: str
) -> None:
    head = (b"HTTP/1.1 " + status_line, *lines, b"Connection: close")
    body = b"2\r\nok\r\n0\r\n\r\n" if framing == "chunked" else b"ok"
    with answering(b"\r\n".join(head) + b"\r\n\r\n" + body) as server:
        answer = exchange(server.url, method=method, timeout_s=5).outcome.answer
    assert answer is not None
    assert answer.framing == framing
