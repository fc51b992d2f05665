"""The standard library's wsgiref on an inherited socket."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from support.servers.programs.app import wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "REMOTE_PORT": self.client_address[1]}


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    return wsgi(environ, start)


descriptor, options = sys.argv[1:]
for attribute, value in json.loads(options).items():
    setattr(Handler, attribute, value)
server = WSGIServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(descriptor))
server.server_name, server.server_port = server.socket.getsockname()
server.setup_environ()
server.set_app(application)
server.serve_forever()
