"""Every client in turns, in random order, round by round: what a request took each time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from peer_clients import (
    CLIENTS,
    KAB,
    KAB_ALONE,
    KAB_ONE,
    KAB_TWO,
    LEAN,
    LEAN_ALONE,
    MODES,
    POOLED,
)
from processes import finished

if TYPE_CHECKING:
    from random import Random

    from peer_clients import Client
    from peer_server import PeerServer

CLOSE = tuple((it, POOLED) for it in (KAB, LEAN, KAB_ALONE, LEAN_ALONE, KAB_ONE, KAB_TWO))
"""Whose targets are near: they take part in every round."""
_AT_MOST_S = 120.0


class Call(NamedTuple):
    """One call of a client: what it took, what it said, and what nginx saw of it."""

    wall_s: float
    cpu_s: float
    nginx_s: float
    requests: int
    connections: int
    output: str


class Visit(NamedTuple):
    """What a long call took beyond a short one, so without the start-up."""

    request_s: float
    cpu_s: float
    """The client's processor time for a request."""
    nginx_busy: float
    """Share of the time in which nginx was at work."""
    last: Call
    """The long one."""


@dataclass(frozen=True)
class Visits:
    """All visits, by client's name and mode, then by round; and why some clients have none."""

    by_round: dict[tuple[str, str], dict[int, Visit]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    absent: dict[str, str] = field(default_factory=dict)

    def of(self, client: Client, mode: str) -> list[Visit]:
        """In the order of the rounds."""
        return list(self.by_round[client.name, mode].values())

    def pairs(
        self, one: tuple[Client, str], other: tuple[Client, str]
    ) -> list[tuple[Visit, Visit]]:
        """The visits of two, each a client and its mode, in those rounds that have both."""
        ones, others = (self.by_round[client.name, mode] for client, mode in (one, other))
        return [(visit, others[number]) for number, visit in ones.items() if number in others]


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int
    every: int
    """All clients take part in one round of so many."""
    quick: bool


def measured(server: PeerServer, effort: Effort, random: Random) -> Visits:
    """Let all of them send their requests."""
    places = [(client, mode) for client in CLIENTS for mode in MODES]
    visits = Visits()
    for client in CLIENTS:
        if not client.is_installed:
            visits.absent[client.name] = "not installed"
    for number in range(effort.rounds):
        for client, mode in random.sample(places, len(places)):
            is_due = number % effort.every == 0 or (client, mode) in CLOSE
            if not is_due or client.name in visits.absent:
                continue
            url = server.url(places.index((client, mode)))
            try:
                with server.placed(shares_cores=client.shares_cores):
                    one = _visit(server, client, mode, url, effort, random)
            except RuntimeError as error:
                visits.absent[client.name] = "failed"
                print(f"{client.name}: {error}")
            else:
                visits.by_round[client.name, mode][number] = one
    return visits


def _visit(
    server: PeerServer, client: Client, mode: str, url: str, effort: Effort, random: Random
) -> Visit:
    """One long call and one short one, in random order."""
    many, few = client.amounts(mode, quick=effort.quick)
    calls = {
        amount: _called(server, client.command(mode, url, amount))
        for amount in random.sample((many, few), 2)
    }
    long, short = calls[many], calls[few]
    requests, wall_s = long.requests - short.requests, long.wall_s - short.wall_s
    return Visit(
        request_s=wall_s / requests,
        cpu_s=(long.cpu_s - short.cpu_s) / requests,
        nginx_busy=(long.nginx_s - short.nginx_s) / wall_s,
        last=long,
    )


def _called(server: PeerServer, command: list[str]) -> Call:
    before = server.counts()
    done = finished(command, _AT_MOST_S)
    after = server.counts()
    return Call(
        wall_s=done.wall_s,
        cpu_s=done.cpu_s,
        nginx_s=after.cpu_s - before.cpu_s,
        requests=after.requests - before.requests - 1,  # the look itself is one
        connections=after.connections - before.connections,
        output=done.output,
    )
