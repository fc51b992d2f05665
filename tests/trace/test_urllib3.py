from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support.misbehaving import ANSWER, Peer, misbehaving, refusing
from support.programs import Seen, ran
from support.relays import relay
from support.venvs import venv

from keepalive_bench.server import CERTIFICATE, Behaviour, Fault, ServerProcess, ServerSettings
from keepalive_bench.trace.recording import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    See: TypeAlias = Callable[..., Seen]

UNTIL_READABLE = """
import select

def until_readable(manager):
    pool, = manager.pools._container.values()
    connection = pool.pool.queue[-1]
    assert select.select([connection.sock], [], [], 30)[0]
"""


VERSIONS = ("", *(pytest.param(it, marks=pytest.mark.slow) for it in ("1.26.*", "2.0.*")))


@pytest.fixture(scope="session", params=VERSIONS)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One with requests and a version of urllib3; the fast tests' own has the newest."""
    version: str = request.param
    if not version:
        return sys.executable
    requirements = [f"urllib3=={version}", "requests"]
    folder = venv(tmp_path_factory, f"urllib3-{version[:4]}", sys.executable, requirements)
    return str(folder / "bin" / "python")


@pytest.fixture
def see(tmp_path: Path, python: str) -> See:
    return partial(ran, tmp_path, python=python)


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as process:
        yield process


def test_each_requests_get_opens_a_connection(see: See, server: ServerProcess) -> None:
    program = """
        import sys, requests

        def sync():
            for _ in range(40):
                requests.get(sys.argv[1])

        sync()
    """
    seen = see(program, server.url)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (40, 40)
    assert seen.endings == {"client-closed": 40}
    own = [it for it in seen.connections[0].stack if it.file.endswith("app.py")]
    assert [(it.line, it.function) for it in own] == [(6, "sync"), (8, "<module>")]
    assert list(seen.connections[-1].closing_stack) == own[:1]
    assert {it.frame for it in seen.exchanges} == {own[0]}
    assert {it.function for it in seen.connections[0].stack} >= {"get", "urlopen"}


def test_a_session_keeps_its_connection(see: See, server: ServerProcess) -> None:
    program = """
        import sys, requests

        session = requests.Session()
        for _ in range(40):
            session.get(sys.argv[1])
    """
    seen = see(program, server.url)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (1, 40)
    assert seen.endings == {"open": 1}
    host = Origin("http", "127.0.0.1", server.port)
    assert seen.only.origin == host
    (manager,) = (it for it in seen.clients if it.origin is None)  # the only one that is used
    (pool,) = (it for it in seen.clients if it.origin == host)
    assert manager.kind == "urllib3.poolmanager.PoolManager"
    assert pool.kind == "urllib3.connectionpool.HTTPConnectionPool"
    assert (pool.of, seen.only.client) == (manager.number, pool.number)
    assert (pool.most, pool.blocks, pool.differs) == (10, False, ())


def test_an_exchange_is_told_from_its_first_byte_to_its_last(
    see: See, server: ServerProcess
) -> None:
    program = """
        import sys, urllib3

        urllib3.PoolManager().request("POST", sys.argv[1], body=b"x" * 100_000)
    """
    (exchange,) = see(program, server.url).exchanges
    times = exchange.began_s, exchange.sent_s, exchange.answered_s, exchange.ended_s
    assert list(times) == sorted(times)  # type: ignore[type-var]  # none is missing
    assert (exchange.status, exchange.has_body, exchange.asks_to_close) == (200, True, False)
    assert exchange.answer is not None
    assert (exchange.answer.http_version, exchange.answer.framing) == ("HTTP/1.1", "length")
    assert exchange.answer.server == "kab"


def test_unread_responses_that_are_kept_hold_their_connections(
    see: See, server: ServerProcess
) -> None:
    program = """
        import sys, requests

        session = requests.Session()
        kept = [session.get(sys.argv[1], stream=True) for _ in range(5)]
    """
    seen = see(program, server.url)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (5, 5)
    assert seen.endings == {"open": 5}
    assert {it.ended_s for it in seen.exchanges} == {None}


