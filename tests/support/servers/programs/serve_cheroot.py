"""cheroot on an inherited socket, which it takes from systemd's hand: as descriptor 3."""

from __future__ import annotations

import json
import os
import sys

from cheroot.wsgi import Server
from support.servers.programs.app import wsgi

descriptor, options = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
server = Server(("127.0.0.1", 0), wsgi)
for name, value in json.loads(options).items():
    setattr(server, name, value)
server.start()
