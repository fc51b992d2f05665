"""The application of all Python servers here: it notes from which port each request came.

So requests that came over one connection can be told, as the server itself saw them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

BODY = b"keep-alive\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def note(port: object) -> None:
    with open(os.environ["SEEN"], "a", encoding="ascii") as log:  # noqa: PTH123  # pathlib: no gain
        log.write(f"{port}\n")


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    note(environ["REMOTE_PORT"])
    start_response("200 OK", HEADERS)
    return [BODY]


def wsgi_reading(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    return wsgi(environ, start_response)


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    note(scope["client"][1])
    headers = [(name.encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
