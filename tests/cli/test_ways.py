"""The options that say how a server is reached, as its users type them."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import called
from support.misbehaving import Peer, misbehaving

from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import Server

_SECRET = "s3kr1t"  # noqa: S105  # nobody's


def recorded(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def headers(request: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in request["headers"]}


def port_of(server: Server | ServerProcess) -> str:
    return server.url.rpartition(":")[2]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--connect-to", "there.test:80:127.0.0.1:{port}"),
        ("--connect-to", "::127.0.0.1:{port}"),
        ("--connect-to", "there.test::127.0.0.1:{port}"),
        ("--connect-to", ":80:localhost:{port}"),
    ],
)
def test_another_place_to_connect_to_keeps_the_host_header(
    option: str, value: str, tmp_path: Path
) -> None:
    record = tmp_path / "requests"
    with serving(record=record) as server:
        done = called("run", "http://there.test/", option, value.format(port=port_of(server)))
    assert done.code == 0, done.err
    assert {headers(it)["host"] for it in recorded(record)} == {"there.test"}


@pytest.mark.parametrize(
    "value",
    ["there.test:{port}:127.0.0.1", "*:{port}:127.0.0.1", "there.test:{port}:[::1],127.0.0.1"],
)
def test_a_given_address_is_taken_for_a_name_that_nobody_knows(value: str, tmp_path: Path) -> None:
    record = tmp_path / "requests"
    with serving(record=record) as server:
        port = port_of(server)
        done = called("run", f"http://there.test:{port}/", "--resolve", value.format(port=port))
    assert done.code == 0, done.err
    assert {headers(it)["host"] for it in recorded(record)} == {f"there.test:{port}"}


def test_a_first_address_that_refuses_is_said_with_what_to_do() -> None:
    with serving() as server:
        port = port_of(server)
        given = f"there.test:{port}:127.0.0.1"
        refusing = given.replace("127.0.0.1", "127.0.0.9,127.0.0.1")
        done = called("run", f"http://there.test:{port}/", "--resolve", refusing, "-n", "3", "-v")
        fine = called("run", f"http://there.test:{port}/", "--resolve", given, "-n", "3", "-v")
    text = " ".join(done.out.split())
    assert (
        f"first tried other addresses, which failed (127.0.0.9:{port}: Connection refused)" in text
    )
    assert "first tried" not in fine.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--connect-to", "a:80:b"], "'a:80:b' is not of the form HOST1:PORT1:HOST2:PORT2"),
        (["--connect-to", "a:x:b:80"], "is not of the form HOST1:PORT1:HOST2:PORT2"),
        (["--connect-to", "a:80:b:99999"], "is not of the form HOST1:PORT1:HOST2:PORT2"),
        (["--connect-to", "a:80:::1:80"], "is not of the form HOST1:PORT1:HOST2:PORT2"),
        (["--resolve", "a:80"], "'a:80' is not of the form HOST:PORT:ADDRESS"),
        (["--resolve", "a:80:localhost"], "is not of the form HOST:PORT:ADDRESS"),
        (["--resolve", "a::127.0.0.1"], "is not of the form HOST:PORT:ADDRESS"),
        (["-x", "127.0.0.1:3128"], "has no scheme"),
        (["-x", "socks5://127.0.0.1:1080"], "kab speaks http and https, not 'socks5'"),
        (["-x", "http://127.0.0.1:3128/path"], "A proxy's URL has no path"),
        (["-x", f"http://me:{_SECRET}@127.0.0.1:99999/"], "is not a number from 1 to 65535"),
        (["-x", "http://h:1", "--unix-socket", "s"], "A proxy and a Unix socket contradict"),
        (["-x", "http://h:1", "--connect-to", "::h:1"], "A proxy and another place to connect to"),
        (["--unix-socket", "s", "--source-address", "::1"], "A source address and a Unix socket"),
        (["--source-address", "eth0"], "'eth0' isn't an IP address to connect from"),
        (["--key", str(CERTIFICATE)], "A client's key needs its certificate too"),
        (["--tls-min", "1.3", "--tls-max", "1.2"], "TLS can't be 1.3 at least and 1.2 at most"),
        (["-u", "a:b", "--bearer", _SECRET], "A user and a bearer token contradict each other"),
        (
            ["--bearer", f"{_SECRET}\n"],
            "the header field 'Authorization' has a control",
        ),
        (["-b", _SECRET], "A cookie is of the form NAME=VALUE"),
        (["--json-body", "{"], "The body isn't JSON"),
        (["--json-body", "{}", "-d", "a"], "--data and --json-body contradict each other"),
        (["-T", str(CERTIFICATE), "-d", "a"], "A request has one body"),
        (["-T", "missing"], "missing"),
        (["-T", os.devnull], "/dev/null"),
        (["--expect-status", "2"], "'2' isn't a status: write 200, or 2xx"),
        (["--max-body", "-1"], "max-body must be from 0"),
    ],
)
def test_a_mistake_costs_one_sentence_and_no_request(
    server: ServerProcess, arguments: list[str], message: str
) -> None:
    before = server.stats().accepts
    done = called("run", server.url, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.split())
    assert _SECRET not in done.err
    assert server.stats().accepts == before + 1, "the question itself"


@pytest.mark.parametrize(
    ("arguments", "method", "content_type", "body"),
    [
        (["-d", "a=1", "-d", "b=2"], "POST", "application/x-www-form-urlencoded", "a=1&b=2"),
        (["-d", "x", "-H", "content-type: text/x"], "POST", "text/x", "x"),
        (["--json-body", '{"a": 1}'], "POST", "application/json", '{"a": 1}'),
        (["--json-body", "[]", "-X", "PATCH"], "PATCH", "application/json", "[]"),
        (["-T", "{file}"], "PUT", None, "in a file"),
        (["-T", "{file}", "-X", "POST", "-H", "Content-Type: a/b"], "POST", "a/b", "in a file"),
    ],
)
def test_a_body_is_sent_with_the_method_and_the_type_that_curl_sends(
    arguments: list[str], method: str, content_type: str | None, body: str, tmp_path: Path
) -> None:
    record, file = tmp_path / "requests", tmp_path / "file"
    file.write_text("in a file")
    given = [argument.replace("{file}", str(file)) for argument in arguments]
    with serving(record=record) as server:
        assert called("run", server.url, *given, "-n", "1").code == 0
    for request in recorded(record):
        assert request["request"].startswith(f"{method} ")
        assert (headers(request).get("content-type"), request["body"]) == (content_type, body)


def test_an_unexpected_status_is_a_failure_and_says_so() -> None:
    with serving(status=503) as server:
        done = called("run", server.url, "--expect-status", "2xx", "-n", "3")
        either = called("run", server.url, "--expect-status", "2xx", "--expect-status", "503")
    assert (done.code, either.code) == (1, 0)
    assert "unexpected-status (the answer was 503)" in done.err


def test_a_limit_on_the_body_says_that_it_closes_the_connection() -> None:
    with serving(body_size=5000) as server:
        done = called("run", server.url, "--max-body", "1000", "-n", "3")
    text = " ".join(done.out.split())
    assert "6 responses reached --max-body 1000" in text
    assert "closes the connection" in text


def test_the_report_says_which_proxy_and_not_its_password() -> None:
    with serving() as server:
        proxy = server.url.replace("//", f"//me:{_SECRET}@")
        done = called("run", "http://there.test/", "-x", proxy, "-n", "1")
    assert done.code == 0
    assert f"GET http://there.test/ through the proxy {server.url}" in done.out
    assert _SECRET not in done.text


def test_a_proxys_certificate_that_is_not_checked_is_said(tls_server: ServerProcess) -> None:
    done = called("run", "http://there.test/", "-x", tls_server.url, "-k", "-n", "1")
    assert done.code == 0
    assert done.err.startswith("Warning: the proxy's certificate is not checked")


def test_a_plain_request_goes_to_a_proxy_with_the_absolute_url(tmp_path: Path) -> None:
    record = tmp_path / "requests"
    with serving(record=record) as proxy:
        done = called("run", "http://there.test:81/a?b=c", "-x", proxy.url, "-n", "2", "--no-vary")
    assert done.code == 0
    for request in recorded(record):
        assert request["request"] == "GET http://there.test:81/a?b=c HTTP/1.1"
        assert headers(request)["host"] == "there.test:81"


@pytest.mark.parametrize("kind", ["pooled", "unpooled"])
def test_a_proxy_is_asked_for_a_tunnel_with_the_password_in_it_alone(kind: str) -> None:
    heads: list[bytes] = []

    def script(peer: Peer) -> None:
        heads.append(peer.read_request())
        peer.socket.sendall(b"HTTP/1.1 403 No\r\n\r\n")

    with misbehaving(script) as proxy:
        url = proxy.url.replace("//", f"//me:{_SECRET}@")
        arguments = ["-x", url, "--arm", kind, "-n", "1", "--warmup", "0", "-b", "cookie=1"]
        done = called("run", "https://there.test/", *arguments)
    assert done.code == 1
    assert "proxy (Tunnel connection failed: 403 No)" in done.err
    (head,) = heads
    assert head.startswith(b"CONNECT there.test:443 HTTP/1.")
    expected = b64encode(f"me:{_SECRET}".encode())
    assert b"Proxy-Authorization: Basic " + expected in head
    assert b"Cookie" not in head
    assert _SECRET not in done.text


@pytest.mark.skipif(sys.platform == "win32", reason="HOME is not where it looks there")
@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (["--netrc"], f"someone:{_SECRET}"),
        ([], None),
        (["--netrc", "-u", "other:word"], "other:word"),
    ],
)
def test_netrc_is_read_only_when_asked_and_goes_behind_user(
    arguments: list[str], sent: str | None, tmp_path: Path
) -> None:
    record = tmp_path / "requests"
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login someone password {_SECRET}\n")
    with serving(record=record) as server:
        home = {"HOME": str(tmp_path)}
        done = called(
            "run", server.url, "-n", "1", "--verbose", "--json", "-", *arguments, env=home
        )
    assert done.code == 0, done.err
    expected = None if sent is None else "Basic " + b64encode(sent.encode()).decode()
    assert {headers(it).get("authorization") for it in recorded(record)} == {expected}
    assert _SECRET not in done.text
    assert b64encode(f"someone:{_SECRET}".encode()).decode() not in done.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read (--netrc)"),
        (b"nonsense", "can't be understood (--netrc)"),
        (b"machine h login \xff password " + _SECRET.encode(), "is not UTF-8 (--netrc)"),
    ],
)
def test_a_netrc_that_cannot_be_read_is_a_mistake(
    content: bytes | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if content is not None:
        (tmp_path / ".netrc").write_bytes(content)
    done = called("run", "http://127.0.0.1:1/", "--netrc")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert _SECRET not in done.err
