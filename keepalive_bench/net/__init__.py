"""The only room with urllib3 and client sockets in it."""

import urllib3

from keepalive_bench.net.library import check_library

if not hasattr(urllib3, "HTTPHeaderDict"):  # before release 2, this room can't even be imported
    check_library()
