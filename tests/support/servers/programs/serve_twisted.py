"""Twisted's web server on an inherited socket."""

from __future__ import annotations

import json
import os
import socket
import sys

from support.servers.programs.app import BODY, note
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class Answer(Resource):
    isLeaf = True  # noqa: N815  # Twisted's name

    def render_GET(self, request: Request) -> bytes:  # noqa: N802  # Twisted's name
        note(request.getClientAddress().port)  # type: ignore[no-untyped-call]  # Twisted's own
        return BODY


descriptor, options = sys.argv[1:]
os.set_blocking(int(descriptor), False)
site = Site(Answer(), **json.loads(options))  # type: ignore[no-untyped-call]  # Twisted's own
reactor.adoptStreamPort(int(descriptor), socket.AF_INET, site)
reactor.run()  # type: ignore[misc]  # an interface's method, as Twisted declares it
