"""The standard library's http.server on an inherited socket."""

from __future__ import annotations

import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.servers.programs.app import BODY, HEADERS, note


class Handler(BaseHTTPRequestHandler):
    broken_status = 200
    """For a target with `broken=yes` in it."""

    def do_GET(self) -> None:
        note(self.headers.get("X-Client-Port") or self.client_address[1])
        self.send_response(self.broken_status if "broken=yes" in self.path else 200)
        for name, value in HEADERS:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(BODY)


descriptor, options = sys.argv[1:]
for attribute, value in json.loads(options).items():
    setattr(Handler, attribute, value)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(descriptor))
server.serve_forever()
