"""What is kept of a response's head, as a scripted server sends it."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

import pytest
from support.plans import exchange
from support.scripted_server import answering, response

from keepalive_bench import Request
from keepalive_bench.net.response_parser import ResponseParser

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer


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


def parsed(parser: ResponseParser, **fields: str) -> Answer:
    head = Message()
    for name, value in fields.items():
        head[name.replace("_", "-")] = value
    return parser.parsed(200, 11, head)


def test_who_answered_and_who_forwarded_it_are_kept() -> None:
    lines = (b"Server: gunicorn", b"Via: 1.1 varnish", b"Via: 1.1 abc.cloudfront.net (CloudFront)")
    with answering(response(*lines)) as server:
        answer = exchange(server.url).outcome.answer
    assert answer is not None
    assert answer.server == "gunicorn"
    assert answer.via == "1.1 varnish, 1.1 abc.cloudfront.net (CloudFront)"


def test_a_server_that_is_silent_about_itself_has_no_name() -> None:
    answer = parsed(ResponseParser(Request()), Content_Type="text/plain")
    assert (answer.server, answer.via) == (None, None)


def test_names_of_any_length_are_cut() -> None:
    """Of `Via`, the end is kept: the nearest hop is the last."""
    answer = parsed(ResponseParser(Request()), Server="a" + "x" * 5000, Via="y" * 5000 + "z")
    assert (answer.server, answer.via) == ("a" + "x" * 299, "y" * 299 + "z")


def test_a_hop_that_names_another_machine_each_time_leaves_the_server_its_name() -> None:
    """CloudFront does: 10,000 such answers would otherwise fill the table of answers."""
    parser = ResponseParser(Request())
    found = {
        parsed(parser, Server="gunicorn", Via=f"1.1 {row:x}.cloudfront.net (CloudFront)")
        for row in range(1_000)
    }
    assert {it.server for it in found} == {"gunicorn"}
    assert len(found) <= 20
    assert "1.1 0.cloudfront.net (CloudFront)" in {it.via for it in found}


def test_a_server_that_has_another_name_each_time_is_a_few_answers() -> None:
    parser = ResponseParser(Request())
    found = {parsed(parser, Server=f"s{row}", Via=f"1.1 {row}") for row in range(1_000)}
    assert len(found) <= 40
    last = parsed(parser, Server="another", Via="1.1 another")
    assert (last.server, last.via) == ("…", "…")
    without_via = parsed(parser, Server="another")
    assert (without_via.server, without_via.via) == ("…", None)


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
