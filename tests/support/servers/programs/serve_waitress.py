"""waitress on an inherited socket."""

from __future__ import annotations

import json
import socket
import sys

import waitress
from support.servers.programs.app import wsgi

descriptor, options = sys.argv[1:]
waitress.serve(wsgi, sockets=[socket.socket(fileno=int(descriptor))], **json.loads(options))
