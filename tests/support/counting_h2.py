"""A server of HTTP/2 that counts."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
from support.counting import Counting, Counts
from support.misbehaving import Peer, misbehaving

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def speaking_h2() -> Iterator[Counting]:
    """Its URL and its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    context.set_alpn_protocols(["h2"])
    requests = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            _converse(secured, requests)

    with misbehaving(script) as server:
        words = (f"https://{server.address}", str(CERTIFICATE))
        yield Counting(words, lambda: Counts(server.accepts, requests._value))


def _converse(peer: ssl.SSLSocket, requests: threading.Semaphore) -> None:
    talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    talk.initiate_connection()
    peer.sendall(talk.data_to_send())
    while data := peer.recv(65536):
        for event in talk.receive_data(data):
            if isinstance(event, h2.events.RequestReceived) and event.stream_id:
                requests.release()
                talk.send_headers(event.stream_id, [(":status", "200"), ("content-length", "2")])
                talk.send_data(event.stream_id, b"ok", end_stream=True)
        peer.sendall(talk.data_to_send())
