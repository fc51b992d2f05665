"""Loops as people write them with http.client, and with requests where this Python has it.

`peer_loops.py CLIENT URL --requests N --threads T`: each thread keeps a connection, or a session,
of its own; with `--arm unpooled` it opens one for each request.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 30.0


def main() -> None:
    """Send them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=("http.client", "requests"))
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--arm", choices=("pooled", "unpooled"), default="pooled")
    arguments = parser.parse_args()
    loop = _plain if arguments.client == "http.client" else _with_requests
    work = partial(loop, arguments.url, fresh=arguments.arm == "unpooled")
    in_threads(arguments.threads, arguments.requests, work)


def _plain(url: str, numbers: Iterator[int], *, fresh: bool) -> None:
    connection = _opened(url)
    for index in numbers:
        connection.request("GET", f"/?kab={index}")
        connection.getresponse().read()
        if fresh:
            connection.close()
            connection = _opened(url)
    connection.close()


def _opened(url: str) -> HTTPConnection:
    """One that connects at its first request."""
    target = urlsplit(url)
    return HTTPConnection(target.hostname or "", target.port, timeout=TIMEOUT_S)


def _with_requests(url: str, numbers: Iterator[int], *, fresh: bool) -> None:
    import requests  # noqa: PLC0415  # the other loop does without

    with closing(requests.Session()) as session:
        get = requests.get if fresh else session.get
        for index in numbers:
            get(f"{url}?kab={index}", timeout=TIMEOUT_S).raise_for_status()


if __name__ == "__main__":
    main()
