"""What goes over the wire, as the server recorded it."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.misbehaving import Peer, forever, misbehaving
from support.plans import PLAIN, exchange, run

import keepalive_bench
from keepalive_bench import Arm, Run, Variation
from keepalive_bench.results.exchange import Answer
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keepalive_bench.server import Server


@dataclass(frozen=True)
class Recorded:
    """One request as it came in."""

    connection: int
    request: str
    headers: list[list[str]]
    body: str

    def values(self, wanted: str) -> list[str]:
        return [value for name, value in self.headers if name.lower() == wanted]

    @property
    def host(self) -> str:
        return self.values("host")[0]


class Wiretap:
    """Runs plans against a server and reads what it has recorded."""

    def __init__(self, server: Server, record: Path) -> None:
        self._server, self._record = server, record
        self.measured: Run

    def requests(
        self,
        path: str = "/",
        **options: Any,  # noqa: ANN401
    ) -> list[Recorded]:
        before = len(self._record.read_text().splitlines())
        url = self._server.url.replace("://", f"://{options.pop('userinfo', '')}") + path
        self.measured = run(url, **{"warmup": 0, "requests": 1, **options})
        lines = self._record.read_text().splitlines()[before:]
        return [Recorded(**json.loads(line)) for line in lines]


@contextmanager
def tapped(record: Path, **behaviour: Any) -> Iterator[Wiretap]:  # noqa: ANN401  # a server's
    with serving(record=record, **behaviour) as server:
        yield Wiretap(server, record)


@pytest.fixture(scope="module")
def wiretap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiretap]:
    with tapped(tmp_path_factory.mktemp("wire") / "record.jsonl") as made:
        yield made


FULL_REQUEST: dict[str, Any] = {
    "method": "POST",
    "headers": (("X-One", "1"), ("Accept", "text/html")),
    "body": b"a=1",
    "credentials": ("user", "secret"),
}


@pytest.mark.parametrize(
    ("request_options", "tls"), [({}, False), (FULL_REQUEST, True)], ids=["plain", "full"]
)
def test_unpooled_sends_the_same_bytes_as_pooled_and_asks_for_no_close(
    tmp_path: Path, request_options: dict[str, Any], *, tls: bool
) -> None:
    options = {"ca_file": CERTIFICATE, "requests": 5, "order": "sequential", **request_options}
    with tapped(tmp_path / "record", tls=tls) as wiretap:
        recorded = wiretap.requests(**options)
    pooled, unpooled = recorded[:5], recorded[5:]
    assert [(it.request, it.headers, it.body) for it in pooled] == [
        (it.request, it.headers, it.body) for it in unpooled
    ]
    assert not any(it.values("connection") for it in recorded)
    assert len({it.connection for it in pooled}) == 1
    assert len({it.connection for it in unpooled}) == 5


def test_a_plain_request_carries_few_headers_and_kabs_name(wiretap: Wiretap) -> None:
    first = wiretap.requests()[0]
    assert first.request == "GET /?kab=0 HTTP/1.1"
    assert [name for name, _ in first.headers] == ["Host", "Accept-Encoding", "User-Agent"]
    assert first.values("accept-encoding") == ["identity"]
    assert first.values("user-agent") == [f"kab/{keepalive_bench.__version__}"]


@pytest.mark.parametrize(
    ("variation", "queries"),
    [
        (Variation(), ["kab=0", "kab=1", "kab=2", "kab=3"]),
        (PLAIN, ["", "", "", ""]),
        (
            Variation(fields=(("q", ("a", "b")), ("v", ("1",)))),
            ["q=a&v=1", "q=b&v=1", "q=a&v=1", "q=b&v=1"],
        ),
        (
            Variation(rows=((("n", "x y"), ("m", "1")), (("n", "ü"),))),
            ["n=x%20y&m=1", "n=%C3%BC", "n=x%20y&m=1", "n=%C3%BC"],
        ),
        (Variation(unique=("u",)), [f"u=00000007-{index}" for index in range(4)]),
    ],
)
def test_the_request_of_an_index_carries_the_same_parameters_in_every_arm(
    wiretap: Wiretap, variation: Variation, queries: list[str]
) -> None:
    arms = (Arm("pooled"), Arm("unpooled"), Arm("pooled", "again"))
    recorded = wiretap.requests(
        "/p?here=1", requests=4, arms=arms, order="sequential", variation=variation
    )
    paths = [f"GET /p?here=1{'&' if query else ''}{query} HTTP/1.1" for query in queries]
    assert [it.request for it in recorded] == paths * 3


def test_warm_ups_carry_parameters_that_no_measured_request_has(wiretap: Wiretap) -> None:
    recorded = wiretap.requests(requests=2, warmup=2, arms=(Arm("pooled"),))
    queries = [it.request.split()[1] for it in recorded]
    assert queries == ["/?kab=-1", "/?kab=-2", "/?kab=0", "/?kab=1"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a%20b", "/a%20b"),
        ("/ü?q=ö", "/%C3%BC?q=%C3%B6"),
        ("/%7Euser//x/../y", "/%7Euser//x/../y"),
        ("/a?b=%2f&c=a+b", "/a?b=%2F&c=a+b"),  # urllib3 writes them so; RFC 3986, 6.2.2.1
        ("", "/"),
        ("/p#fragment", "/p"),
    ],
)
def test_a_path_is_sent_as_it_was_given(wiretap: Wiretap, path: str, sent: str) -> None:
    recorded = wiretap.requests(path, variation=PLAIN)
    assert [it.request for it in recorded] == [f"GET {sent} HTTP/1.1"] * 2


def test_header_fields_are_sent_in_order_and_twice_where_given_twice(wiretap: Wiretap) -> None:
    given = (("X-A", "1"), ("X-B", "2"), ("X-A", "3"), ("X-Empty", ""))
    for recorded in wiretap.requests(headers=given):
        assert recorded.values("x-a") == ["1", "3"]
        assert recorded.values("x-b") == ["2"]
        assert recorded.values("x-empty") == [""]


def test_a_header_field_beyond_ascii_goes_as_utf_8(wiretap: Wiretap) -> None:
    for recorded in wiretap.requests(headers=(("X-Name", "Grüße, 世界"),)):
        (value,) = recorded.values("x-name")
        assert value.encode("latin-1").decode() == "Grüße, 世界"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # RFC 7617, section 2: the example given there.
        ({"credentials": ("Aladdin", "open sesame")}, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        # Section 2.1: user "test", password "123£", in UTF-8.
        ({"credentials": ("test", "123£")}, "Basic dGVzdDoxMjPCow=="),
        ({"userinfo": "Aladdin:open%20sesame@"}, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ({"userinfo": "a:b@", "headers": (("Authorization", "Bearer x"),)}, "Bearer x"),
    ],
)
def test_credentials_go_as_basic_authentication_or_as_given(
    wiretap: Wiretap, options: dict[str, Any], expected: str
) -> None:
    for recorded in wiretap.requests(**options):
        assert recorded.values("authorization") == [expected]
        assert "@" not in recorded.host


@pytest.mark.parametrize("body", [b"", bytes(range(256)) * 500])
def test_a_body_is_sent_byte_for_byte(wiretap: Wiretap, body: bytes) -> None:
    for recorded in wiretap.requests(method="POST", body=body):
        assert recorded.body.encode("latin-1") == body
        assert recorded.values("content-length") == [str(len(body))]
        assert recorded.values("content-type") == ["application/x-www-form-urlencoded"]


def test_a_content_type_that_was_given_stays(wiretap: Wiretap) -> None:
    given = (("content-type", "application/json"),)
    for recorded in wiretap.requests(method="POST", body=b"{}", headers=given):
        assert recorded.values("content-type") == ["application/json"]


@pytest.mark.parametrize("method", ["HEAD", "POST", "BREW"])
def test_the_method_is_the_one_asked_for(wiretap: Wiretap, method: str) -> None:
    recorded = wiretap.requests(method=method, requests=2)
    assert [it.request.split()[0] for it in recorded] == [method] * 4
    assert [it.outcome.failure for it in wiretap.measured.exchanges] == [None] * 4


def test_a_host_header_and_a_user_agent_of_the_users_own_replace_kabs(wiretap: Wiretap) -> None:
    for recorded in wiretap.requests(
        headers=(("Host", "example.org"), ("User-Agent", "mine/1")), user_agent="other"
    ):
        assert recorded.values("host") == ["example.org"]
        assert recorded.values("user-agent") == ["mine/1"]


def test_the_answer_to_head_has_no_body_and_leaves_the_connection_usable(wiretap: Wiretap) -> None:
    recorded = wiretap.requests(method="HEAD", requests=5, arms=(Arm("pooled"),))
    assert len({it.connection for it in recorded}) == 1
    assert {it.outcome.body_bytes for it in wiretap.measured.exchanges} == {0}


@pytest.mark.parametrize("status", [302, 307])
def test_no_redirect_is_followed(tmp_path: Path, status: int) -> None:
    elsewhere = (("Location", "/elsewhere"),)
    with tapped(tmp_path / "record", status=status, headers=elsewhere) as wiretap:
        recorded = wiretap.requests(requests=2)
    assert len(recorded) == 4
    assert {it.outcome.status for it in wiretap.measured.exchanges} == {status}


def test_no_request_is_sent_again(tmp_path: Path) -> None:
    with tapped(tmp_path / "record", status=503, headers=(("Retry-After", "0"),)) as wiretap:
        recorded = wiretap.requests(requests=2)
    assert len(recorded) == 4
    assert {it.outcome.status for it in wiretap.measured.exchanges} == {503}


def test_a_compressed_body_is_counted_as_it_was_received() -> None:
    body = gzip.compress(b"keep-alive" * 10_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with misbehaving(forever(head.encode() + body)) as server:
        assert exchange(server.url).outcome.body_bytes == len(body)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 3_000_000])
def test_the_bytes_of_a_body_are_counted_without_their_chunks(size: int, *, chunked: bool) -> None:
    with serving(body_size=size, chunked=chunked) as server:
        assert exchange(server.url).outcome.body_bytes == size


def test_a_body_that_ends_with_its_connection_is_read_to_the_end() -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)

    with misbehaving(script) as server:
        outcome = exchange(server.url).outcome
    assert (outcome.failure, outcome.body_bytes) == (None, 100_000)


def test_an_answer_says_what_it_said_of_its_connection() -> None:
    headers = (("Content-Type", "text/x"),)
    with serving(keep_alive_header="timeout=5, max=100", headers=headers) as server:
        answer = exchange(server.url).outcome.answer
    assert answer == Answer(
        http_version="HTTP/1.1",
        content_type="text/x",
        keep_alive="timeout=5, max=100",
        framing="length",
        server="kab",
    )


@pytest.mark.parametrize("http_10", [False, True])
def test_an_answer_says_its_version_and_that_it_closes(*, http_10: bool) -> None:
    with serving(http_10=http_10, connection_close=True) as server:
        answer = exchange(server.url).outcome.answer
    assert answer is not None
    assert answer[0] == ("HTTP/1.0" if http_10 else "HTTP/1.1")
    assert answer.connection == "close"


def test_a_proxy_named_in_the_environment_is_not_used(
    wiretap: Wiretap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert len(wiretap.requests()) == 2
