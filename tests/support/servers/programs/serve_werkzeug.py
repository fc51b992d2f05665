"""werkzeug's development server on an inherited socket."""

from __future__ import annotations

import json
import sys

from support.servers.programs.app import wsgi
from werkzeug.serving import make_server

descriptor, options = sys.argv[1:]
make_server("127.0.0.1", 0, wsgi, fd=int(descriptor), **json.loads(options)).serve_forever()
