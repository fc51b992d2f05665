"""What the tracer sees of httpx and httpcore, beside what servers and relays count."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.h2_server import h2_server
from support.misbehaving import ANSWER, misbehaving
from support.relays import relay
from support.traced_clients import as_sync, installed, traced

from keepalive_bench.server import CERTIFICATES, Behaviour, Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.misbehaving import Peer
    from support.traced_clients import Traced


@pytest.fixture(
    autouse=True, params=["", pytest.param("httpx[http2]==0.23.0", marks=pytest.mark.slow)]
)
def version(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run programs with the lowest version, too."""
    requirement: str = request.param
    with installed(tmp_path_factory, *filter(None, [requirement])):
        yield requirement


BOTH = pytest.mark.parametrize("kind", [as_sync, str], ids=["sync", "async"])


def seen(
    kind: Callable[[str], str], text: str, *, tls: bool = False, **behaviour: object
) -> Traced:
    """Run a program with one server, whose counts are those of the tracer."""
    settings = ServerSettings(tls=tls, behaviour=Behaviour(**behaviour))  # type: ignore[arg-type]
    with Server(settings) as server:
        found = traced(kind(PROLOGUE + text + EPILOGUE), server.url)
        stats = server.stop()
    assert (found.opened, found.sent) == (stats.accepts, stats.requests)
    return found


PROLOGUE = """
import asyncio, sys, time
import httpcore, httpx

url = sys.argv[1]

async def main():
"""
EPILOGUE = """
asyncio.run(main())
"""


@BOTH
def test_one_client_opens_one_connection(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient() as client:
        for _ in range(4):
            (await client.get(url)).raise_for_status()
        await client.post(url, content=b"some", headers={"Connection": "keep-alive"})
""",
    )
    assert found.endings == ["client-closed"]
    (connection,) = found.connections
    assert [it.has_body for it in found.exchanges] == [False] * 4 + [True]
    assert all(it.began_s <= it.sent_s <= it.answered_s <= it.ended_s for it in found.exchanges)  # type: ignore[operator]
    assert found.exchanges[0].began_s <= connection.began_s
    assert not any(it.asks_to_close or it.is_http_2 for it in found.exchanges)


def test_get_makes_a_client_each_time() -> None:
    found = seen(
        str,
        """
    for _ in range(3):
        httpx.get(url)
""",
    )
    assert found.endings == ["client-closed"] * 3
    pools = [found.client(it.client) for it in found.connections]
    clients = [found.client(it.of) for it in pools]
    assert [it.kind for it in (*pools, *clients)] == ["httpcore.ConnectionPool"] * 3 + [
        "httpx.Client"
    ] * 3
    assert len({it.number for it in clients}) == 3
    own = {(it.line, it.function) for client in clients for it in client.stack if is_own(it.file)}
    assert own == {(10, "main")}
    assert all(it.most == 20 and it.ended_s for it in (*pools, *clients))


def is_own(file: str) -> bool:
    return file.endswith("program.py")


@BOTH
def test_exchanges_know_the_programs_own_call(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient() as client:
        await client.get(url)
        await client.get(url)
""",
    )
    frames = [it.frame for it in found.exchanges]
    assert [(it.line, it.function) for it in frames if it] == [(10, "main"), (11, "main")]


@BOTH
def test_a_response_closed_unread_ends_its_connection(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            async with client.stream("GET", url):
                pass
        async with client.stream("GET", url) as response:
            async for part in response.aiter_raw(1000):
                break
""",
        body_size=3_000_000,
    )
    assert found.endings == ["unread"] * 3
    assert [it.ended_s for it in found.exchanges] == [None] * 3
    assert any(is_own(it.file) for it in found.connections[0].closing_stack)


@BOTH
def test_a_response_that_is_dropped_keeps_its_connection(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    client = httpx.AsyncClient()
    for _ in range(2):
        await client.send(client.build_request("GET", url), stream=True)
    try:
        await client.aclose()
    except RuntimeError:  # before httpcore 1, it protests
        pass
""",
        body_size=3_000_000,
    )
    assert found.endings == ["client-closed"] * 2


@BOTH
def test_an_announced_close_is_told_from_a_silent_one(kind: Callable[[str], str]) -> None:
    program = """
    async with httpx.AsyncClient() as client:
        for _ in range(3):
            await client.get(url)
            await asyncio.sleep(0.1)
"""
    said = seen(kind, program, close_after=2)
    assert said.endings == ["announced", "client-closed"]
    assert [it.answer.connection for it in said.exchanges if it.answer] == [None, "close", None]
    silent = seen(kind, program, silent_close_after=2)
    assert silent.endings == ["found-fin", "client-closed"]


