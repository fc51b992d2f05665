"""A small SOCKS5 proxy (RFC 1928) that counts connections."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.misbehaving import Misbehaving, Peer, misbehaving
from support.relays import join

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY_ASKS = b"\x05\x00"
_NAME, _ADDRESS_BYTES = 3, 4
_GRANTED, _REFUSED = (b"\x05" + code + b"\x00\x01" + bytes(6) for code in (b"\x00", b"\x05"))


@contextmanager
def socks_proxy() -> Iterator[Misbehaving]:
    """Run one on 127.0.0.1."""
    with misbehaving(_serve) as proxy:
        yield proxy


def _serve(peer: Peer) -> None:
    client = peer.socket
    _read(client, _read(client, 2)[1])
    client.sendall(_NOBODY_ASKS)
    kind = _read(client, 4)[3]
    size = _read(client, 1)[0] if kind == _NAME else _ADDRESS_BYTES
    name, port = _read(client, size), int.from_bytes(_read(client, 2), "big")
    host = name.decode() if kind == _NAME else socket.inet_ntoa(name)
    try:
        there = socket.create_connection((host, port))
    except OSError:
        client.sendall(_REFUSED)
        return
    client.sendall(_GRANTED)
    with there:
        join(client, there)


def _read(client: socket.socket, size: int) -> bytes:
    data = client.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        raise ConnectionResetError
    return data
