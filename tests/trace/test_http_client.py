from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.misbehaving import ANSWER, Peer, misbehaving, refusing
from support.programs import ran
from support.pythons import VERSIONS, needed_python
from support.relays import relay

from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings
from keepalive_bench.trace.recording import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = """
    import sys
    from http.client import HTTPConnection

    connection = HTTPConnection(sys.argv[1])
    for _ in range(6):
        connection.request("GET", "/")
        connection.getresponse().read()
"""


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as process:
        yield process


def address(server: ServerProcess) -> str:
    return f"{server.host}:{server.port}"


@pytest.mark.parametrize("version", VERSIONS)
def test_urllib_opens_a_connection_for_each_request_and_http_client_keeps_its_own(
    tmp_path: Path, server: ServerProcess, version: str
) -> None:
    program = """
        import sys
        from http.client import HTTPConnection
        from urllib.request import urlopen

        for _ in range(4):
            with urlopen(sys.argv[1]) as answer:
                answer.read()
        connection = HTTPConnection(sys.argv[2])
        for _ in range(6):
            connection.request("GET", "/")
            connection.getresponse().read()
    """
    python = needed_python(version)
    seen = ran(tmp_path, program, server.url, address(server), python=python)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (5, 10)
    assert seen.endings == {"announced": 4, "open": 1}
    assert [it.asks_to_close for it in seen.exchanges] == [True] * 4 + [False] * 6
    assert {it.client for it in seen.connections} == {None}
    assert all(it.ended_s is not None for it in seen.exchanges)
    assert {it.frame.file.rpartition("/")[2] for it in seen.exchanges if it.frame} == {"app.py"}


def test_urllib_takes_the_socket_away_where_the_answer_keeps_it(tmp_path: Path) -> None:
    program = """
        import sys
        from urllib.request import urlopen

        for _ in range(3):
            urlopen(sys.argv[1]).read()
    """
    with misbehaving(lambda peer: peer.answer()) as server:
        seen = ran(tmp_path, program, server.url)
        assert seen.opened == server.accepts == 3
    assert seen.endings == {"connection-closed": 3}
    assert all(it.ended_s is not None for it in seen.exchanges)


def test_a_connection_that_is_closed_each_time_is_opened_each_time(
    tmp_path: Path, server: ServerProcess
) -> None:
    seen = ran(tmp_path, f"{KEPT}        connection.close()", address(server))
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (6, 6)
    assert seen.endings == {"connection-closed": 6}
    assert {it.closing_stack[0].line for it in seen.connections} == {9}


def test_a_connection_that_is_dropped_is_collected(tmp_path: Path, server: ServerProcess) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        for _ in range(3):
            connection = HTTPConnection(sys.argv[1])
            connection.request("GET", "/")
            connection.getresponse().read()
    """
    seen = ran(tmp_path, program, address(server))
    assert seen.opened == server.stop().accepts == 3
    assert seen.endings == {"collected": 2, "open": 1}


@pytest.mark.parametrize("behaviour", [Behaviour(http_10=True), Behaviour(connection_close=True)])
def test_a_response_takes_a_connection_along_that_ends_with_it(
    tmp_path: Path, behaviour: Behaviour
) -> None:
    with ServerProcess(ServerSettings(behaviour=behaviour)) as server:
        seen = ran(tmp_path, KEPT, address(server))
        assert seen.opened == server.stop().accepts == 6
    assert seen.endings == {"announced": 6}
    for connection, exchange in zip(seen.connections, seen.exchanges, strict=True):
        assert exchange.ended_s is not None
        assert connection.ended_s is not None
        assert connection.ended_s >= exchange.ended_s
        assert exchange.connection == connection.number


def test_answers_that_differ_in_their_version_alone_are_told_apart(tmp_path: Path) -> None:
    def answer(peer: Peer) -> None:
        for version in (b"1.1", b"1.0"):
            peer.answer(ANSWER.replace(b"HTTP/1.1", b"HTTP/" + version))

    with misbehaving(answer) as server:
        seen = ran(tmp_path, KEPT, server.address)
        assert seen.opened == server.accepts == 3
    versions = [it.answer.http_version for it in seen.exchanges if it.answer is not None]
    assert versions == ["HTTP/1.1", "HTTP/1.0"] * 3


def test_a_connection_may_be_used_again_before_such_a_response_is_read(tmp_path: Path) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        connection, answers = HTTPConnection(sys.argv[1]), []
        for _ in range(3):
            connection.request("GET", "/")
            answers.append(connection.getresponse())
        for answer in answers:
            assert answer.read()
    """
    behaviour = Behaviour(connection_close=True)
    with ServerProcess(ServerSettings(behaviour=behaviour)) as server:
        seen = ran(tmp_path, program, address(server))
        assert seen.opened == server.stop().accepts == 3
    assert seen.endings == {"announced": 3}
    assert all(it.ended_s is not None for it in seen.exchanges)


