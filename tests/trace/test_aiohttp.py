"""What the tracer sees of aiohttp's client, beside what servers and relays count."""

from __future__ import annotations

import base64
import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.misbehaving import ANSWER, Misbehaving, misbehaving
from support.relays import relay
from support.traced_clients import installed, traced

from keepalive_bench.server import CERTIFICATES, Behaviour, Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.misbehaving import Peer
    from support.traced_clients import Traced


@pytest.fixture(autouse=True, params=["", pytest.param("aiohttp==3.8.*", marks=pytest.mark.slow)])
def version(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run programs with the lowest version, too."""
    requirement: str = request.param
    with installed(tmp_path_factory, *filter(None, [requirement])):
        yield requirement


PROLOGUE = """
import asyncio, gc, ssl, sys, time
import aiohttp

url = sys.argv[1]

async def read(session, **options):
    async with session.get(url, **options) as response:
        return await response.read()

async def main():
"""
EPILOGUE = """
asyncio.run(main())
"""


def seen(text: str, *arguments: str, tls: bool = False, **behaviour: object) -> Traced:
    """Run a program with one server, whose counts are those of the tracer."""
    settings = ServerSettings(tls=tls, behaviour=Behaviour(**behaviour))  # type: ignore[arg-type]
    with Server(settings) as server:
        found = traced(PROLOGUE + text + EPILOGUE, server.url, *arguments)
        stats = server.stop()
    assert (found.opened, found.sent) == (stats.accepts, stats.requests)
    return found


def met(server: Misbehaving, text: str) -> Traced:
    """Run one with a server of another kind."""
    found = traced(PROLOGUE + text + EPILOGUE, server.url)
    assert found.opened == server.accepts
    return found


def test_one_session_opens_one_connection() -> None:
    found = seen("""
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            await read(session)
        async with session.post(url, data=b"some") as response:
            await response.read()
        await session.head(url)
""")
    assert found.endings == ["client-closed"]
    (connection,) = found.connections
    assert [it.has_body for it in found.exchanges] == [False] * 4 + [True, False]
    assert all(it.began_s <= it.sent_s <= it.answered_s <= it.ended_s for it in found.exchanges)  # type: ignore[operator]
    assert not any(it.asks_to_close or it.is_http_2 for it in found.exchanges)
    assert found.exchanges[0].began_s <= connection.ready_s  # type: ignore[operator]
    assert [it.answer.framing for it in found.exchanges if it.answer] == ["length"] * 5 + ["none"]


def test_a_limit_may_be_larger_than_any() -> None:
    found = seen("""
    connector = aiohttp.TCPConnector(limit=10**10)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            await read(session)
""")
    assert [found.client(it.client).kind for it in found.connections] == ["aiohttp.TCPConnector"]


def test_a_session_for_each_request_is_told() -> None:
    found = seen("""
    for _ in range(3):
        async with aiohttp.ClientSession() as session:
            await read(session)
""")
    assert found.endings == ["client-closed"] * 3
    connectors = [found.client(it.client) for it in found.connections]
    sessions = [found.client(it.of) for it in connectors]
    assert [it.kind for it in connectors] == ["aiohttp.TCPConnector"] * 3
    assert [it.kind for it in sessions] == ["aiohttp.ClientSession"] * 3
    assert len({it.number for it in sessions}) == 3
    assert [(it.most, it.blocks) for it in connectors] == [(100, True)] * 3
    assert {it.stack[0].line for it in sessions} == {14}
    assert all(it.ended_s for it in (*connectors, *sessions))


def test_exchanges_know_the_programs_own_call() -> None:
    found = seen("""
    async with aiohttp.ClientSession() as session:
        await read(session)
        try:
            await session.get("http://127.0.0.1:1/")
        except aiohttp.ClientError:
            pass
""")
    frames = [it.frame for it in found.exchanges]
    assert [(it.line, it.function) for it in frames if it] == [(8, "read"), (16, "main")]


def test_tasks_are_told_apart() -> None:
    found = seen(
        """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session:
        await asyncio.gather(*(read(session) for _ in range(6)))
""",
        delay_s=0.05,
    )
    assert len(found.connections) == 2
    assert len({it.who for it in found.exchanges}) == 6
    (connector,) = found.clients
    assert (connector.of, connector.most, connector.blocks) == (None, 2, True)


@pytest.mark.parametrize("how", ["pass", "await response.content.read(10)", "response.close()"])
def test_a_response_that_is_not_read_ends_its_connection(how: str) -> None:
    found = seen(
        f"""
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(url) as response:
                {how}
""",
        body_size=3_000_000,
    )
    assert found.endings == ["unread"] * 2
    assert [it.ended_s for it in found.exchanges] == [None] * 2


def test_a_response_that_is_dropped_keeps_its_connection() -> None:
    found = seen(
        """
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            await session.get(url)
            gc.collect()
""",
        body_size=3_000_000,
    )
    assert found.endings == ["client-closed"] * 2
    assert [it.ended_s for it in found.exchanges] == [None] * 2


def test_an_announced_close_is_told_from_a_silent_one() -> None:
    program = """
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await read(session)
            await asyncio.sleep(0.1)
"""
    assert seen(program, close_after=2).endings == ["announced", "client-closed"]
    assert seen(program, silent_close_after=2).endings == ["found-fin", "client-closed"]


def test_a_body_that_ends_with_its_connection_says_so() -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nServer: a\tb\r\n\r\nall")

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        await read(session)
""",
        )
    assert found.endings == ["announced"]
    answer = found.exchanges[0].answer
    assert answer is not None
    assert (answer.framing, answer.server) == ("close", "a b")