@pytest.mark.parametrize("how", ["", "answer.close()", "next(answer.iter_content(10))"])
@pytest.mark.parametrize("chunked", [True, False])
def test_unread_responses_that_are_let_go_end_their_connections(
    see: See, how: str, *, chunked: bool
) -> None:
    program = f"""
        import sys, requests

        session = requests.Session()
        for _ in range(5):
            answer = session.get(sys.argv[1], stream=True)
            {how}
            answer = None
    """
    behaviour = Behaviour(chunked=chunked, body_size=100_000)
    with ServerProcess(ServerSettings(behaviour=behaviour)) as server:
        seen = see(program, server.url)
        stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (5, 5)
    assert seen.endings == {"unread": 5}
    assert {it.ended_s for it in seen.exchanges} == {None}


def test_so_do_responses_without_a_body(see: See, server: ServerProcess) -> None:
    program = """
        import sys, requests

        session = requests.Session()
        for _ in range(3):
            session.head(sys.argv[1], stream=True)
    """
    seen = see(program, server.url)
    assert seen.opened == server.stop().accepts == 3
    assert seen.endings == {"unread": 3}
    assert {it.ended_s for it in seen.exchanges} == {None}


@pytest.mark.parametrize("how", ["content", "raw.read()", "raw.drain_conn()", "text"])
@pytest.mark.parametrize("chunked", [True, False])
def test_responses_that_are_read_later_are_read(see: See, how: str, *, chunked: bool) -> None:
    program = f"""
        import sys, requests

        session = requests.Session()
        for _ in range(5):
            session.get(sys.argv[1], stream=True).{how}
    """
    with ServerProcess(ServerSettings(behaviour=Behaviour(chunked=chunked))) as server:
        seen = see(program, server.url)
    assert seen.opened == 1
    assert None not in {it.ended_s for it in seen.exchanges}


def test_chunks_that_are_read_one_by_one_are_read(see: See) -> None:
    program = """
        import sys, requests

        session = requests.Session()
        for _ in range(5):
            list(session.get(sys.argv[1], stream=True).iter_content(100))
    """
    with ServerProcess(ServerSettings(behaviour=Behaviour(chunked=True))) as server:
        seen = see(program, server.url)
    assert seen.opened == 1
    assert None not in {it.ended_s for it in seen.exchanges}


def test_a_full_pool_throws_connections_away(see: See, server: ServerProcess) -> None:
    program = """
        import sys, threading, requests

        session, meeting = requests.Session(), threading.Barrier(32)

        def work():
            for _ in range(5):
                meeting.wait()
                answer = session.get(sys.argv[1], stream=True)
                meeting.wait()
                answer.content

        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    seen = see(program, server.url)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (32 + 4 * 22, 160)
    assert seen.endings == {"open": 10, "pool-full": 5 * 22}
    assert len({it.who for it in seen.exchanges}) == 32


def close(peer: Peer) -> None:
    peer.answer()


def reset(peer: Peer) -> None:
    peer.answer()
    peer.reset()


@pytest.mark.parametrize(("script", "ending"), [(close, "found-fin"), (reset, "found-rst")])
def test_a_connection_that_ended_while_idle_is_found(see: See, script: object, ending: str) -> None:
    program = f"""
        import sys, urllib3
        {UNTIL_READABLE.replace(chr(10), chr(10) + "        ")}
        manager = urllib3.PoolManager()
        for _ in range(3):
            manager.request("GET", sys.argv[1])
            until_readable(manager)
    """
    with misbehaving(script) as server:  # type: ignore[arg-type]  # one of those above
        seen = see(program, server.url)
        assert seen.opened == server.accepts == 3
    assert seen.endings == {ending: 2, "open": 1}
    first, second, third = seen.connections
    assert (first.previous, second.previous, third.previous) == (None, first.number, second.number)


@pytest.mark.parametrize("version", [None, "1.2", "1.3"])
@pytest.mark.parametrize("fault", [None, "idle-reset", "idle-push"])
def test_how_it_ended_is_found_under_tls_too(
    see: See, version: str | None, fault: str | None
) -> None:
    program = f"""
        import sys, urllib3
        {UNTIL_READABLE.replace(chr(10), chr(10) + "        ")}
        manager = urllib3.PoolManager(ca_certs=sys.argv[2])
        for _ in range(3):
            manager.request("GET", sys.argv[1])
            until_readable(manager)
    """
    settings = ServerSettings(
        tls=version is not None,
        tls_min=version,
        tls_max=version,
        behaviour=Behaviour(idle_timeout_s=None if fault else 0.1),
        fault=Fault.parse(f"{fault}=0.1") if fault else None,
    )
    with ServerProcess(settings) as server:
        seen = see(program, server.url, str(CERTIFICATE))
        assert seen.opened == server.stop().accepts == 3
    endings = {None: "found-fin", "idle-reset": "found-rst", "idle-push": "found-data"}
    assert seen.endings == {endings[fault]: 2, "open": 1}
    assert {it.is_tls for it in seen.connections} == {version is not None}
    assert None not in {it.ready_s for it in seen.connections}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_an_announced_end_is_the_servers(see: See, answer: bytes) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager()
        for _ in range(3):
            manager.request("GET", sys.argv[1])
    """
    with misbehaving(lambda peer: peer.answer(answer)) as server:
        seen = see(program, server.url)
        assert seen.opened == server.accepts == 3
    assert seen.endings == {"announced": 3}
    assert all(it.ended_s is not None for it in seen.exchanges)
    assert [it.previous for it in seen.connections[1:]] == [
        it.number for it in seen.connections[:2]
    ]


