"""An HTTP/2 server whose connections and requests are known: hypercorn, behind a relay."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from support.counting import Counting, Counts
from support.patience import PATIENCE_S
from support.relays import Relay, relay

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator


class H2Server:
    """A running one.

    Attributes:
        url: With TLS; `CERTIFICATE` is to be trusted.
        requests: How many it has been asked so far.
    """

    def __init__(self, entrance: Relay) -> None:
        self.url = f"https://127.0.0.1:{entrance.port}/"
        self.requests = 0
        self._entrance = entrance

    @property
    def accepts(self) -> int:
        return self._entrance.accepts

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI's
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.requests += 1
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(0.02)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1000})


@contextmanager
def speaking_h2() -> Iterator[Counting]:
    """Its URL and its certificate."""
    with h2_server() as server:
        words = (server.url, str(CERTIFICATE))
        yield Counting(words, lambda: Counts(server.accepts, server.requests))


@contextmanager
def h2_server(**options: float) -> Iterator[H2Server]:
    """Run it in a thread, with options of hypercorn's."""
    with socket.create_server(("127.0.0.1", 0)) as listener, relay(listener.getsockname()) as front:
        config, server = Config(), H2Server(front)
        config.bind, config.loglevel = [f"fd://{listener.detach()}"], "CRITICAL"
        for name, value in options.items():
            setattr(config, name, value)
        config.certfile = str(CERTIFICATE)
        config.keyfile = str(CERTIFICATE.with_suffix(".key"))
        loop, stopping = asyncio.new_event_loop(), asyncio.Event()
        loop.set_exception_handler(lambda *_: None)  # clients may leave without a word
        running = serve(server.answer, config, shutdown_trigger=stopping.wait)
        thread = threading.Thread(target=loop.run_until_complete, args=[running])
        thread.start()
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(stopping.set)
            thread.join(PATIENCE_S)
            loop.close()
