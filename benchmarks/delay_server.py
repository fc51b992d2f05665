"""A server that answers each request after a scripted time, and says nothing else.

One thread, an event loop and a list of when to answer, at several thousand a second. It prints its
port, ends with its input, and then prints the median of what its answers really took, in seconds.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import sys
import time
from array import array
from statistics import median

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
_END = b"\r\n\r\n"
_SPIN_S = 2e-4


def serve(delay_s: float) -> None:
    """Answer until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)  # noqa: FBT003  # the socket's own signature
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print(listener.getsockname()[1], flush=True)
    due: list[tuple[float, int, socket.socket]] = []
    took, count = array("d"), 0
    while True:
        left_s = due[0][0] - time.perf_counter() if due else 1.0
        for key, _ in selector.select(0 if left_s < _SPIN_S else left_s - _SPIN_S / 2):
            if key.fileobj is sys.stdin:
                print(median(took) if took else delay_s)
                return
            now = time.perf_counter()
            if key.fileobj is listener:
                _accept(listener, selector)
            elif isinstance(key.fileobj, socket.socket):
                count += 1
                if _has_asked(key.fileobj, selector):
                    heapq.heappush(due, (now + delay_s, count, key.fileobj))
        while due and due[0][0] <= time.perf_counter():
            at, _, connection = heapq.heappop(due)
            took.append(_answer(connection) - at + delay_s)


def _accept(listener: socket.socket, selector: selectors.BaseSelector) -> None:
    connection, _ = listener.accept()
    connection.setblocking(False)  # noqa: FBT003  # the socket's own signature
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ)


def _has_asked(connection: socket.socket, selector: selectors.BaseSelector) -> bool:
    """Whether a whole request came; a head of the clients here is one segment."""
    try:
        asked = connection.recv(65536)
    except OSError:
        asked = b""
    if not asked:
        selector.unregister(connection)
        connection.close()
    return asked.endswith(_END)


def _answer(connection: socket.socket) -> float:
    """When it was answered."""
    if connection.fileno() >= 0:
        connection.send(ANSWER)
    return time.perf_counter()


if __name__ == "__main__":
    serve(float(sys.argv[1]))
