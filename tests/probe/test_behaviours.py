"""What keeps a connection and what ends it, as servers are documented to do, and told to."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from server.wire import serving
from support.behaving import behaved, http_server, lived, probe_plan
from support.h2_server import h2_server
from support.misbehaving import ANSWER, Peer, forever, misbehaving
from support.nginx import Nginx, nginx
from support.patience import PATIENCE_S
from support.tls_server import resuming

from keepalive_bench import Network, Target, Tls, UsageError
from keepalive_bench.net import wire_opener
from keepalive_bench.plan.probing import BEHAVIOUR_GROUPS
from keepalive_bench.plan.values import Resolution
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.behaviours import GROUPS, behaviours_of, lives_of
from keepalive_bench.probe.prober import probe
from keepalive_bench.probe.record import Exchanged, ProbeRecord, Seen
from keepalive_bench.probe.report.plan import plan_lines, planned
from keepalive_bench.probe.transport import LiveTransport
from keepalive_bench.results.exchange import Failure
from keepalive_bench.server import CERTIFICATE
from keepalive_bench.typed_json import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nServer: other\r\nContent-Length: 0\r\n\r\n"
LATE = "a POST whose body comes late"
QUICK = Network(timeout_s=0.3)
_OLD = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"


@pytest.fixture(scope="module")
def plain() -> Iterator[Nginx]:
    with nginx("location = /broken { return 500; } location = /missing { return 404; }") as it:
        yield it


def test_each_group_that_can_be_asked_for_opens_something() -> None:
    assert [it.name for it in GROUPS] == [it.name for it in BEHAVIOUR_GROUPS]


# --- requests


def test_a_connection_is_kept_after_head_where_it_answers_again() -> None:
    with serving() as server:
        head = behaved(server.url, "head")["HEAD"]
    assert (head.keeps, head.text) == (
        True,
        "Answers HEAD with 200 (kab), and keeps the connection.",
    )


def test_an_announced_close_is_told_as_such() -> None:
    with serving(connection_close=True) as server:
        head = behaved(server.url, "head")["HEAD"]
    assert head.keeps is False
    assert head.text.endswith("closes the connection at once, as announced.")


def test_a_close_that_nobody_announced_is_told_without() -> None:
    with misbehaving(lambda peer: peer.answer(NOT_FOUND)) as server:
        head = behaved(server.url, "head")["HEAD"]
    assert head.keeps is False
    assert head.text == "Answers HEAD with 404 (other), and closes the connection at once."


def test_a_connection_that_is_announced_to_end_and_left_open_is_not_kept() -> None:
    closing = NOT_FOUND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with misbehaving(forever(closing)) as server:
        head = behaved(server.url, "head")["HEAD"]
    assert head.keeps is False
    assert "announces the end of the connection, though it leaves it open" in head.text


def test_a_body_after_head_is_data_that_nobody_asked_for() -> None:
    with misbehaving(forever()) as server:
        head = behaved(server.url, "head")["HEAD"]
    assert head.keeps is False
    assert "sends unsolicited data" in head.text


def test_a_request_without_a_response_tells_nothing_about_keeping() -> None:
    with misbehaving(lambda peer: peer.answer(b"")) as server:
        head = behaved(server.url, "head")["HEAD"]
    assert head.keeps is None
    assert head.text.startswith("There was no response (")


def test_a_second_request_without_a_response_tells_nothing_about_keeping() -> None:
    def script(peer: Peer) -> None:
        peer.answer(NOT_FOUND)
        peer.stay()

    with misbehaving(script) as server:
        head = behaved(server.url, "head", network=QUICK)["HEAD"]
    assert head.keeps is None
    assert head.text.startswith("Answers HEAD with 404 (other), and gives no response to the next")


def test_nginx_closes_after_a_500_and_not_after_a_404(plain: Nginx) -> None:
    paths = behaved(plain.http, "paths", also=("/missing", "/broken"))
    assert [it.keeps for it in paths.values()] == [True, False]
    assert paths["GET /missing"].text.startswith("Answers GET /missing with 404 (nginx/")
    assert paths["GET /broken"].text.startswith("Answers GET /broken with 500 (nginx/")


def test_secrets_in_a_path_are_starred() -> None:
    plan = probe_plan("http://a.test/", "paths", also=("/x?token=s3cret",))
    told = str([it.name for it in lives_of(plan)["paths"]])
    assert "s3cret" not in told + "\n".join(plan_lines(plan))


def test_a_path_is_sent_as_a_url_has_it_and_once() -> None:
    """RFC 3986, section 2.1: what isn't ASCII is percent-encoded; 3.5: a fragment isn't sent."""
    lives = lives_of(probe_plan("http://a.test/", "paths", also=("/ü#f", "/ü")))["paths"]
    assert [it.asks[0].path for it in lives] == ["/%C3%BC"]


def test_nginx_keeps_http_1_0_only_where_it_is_asked_to(plain: Nginx) -> None:
    old = behaved(plain.http, "http1.0")
    assert {name: it.keeps for name, it in old.items()} == {
        "with keep-alive": True,
        "without keep-alive": False,
    }


def test_pythons_server_keeps_http_1_0_only_where_it_is_asked_to() -> None:
    with http_server() as url:
        old = behaved(url, "http1.0")
    assert [it.keeps for it in old.values()] == [True, False]
    assert old["without keep-alive"].text == (
        "Answers an HTTP/1.0 request that doesn't ask for keep-alive with 200 "
        f"({_server_of(url)}), and closes the connection at once."
    )


def _server_of(_: str) -> str:
    from http.server import BaseHTTPRequestHandler as Handler  # noqa: PLC0415  # for its constants

    return f"{Handler.server_version} {Handler.sys_version}"


def test_nginx_answers_both_of_two_requests_at_once(plain: Nginx) -> None:
    both = behaved(plain.http, "pipelining")["two requests at once"]
    assert both.keeps is True
    assert both.text.startswith("Answers both of two requests sent at once with 200 (nginx/")


def test_a_server_that_closes_after_the_first_of_two_requests_doesnt_keep() -> None:
    with misbehaving(Peer.answer) as server:
        both = behaved(server.url, "pipelining")["two requests at once"]
    assert both.keeps is False
    assert both.text.startswith("Answers only the first of two requests sent at once (")


def test_a_second_request_that_is_ignored_tells_nothing_about_keeping() -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.stay()

    with misbehaving(script) as server:
        both = behaved(server.url, "pipelining", network=QUICK)["two requests at once"]
    assert both.keeps is None
    assert both.text.startswith("Answers only the first of two requests sent at once (")


# --- addresses


def test_each_address_of_a_name_is_asked_once() -> None:
    asked: list[str] = []

    def script(peer: Peer) -> None:
        asked.append(peer.socket.getsockname()[0])
        forever()(peer)

    with misbehaving(script) as server:
        port = int(server.address.rpartition(":")[2])
        network = _named("a.test", port, "127.0.0.1", "127.0.0.2")
        found = behaved(f"http://a.test:{port}/", "addresses", network=network)
    assert asked == ["127.0.0.1"]
    assert found[f"127.0.0.1:{port}"].keeps is True
    refused = found[f"127.0.0.2:{port}"]
    assert refused.keeps is None
    assert refused.text == "No connection could be opened (Connection refused)."


def _named(host: str, port: int, *addresses: str) -> Network:
    return Network(resolve=(Resolution(host, port, addresses),))


def test_a_name_with_fewer_addresses_than_are_planned_for_is_no_failure() -> None:
    with serving() as server:
        url = server.url.replace("127.0.0.1", "localhost")
        plan = probe_plan(url, "addresses")
        (lives,) = lives_of(plan).values()
        seen = lived(plan, [*lives])
    assert len(lives) == 8
    assert {it.failure.kind for it in seen if it.failure} <= {"connect-refused"}  # ::1
    assert sum(it.was_tried for it in seen) == len({it.peer for it in seen} - {None})
    assert any(it.keeps for it in behaviours_of(("addresses",), seen))


def test_an_address_in_the_url_is_the_only_one() -> None:
    assert len(lives_of(probe_plan("http://[::1]/", "addresses"))["addresses"]) == 1


def test_a_plan_looks_no_name_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    (line,) = (
        it for it in plan_lines(probe_plan("http://a.test/", "addresses")) if "each address" in it
    )
    assert "at most 8 times" in line


def test_addresses_behind_a_proxy_are_not_kabs_to_look_up() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        probe_plan("http://a.test/", "addresses", network=Network(proxy=Target("http://p.test/")))


# --- TLS


def test_a_server_of_one_version_refuses_the_others() -> None:
    with resuming("1.2") as server:
        found = behaved(server.url, "tls")
    assert [it.text for it in found.values()] == [
        "The server refuses TLS 1.0 (TLS alert: protocol_version).",
        "The server refuses TLS 1.1 (TLS alert: protocol_version).",
        "The server accepts TLS 1.2.",
        "The server refuses TLS 1.3 (TLS alert: protocol_version).",
    ]


def test_old_versions_are_offered_whatever_openssls_own_level_says() -> None:
    with nginx(_OLD) as old:
        found = behaved(old.https, "tls")
    assert [it.text.partition(" (")[0].rstrip(".") for it in found.values()] == [
        "The server accepts TLS 1.0",
        "The server accepts TLS 1.1",
        "The server refuses TLS 1.2",
        "The server refuses TLS 1.3",
    ]


def test_what_this_machines_openssl_lacks_is_not_the_servers_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_opener, "TLS_BUILT_IN", {**wire_opener.TLS_BUILT_IN, "1.0": False})
    with resuming("1.2") as server:
        found = behaved(server.url, "tls")
        assert server.server.accepts == 3
    assert found["TLS 1.0"].text == (
        "Whether the server accepts TLS 1.0 isn't known: this machine's OpenSSL can't offer it."
    )


@pytest.mark.parametrize(
    ("tls", "unknown"),
    [
        (Tls(ca_file=CERTIFICATE, minimum="1.2"), {"TLS 1.0", "TLS 1.1"}),
        (Tls(ca_file=CERTIFICATE, maximum="1.2"), {"TLS 1.3"}),
        (Tls(ca_file=CERTIFICATE, ciphers="ECDHE-RSA-AES128-GCM-SHA256"), {"TLS 1.0", "TLS 1.1"}),
    ],
    ids=["minimum", "maximum", "ciphers"],
)
def test_what_the_users_options_rule_out_is_not_the_servers_answer(
    tls: Tls, unknown: set[str]
) -> None:
    with resuming("1.2") as server:
        found = behaved(server.url, "tls", tls=tls)
        assert server.server.accepts == 4 - len(unknown)
    assert {name for name, it in found.items() if "rules it out" in it.text} == unknown


def test_a_server_that_closes_in_the_handshake_accepts_nothing() -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(65536)

    with misbehaving(script) as server:
        found = behaved(server.url.replace("http:", "https:"), "tls")
    assert {it.text.partition(": ")[2] for it in found.values()} == {
        "the connection ends without an alert."
    }


def test_a_server_that_never_answers_refuses_no_version() -> None:
    with misbehaving(Peer.stay) as server:
        url = server.url.replace("http:", "https:")
        found = behaved(url, "tls", network=QUICK)
    assert all("isn't known" in it.text for it in found.values())


@pytest.mark.parametrize("by", ["ticket", "id"])
def test_a_resumption_is_told_as_the_server_notes_it(by: str) -> None:
    with resuming("1.2", tickets=by == "ticket") as server:
        found = behaved(server.url, "resumption")
    ticket, number = found["by ticket"].text, found["by id"].text
    if by == "ticket":
        assert ticket == "The server resumes TLS by a session ticket (TLSv1.2)."
        assert server.resumed[:2] == [False, True]
    else:
        assert ticket == "The server doesn't give a session ticket (TLSv1.2)."
    assert server.resumed[2:] == [False, True]
    assert number == "The server resumes TLS by a session ID (TLSv1.2)."


def test_a_server_that_forgets_gives_tickets_and_resumes_none() -> None:
    with resuming("1.3", forgets=True) as server:
        found = behaved(server.url, "resumption")
    assert server.resumed == [False, False]
    assert "gives a session ticket, but didn't resume TLS by it" in found["by ticket"].text
    assert found["by id"].text == (
        "The server refuses TLS 1.2, and later versions don't resume by a session ID."
    )


def test_nginx_gives_ids_that_it_doesnt_resume_unless_it_has_a_cache() -> None:
    """`none`, the default, "tells a client that sessions may be reused", and stores none."""
    directives = ("", "ssl_session_cache off;", "ssl_session_cache shared:one:1m;")
    with ExitStack() as stack:
        running = [stack.enter_context(nginx(it)) for it in directives]
        told = [behaved(it.https, "resumption")["by id"].text for it in running]
    assert [it.partition(" (")[0] for it in told] == [
        "The server gives a session ID, but didn't resume TLS by it on the next connection",
        "The server doesn't give a session ID",
        "The server resumes TLS by a session ID",
    ]


def test_nginx_gives_no_tickets_where_it_is_told_so() -> None:
    with nginx("ssl_session_tickets off; ssl_protocols TLSv1.2;") as running:
        found = behaved(running.https, "resumption")
    assert found["by ticket"].text == "The server doesn't give a session ticket (TLSv1.2)."


def test_an_id_can_be_tried_with_tls_1_2_only() -> None:
    tls = Tls(ca_file=CERTIFICATE, minimum="1.3")
    with resuming("1.3") as server:
        found = behaved(server.url, "resumption", tls=tls)
        assert len(server.resumed) == 2
    assert found["by id"].text.startswith("Resumption by a session ID can't be tried: --tls-min")
    assert found["by ticket"].text == "The server resumes TLS by a session ticket (TLSv1.3)."


def test_a_server_of_http_2_is_not_spoken_to_in_it() -> None:
    with h2_server() as server:
        found = behaved(server.url, "alpn")
        assert (server.accepts, server.requests) == (2, 0)
    assert [it.text for it in found.values()] == [
        "Offered h2 and http/1.1, the server chooses h2.",
        "Offered http/1.1, the server chooses http/1.1.",
    ]


def test_a_server_without_alpn_chooses_nothing() -> None:
    with resuming("1.3") as server:
        found = behaved(server.url, "alpn")
    assert {it.text.partition(", the server ")[2] for it in found.values()} == {
        "chooses none: it doesn't use ALPN."
    }


def test_a_server_that_knows_no_protocol_offered_refuses() -> None:
    """RFC 7301, section 3.2: it "SHALL respond with a fatal no_application_protocol alert"."""
    failed = Failure("tls-handshake", "TLS alert: no_application_protocol")
    (found,) = behaviours_of(
        ("alpn",), (Seen("behaviour", "alpn: offering http/1.1", failure=failed),)
    )
    assert found.text.startswith("Offered http/1.1, the server refuses the connection (")


# --- POST


def test_nginx_answers_before_a_body_comes_and_keeps_the_connection(plain: Nginx) -> None:
    """`return` reads no body; what comes of it, nginx discards."""
    found = behaved(plain.http, "post", post_url=Target(f"{plain.http}form"))
    assert [it.keeps for it in found.values()] == [True, True, True]
    assert "before its body comes" in found[LATE].text


def test_a_server_that_leaves_a_body_unread_takes_it_for_a_request() -> None:
    with http_server(reads=False) as url:
        found = behaved(url, "post", only=LATE, post_url=Target(url))
    late = found[LATE]
    assert late.keeps is False
    assert "sends unsolicited data" in late.text


def test_pythons_server_permits_a_body_that_is_expected_and_leaves_none_unread() -> None:
    with http_server() as url:
        found = behaved(url, "post", post_url=Target(url))
    assert [it.keeps for it in found.values()] == [True, True, True]
    late, expecting = (it.text for name, it in found.items() if name != "a POST")
    assert late.startswith("Waits for the body of a POST, so none is left unread; answers with 200")
    assert expecting.startswith("Answers Expect: 100-continue with 100, then with 200 (")


def test_a_server_that_waits_for_the_body_doesnt_react_to_expect() -> None:
    def script(peer: Peer) -> None:
        while peer.read_whole_request():
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        found = behaved(server.url, "post", only="a POST with Expect", post_url=Target(server.url))[
            "a POST with Expect"
        ]
    assert found.keeps is True
    assert found.text.startswith("Doesn't react to Expect: 100-continue; once the body comes, it ")


def test_a_body_that_isnt_wanted_is_not_sent() -> None:
    rest: SimpleQueue[bytes] = SimpleQueue()

    def script(peer: Peer) -> None:
        while head := peer.read_request():
            if b"Expect" in head:
                peer.socket.sendall(ANSWER.replace(b"200 OK", b"417 Expectation Failed"))
                rest.put(peer.socket.recv(65536))
                return
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        found = behaved(server.url, "post", only="a POST with Expect", post_url=Target(server.url))[
            "a POST with Expect"
        ]
    assert found.text == "Answers Expect: 100-continue with 417 in place of 100: no body was sent."
    assert found.keeps is None
    assert rest.get(timeout=PATIENCE_S) == b""


def test_a_stopped_probe_tells_nothing_of_what_it_didnt_reach() -> None:
    begun = Seen("behaviour", "head: HEAD")
    assert behaviours_of(("head",), (begun,)) == ()
    answered = Exchanged(1.0, None, 0.1, "HEAD", "/", 200)
    (told,) = behaviours_of(("head",), (begun._replace(opened_s=0.9, exchanges=(answered,)),))
    assert (told.keeps, told.text) == (
        None,
        "Answers HEAD with 200, and then the probe was stopped.",
    )


# --- as parts of a probe


@pytest.fixture(scope="module")
def probed() -> ProbeRecord:
    woken = threading.Event()
    with nginx("location = /broken { return 500; }") as running:
        groups = tuple(it.name for it in BEHAVIOUR_GROUPS)
        plan = probe_plan(
            running.https,
            *groups,
            also=("/broken",),
            post_url=Target(running.https),
            max_idle_s=1.0,
        )
        transport = LiveTransport(plan, woken.set, lambda _: woken.wait(0.05))
        try:
            return probe(plan, transport)
        finally:
            transport.close()


def test_behaviours_are_tried_in_the_order_of_the_table_beside_all_else(
    probed: ProbeRecord,
) -> None:
    tried = dict.fromkeys(it.group for it in analyse(probed).behaviours)
    assert [*tried] == [it.name for it in BEHAVIOUR_GROUPS]


def test_behaviours_are_told_of_a_record_that_was_read_back(probed: ProbeRecord) -> None:
    stored = from_json(ProbeRecord, to_json(probed))
    assert analyse(stored).behaviours == analyse(probed).behaviours


def test_groups_that_nobody_knows_are_left_out(probed: ProbeRecord) -> None:
    assert behaviours_of(("head", "none such"), probed.connections)
    assert not behaviours_of(("none such",), probed.connections)


def test_a_plan_says_how_long_unanswered_behaviours_take() -> None:
    network = Network(timeout_s=10)
    said = planned(probe_plan("http://a.test/", "head", network=network))
    # Twice the first response's time, then a connection and two requests, and what is in between.
    assert said.endswith("Behaviours take up to 52 s if none is answered.")