def test_a_reset_is_found() -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.pause(0.05)
        peer.reset()

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            await read(session)
            await asyncio.sleep(0.2)
""",
        )
    assert found.endings == ["found-rst"] * 2


def test_a_request_on_a_connection_that_was_closed_meanwhile_fails_and_is_sent_again() -> None:
    def script(peer: Peer) -> None:
        peer.answer()

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        await read(session)
        time.sleep(0.2)
        try:
            await read(session)
        except aiohttp.ServerDisconnectedError:  # only since 3.10 it is sent again
            await read(session)
""",
        )
    assert found.endings[0] in ("failed", "found-fin")
    assert [it.status for it in found.exchanges if not it.failure] == [200, 200]
    assert len(found.exchanges) == 2 + (found.endings[0] == "failed")


def test_a_connection_that_was_idle_for_too_long_says_so() -> None:
    found = seen("""
    connector = aiohttp.TCPConnector(keepalive_timeout=0.05)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(2):
            await read(session)
            time.sleep(0.2)
""")
    assert found.endings == ["expired", "client-closed"]


def test_a_connector_that_closes_all_says_so(version: str) -> None:
    found = seen("""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        await read(session)
    async with aiohttp.request("GET", url) as response:
        await response.read()
""")
    assert all(it.asks_to_close for it in found.exchanges)
    ending = "connection-closed" if version else "announced"  # now, servers are told and agree
    assert found.endings == [ending] * 2


def test_a_session_that_is_forgotten_leaves_its_connection_to_the_collector() -> None:
    found = seen("""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    import warnings
    warnings.simplefilter("ignore")
    session = aiohttp.ClientSession()
    await read(session)
    del session
    gc.collect()
    await asyncio.sleep(0.1)
""")
    assert found.endings == ["collected"]


def test_what_cannot_be_opened_is_no_connection_but_an_exchange_that_failed() -> None:
    found = seen("""
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            try:
                await session.get("http://127.0.0.1:1/")
            except aiohttp.ClientError:
                pass
""")
    errors = ["aiohttp.client_exceptions.ClientConnectorError"] * 2
    assert [it.failure for it in found.connections] == errors
    assert [it.failure for it in found.exchanges] == errors
    assert [it.connection for it in found.exchanges] == [it.number for it in found.connections]
    assert [it.stack[0].function for it in found.connections if it.stack]


def test_of_several_addresses_each_attempt_is_told_and_one_counts() -> None:
    found = seen("""
    from aiohttp.abc import AbstractResolver
    import socket
    class Resolver(AbstractResolver):
        async def resolve(self, host, port=0, family=0):
            return [
                {"hostname": host, "host": it, "port": port, "family": socket.AF_INET,
                 "proto": 0, "flags": 0}
                for it in ("127.0.0.2", "127.0.0.1")
            ]
        async def close(self): pass
    place = url.replace("127.0.0.1", "several.example")
    connector = aiohttp.TCPConnector(resolver=Resolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(2):
            async with session.get(place) as response:
                await response.read()
""")
    assert found.opened == 1
    assert found.connections[-1].origin.host == "several.example"
    assert {it.connection for it in found.exchanges} == {found.connections[-1].number}


def test_a_secure_connection_is_kept() -> None:
    found = seen(
        """
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await read(session)
""",
        tls=True,
    )
    (connection,) = found.connections
    assert (connection.is_tls, connection.is_tunnel) == (True, False)
    assert connection.connected_s < connection.ready_s  # type: ignore[operator]


def test_a_failed_handshake_had_a_connection() -> None:
    settings = ServerSettings(tls=True, certificate=CERTIFICATES["untrusted"])
    program = """
    async with aiohttp.ClientSession() as session:
        try:
            await read(session)
        except aiohttp.ClientSSLError:
            pass
"""
    with Server(settings) as server:
        found = traced(PROLOGUE + program + EPILOGUE, server.url)
        assert (found.opened, found.sent) == (server.stop().accepts, 0) == (1, 0)
    errors = ["aiohttp.client_exceptions.ClientConnectorCertificateError"]
    assert [it.failure for it in found.connections] == errors
    assert [it.failure for it in found.exchanges] == errors