def test_responses_without_a_body_are_read_to_their_ends(tmp_path: Path) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        connection = HTTPConnection(sys.argv[1])
        for method in ("HEAD", "GET"):
            connection.request(method, "/")
            connection.getresponse().read()
    """
    with ServerProcess(ServerSettings(behaviour=Behaviour(status=204))) as server:
        seen = ran(tmp_path, program, address(server))
    assert seen.opened == 1
    for exchange in seen.exchanges:
        assert exchange.ended_s is not None
        assert exchange.answer is not None
        assert exchange.answer.framing == "none"


def test_a_body_is_read_to_its_end_however_that_is_done(tmp_path: Path) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        def parts(answer):
            while answer.read(100):
                pass

        def buffers(answer):
            while answer.readinto(bytearray(100)):
                pass

        connection = HTTPConnection(sys.argv[1])
        for read in (parts, buffers, lambda answer: answer.close()):
            connection.request("GET", "/")
            read(connection.getresponse())
    """
    for chunked in (True, False):
        folder = tmp_path / str(chunked)
        folder.mkdir()
        with ServerProcess(ServerSettings(behaviour=Behaviour(chunked=chunked))) as server:
            seen = ran(folder, program, address(server))
        assert [it.ended_s is None for it in seen.exchanges] == [False] * 2 + [True]


def test_what_an_answer_says_is_kept_short(tmp_path: Path) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\nVia: 1.1 a\r\n"
        b"connection: x\ty\r\nVIA: 1.1 b\r\nServer: " + b"s" * 99 + b"\r\nTransfer-Encoding: gzip,"
        b" Chunked;q=1\r\nSet-Cookie: secret=1\r\n\r\n0\r\n\r\n"
    )
    program = KEPT.replace("range(6)", "range(1)")
    with misbehaving(lambda peer: peer.answer(answer)) as server:
        seen = ran(tmp_path, program, server.address)
    told = seen.exchanges[0].answer
    assert told is not None
    assert (told.connection, told.keep_alive) == ("Keep-Alive, x y", "timeout=5")
    assert (told.via, told.server, told.framing) == ("1.1 a, 1.1 b", "s" * 60, "chunked")


def test_a_refused_connection_was_never_opened(tmp_path: Path) -> None:
    program = """
        import sys
        from http.client import HTTPConnection, HTTPSConnection

        for kind in (HTTPConnection, HTTPSConnection):
            try:
                kind(sys.argv[1]).request("GET", "/")
            except ConnectionRefusedError:
                pass
    """
    with refusing() as free:
        seen = ran(tmp_path, program, free)
    assert (seen.opened, seen.sent) == (0, 0)
    assert [it.failure for it in seen.connections] == ["ConnectionRefusedError"] * 2
    assert [it.failure for it in seen.exchanges] == ["ConnectionRefusedError"] * 2
    assert [it.connection for it in seen.exchanges] == [it.number for it in seen.connections]


def test_a_failed_handshake_leaves_a_connection_that_was_opened(tmp_path: Path) -> None:
    program = """
        import ssl, sys
        from http.client import HTTPSConnection

        try:
            HTTPSConnection(sys.argv[1]).request("GET", "/")
        except ssl.SSLError:
            pass
    """
    with ServerProcess(ServerSettings(tls=True)) as server:
        seen = ran(tmp_path, program, address(server))
        assert seen.opened == server.stop().accepts == 1
    assert (seen.only.failure, seen.only.ready_s) == ("ssl.SSLCertVerificationError", None)
    assert seen.only.connected_s is not None


