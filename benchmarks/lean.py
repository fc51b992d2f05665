"""The loop that kab is held against: urllib3, a streamed read, no timers.

As a script, `lean.py URL REQUESTS`, it is what the whole command is held against.
"""

from __future__ import annotations

import sys

from urllib3 import HTTPConnectionPool
from urllib3.util import parse_url

TIMEOUT_S = 30.0
"""kab's own default; a socket with a timeout costs a system call more at each read."""
CHUNK = 65536


def open_pool(url: str, timeout_s: float | None = TIMEOUT_S) -> HTTPConnectionPool:
    """A pool as an application would open it."""
    target = parse_url(url)
    return HTTPConnectionPool(target.host or "", target.port, maxsize=1, timeout=timeout_s)


def fetch(pool: HTTPConnectionPool, requests: int) -> None:
    """Send the requests that kab sends, one after the other."""
    for index in range(requests):
        fetch_one(pool, index)


def fetch_one(pool: HTTPConnectionPool, index: int) -> None:
    """Send one request and read its response to the end."""
    response = pool.urlopen(
        "GET",
        f"/?kab={index}",
        preload_content=False,
        retries=False,
        redirect=False,
        decode_content=False,
    )
    for _chunk in response.stream(CHUNK):
        pass
    response.release_conn()


if __name__ == "__main__":
    with open_pool(sys.argv[1]) as pool_:
        fetch(pool_, int(sys.argv[2]))