def test_a_redirect_to_another_origin_names_it(
    see: See, tmp_path: Path, server: ServerProcess
) -> None:
    place = f"http://localhost:{server.port}/secret?token=x"
    answer = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager()
        for _ in range(2):
            manager.request("GET", sys.argv[1])
    """

    def script(peer: Peer) -> None:
        for _ in range(2):
            peer.answer(answer)

    with misbehaving(script) as first:
        seen = see(program, first.url)
        assert first.accepts == 1
    assert (seen.opened, seen.sent) == (2, 4)
    other = Origin("http", "localhost", server.port)
    assert [it.redirect for it in seen.exchanges] == [other, None, other, None]
    everything = b"".join(it.read_bytes() for it in tmp_path.glob("*/*.kab"))
    assert b"secret" not in everything
    assert b"token" not in everything


def test_a_refused_connection_was_never_opened(see: See) -> None:
    program = """
        import sys, urllib3

        try:
            urllib3.PoolManager().request("GET", sys.argv[1], retries=2)
        except urllib3.exceptions.MaxRetryError:
            pass
    """
    for scheme in ("http", "https"):
        with refusing() as address:
            seen = see(program, f"{scheme}://{address}/")
        assert (seen.opened, seen.sent) == (0, 0)
        assert [it.failure for it in seen.connections] == ["ConnectionRefusedError"] * 3
        assert [it.failure for it in seen.exchanges] == ["ConnectionRefusedError"] * 3
        assert [it.connection for it in seen.exchanges] == [it.number for it in seen.connections]


def test_a_failed_handshake_leaves_a_connection_that_was_opened(see: See) -> None:
    program = """
        import sys, urllib3

        try:
            urllib3.PoolManager().request("GET", sys.argv[1], retries=1)
        except urllib3.exceptions.MaxRetryError:
            pass
    """
    with ServerProcess(ServerSettings(tls=True)) as server:
        seen = see(program, server.url)
        assert seen.opened == server.stop().accepts == 2
    assert [it.failure for it in seen.connections] == ["ssl.SSLCertVerificationError"] * 2
    assert [it.ready_s for it in seen.connections] == [None, None]
    assert seen.sent == 0


def test_a_reset_at_once_is_a_failed_exchange(see: See) -> None:
    program = """
        import sys, urllib3

        try:
            urllib3.PoolManager().request("GET", sys.argv[1], retries=2)
        except urllib3.exceptions.MaxRetryError:
            pass
    """
    with misbehaving(Peer.reset) as server:
        seen = see(program, server.url)
        assert seen.opened == server.accepts == 3
    assert seen.endings == {"failed": 3}
    assert {it.failure for it in seen.exchanges} == {"ConnectionResetError"}


def test_a_timeout_is_a_failed_exchange(see: See) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager()
        try:
            manager.request("GET", sys.argv[1], retries=False, timeout=0.1)
        except urllib3.exceptions.ReadTimeoutError:
            pass
    """
    with misbehaving(Peer.stay) as server:
        seen = see(program, server.url)
    assert seen.endings == {"failed": 1}
    assert [(it.failure, it.status) for it in seen.exchanges] == [("TimeoutError", None)]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_breaks_off_is_a_failed_exchange(
    see: See, *, stream: bool, chunked: bool
) -> None:
    program = f"""
        import sys, requests

        session = requests.Session()
        for _ in range(2):
            try:
                session.get(sys.argv[1], stream={stream}).content
            except requests.RequestException:
                pass
    """
    settings = ServerSettings(
        behaviour=Behaviour(chunked=chunked), fault=Fault.parse("close-in-body")
    )
    with ServerProcess(settings) as server:
        seen = see(program, server.url)
        assert seen.opened == server.stop().accepts == 2
    # urllib3 1.26 takes what there is for all of it, unless it came in chunks.
    assert seen.endings in ({"failed": 2}, {"found-fin": 1, "open": 1})
    assert {it.failure for it in seen.exchanges} == {"http.client.IncompleteRead"}
    assert {it.status for it in seen.exchanges} == {200}


