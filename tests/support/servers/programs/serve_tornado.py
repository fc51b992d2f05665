"""Tornado's server on an inherited socket."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys

from support.servers.programs.app import BODY, note
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler


class Handler(RequestHandler):
    def get(self) -> None:
        assert self.request.connection is not None
        note(self.request.connection.stream.socket.getpeername()[1])  # type: ignore[attr-defined]  # HTTP/1's has one
        self.write(BODY)


async def main() -> None:
    descriptor, options = sys.argv[1:]
    server = HTTPServer(Application([("/", Handler)]), **json.loads(options))
    os.set_blocking(int(descriptor), False)
    server.add_socket(socket.socket(fileno=int(descriptor)))
    await asyncio.Event().wait()


asyncio.run(main())
