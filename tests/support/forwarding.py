"""A proxy that answers for all servers by itself, and counts whom it is asked for."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from support.misbehaving import ANSWER, Misbehaving, Peer, misbehaving

if TYPE_CHECKING:
    from collections.abc import Iterator


class Forwarding(NamedTuple):
    """A running one."""

    proxy: Misbehaving
    asked: Counter[str]
    """How many requests named each origin."""

    @property
    def url(self) -> str:
        return f"http://{self.proxy.address}"


@contextmanager
def forwarding(answer: bytes = ANSWER, *, served: int | None = None) -> Iterator[Forwarding]:
    """One that gives the same answer to all; it closes a connection when it has served so many."""
    asked: Counter[str] = Counter()

    def script(peer: Peer) -> None:
        left = served
        while left != 0 and (head := peer.read_request()):
            scheme, _, rest = head.split()[1].decode().partition("://")
            asked[f"{scheme}://{rest.partition('/')[0]}"] += 1
            peer.socket.sendall(answer)
            left = None if left is None else left - 1

    with misbehaving(script) as proxy:
        yield Forwarding(proxy, asked)
