"""A server behind a gateway whose close meets a request on its way, each time.

Elsewhere that is a race: the gateway reuses a connection while the server is closing it.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.servers.programs.app import BODY


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 10_000
    idle_s = 60.0
    requests = 1_000_000

    def setup(self) -> None:
        super().setup()
        self.answered, self.since = 0, time.monotonic()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        idle_s = time.monotonic() - self.since
        if self.answered and (idle_s > self.idle_s or self.answered == self.requests):
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)
        self.answered, self.since = self.answered + 1, time.monotonic()


descriptor, options = sys.argv[1:]
for attribute, value in json.loads(options).items():
    setattr(Handler, attribute, value)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(descriptor))
server.serve_forever()
