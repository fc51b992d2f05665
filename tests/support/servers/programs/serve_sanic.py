"""Sanic on an inherited socket."""

from __future__ import annotations

import json
import socket
import sys

from sanic import Request, Sanic
from sanic.response import HTTPResponse, raw
from support.servers.programs.app import BODY, note

app = Sanic("keep_alive")


@app.get("/")
async def answer(request: Request) -> HTTPResponse:
    note(request.port)
    return raw(BODY)


descriptor, options = sys.argv[1:]
app.config.update(json.loads(options))
app.run(sock=socket.socket(fileno=int(descriptor)), single_process=True, motd=False)