@BOTH
def test_a_secure_connection_that_was_closed_is_found_so(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            await client.get(url)
            await asyncio.sleep(0.1)
""",
        tls=True,
        silent_close_after=1,
    )
    assert found.endings[0] == "found-fin"
    assert all(it.is_tls and not it.is_tunnel for it in found.connections)


@BOTH
def test_a_reset_is_found(kind: Callable[[str], str]) -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.reset()

    program = """
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            await client.get(url)
            await asyncio.sleep(0.1)
"""
    with misbehaving(script) as server:
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url)
    assert (found.opened, found.endings[0]) == (2, "found-rst")


@BOTH
def test_data_that_nobody_asked_for_is_found(kind: Callable[[str], str]) -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.pause(0.05)
        peer.socket.sendall(b"more")
        peer.stay()

    program = """
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            await client.get(url)
            await asyncio.sleep(0.2)
"""
    with misbehaving(script) as server:
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url)
    assert (found.opened, found.endings[0]) == (2, "found-data")


@BOTH
def test_a_body_that_ends_with_its_connection_says_so(kind: Callable[[str], str]) -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nServer: a\tb\r\n\r\nall")

    program = """
    async with httpx.AsyncClient() as client:
        await client.get(url)
"""
    with misbehaving(script) as server:
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url)
    assert found.endings == ["announced"]
    answer = found.exchanges[0].answer
    assert answer is not None
    assert (answer.framing, answer.server) == ("close", "a b")


@BOTH
def test_a_connection_that_its_pool_has_no_room_for_says_so(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    limits = httpx.Limits(max_keepalive_connections=1)
    async with httpx.AsyncClient(limits=limits) as client:
        async with client.stream("GET", url) as one, client.stream("GET", url) as other:
            await one.aread()
            await other.aread()
""",
    )
    assert sorted(found.endings) == ["client-closed", "pool-full"]
    assert {found.client(it.client).most for it in found.connections} == {1}


@BOTH
def test_a_connection_that_was_idle_for_too_long_says_so(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient(limits=httpx.Limits(keepalive_expiry=0.05)) as client:
        for _ in range(2):
            await client.get(url)
            await asyncio.sleep(0.2)
""",
    )
    assert found.endings == ["expired", "client-closed"]


@BOTH
def test_a_client_that_is_forgotten_leaves_its_connection_to_the_collector(
    kind: Callable[[str], str],
) -> None:
    found = seen(
        kind,
        """
    import gc, warnings
    warnings.simplefilter("ignore")
    client = httpx.AsyncClient()
    await client.get(url)
    del client
    gc.collect()
    await asyncio.sleep(0)
""",
    )
    assert found.endings == ["collected"]


@BOTH
def test_what_cannot_be_opened_is_no_connection_but_an_exchange_that_failed(
    kind: Callable[[str], str],
) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            try:
                await client.get("http://127.0.0.1:1/")
            except httpx.ConnectError:
                pass
""",
    )
    assert [it.failure for it in found.connections] == ["httpcore.ConnectError"] * 2
    assert [it.failure for it in found.exchanges] == ["httpcore.ConnectError"] * 2
    assert [it.connection for it in found.exchanges] == [it.number for it in found.connections]
    frames = [it.frame for it in found.exchanges]
    assert [it.line for it in frames if it] == [12, 12]


@BOTH
def test_each_attempt_to_connect_is_told(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    transport = httpx.AsyncHTTPTransport(retries=1)
    async with httpx.AsyncClient(transport=transport) as client:
        try:
            await client.get("http://127.0.0.1:1/")
        except httpx.ConnectError:
            pass
""",
    )
    assert [it.failure for it in found.connections] == ["httpcore.ConnectError"] * 2
    assert [it.previous for it in found.connections] == [None, found.connections[0].number]
    assert len(found.exchanges) == 1


@BOTH
def test_a_failed_handshake_had_a_connection(kind: Callable[[str], str]) -> None:
    settings = ServerSettings(tls=True, certificate=CERTIFICATES["untrusted"])
    program = """
    async with httpx.AsyncClient() as client:
        try:
            await client.get(url)
        except Exception as error:  # before httpcore 0.17, it may be that of ssl itself
            print(error)
"""
    with Server(settings) as server:
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url)
        assert (found.opened, found.sent) == (server.stop().accepts, 0) == (1, 0)
    assert found.endings == ["failed"]
    assert found.connections[0].failure
    assert found.exchanges[0].failure


@BOTH
def test_a_timeout_fails_its_exchange(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpx.AsyncClient(timeout=0.1) as client:
        try:
            await client.get(url)
        except httpx.ReadTimeout:
            pass
""",
        delay_s=0.5,
    )
    assert found.endings == ["failed"]
    assert [it.failure for it in found.exchanges] == ["httpcore.ReadTimeout"]


