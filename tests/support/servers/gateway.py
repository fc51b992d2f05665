"""A gateway before a server that closes connections sooner than it does, and what comes of it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from support.plans import plan
from support.servers.place import place

from keepalive_bench import Arm, analyse, benchmark

if TYPE_CHECKING:
    from support.servers.case import Cure, Launcher

    from keepalive_bench import Exchange
    from keepalive_bench.connections.products import Product, Setting

REQUESTS = 6


class Keeps(NamedTuple):
    """How the server behind the gateway keeps connections."""

    said: str
    server: Launcher
    pause_s: float = 0.0
    """How long nothing is sent after the third request."""


@dataclass(frozen=True, kw_only=True)
class GatewayCase:
    """A gateway, and what comes of it when its connection to the server behind it dies.

    The requests are POSTs: others, many gateways send again by themselves.
    """

    product: Product
    start: Launcher
    setting: str = ""
    """In the words of its users; empty: as it comes."""
    keeps: Keeps
    says: str
    """The status that it answers then, or the failure that the client sees."""
    cure: Cure
    takes_long: bool = False
    """`make servers` measures it; tests don't wait for so long."""

    @property
    def name(self) -> str:
        return f"{self.product.name}, {self.cure.setting}".replace("`", "")

    @property
    def advised(self) -> Setting:
        assert self.product.upstream is not None
        return self.product.upstream


class Outcome(NamedTuple):
    """What became of the requests."""

    counts: Counter[str]
    """How often each status was answered, and each failure seen."""
    advice: str
    """What kab advises against those."""


def outcome(case: GatewayCase, start: Launcher) -> Outcome:
    """Send the case's requests to the gateway, as it is or as it is cured."""

    def halt(exchange: Exchange) -> None:
        if exchange.index == 2:
            time.sleep(case.keeps.pause_s)

    with place() as at, start(at):
        measured = benchmark(
            plan(
                f"http://127.0.0.1:{at.port}/",
                arms=(Arm("pooled"),),
                requests=REQUESTS,
                warmup=0,
                timeout_s=20,
                method="POST",
                body=b"name=value",
                server=None if case.product.names_itself else case.product.word,
            ),
            halt,
        )
    analysis = analyse(measured)
    (arm,) = analysis.arms
    counts = Counter({str(status): count for status, count in arm.status_codes.items()})
    for failure, count in arm.failures.items():
        counts[failure.kind] += count
    return Outcome(counts, " ".join(it.advice for it in analysis.findings))