def test_a_tunnel_leads_to_the_server_behind_the_proxy(see: See) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.ProxyManager(sys.argv[2], ca_certs=sys.argv[3])
        for _ in range(3):
            manager.request("GET", sys.argv[1])
    """
    with ServerProcess(ServerSettings(tls=True)) as server, relay() as proxy:
        seen = see(program, server.url, proxy.url, str(CERTIFICATE))
        assert seen.opened == proxy.accepts == server.stop().accepts == 1
    assert seen.sent == 3
    via = f"http://127.0.0.1:{proxy.port}"
    assert seen.only.origin == Origin("https", "127.0.0.1", server.port, via)
    assert seen.only.is_tls
    assert seen.only.is_tunnel


def test_a_refused_tunnel_is_a_failed_connection(see: See) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.ProxyManager(sys.argv[1])
        try:
            manager.request("GET", "https://somewhere:443/", retries=False)
        except urllib3.exceptions.HTTPError:
            pass
    """
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with misbehaving(lambda peer: peer.answer(answer)) as proxy:
        seen = see(program, proxy.url)
        assert seen.opened == proxy.accepts == 1
    assert seen.only.failure == "OSError"
    assert seen.only.origin.host == "somewhere"
    assert seen.sent == 0


def test_a_forwarded_request_asks_the_server_of_its_url(see: See) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.ProxyManager(sys.argv[1])
        for _ in range(2):
            manager.request("GET", "http://Example.com/path")
    """

    def script(peer: Peer) -> None:
        for _ in range(2):
            peer.answer(ANSWER)

    with misbehaving(script) as proxy:
        seen = see(program, proxy.url)
        assert seen.opened == proxy.accepts == 1
        assert seen.only.origin == Origin("http", "example.com", 80, f"http://{proxy.address}")


def test_an_evicted_pool_takes_its_connections_along(see: See, server: ServerProcess) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager(num_pools=1)
        for _ in range(3):
            for host in ("127.0.0.1", "localhost"):
                manager.request("GET", f"http://{host}:{sys.argv[1]}/")
    """
    seen = see(program, str(server.port))
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (6, 6)
    assert seen.endings == {"evicted": 5, "open": 1}


@pytest.mark.parametrize("how", ["manager.clear()", "manager.connection_from_url(url).close()"])
def test_a_cleared_manager_closes_its_connections(
    see: See, server: ServerProcess, how: str
) -> None:
    program = f"""
        import sys, urllib3

        url, manager = sys.argv[1], urllib3.PoolManager()
        for _ in range(3):
            manager.request("GET", url)
            {how}
            manager.clear()
    """
    seen = see(program, server.url)
    assert seen.endings == {"client-closed": 3}
    assert seen.opened == server.stop().accepts == 3