def test_a_cancelled_request_has_failed() -> None:
    found = seen(
        str,
        """
    async with httpx.AsyncClient() as client:
        task = asyncio.create_task(client.get(url))
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


@BOTH
def test_a_body_that_breaks_off_fails_its_exchange(kind: Callable[[str], str]) -> None:
    def script(peer: Peer) -> None:
        peer.answer(ANSWER.replace(b"Length: 2", b"Length: 3"))

    program = """
    async with httpx.AsyncClient() as client:
        try:
            await client.get(url)
        except httpx.RemoteProtocolError:
            pass
"""
    with misbehaving(script) as server:
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url)
    assert found.endings == ["failed"]
    (exchange,) = found.exchanges
    assert (exchange.status, exchange.failure) == (200, "httpcore.RemoteProtocolError")


@BOTH
def test_a_redirect_elsewhere_names_the_origin(kind: Callable[[str], str]) -> None:
    with Server(ServerSettings()) as other:
        places = (f"{other.url}/secret?token=1", "/elsewhere")
        for place in places:
            found = seen(
                kind,
                """
    async with httpx.AsyncClient() as client:
        await client.get(url)
""",
                status=302,
                headers=(("Location", place),),
            )
            redirect = found.exchanges[0].redirect
            assert (redirect and redirect.port) == (None if place[0] == "/" else other.port)


@BOTH
@pytest.mark.parametrize("tls", [False, True], ids=["forwarded", "tunnelled"])
def test_connections_to_a_proxy_are_counted(kind: Callable[[str], str], tls: bool) -> None:  # noqa: FBT001
    program = """
    import inspect
    name = "proxy" if "proxy" in inspect.signature(httpx.Client).parameters else "proxies"
    async with httpx.AsyncClient(**{name: sys.argv[2]}) as client:
        for _ in range(3):
            await client.get(url)
        try:
            await client.get("https://127.0.0.1:1/")
        except httpx.RemoteProtocolError:
            pass
"""
    with ExitStack() as stack:
        server = stack.enter_context(Server(ServerSettings(tls=tls)))
        proxy = stack.enter_context(relay())
        found = traced(kind(PROLOGUE + program + EPILOGUE), server.url, proxy.url)
        assert (found.opened, found.sent) == (proxy.accepts, server.stop().requests)
    good, bad = found.connections
    assert (good.is_tls, good.is_tunnel, good.ending) == (tls, tls, "client-closed")
    assert {it.origin.via for it in found.connections} == {proxy.url}
    assert (bad.origin.name, bad.failure) == ("127.0.0.1:1", "httpcore.RemoteProtocolError")


def test_many_exchanges_are_under_way_on_one_connection_of_http_2() -> None:
    program = """
    async with httpx.AsyncClient(http2=True) as client:
        await asyncio.gather(*(client.get(url) for _ in range(6)))
        async with client.stream("GET", url):
            pass
        await client.get(url)
"""
    with h2_server() as server:
        found = traced(PROLOGUE + program + EPILOGUE, server.url)
        assert (found.opened, found.sent) == (server.accepts, server.requests) == (1, 8)
    assert found.endings == ["client-closed"]
    assert all(it.is_http_2 for it in found.exchanges)
    first = found.exchanges[:6]
    assert max(it.began_s for it in first) < min(it.ended_s or 0 for it in first)
    assert {it.answer.http_version for it in found.exchanges if it.answer} == {"HTTP/2"}
    assert found.exchanges[6].ended_s is None


def test_a_goodbye_in_http_2_is_heard(version: str) -> None:
    program = """
    async with httpx.AsyncClient(http2=True) as client:
        for _ in range(4):
            try:
                await client.get(url)
            except Exception as error:
                print(error)
"""
    with h2_server(keep_alive_max_requests=2) as server:
        found = traced(PROLOGUE + program + EPILOGUE, server.url)
        assert found.opened == server.accepts
    # Before 0.16, httpcore goes on with a connection that it can't use.
    assert found.endings == ["client-closed"] if version else ["announced", "client-closed"]


def test_a_connection_of_http_2_that_was_closed_meanwhile_fails() -> None:
    program = """
    async with httpx.AsyncClient(http2=True) as client:
        await client.get(url)
        await asyncio.sleep(0.4)
        try:
            await client.get(url)
        except httpx.RemoteProtocolError:
            pass
        await client.get(url)
"""
    with h2_server(keep_alive_timeout=0.1) as server:
        found = traced(PROLOGUE + program + EPILOGUE, server.url)
        assert (found.opened, server.accepts, server.requests) == (2, 2, 2)
    assert found.endings == ["failed", "client-closed"]
    assert [it.status for it in found.exchanges] == [200, None, 200]
    assert [it.connection for it in found.exchanges][:2] == [found.connections[0].number] * 2


def test_http_2_is_seen_without_asyncio_too() -> None:
    program = """
    with httpx.Client(http2=True) as client:
        for _ in range(3):
            client.get(url)
"""
    with h2_server() as server:
        found = traced(as_sync(PROLOGUE + program + EPILOGUE), server.url)
        assert (found.opened, found.sent) == (server.accepts, server.requests) == (1, 3)
    assert all(it.is_http_2 and it.ended_s for it in found.exchanges)


def test_who_hoped_for_http_2_and_got_http_1_counts_once() -> None:
    found = seen(
        str,
        """
    async with httpx.AsyncClient(http2=True) as client:
        await asyncio.gather(*(client.get(url) for _ in range(6)))
""",
        tls=True,
        delay_s=0.05,
    )
    assert not any(it.failure for it in found.exchanges)
    assert not any(it.is_http_2 for it in found.exchanges)


@BOTH
def test_a_pool_of_httpcore_alone_is_seen(kind: Callable[[str], str]) -> None:
    found = seen(
        kind,
        """
    async with httpcore.AsyncConnectionPool(max_connections=2) as pool:
        for _ in range(3):
            await pool.request("GET", url)
        for connection in pool.connections:
            await connection.aclose()
        await pool.request("GET", url)
""",
    )
    assert found.endings == ["connection-closed", "client-closed"]
    (pool,) = found.clients
    assert (pool.of, pool.most, pool.blocks) == (None, 2, True)


def test_what_is_mocked_is_no_connection(version: str) -> None:
    if version:
        pytest.skip("httpcore keeps backends to itself")
    found = seen(
        str,
        """
    answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n"
    with httpcore.ConnectionPool(network_backend=httpcore.MockBackend([answer])) as pool:
        assert pool.request("GET", url).status == 200
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)))
    assert client.get(url).status_code == 200
