"""aiohttp's server on an inherited socket."""

from __future__ import annotations

import json
import socket
import sys

from aiohttp import web
from support.servers.programs.app import BODY, note


async def answer(request: web.Request) -> web.Response:
    assert request.transport is not None
    note(request.transport.get_extra_info("peername")[1])
    return web.Response(body=BODY)


descriptor, options = sys.argv[1:]
application = web.Application()
application.router.add_get("/", answer)
web.run_app(
    application, sock=socket.socket(fileno=int(descriptor)), print=None, **json.loads(options)
)