def test_pools_tell_in_which_settings_they_differ(see: See, server: ServerProcess) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager(timeout=5.0)
        for timeout in (5.0, 6.0):
            pool = manager.connection_from_url(
                sys.argv[1], {"timeout": timeout, "headers": {"x": str(timeout)}, "maxsize": 2}
            )
            pool.request("GET", "/")
    """
    seen = see(program, server.url)
    pools = [it for it in seen.clients if it.origin is not None]
    assert [it.differs for it in pools] == [(), ("timeout", "headers")]
    assert [it.most for it in pools] == [2, 2]


def test_asking_to_close_is_the_programs_own(see: See, server: ServerProcess) -> None:
    program = """
        import sys, urllib3

        manager = urllib3.PoolManager(headers={"Connection": "close"})
        for _ in range(3):
            manager.request("GET", sys.argv[1])
    """
    seen = see(program, server.url)
    assert seen.opened == server.stop().accepts == 3
    assert {it.asks_to_close for it in seen.exchanges} == {True}


def test_connections_in_a_cycle_of_references_end_with_it(see: See, server: ServerProcess) -> None:
    program = """
        import gc, sys, urllib3

        class Client:
            def __init__(self):
                self.own, self.manager = self, urllib3.PoolManager()

        gc.disable()
        for _ in range(3):
            Client().manager.request("GET", sys.argv[1])
        gc.collect()
    """
    seen = see(program, server.url)
    assert seen.opened == server.stop().accepts == 3
    assert seen.endings == {"collected": 3}
    assert all(it.ended_s is not None for it in seen.clients[-6:])  # urllib3 2 has one


def test_a_fork_goes_on_with_its_parents_connection(see: See, server: ServerProcess) -> None:
    program = """
        import os, sys, urllib3

        used, kept = urllib3.PoolManager(), urllib3.PoolManager()
        used.request("GET", sys.argv[1])
        kept.request("GET", sys.argv[1])
        if os.fork() == 0:
            used.request("GET", sys.argv[1])
            used.clear()
            used.request("GET", sys.argv[1])
            sys.exit()
        os.wait()
    """
    seen = see(program, server.url)
    stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (3, 4)
    parent, child = seen.processes
    first = next(parent.connections())
    inherited, opened = child.connections()
    assert (inherited.inherited_from, opened.inherited_from) == (first.number, None)
    assert inherited.origin == first.origin
    assert [it.kind for it in child.clients.values()].count("urllib3.poolmanager.PoolManager") == 1


def test_a_fork_opens_again_what_the_server_has_closed_before(see: See) -> None:
    program = """
        import os, select, sys, urllib3

        pool = urllib3.connection_from_url(sys.argv[1])
        pool.request("GET", "/")
        select.select([pool.pool.queue[-1].sock], [], [])
        child = os.fork()
        pool.request("GET", "/")
        if child:
            os.wait()
    """
    with ServerProcess(ServerSettings(behaviour=Behaviour(silent_close_after=1))) as server:
        seen = see(program, server.url)
        stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (3, 3)
    parent, child = ([it.origin for it in process.connections()] for process in seen.processes)
    assert len(parent) == 2
    assert child == parent[:1]


def test_retries_are_exchanges_of_their_own(see: See) -> None:
    program = """
        import sys, urllib3

        retries = urllib3.Retry(2, status_forcelist=[503])
        try:
            urllib3.PoolManager().request("GET", sys.argv[1], retries=retries)
        except urllib3.exceptions.MaxRetryError:
            pass
    """
    with ServerProcess(ServerSettings(behaviour=Behaviour(status=503))) as server:
        seen = see(program, server.url)
        stats = server.stop()
    assert (seen.opened, seen.sent) == (stats.accepts, stats.requests) == (1, 3)
    assert [it.status for it in seen.exchanges] == [503] * 3


def test_pips_own_copy_is_seen_too(see: See, server: ServerProcess) -> None:
    program = """
        import sys
        from pip._vendor import requests

        session = requests.Session()
        for _ in range(3):
            session.get(sys.argv[1])
    """
    seen = see(program, server.url)
    assert (seen.opened, seen.sent) == (1, 3)
    assert seen.clients[0].kind == "pip._vendor.urllib3.poolmanager.PoolManager"
