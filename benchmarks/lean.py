"""The loop that kab is held against: urllib3, a streamed read, no timers.

As a script, `lean.py URL --requests N`, it is what the whole command is held against; with
`--threads` that share one pool, or with `--arm unpooled` on a connection for each request.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from threads import in_threads
from urllib3 import HTTPConnectionPool
from urllib3.util import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

TIMEOUT_S = 30.0
"""kab's own default; a socket with a timeout costs a system call more at each read."""
CHUNK = 65536


def open_pool(
    url: str, timeout_s: float | None = TIMEOUT_S, *, maxsize: int = 1
) -> HTTPConnectionPool:
    """A pool as an application would open it."""
    target = parse_url(url)
    return HTTPConnectionPool(target.host or "", target.port, maxsize=maxsize, timeout=timeout_s)


def fetch(pool: HTTPConnectionPool, requests: int) -> None:
    """Send the requests that kab sends, one after the other."""
    for index in range(requests):
        fetch_one(pool, index)


def fetch_one(pool: HTTPConnectionPool, index: int) -> None:
    """Send one request and read its response to the end."""
    response = _ask(pool, index)
    for _chunk in response.stream(CHUNK):
        pass
    response.release_conn()


def fetch_fresh(pool: HTTPConnectionPool, index: int) -> None:
    """The same on a connection that is closed afterwards; the pool is one thread's alone."""
    response = _ask(pool, index)
    connection = response.connection  # reading to the end gives it back
    for _chunk in response.stream(CHUNK):
        pass
    response.release_conn()
    if connection is not None:
        connection.close()


def _ask(pool: HTTPConnectionPool, index: int) -> BaseHTTPResponse:
    return pool.urlopen(
        "GET",
        f"/?kab={index}",
        preload_content=False,
        retries=False,
        redirect=False,
        decode_content=False,
    )


def main() -> None:
    """Send them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--arm", choices=("pooled", "unpooled"), default="pooled")
    arguments = parser.parse_args()
    url, threads = arguments.url, arguments.threads
    if arguments.arm == "pooled":
        with open_pool(url, maxsize=threads) as pool:
            in_threads(threads, arguments.requests, lambda numbers: _reusing(pool, numbers))
    else:
        in_threads(threads, arguments.requests, lambda numbers: _afresh(url, numbers))


def _reusing(pool: HTTPConnectionPool, numbers: Iterator[int]) -> None:
    for index in numbers:
        fetch_one(pool, index)


def _afresh(url: str, numbers: Iterator[int]) -> None:
    with open_pool(url) as pool:
        for index in numbers:
            fetch_fresh(pool, index)


if __name__ == "__main__":
    main()
