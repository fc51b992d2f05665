"""What is kept of a response that may hold secrets, as a scripted server sends it."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from support.plans import exchange, run
from support.scripted_server import answering, response

from keepalive_bench import Arm, analyse
from keepalive_bench.net.response_details import SessionCookies, destination, schemes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis import Finding

NGINX = b"<center>The plain HTTP request was sent to HTTPS port</center>"
APACHE = b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"
GO = b"Client sent an HTTP request to an HTTPS server.\n"
NO_CERTIFICATE = b"<center>No required SSL certificate was sent</center>"
"""As nginx 1.22, Apache httpd 2.4 and Go 1.19 say it."""


def found(url: str, **options: object) -> dict[str, Finding]:
    return {it.code: it for it in analyse(run(url, requests=6, **options)).findings}


def refusing(body: bytes, status: bytes = b"400 Bad Request") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join((b"HTTP/1.1 " + status, length, b"Connection: close", b"", body))


@pytest.mark.parametrize("body", [NGINX, APACHE, GO], ids=["nginx", "Apache httpd", "Go"])
def test_a_port_that_expects_https_is_told_with_the_url(body: bytes) -> None:
    with answering(refusing(body)) as server:
        finding = found(server.url)["https-expected"]
    assert finding.evidence == {"count": 12, "answered": 12}
    assert finding.advice == f"Use the https URL: {server.url.replace('http', 'https', 1)}"


def test_a_server_that_asks_for_a_certificate_gets_one_by_cert() -> None:
    with answering(refusing(NO_CERTIFICATE)) as server:
        finding = found(server.url)["certificate-expected"]
    assert finding.evidence == {"count": 12, "answered": 12}
    assert "--cert" in finding.advice


def test_the_same_words_of_another_status_mean_nothing() -> None:
    with answering(refusing(NGINX, b"200 OK")) as server:
        assert "https-expected" not in found(server.url)


@pytest.mark.parametrize("body", [b"", NGINX[:20], b"x" * 200_000], ids=["none", "cut", "long"])
def test_a_400_without_known_words_is_counted_to_its_end(body: bytes) -> None:
    with answering(refusing(body)) as server:
        outcome = exchange(server.url).outcome
    assert outcome.body_bytes == len(body)
    assert outcome.answer is not None
    assert outcome.answer.complaint is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("https://joe:secret@example.com:8443/a?token=1#x", "https://example.com:8443/a"),
        ("//joe:secret@example.com/", "//example.com/"),
        ("/login?next=%2Fsecret", "/login"),
        ("login", "login"),
        ("/a;jsessionid=SECRET/b", "/a;jsessionid=***/b"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
        ("https://example.com/@me", "https://example.com/@me"),
        ("http://joe:pa/ss@example.com/", "http://***@example.com/"),
        ("http://a/`id`$(x) ;|&", "http://a/%60id%60%24%28x%29%20;%7C%26"),
        ("/caf\xc3\xa9", "/caf%C3%A9"),
        ("http://x" + "y" * 5000, ("http://x" + "y" * 5000)[:300]),
    ],
)
def test_where_a_redirect_leads_is_kept_without_secrets(sent: str, kept: str) -> None:
    assert destination(sent) == kept


@pytest.mark.parametrize(
    ("location", "text", "advice"),
    [
        ("https://127.0.0.1:8443/", "redirects to https", "to: https://127.0.0.1:8443/"),
        ("http://other.test/a?k=1", "another host, other.test", "to: http://other.test/a"),
        ("/login?next=/", "which kab doesn't follow", "/login"),
        ("/?lang=en", "the same URL (apart from its query)", "-b NAME=VALUE"),
        ("/?lang=en", "the same URL (apart from its query)", "--no-vary"),
        (
            "https://other.test:99999/",
            "which kab doesn't follow",
            "Use the URL that they lead to.",
        ),
        ("javascript:alert(1)", "which kab doesn't follow", "Use the URL that they lead to."),
    ],
)
def test_redirects_say_where_they_lead(location: str, text: str, advice: str) -> None:
    line = f"Location: {location}".encode()
    with answering(response(line, status_line=b"HTTP/1.1 302 Found")) as server:
        finding = found(server.url)["redirects-measured"]
    assert text in finding.text
    assert finding.advice.endswith(advice) or advice in finding.advice
    assert "k=1" not in f"{finding}"


def test_redirects_to_another_place_each_time_are_a_few_answers() -> None:
    lines = (f"Location: /{number}".encode() for number in range(40))
    script = [response(line, status_line=b"HTTP/1.1 302 Found") for line in lines]
    with answering(*script) as server:
        measured = run(server.url, requests=20, arms=(Arm("pooled"),))
    places = {answer.location for answer in analyse(measured).first.answers}
    assert len(places) == 17
    assert "…" in places


def test_a_location_can_not_draw_in_the_terminal() -> None:
    line = b"Location: http://\x1b[2J::error::/\x9b31m"
    with answering(response(line, status_line=b"HTTP/1.1 302 Found")) as server:
        finding = found(server.url)["redirects-measured"]
    assert f"{finding.text}{finding.advice}".isprintable()
    assert "::error::" not in f"{finding.text}{finding.advice}"


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("NTLM", "NTLM"),
        ("Negotiate", "Negotiate"),
        ('Negotiate oYIB==, NTLM TlRM=, Basic realm="a, Digest b"', "Negotiate, NTLM, Basic"),
        ('Digest realm = "NTLM, x", qop="auth", nonce="1"', "Digest"),
        ("Bearer", "Bearer"),
        ("", None),
        ('="', None),
    ],
)
def test_of_what_asks_for_authentication_only_schemes_are_kept(
    field: str, names: str | None
) -> None:
    assert schemes(field) == names


@pytest.mark.parametrize(
    ("status_line", "name", "who"),
    [
        (b"401 Unauthorized", b"WWW-Authenticate", "server"),
        (b"407 Asked", b"Proxy-Authenticate", "proxy"),
    ],
)
def test_authentication_of_the_connection_is_told(
    status_line: bytes, name: bytes, who: str
) -> None:
    lines = (name + b": Negotiate", name + b": NTLM TlRMSECRET==")
    with answering(response(*lines, status_line=b"HTTP/1.1 " + status_line)) as server:
        finding = found(server.url)["connection-authenticated"]
    assert finding.evidence == {"count": 12, "answered": 12, "schemes": "Negotiate, NTLM"}
    assert finding.who == who
    assert ("--proxy" in finding.advice) is (who == "proxy")
    assert "SECRET" not in f"{finding}"


def test_basic_authentication_is_of_the_request() -> None:
    line = b'WWW-Authenticate: Basic realm="NTLM"'
    with answering(response(line, status_line=b"HTTP/1.1 401 Unauthorized")) as server:
        assert "connection-authenticated" not in found(server.url)


@pytest.mark.parametrize(
    ("first", "second", "begun"),
    [
        ("sid=1; Path=/", "sid=2; Path=/", "sid"),
        ("sid=1; Path=/", "sid=1; Path=/", None),
        ("JSESSIONID=1; HttpOnly", "JSESSIONID=2; HttpOnly", "JSESSIONID"),
        ("sessionid=1; Max-Age=1209600", "sessionid=2; Max-Age=1209600", "sessionid"),
        ("visitor=1; Max-Age=1209600", "visitor=2; Max-Age=1209600", None),
        ("visitor=1; Expires=Fri, 01 Jan 2100", "visitor=2; expires=Sat, 02 Jan 2100", None),
        ("lang=en", "lang=en", None),
        ("a=1; Expires=Fri, 01 Jan 2100, sid=1", "a=2; Expires=Fri, 01 Jan 2100, sid=2", "sid"),
        (f"a={'x' * 32}, b={'y' * 32}", f"a={'z' * 32}, b={'w' * 32}", "a, b"),
        ("visits=1", "visits=2", None),
        ("seen=1764464000.123456", "seen=1764464001.654321", None),
        (f"XSRF-TOKEN={'x' * 32}", f"XSRF-TOKEN={'y' * 32}", None),
        (f"__Host-csrf={'x' * 32}", f"__Host-csrf={'y' * 32}", None),
        ("", "=", None),
    ],
)
def test_a_session_begins_where_its_cookie_gets_another_value(
    first: str, second: str, begun: str | None
) -> None:
    cookies = SessionCookies()
    assert cookies.begun(first) is None
    assert cookies.begun(second) == begun


def test_what_names_one_of_several_servers_begins_no_session() -> None:
    # HAProxy's `cookie SERVERID insert`, of a server that is another one for each request.
    cookies = SessionCookies()
    told = [cookies.begun(f"SERVERID={number % 10:032}-web; path=/") for number in range(40)]
    assert sum(name is not None for name in told) == 9


@pytest.fixture
def forgetful() -> Iterator[str]:
    """A server that begins a session for each request that brings none, as most frameworks do."""
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # as it is called
            self.send_response(200)
            self.send_header("Content-Length", "2")
            if "Cookie" not in self.headers:
                self.send_header("Set-Cookie", f"PHPSESSID=secret{next(numbers)}; path=/")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_session_for_each_request_is_told_and_a_cookie_cures_it(forgetful: str) -> None:
    finding = found(forgetful)["session-each-time"]
    # Of each arm, the first answer has none before it.
    assert finding.evidence == {"count": 10, "answered": 12, "cookies": "PHPSESSID"}
    assert "-b NAME=VALUE" in finding.advice
    assert "secret" not in f"{finding}"
    assert "session-each-time" not in found(forgetful, cookies=("PHPSESSID=1",))