""",
    )
    assert (found.connections, found.exchanges) == ((), ())


def test_a_backend_of_the_programs_own_is_seen(version: str) -> None:
    if version:
        pytest.skip("httpcore keeps backends to itself")
    found = seen(
        str,
        """
    import socket
    class Stream(httpcore.NetworkStream):
        def __init__(self, address): self.socket = socket.create_connection(address)
        def read(self, most, timeout=None): return self.socket.recv(most)
        def write(self, data, timeout=None): self.socket.sendall(data)
        def close(self): self.socket.close()
        def get_extra_info(self, info): return self.socket if info == "socket" else None
    class Backend(httpcore.NetworkBackend):
        def connect_tcp(self, host, port, **options): return Stream((host, port))
    with httpcore.ConnectionPool(network_backend=Backend()) as pool:
        for _ in range(2):
            pool.request("GET", url)
""",
    )
    assert found.endings == ["client-closed"]


def test_threads_share_a_pool() -> None:
    found = seen(
        str,
        """
    from concurrent.futures import ThreadPoolExecutor
    limits = httpx.Limits(max_keepalive_connections=5)
    with httpx.Client(limits=limits) as client, ThreadPoolExecutor(16) as threads:
        assert all(it.is_success for it in threads.map(client.get, [url] * 64))
""",
        delay_s=0.01,
    )
    assert set(found.endings) <= {"client-closed", "pool-full"}
    assert len({it.who for it in found.exchanges}) > 1
    assert all(it.ended_s for it in found.exchanges)


def test_coroutines_stay_coroutines() -> None:
    found = seen(
        str,
        """
    from inspect import iscoroutinefunction
    for method in (
        httpx.AsyncClient.aclose,
        httpcore.AsyncConnectionPool.aclose,
        httpcore.AsyncConnectionPool.handle_async_request,
        httpcore.AsyncHTTPConnection.handle_async_request,
    ):
        assert iscoroutinefunction(method), method
    assert not iscoroutinefunction(httpx.AsyncClient.__init__)
    assert str(httpx.AsyncClient.__init__.__name__) == "__init__"
""",
    )
    assert not found.clients