@pytest.mark.parametrize("script", [Peer.reset, Peer.close, Peer.read_request])
def test_a_connection_that_ends_at_once_is_a_failed_exchange(
    tmp_path: Path, script: object
) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        connection = HTTPConnection(sys.argv[1])
        for _ in range(3):
            try:
                connection.request("GET", "/")
                connection.getresponse()
            except ConnectionError:
                connection.close()
    """
    with misbehaving(script) as server:  # type: ignore[arg-type]  # one of those above
        seen = ran(tmp_path, program, server.address)
        assert seen.opened == server.accepts == 3
    assert seen.endings == {"failed": 3}
    known = {"ConnectionResetError", "http.client.RemoteDisconnected", "BrokenPipeError"}
    assert {it.failure for it in seen.exchanges} <= known


def test_a_tunnel_leads_to_the_server_behind_the_proxy(tmp_path: Path) -> None:
    program = """
        import ssl, sys
        from http.client import HTTPSConnection

        context = ssl.create_default_context(cafile=sys.argv[3])
        connection = HTTPSConnection(sys.argv[2], context=context)
        host, port = sys.argv[1].split(":")
        connection.set_tunnel(host, int(port))
        for _ in range(3):
            connection.request("GET", "/")
            connection.getresponse().read()
    """
    with ServerProcess(ServerSettings(tls=True)) as server, relay() as proxy:
        place = f"127.0.0.1:{proxy.port}"
        seen = ran(tmp_path, program, address(server), place, str(CERTIFICATE))
        assert seen.opened == proxy.accepts == server.stop().accepts == 1
    assert seen.sent == 3
    assert seen.only.origin == Origin("https", "127.0.0.1", server.port, f"http://{place}")
    assert seen.only.is_tls
    assert seen.only.is_tunnel


def test_a_forwarded_request_asks_the_server_of_its_url(tmp_path: Path) -> None:
    program = """
        import sys
        from urllib.request import ProxyHandler, build_opener

        build_opener(ProxyHandler({"http": sys.argv[1]})).open("http://Example.com/path").read()
    """
    with misbehaving(lambda peer: peer.answer(ANSWER)) as proxy:
        seen = ran(tmp_path, program, proxy.url)
        assert seen.opened == proxy.accepts == 1
        assert seen.only.origin == Origin("http", "example.com", 80, f"http://{proxy.address}")


def test_a_connection_that_a_subclass_opens_in_its_own_way_is_seen(
    tmp_path: Path, server: ServerProcess
) -> None:
    program = """
        import socket, sys
        from http.client import HTTPConnection

        class Own(HTTPConnection):
            def connect(self):
                self.sock = socket.create_connection((self.host, self.port))

        for is_early in (True, False):
            connection = Own(sys.argv[1])
            if is_early:
                connection.connect()
            for _ in range(3):
                connection.request("GET", "/")
                connection.getresponse().read()
            connection.close()
    """
    seen = ran(tmp_path, program, address(server))
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (2, 6)
    assert seen.endings == {"connection-closed": 2}
    assert {it.connection for it in seen.exchanges} == {it.number for it in seen.connections}


def test_a_signals_handler_may_send_requests_amid_others(
    tmp_path: Path, server: ServerProcess
) -> None:
    program = """
        import signal, sys
        from http.client import HTTPConnection

        def send(connection):
            connection.request("GET", "/")
            connection.getresponse().read()

        def handle(*_):
            send(other)
            signal.setitimer(signal.ITIMER_REAL, 0.0005)

        connection, other = HTTPConnection(sys.argv[1]), HTTPConnection(sys.argv[1])
        send(connection)
        send(other)
        signal.signal(signal.SIGALRM, handle)
        handle()
        for _ in range(300):
            send(connection)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    """
    seen = ran(tmp_path, program, address(server))
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests)
    assert all(it.ended_s is not None for it in seen.exchanges)


def test_a_fork_that_closes_its_parents_connection_opens_one_of_its_own(
    tmp_path: Path, server: ServerProcess
) -> None:
    program = f"""{KEPT}
    child = os.fork()
    connection.close()
    for _ in range(2):
        connection.request("GET", "/")
        connection.getresponse().read()
    if child:
        os.wait()
    """.replace("import sys", "import os, sys")
    seen = ran(tmp_path, program, address(server))
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (3, 10)
    parent, child = (list(it.connections()) for it in seen.processes)
    assert [it.ending for it in parent] == ["connection-closed", "open"]
    assert [(it.inherited_from, it.previous) for it in child] == [(None, None)]