def test_a_timeout_fails_its_exchange() -> None:
    found = seen(
        """
    async with aiohttp.ClientSession() as session:
        try:
            await read(session, timeout=aiohttp.ClientTimeout(total=0.1))
        except asyncio.TimeoutError:
            pass
""",
        delay_s=0.5,
    )
    assert found.endings == ["failed"]
    assert [it.status for it in found.exchanges] == [None]
    assert found.exchanges[0].failure in ("TimeoutError", "asyncio.exceptions.CancelledError")


def test_a_timeout_in_a_body_fails_its_exchange() -> None:
    def script(peer: Peer) -> None:
        peer.drip(ANSWER.replace(b"Length: 2", b"Length: 200"), b"x", 0.05)

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        try:
            await read(session, timeout=aiohttp.ClientTimeout(total=0.2))
        except asyncio.TimeoutError:
            pass
""",
        )
    assert found.endings == ["failed"]
    assert [(it.status, it.failure) for it in found.exchanges] == [(200, "TimeoutError")]


def test_a_cancelled_request_has_failed() -> None:
    found = seen(
        """
    async with aiohttp.ClientSession() as session:
        task = asyncio.create_task(read(session))
        await asyncio.sleep(0.2)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
""",
        delay_s=1,
    )
    assert found.endings == ["failed"]
    assert [it.failure for it in found.exchanges] == ["asyncio.exceptions.CancelledError"]


def test_a_body_that_breaks_off_fails_its_exchange() -> None:
    def script(peer: Peer) -> None:
        peer.answer(ANSWER.replace(b"Length: 2", b"Length: 3"))

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        try:
            await read(session)
        except aiohttp.ClientPayloadError:
            pass
""",
        )
    assert found.endings == ["failed"]
    (exchange,) = found.exchanges
    assert exchange.status == 200
    assert exchange.failure == "aiohttp.client_exceptions.ClientPayloadError"


def test_a_redirect_elsewhere_names_the_origin() -> None:
    with Server(ServerSettings()) as other:
        for place in (f"{other.url}/secret?token=1", "/elsewhere"):
            found = seen(
                """
    async with aiohttp.ClientSession() as session:
        await read(session, allow_redirects=False)
""",
                status=302,
                headers=(("Location", place),),
            )
            redirect = found.exchanges[0].redirect
            assert (redirect and redirect.port) == (None if place[0] == "/" else other.port)


@pytest.mark.parametrize("tls", [False, True], ids=["forwarded", "tunnelled"])
def test_connections_to_a_proxy_are_counted(tls: bool) -> None:  # noqa: FBT001
    program = """
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await read(session, proxy=sys.argv[2])
        try:
            await session.get("https://127.0.0.1:1/", proxy=sys.argv[2])
        except aiohttp.ClientError:
            pass
"""
    with ExitStack() as stack:
        server = stack.enter_context(Server(ServerSettings(tls=tls)))
        proxy = stack.enter_context(relay())
        found = traced(PROLOGUE + program + EPILOGUE, server.url, proxy.url)
        assert (found.opened, found.sent) == (proxy.accepts, server.stop().requests)
    good = [it for it in found.connections if it.failure is None]
    assert {(it.is_tls, it.is_tunnel) for it in good} == {(tls, tls)}
    assert {it.origin.via for it in found.connections} == {proxy.url}
    bad = set(found.connections).difference(good)
    assert {it.origin.name for it in bad} == {"127.0.0.1:1"}


def test_a_web_socket_is_one_exchange() -> None:
    def script(peer: Peer) -> None:
        head = peer.read_request()
        key = next(
            it.split(b":")[1].strip() for it in head.split(b"\r\n") if b"Sec-WebSocket-Key" in it
        )
        accepted = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")  # noqa: S324  # as RFC 6455 says
        accept = base64.b64encode(accepted.digest())
        peer.socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x02hi"
        )
        peer.socket.recv(100)
        peer.socket.sendall(b"\x88\x00")

    with misbehaving(script) as server:
        found = met(
            server,
            """
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive()).data == "hi"
""",
        )
    assert found.endings == ["connection-closed"]
    assert [(it.status, it.failure) for it in found.exchanges] == [(101, None)]


def test_coroutines_stay_coroutines_and_nobody_is_warned() -> None:
    found = seen("""
    from inspect import iscoroutinefunction
    for method in (
        aiohttp.ClientSession.close,
        aiohttp.TCPConnector._create_connection,
        aiohttp.ClientRequest.send,
    ):
        assert iscoroutinefunction(method), method
    async with aiohttp.ClientSession() as session:
        await read(session)
""")
    assert found.endings == ["client-closed"]
